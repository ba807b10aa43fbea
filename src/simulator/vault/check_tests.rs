//! Each refusal before the decision table, in its order, per profile.

use serde_json::{Value, json};

use super::*;
use crate::simulator::{
    data::{Client, Permission},
    switches::{Profile, Switches},
    vault::fixture::{PROFILES, body, client, pam},
};

fn refused(profile: Profile, body: &Value) -> Result<(), u16> {
    let result = pam(profile, &Switches::default()).send(body);
    result.map(|_| ()).map_err(|refusal| refusal.code)
}

#[test]
fn each_thing_that_is_wrong_has_its_code() {
    let jit = |more: Value| {
        let mut settings = json!({"jit": true, "enable_disable_credential": true});
        settings
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        body("u", &json!({"jit_settings": settings}))
    };
    let cases = [
        (json!({"username": "u", "ip": "10.0.0.1"}), Err(1004)),
        (json!({"username": "u", "hostname": "", "ip": "10.0.0.1"}), Err(1004)),
        (json!({"username": "u", "hostname": "db"}), Err(1005)),
        (json!({"username": "u", "hostname": "db", "ip": ""}), Err(1005)),
        (json!({"hostname": "db", "ip": "10.0.0.1"}), Err(1042)),
        (json!({"username": null, "hostname": "db", "ip": "10.0.0.1"}), Err(1042)),
        (json!({"username": "u", "hostname": "db", "ip": "10.0.0.2"}), Err(1011)),
        (body("u", &json!({"domain": "nowhere"})), Err(1029)),
        (body("u", &json!({"device_domain": "lab, corp"})), Err(1029)),
        (
            body("u", &json!({"device_domain": "lab,corp", "domain": "lab"})),
            Ok(()),
        ),
        (body("u", &json!({"domain": ""})), Ok(())),
        (
            body(
                "u",
                &json!({"execution_settings": {"change_plugin": "X", "change_template": "3COM"}}),
            ),
            Err(1046),
        ),
        (
            body(
                "u",
                &json!({"execution_settings": {"change_plugin": "SSH", "change_template": "X"}}),
            ),
            Err(1047),
        ),
        (
            body("u", &json!({"execution_settings": {"reconciliation_plugin": "SSH"}})),
            Err(1047),
        ),
        (
            body("u", &json!({"execution_settings": {"reconciliation_template": "3COM"}})),
            Err(1046),
        ),
        (
            body("u", &json!({"execution_settings": {"automatic_change": true}})),
            Ok(()),
        ),
        (jit(json!({})), Err(1046)),
        (
            jit(json!({"credential_enable_plugin": "SSH", "credential_enable_template": "3COM"})),
            Err(1046),
        ),
        (jit(json!({"credential_enable_plugin": "SSH"})), Err(1047)),
        (
            body(
                "u",
                &json!({"jit_settings": {"jit": false, "enable_disable_credential": true}}),
            ),
            Ok(()),
        ),
        (
            body(
                "u",
                &json!({"additional_settings": {"user_credential_owner": "nobody"}}),
            ),
            Err(500),
        ),
        (
            body(
                "u",
                &json!({"additional_settings": [{"user_credential_owner": "admin"}]}),
            ),
            Ok(()),
        ),
        (Value::Null, Err(1004)),
    ];
    for profile in PROFILES {
        for (body, expected) in &cases {
            assert_eq!(refused(profile, body), *expected, "{profile:?} {body}");
        }
    }
}

#[test]
fn identifiers_are_checked_from_4_0_on() {
    let odd = body("u", &json!({"identifier": "a b"}));
    assert_eq!(refused(Profile::V3_32, &odd), Ok(()));
    assert_eq!(refused(Profile::V3_33, &odd), Ok(()));
    assert_eq!(refused(Profile::V4_0, &odd), Err(1053));
    let dotted = body("u", &json!({"identifier": "a.b_c-1"}));
    assert_eq!(refused(Profile::V4_0, &dotted), Ok(()));
    let strict = Switches {
        identifier_charset: Some(IdentifierCharset::Strict),
        ..Switches::default()
    };
    assert_eq!(pam(Profile::V4_0, &strict).send(&dotted), Err(refusal::BAD_IDENTIFIER));
}

/// A body in which everything is wrong is mended step by step; each step meets the next refusal.
#[test]
fn the_order_of_the_checks_is_the_documented_one() {
    let mut store = pam(Profile::V4_0, &Switches::default());
    let mut sent = json!({
        "identifier": "a b", "domain": "nowhere", "execution_settings": {"change_plugin": "X", "change_template": "X"},
        "additional_settings": {"user_credential_owner": "nobody"}
    });
    let steps = [
        (1004, "hostname", json!("unknown")),
        (1005, "ip", json!("10.0.0.1")),
        (1042, "username", json!("u")),
        (1053, "identifier", json!("a")),
        (1011, "hostname", json!("db")),
        (1029, "domain", json!("lab")),
        (
            1046,
            "execution_settings",
            json!({"change_plugin": "SSH", "change_template": "X"}),
        ),
        (
            1047,
            "execution_settings",
            json!({"change_plugin": "SSH", "change_template": "3COM"}),
        ),
        (500, "additional_settings", json!({"user_credential_owner": "admin"})),
    ];
    for (code, key, mended) in steps {
        assert_eq!(
            store.send(&sent).map_err(|refusal| refusal.code),
            Err(code),
            "before {key} is mended"
        );
        sent[key] = mended;
    }
    assert!(store.send(&sent).is_ok_and(|written| written.created));
}

#[test]
fn permissions_go_before_everything_else() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    let nothing = CredentialPost::new(&Value::Null);
    let read_only = Client {
        permission: Permission::ReadOnly,
        ..client()
    };
    assert_eq!(store.post(&nothing, &read_only), Err(refusal::READ_ONLY));
    let shut_out = Client {
        authorized: false,
        ..read_only
    };
    assert_eq!(store.post(&nothing, &shut_out), Err(refusal::NOT_AUTHORIZED));
    assert_eq!(
        (
            refusal::READ_ONLY.code,
            refusal::READ_ONLY.status,
            refusal::NOT_AUTHORIZED.status
        ),
        (1039, 400, 500)
    );
}

#[test]
fn any_device_will_do_when_so_configured() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    store.registry.any_device = true;
    let created = store.send(&json!({"username": "u", "hostname": "never seen", "ip": "1.2.3.4"}));
    assert!(created.is_ok_and(|written| written.created));
}
