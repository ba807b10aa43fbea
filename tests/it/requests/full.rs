//! A manifest with every field: every name on the wire and the type of every value.

use pam_operator::simulator::Profile;
use serde_json::{Value, json};

use super::{as_recorded, last_body};
use crate::{
    vaults::documented,
    world::{Setting, World},
};

/// Everything that `examples/40-full.yaml` says, as the PAM's documents write it.
const BODY: &str = r#"{
    "identifier": "my_user-localhost",
    "username": "my_user",
    "hostname": "localhost",
    "ip": "127.0.0.1",
    "content": "canary-password",
    "additional": "DATABASE",
    "tags": "api, app",
    "credential_type": "Domain User",
    "domain": "senhasegura.lab",
    "parent_password": 123,
    "type": "Server",
    "vendor": "Debian",
    "model": "10.0 Buster",
    "site": "Default",
    "device_domain": "senhasegura.lab",
    "device_tags": "api, app",
    "connectivities": "SSH:22, HTTPS:443",
    "session_remote_config": "SSH:EXPECT:FILL",
    "execution_settings": {
        "parent_credential": "cred2",
        "parent_hostname": "gmail",
        "parent_ip": "https://www.gmail.com",
        "automatic_change": false,
        "agent_based_password_change": false,
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
    },
    "session_settings": {
        "SSH": true,
        "Telnet": false,
        "MySQL": true,
        "SQL Server": false,
        "HTTP": false,
        "HTTPS": true,
        "RDP": true,
        "X11 Forward": false,
        "VNC": false,
        "restrict_access_to_remote_application": true,
        "macros": [
            {"remote_app": "MySQL", "connectivity": "SSH"},
            {"remote_app": "Kaspersky", "connectivity": "RDP"}
        ],
        "use_own_credential_to_connect": false,
        "authentication_credential": "cred2",
        "authentication_hostname": "gmail",
        "authentication_ip": "https://www.gmail.com"
    },
    "additional_settings": {
        "identifier": "my_user-localhost",
        "user_credential_owner": "admin",
        "server_path": "/etc/host",
        "secret_key": "canary-totp-seed",
        "criticality": "High",
        "additional_authentication_fields": [
            {"name": "name", "short_name": "short_name1", "value": "Enable"},
            {"name": "name2", "short_name": "short_name2", "value": "canary-answer"}
        ],
        "notes": "Credential to be used only in network A"
    },
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
        "credential_deletion_template": "Linux - Remove User",
        "credential_enable_plugin": "LDAP",
        "credential_enable_template": "AD - Activate User",
        "credential_disable_plugin": "LDAP",
        "credential_disable_template": "AD - Deactivate User"
    }
}"#;

/// That the example has every field of the definition is a test of the examples.
#[tokio::test(flavor = "multi_thread")]
async fn every_field_has_its_name_and_type_on_the_wire() {
    let world = World::with(Setting {
        data: documented(None),
        ..Setting::default()
    })
    .await;
    let array = json!({"additionalSettingsFormat": "Array"});
    let other = world.vault("array", Profile::V3_33, documented(None), array).await;
    let values = json!({"password": "canary-password", "totp-seed": "canary-totp-seed", "answer": "canary-answer"});
    world.secret("my-user", values).await;
    for connection in ["vault", "array"] {
        let mut spec = example();
        spec["connectionRef"] = json!({"name": connection});
        world.create(connection, spec).await;
    }

    let mut expected = as_recorded(BODY);
    let object = world.ready("vault").await;
    assert_eq!(last_body(&world.pam, &object), expected);

    // Some documents of newer versions print this block as an array.
    expected["additional_settings"] = json!([expected["additional_settings"]]);
    let object = world.ready("array").await;
    assert_eq!(last_body(&other, &object), expected);
}

/// The spec in the example manifest.
fn example() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/40-full.yaml");
    let text = std::fs::read_to_string(file).expect("the example can be read");
    let manifest: Value = serde_saphyr::from_str(&text).expect("YAML");
    manifest["spec"].clone()
}
