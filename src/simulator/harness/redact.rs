//! Secrets become fingerprints before they are recorded or shown.

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

/// Keys whose values are secrets wherever they stand in a body: passwords, TOTP seeds, additional authentication values,
/// client secrets.
const SECRET_KEYS: [&str; 5] = ["content", "password", "secret_key", "value", "client_secret"];

/// What stands for a secret: `sha256:` and the first 12 hexadecimal digits of the digest of its UTF-8 text.
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    let hex = HEXLOWER.encode(digest(&SHA256, secret.as_bytes()).as_ref());
    format!("sha256:{}", &hex[..12])
}

/// A copy of `body` with each secret replaced by its fingerprint; a secret that is no string by that of its JSON text.
/// `null` stays, because "nothing was sent" is no secret.
#[must_use]
pub fn redact(body: &Value) -> Value {
    match body {
        Value::Object(fields) => Value::Object(redact_fields(fields)),
        Value::Array(items) => Value::Array(items.iter().map(redact).collect()),
        other => other.clone(),
    }
}

/// [`redact`] for the fields of an object.
#[must_use]
pub fn redact_fields(fields: &Map<String, Value>) -> Map<String, Value> {
    fields
        .iter()
        .map(|(key, value)| (key.clone(), redact_field(key, value)))
        .collect()
}

fn redact_field(key: &str, value: &Value) -> Value {
    match value {
        _ if !SECRET_KEYS.contains(&key) => redact(value),
        Value::Null => Value::Null,
        Value::String(secret) => Value::String(fingerprint(secret)),
        other => Value::String(fingerprint(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_fingerprint_is_the_start_of_the_digest() {
        assert_eq!(fingerprint("abc"), "sha256:ba7816bf8f01");
    }

    #[test]
    fn every_secret_of_a_body_is_replaced_wherever_it_stands() {
        let body = json!({
            "username": "u", "content": "s3cret", "client_secret": "s3cret", "password": 7, "tags": null,
            "additional_settings": [{"secret_key": "s3cret", "additional_authentication_fields": [{"name": "n", "value": "s3cret"}]}]
        });
        let mark = fingerprint("s3cret");
        assert_eq!(
            redact(&body),
            json!({
                "username": "u", "content": mark, "client_secret": mark, "password": fingerprint("7"), "tags": null,
                "additional_settings": [{"secret_key": mark, "additional_authentication_fields": [{"name": "n", "value": mark}]}]
            })
        );
    }

    #[test]
    fn null_stays_null() {
        assert_eq!(redact(&json!({"content": null})), json!({"content": null}));
    }
}
