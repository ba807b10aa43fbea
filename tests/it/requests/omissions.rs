//! What is not said is not sent, what is said is sent even when empty, and what the PAM's versions read differently is
//! always said.

use serde_json::{Value, json};

use super::{identifier, last_body};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_field_is_not_sent_any_more_and_an_empty_one_is() {
    let world = World::start().await;
    let spec = json!({
        "additional": "DATABASE", "tags": ["api", "app"], "deviceTags": [], "connectivities": [], "domain": "",
        "executionSettings": {"automaticChange": true, "status": false},
    });
    world.create("db", spec).await;
    let object = world.ready("db").await;
    let identity = json!({
        "identifier": identifier(&object), "username": "db", "hostname": "db.example.com", "ip": "10.0.0.1",
    });
    let with = |fields: Value| {
        let mut body = identity.clone();
        crate::world::merge(&mut body, fields);
        body
    };
    let first = json!({
        "additional": "DATABASE", "tags": "api, app", "device_tags": "", "connectivities": "", "domain": "",
        "execution_settings": {"automatic_change": true, "status": false},
    });
    assert_eq!(last_body(&world.pam, &object), with(first));

    let removed = json!({"additional": null, "tags": [], "deviceTags": null, "connectivities": null, "domain": null,
        "executionSettings": {"automaticChange": null, "status": true}});
    world.change("db", removed).await;
    let object = world.ready("db").await;
    let second = json!({"tags": "", "execution_settings": {"status": true}});
    assert_eq!(last_body(&world.pam, &object), with(second));

    world
        .change("db", json!({"tags": null, "executionSettings": null}))
        .await;
    let object = world.ready("db").await;
    assert_eq!(last_body(&world.pam, &object), identity);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switches_of_sessions_and_jit_are_always_said() {
    let world = World::start().await;
    let triple = json!({
        "authenticationCredential": "root", "authenticationHostname": "db.example.com", "authenticationIp": "10.0.0.1",
    });
    let bare = json!({"sessionSettings": {}, "jitSettings": {}, "additionalSettings": {}, "executionSettings": {}});
    world.create("bare", bare).await;
    let named = json!({"sessionSettings": triple, "jitSettings": triple, "executionSettings": triple});
    world.create("named", named).await;

    let session = json!({
        "SSH": false, "Telnet": false, "MySQL": false, "SQL Server": false, "HTTP": false, "HTTPS": false, "RDP": false,
        "X11 Forward": false, "VNC": false, "restrict_access_to_remote_application": false,
        "use_own_credential_to_connect": true,
    });
    let jit = json!({
        "jit": false, "credential_creation_and_deletion": false, "enable_disable_credential": false,
        "use_own_credential_to_connect": true,
    });
    let object = world.ready("bare").await;
    let body = last_body(&world.pam, &object);
    assert_eq!(body["session_settings"], session);
    assert_eq!(body["jit_settings"], jit);
    assert_eq!(body["additional_settings"], json!({"identifier": identifier(&object)}));
    assert_eq!(body["execution_settings"], json!({}));

    // Who names another credential to connect with does not mean the own one.
    let other = json!({
        "use_own_credential_to_connect": false, "authentication_credential": "root",
        "authentication_hostname": "db.example.com", "authentication_ip": "10.0.0.1",
    });
    let body = last_body(&world.pam, &world.ready("named").await);
    for (block, mut expected) in [("session_settings", session), ("jit_settings", jit)] {
        crate::world::merge(&mut expected, other.clone());
        assert_eq!(body[block], expected, "{block}");
    }
    let mut as_written = other;
    crate::world::merge(&mut as_written, json!({"use_own_credential_to_connect": null}));
    assert_eq!(body["execution_settings"], as_written);
}
