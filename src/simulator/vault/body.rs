//! The body of POST credential, as lenient as the PAM: JSON or form, strings or numbers, settings as an object or as an array of one.

use secrecy::SecretString;
use serde_json::{Map, Value};

/// A parsed body. Text fields are `None` when their key is absent (or its value no scalar), `Some("")` when empty.
pub(crate) struct CredentialPost {
    /// Identifier, never empty: the top-level one, else the one of `additional_settings`.
    pub identifier: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// The device's name.
    pub hostname: Option<String>,
    /// The device's address.
    pub ip: Option<String>,
    /// The password.
    pub content: Option<SecretString>,
    /// The other fields, as they were sent.
    pub fields: Map<String, Value>,
}

/// The keys that are not among [`CredentialPost::fields`].
const OWN_KEYS: [&str; 5] = ["identifier", "username", "hostname", "ip", "content"];

impl CredentialPost {
    /// Takes the fields out of `body`; anything but an object has none.
    pub(crate) fn new(body: &Value) -> Self {
        let text = |key| body.get(key).and_then(scalar);
        let fields = body.as_object().into_iter().flatten();
        Self {
            identifier: identifier(body),
            username: text("username"),
            hostname: text("hostname"),
            ip: text("ip"),
            content: text("content").map(SecretString::from),
            fields: fields
                .filter(|(key, _)| !OWN_KEYS.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        }
    }

    /// A non-empty text field of a settings object.
    pub(crate) fn setting(&self, settings: &str, key: &str) -> Option<String> {
        settings_object(self.fields.get(settings)?)?
            .get(key)
            .and_then(scalar)
            .filter(|text| !text.is_empty())
    }

    /// Whether a boolean of a settings object is set.
    pub(crate) fn is_set(&self, settings: &str, key: &str) -> bool {
        self.setting(settings, key)
            .is_some_and(|text| text == "true" || text == "1")
    }

    /// A non-empty text field of the top level.
    pub(crate) fn field(&self, key: &str) -> Option<String> {
        self.fields.get(key).and_then(scalar).filter(|text| !text.is_empty())
    }
}

/// The identifier that a body names.
pub(crate) fn identifier(body: &Value) -> Option<String> {
    let outer = body.get("identifier").and_then(scalar).filter(|text| !text.is_empty());
    let inner = || {
        settings_object(body.get("additional_settings")?)?
            .get("identifier")
            .and_then(scalar)
    };
    outer.or_else(|| inner().filter(|text| !text.is_empty()))
}

/// Parses a body as its `Content-Type` says; null when it is neither JSON nor a form, as for a PAM that finds no parameters.
pub(crate) fn parse(content_type: &str, bytes: &[u8]) -> Value {
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let fields = url::form_urlencoded::parse(bytes);
        return Value::Object(
            fields
                .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
                .collect(),
        );
    }
    serde_json::from_slice(bytes).unwrap_or(Value::Null)
}

/// The settings: an object, or the first object of an array (both are printed in the documents).
fn settings_object(settings: &Value) -> Option<&Map<String, Value>> {
    match settings {
        Value::Array(items) => items.first()?.as_object(),
        other => other.as_object(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_identifier_is_the_outer_one_unless_that_is_empty() {
        let both = json!({"identifier": "outer", "additional_settings": {"identifier": "inner"}});
        assert_eq!(identifier(&both).as_deref(), Some("outer"));
        let empty = json!({"identifier": "", "additional_settings": [{"identifier": "inner"}]});
        assert_eq!(identifier(&empty).as_deref(), Some("inner"));
        assert_eq!(
            identifier(&json!({"identifier": "", "additional_settings": {"identifier": ""}})),
            None
        );
    }

    #[test]
    fn absent_and_empty_differ_and_numbers_are_texts() {
        let post = CredentialPost::new(&json!({"username": "", "ip": 7, "content": "pw", "tags": "a"}));
        assert_eq!(post.username.as_deref(), Some(""));
        assert_eq!(post.hostname, None);
        assert_eq!(post.ip.as_deref(), Some("7"));
        assert_eq!(
            post.content
                .map(|content| content.expose_secret().to_owned())
                .as_deref(),
            Some("pw")
        );
        assert_eq!(Value::Object(post.fields), json!({"tags": "a"}));
    }

    #[test]
    fn a_form_and_json_give_the_same_and_rubbish_gives_nothing() {
        let form = parse("application/x-www-form-urlencoded", b"username=a+b&ip=x%40y");
        assert_eq!(form, parse("application/json", br#"{"username": "a b", "ip": "x@y"}"#));
        assert_eq!(parse("application/json", b"{"), Value::Null);
    }
}
