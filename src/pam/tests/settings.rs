//! The settings blocks of the body: the request examples of both seeds, which are the same in both.

use secrecy::SecretString;
use serde_json::json;

use super::body::{body, text, wire};
use crate::pam::{
    AdditionalFields, AdditionalSettings, AuthenticationField, CredentialBody, ExecutionSettings, JitSettings, Macro,
    SessionSettings,
};

/// The seeds' examples of settings all belong to this credential.
fn api_testing() -> CredentialBody {
    body("effective", "exemplo caderno 3.32", "API-Testing", "128.0.0.1")
}

fn api_credential_3(jit_settings: JitSettings) -> CredentialBody {
    let body = body("effective", "API_CREDENTIAL_3", "API_DEVICE_1", "localhost");
    CredentialBody {
        jit_settings: Some(jit_settings),
        ..body
    }
}

#[test]
fn execution_settings() {
    let settings = ExecutionSettings {
        parent_credential: text("cred2"),
        parent_hostname: text("gmail"),
        parent_ip: text("https://www.gmail.com"),
        automatic_change: Some(true),
        agent_based_password_change: Some(true),
        change_plugin: text("SSH"),
        change_template: text("3COM"),
        use_own_credential_to_connect: Some(false),
        authentication_credential: text("cred2"),
        authentication_hostname: text("gmail"),
        authentication_ip: text("https://www.gmail.com"),
        status: Some(true),
        reconciliation_credential: text("cred2"),
        reconciliation_hostname: text("gmail"),
        reconciliation_ip: text("https://www.gmail.com"),
        reconciliation_plugin: text("SSH"),
        reconciliation_template: text("3COM"),
    };
    assert_eq!(
        wire(&CredentialBody {
            execution_settings: Some(settings),
            ..api_testing()
        }),
        json!({
            "identifier": "effective",
            "username": "exemplo caderno 3.32",
            "hostname": "API-Testing",
            "ip": "128.0.0.1",
            "execution_settings": {
                "parent_credential": "cred2",
                "parent_hostname": "gmail",
                "parent_ip": "https://www.gmail.com",
                "automatic_change": true,
                "agent_based_password_change": true,
                "change_plugin": "SSH",
                "change_template": "3COM",
                "use_own_credential_to_connect": false,
                "authentication_credential": "cred2",
                "authentication_hostname": "gmail",
                "authentication_ip": "https://www.gmail.com",
                "status": true,
                "reconciliation_credential": "cred2",
                "reconciliation_hostname": "gmail",
                "reconciliation_ip": "https://www.gmail.com",
                "reconciliation_plugin": "SSH",
                "reconciliation_template": "3COM"
            }
        })
    );
}

#[test]
fn session_settings() {
    let macros = [("MySQL", "SSH"), ("Kaspersky", "RDP")];
    let settings = SessionSettings {
        ssh: true,
        telnet: true,
        mysql: true,
        sql_server: true,
        http: true,
        https: true,
        rdp: true,
        x11_forward: true,
        vnc: true,
        restrict_access_to_remote_application: true,
        macros: Some(
            macros
                .map(|(app, by)| Macro {
                    remote_app: app.into(),
                    connectivity: by.into(),
                })
                .into(),
        ),
        use_own_credential_to_connect: false,
        authentication_credential: text("cred2"),
        authentication_hostname: text("gmail"),
        authentication_ip: text("https://www.gmail.com"),
    };
    assert_eq!(
        wire(&CredentialBody {
            session_settings: Some(settings),
            ..api_testing()
        }),
        json!({
            "identifier": "effective",
            "username": "exemplo caderno 3.32",
            "hostname": "API-Testing",
            "ip": "128.0.0.1",
            "session_settings": {
                "SSH": true,
                "Telnet": true,
                "MySQL": true,
                "SQL Server": true,
                "HTTP": true,
                "HTTPS": true,
                "RDP": true,
                "X11 Forward": true,
                "VNC": true,
                "restrict_access_to_remote_application": true,
                "macros": [
                    {"remote_app": "MySQL", "connectivity": "SSH"},
                    {"remote_app": "Kaspersky", "connectivity": "RDP"}
                ],
                "use_own_credential_to_connect": false,
                "authentication_credential": "cred2",
                "authentication_hostname": "gmail",
                "authentication_ip": "https://www.gmail.com"
            }
        })
    );
}

#[test]
fn session_settings_always_send_every_check_box() {
    let body = CredentialBody {
        session_settings: Some(SessionSettings::default()),
        ..api_testing()
    };
    let block = &wire(&body)["session_settings"];
    let boxes = block.as_object().expect("an object");
    assert_eq!(boxes.len(), 11);
    assert!(boxes.values().all(|value| value == &json!(false)), "{block}");
}

fn additional() -> AdditionalFields {
    let field = |name: &str, short_name: &str, value: &str| AuthenticationField {
        name: name.into(),
        short_name: text(short_name),
        value: Some(SecretString::from(value)),
    };
    AdditionalFields {
        identifier: "identifer".into(),
        user_credential_owner: text("admin"),
        server_path: text("/etc/host"),
        secret_key: Some(SecretString::from("295B3LA1M6LRAHI2S7G1A36LMK6I4IWW")),
        criticality: text("High"),
        additional_authentication_fields: Some(vec![
            field("name", "short_name1", "Enable"),
            field("name2", "short_name2", "value"),
        ]),
        notes: text("Credential to be used only in network A"),
    }
}

#[test]
fn additional_settings_as_object_or_as_array() {
    let block = json!({
        "identifier": "identifer",
        "user_credential_owner": "admin",
        "server_path": "/etc/host",
        "secret_key": "295B3LA1M6LRAHI2S7G1A36LMK6I4IWW",
        "criticality": "High",
        "additional_authentication_fields": [
            {"name": "name", "short_name": "short_name1", "value": "Enable"},
            {"name": "name2", "short_name": "short_name2", "value": "value"}
        ],
        "notes": "Credential to be used only in network A"
    });
    let forms = [
        (AdditionalSettings::Object(additional()), block.clone()),
        (AdditionalSettings::Array([additional()]), json!([block])),
    ];
    for (settings, expected) in forms {
        let body = CredentialBody {
            identifier: "identifer".into(),
            additional_settings: Some(settings),
            ..api_testing()
        };
        assert_eq!(
            wire(&body),
            json!({
                "identifier": "identifer",
                "username": "exemplo caderno 3.32",
                "hostname": "API-Testing",
                "ip": "128.0.0.1",
                "additional_settings": expected
            })
        );
    }
}

#[test]
fn jit_settings_that_create_and_delete() {
    let settings = JitSettings {
        jit: true,
        credential_creation_and_deletion: true,
        authentication_credential: text("API_CREDENTIAL_1"),
        authentication_hostname: text("API_DEVICE_1"),
        authentication_ip: text("localhost"),
        credential_creation_plugin: text("SSH"),
        credential_creation_template: text("Linux - Create User"),
        credential_deletion_plugin: text("SSH"),
        credential_deletion_template: text("Linux - Remove User"),
        ..JitSettings::default()
    };
    assert_eq!(
        wire(&api_credential_3(settings)),
        json!({
            "identifier": "effective",
            "username": "API_CREDENTIAL_3",
            "hostname": "API_DEVICE_1",
            "ip": "localhost",
            "jit_settings": {
                "jit": true,
                "credential_creation_and_deletion": true,
                "enable_disable_credential": false,
                "use_own_credential_to_connect": false,
                "authentication_credential": "API_CREDENTIAL_1",
                "authentication_hostname": "API_DEVICE_1",
                "authentication_ip": "localhost",
                "credential_creation_plugin": "SSH",
                "credential_creation_template": "Linux - Create User",
                "credential_deletion_plugin": "SSH",
                "credential_deletion_template": "Linux - Remove User"
            }
        })
    );
}

/// The example leaves `credential_creation_and_deletion` out; here every check box is always sent.
#[test]
fn jit_settings_that_enable_and_disable() {
    let settings = JitSettings {
        jit: true,
        enable_disable_credential: true,
        use_own_credential_to_connect: true,
        authentication_credential: text("API_CREDENTIAL_1"),
        authentication_hostname: text("API_DEVICE_1"),
        authentication_ip: text("localhost"),
        credential_enable_plugin: text("LDAP"),
        credential_enable_template: text("AD - Activate User"),
        credential_disable_plugin: text("LDAP"),
        credential_disable_template: text("AD - Deactivate User"),
        ..JitSettings::default()
    };
    assert_eq!(
        wire(&api_credential_3(settings)),
        json!({
            "identifier": "effective",
            "username": "API_CREDENTIAL_3",
            "hostname": "API_DEVICE_1",
            "ip": "localhost",
            "jit_settings": {
                "jit": true,
                "credential_creation_and_deletion": false,
                "enable_disable_credential": true,
                "use_own_credential_to_connect": true,
                "authentication_credential": "API_CREDENTIAL_1",
                "authentication_hostname": "API_DEVICE_1",
                "authentication_ip": "localhost",
                "credential_enable_plugin": "LDAP",
                "credential_enable_template": "AD - Activate User",
                "credential_disable_plugin": "LDAP",
                "credential_disable_template": "AD - Deactivate User"
            }
        })
    );
}
