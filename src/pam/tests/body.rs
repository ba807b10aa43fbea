//! The top-level fields of the body. The request examples of both seeds; one without identifier gets the effective one, which
//! is always sent.

use secrecy::SecretString;
use serde_json::{Value, json};

use crate::pam::{AdditionalFields, AdditionalSettings, AuthenticationField, CredentialBody, join};

#[expect(clippy::unnecessary_wraps, reason = "every field that takes it is optional")]
pub fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub fn body(identifier: &str, username: &str, hostname: &str, ip: &str) -> CredentialBody {
    CredentialBody {
        identifier: identifier.into(),
        username: username.into(),
        hostname: hostname.into(),
        ip: ip.into(),
        ..CredentialBody::default()
    }
}

pub fn wire(body: &CredentialBody) -> Value {
    serde_json::from_slice(&body.encode()).expect("JSON")
}

#[test]
fn identifier_and_triple() {
    let cases = [
        ("identifierjohn35", "johncredential", "Linkedin", "linkedin.com"),
        (
            "identifiertesting",
            "TLS12Testing@outlook.com",
            "Outlook",
            "login.live.com",
        ),
        (
            "identifiertesting40",
            "TLS12Testing@outlook.com",
            "Outlook",
            "login.live.com",
        ),
        ("effective", "dleite5", "gmail.com", "mail.google.com"),
    ];
    for (identifier, username, hostname, ip) in cases {
        let expected = json!({"identifier": identifier, "username": username, "hostname": hostname, "ip": ip});
        assert_eq!(wire(&body(identifier, username, hostname, ip)), expected);
    }
}

#[test]
fn a_new_credential_with_content_and_tags() {
    let body = CredentialBody {
        content: Some(SecretString::from("vfdvds##@")),
        tags: Some(join(&["social"])),
        ..body("identifierjohn", "johncredential", "Linkedin", "linkedin.com")
    };
    assert_eq!(
        wire(&body),
        json!({
            "username": "johncredential",
            "hostname": "Linkedin",
            "ip": "linkedin.com",
            "content": "vfdvds##@",
            "tags": "social",
            "identifier": "identifierjohn"
        })
    );
}

/// The example values of the seeds' table of top-level fields, in the order of the bytes.
#[test]
fn every_top_level_field_in_a_fixed_order() {
    let body = CredentialBody {
        content: Some(SecretString::from("#@*MyS@feP@ssword%$#")),
        additional: text("DATABASE"),
        tags: Some(join(&["api", "app"])),
        credential_type: text("Domain User"),
        domain: text("senhasegura.lab"),
        parent_password: Some(123),
        type_: text("Server"),
        vendor: text("Debian"),
        model: text("10.0 Buster"),
        site: text("Default"),
        device_domain: text("senhasegura.lab"),
        device_tags: Some(join(&["api", "app"])),
        connectivities: Some(join(&["SSH:22", "HTTPS:443"])),
        session_remote_config: text("SSH:EXPECT:FILL"),
        ..body("123", "my_user", "localhost", "127.0.0.1")
    };
    let expected = concat!(
        r#"{"identifier":"123","username":"my_user","hostname":"localhost","ip":"127.0.0.1","#,
        r##""content":"#@*MyS@feP@ssword%$#","additional":"DATABASE","tags":"api, app","##,
        r#""credential_type":"Domain User","domain":"senhasegura.lab","parent_password":123,"type":"Server","#,
        r#""vendor":"Debian","model":"10.0 Buster","site":"Default","device_domain":"senhasegura.lab","#,
        r#""device_tags":"api, app","connectivities":"SSH:22, HTTPS:443","session_remote_config":"SSH:EXPECT:FILL"}"#,
    );
    assert_eq!(String::from_utf8(body.encode().to_vec()).expect("UTF-8"), expected);
    assert_eq!(body.encode(), body.clone().encode());
}

#[test]
fn a_present_but_empty_list_is_sent() {
    let body = CredentialBody {
        tags: Some(join::<&str>(&[])),
        ..body("a", "b", "c", "d")
    };
    assert_eq!(wire(&body)["tags"], json!(""));
}

#[test]
fn debug_reveals_no_secret() {
    let field = AuthenticationField {
        value: Some(SecretString::from("Enable")),
        ..AuthenticationField::default()
    };
    let fields = AdditionalFields {
        secret_key: Some(SecretString::from("295B3LA1M6LRAHI2S7G1A36LMK6I4IWW")),
        additional_authentication_fields: Some(vec![field]),
        ..AdditionalFields::default()
    };
    let body = CredentialBody {
        content: Some(SecretString::from("vfdvds##@")),
        additional_settings: Some(AdditionalSettings::Object(fields)),
        ..body("a", "b", "c", "d")
    };
    let debug = format!("{body:?}");
    for secret in ["vfdvds##@", "295B3LA1M6LRAHI2S7G1A36LMK6I4IWW", "Enable"] {
        assert!(!debug.contains(secret), "{debug}");
    }
}
