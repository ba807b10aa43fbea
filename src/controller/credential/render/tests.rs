//! Which Secrets a spec needs, which permissions it uses, and the body that it becomes.

use serde_json::{Value, json};

use super::*;

/// The smallest spec with these fields more.
fn spec(fields: Value) -> PamCredentialSpec {
    let mut spec = json!({
        "connectionRef": {"name": "vault"}, "username": "app", "hostname": "db", "ip": "10.0.0.1",
    });
    let Value::Object(fields) = fields else {
        panic!("fields are a mapping");
    };
    spec.as_object_mut().expect("a mapping").extend(fields);
    serde_json::from_value(spec).expect("a spec")
}

fn key(name: &str, key: &str) -> SecretKeyRef {
    SecretKeyRef {
        name: name.to_owned(),
        key: key.to_owned(),
    }
}

/// The body as it goes to the PAM.
fn sent(spec: &PamCredentialSpec, values: &Values, with_content: bool) -> Value {
    let body = body(
        spec,
        "orders-db",
        values,
        with_content,
        AdditionalSettingsFormat::Object,
    );
    serde_json::from_slice(&body.encode()).expect("JSON")
}

#[test]
fn every_secret_is_needed_once_and_the_password_only_where_it_is_managed() {
    let spec = spec(json!({
        "contentSecretRef": {"name": "db", "key": "password"},
        "additionalSettings": {
            "secretKeySecretRef": {"name": "totp", "key": "seed"},
            "additionalAuthenticationFields": [
                {"name": "pin", "valueSecretRef": {"name": "db", "key": "pin"}},
                {"name": "same", "valueSecretRef": {"name": "totp", "key": "seed"}},
                {"name": "plain", "value": "text"},
            ],
        },
    }));
    let all = [key("db", "password"), key("db", "pin"), key("totp", "seed")];
    assert_eq!(references(&spec, true), all.iter().collect::<Vec<_>>());
    assert_eq!(references(&spec, false), all[1..].iter().collect::<Vec<_>>());
}

#[test]
fn each_field_beyond_ones_own_credential_needs_its_permission() {
    let cases = [
        (json!({"adoptionPolicy": "Adopt"}), Permission::Adopt, "adoptionPolicy"),
        (json!({"type": "Server"}), Permission::DeviceFields, "type"),
        (json!({"vendor": "A"}), Permission::DeviceFields, "vendor"),
        (json!({"model": "A"}), Permission::DeviceFields, "model"),
        (json!({"site": "A"}), Permission::DeviceFields, "site"),
        (json!({"deviceDomain": "A"}), Permission::DeviceFields, "deviceDomain"),
        (json!({"deviceTags": ["a"]}), Permission::DeviceFields, "deviceTags"),
        (
            json!({"connectivities": ["SSH"]}),
            Permission::DeviceFields,
            "connectivities",
        ),
        (
            json!({"parentPassword": 1}),
            Permission::CredentialReferences,
            "parentPassword",
        ),
        (
            json!({"executionSettings": {"parentIp": "a"}}),
            Permission::CredentialReferences,
            "executionSettings.parentCredential",
        ),
        (
            json!({"executionSettings": {"authenticationHostname": "a"}}),
            Permission::CredentialReferences,
            "executionSettings.authenticationCredential",
        ),
        (
            json!({"executionSettings": {"reconciliationCredential": "a"}}),
            Permission::CredentialReferences,
            "executionSettings.reconciliationCredential",
        ),
        (
            json!({"sessionSettings": {"authenticationIp": "a"}}),
            Permission::CredentialReferences,
            "sessionSettings.authenticationCredential",
        ),
        (
            json!({"jitSettings": {"authenticationCredential": "a"}}),
            Permission::CredentialReferences,
            "jitSettings.authenticationCredential",
        ),
        (
            json!({"additionalSettings": {"userCredentialOwner": "a"}}),
            Permission::Owner,
            "additionalSettings.userCredentialOwner",
        ),
    ];
    let single = [
        Permission::Adopt,
        Permission::DeviceFields,
        Permission::CredentialReferences,
        Permission::Owner,
    ];
    for (fields, needed, name) in cases {
        let spec = spec(fields);
        let others: Vec<_> = single.into_iter().filter(|other| *other != needed).collect();
        assert_eq!(forbidden(&spec, &others), [name]);
        assert!(forbidden(&spec, &[needed]).is_empty(), "{name}");
        assert!(forbidden(&spec, &[Permission::All]).is_empty(), "{name}");
    }
    let own = spec(json!({
        "adoptionPolicy": "Never", "credentialType": "Local User", "domain": "lab", "tags": ["a"],
        "executionSettings": {"changePlugin": "SSH"}, "sessionSettings": {"ssh": true}, "jitSettings": {},
        "additionalSettings": {"criticality": "High"},
    }));
    assert!(forbidden(&own, &[]).is_empty());
}

#[test]
fn what_is_absent_is_not_sent_and_what_is_empty_is() {
    let identity = json!({"identifier": "orders-db", "username": "app", "hostname": "db", "ip": "10.0.0.1"});
    assert_eq!(sent(&spec(json!({})), &Values::new(), true), identity);
    let mut expected = identity;
    expected["additional"] = json!("");
    expected["tags"] = json!("");
    expected["device_tags"] = json!("a, b");
    let spec = spec(json!({"additional": "", "tags": [], "deviceTags": ["a", "b"]}));
    assert_eq!(sent(&spec, &Values::new(), true), expected);
}

#[test]
fn secrets_come_from_their_values_and_the_password_only_when_it_is_to_be_sent() {
    let spec = spec(json!({
        "contentSecretRef": {"name": "db", "key": "password"},
        "additionalSettings": {
            "secretKeySecretRef": {"name": "db", "key": "seed"},
            "additionalAuthenticationFields": [
                {"name": "pin", "valueSecretRef": {"name": "db", "key": "pin"}},
                {"name": "plain", "value": "text"},
            ],
        },
    }));
    let value = |name: &str| (key("db", name), SecretString::from(format!("canary-{name}")));
    let values = Values::from(["password", "seed", "pin"].map(value));
    for with_content in [true, false] {
        let body = sent(&spec, &values, with_content);
        assert_eq!(body.get("content"), with_content.then_some(&json!("canary-password")));
        let settings = &body["additional_settings"];
        assert_eq!(
            (&settings["identifier"], &settings["secret_key"]),
            (&json!("orders-db"), &json!("canary-seed"))
        );
        let fields = settings["additional_authentication_fields"].as_array().expect("a list");
        let sent: Vec<_> = fields.iter().map(|field| &field["value"]).collect();
        assert_eq!(sent, ["canary-pin", "text"]);
    }
}

#[test]
fn additional_settings_have_the_shape_that_the_connection_asks_for() {
    let spec = spec(json!({"additionalSettings": {"notes": "a"}}));
    let shape = |format| {
        let body = body(&spec, "orders-db", &Values::new(), false, format);
        let body: Value = serde_json::from_slice(&body.encode()).expect("JSON");
        body["additional_settings"].clone()
    };
    let settings = json!({"identifier": "orders-db", "notes": "a"});
    assert_eq!(shape(AdditionalSettingsFormat::Object), settings);
    assert_eq!(shape(AdditionalSettingsFormat::Array), json!([settings]));
}

/// Versions of the PAM differ in what they take an omission for.
#[test]
fn whether_a_credential_connects_by_itself_is_always_said() {
    let triple = json!({"authenticationCredential": "a", "authenticationHostname": "b", "authenticationIp": "c"});
    let with = |own: Option<bool>, triple: &Value| {
        let mut settings = triple.clone();
        if let Some(own) = own {
            settings["useOwnCredentialToConnect"] = json!(own);
        }
        settings
    };
    let cases = [
        (None, json!({}), true),
        (None, triple.clone(), false),
        (Some(false), json!({}), false),
        (Some(true), triple, true),
    ];
    for (own, triple, expected) in cases {
        let settings = with(own, &triple);
        let spec = spec(json!({"sessionSettings": settings, "jitSettings": settings}));
        let body = sent(&spec, &Values::new(), false);
        for block in ["session_settings", "jit_settings"] {
            assert_eq!(
                body[block]["use_own_credential_to_connect"],
                json!(expected),
                "{block} {settings}"
            );
        }
    }
}
