//! DELETE, PUT and GET of one credential: selectors, refusals and codes per profile.

use serde_json::json;

use super::*;
use crate::simulator::{
    data::{NewCredential, Permission},
    switches::{Profile, Switches},
    vault::fixture::{PROFILES, client, pam},
};

fn code<T>(result: Result<T, Refusal>) -> Result<(), u16> {
    result.map(|_| ()).map_err(|refusal| refusal.code)
}

#[test]
fn a_toggle_works_once_and_then_says_so_in_the_codes_of_its_version() {
    for profile in PROFILES {
        let (inactive, active) = if profile == Profile::V3_32 {
            (1017, 1017)
        } else {
            (1008, 1043)
        };
        let mut store = pam(profile, &Switches::default());
        let id = store.given(Some("a"), "alice");
        let selector = id.to_string();
        assert_eq!(code(store.reactivate(&selector, &client())), Err(active), "{profile:?}");
        assert_eq!(store.deactivate(&selector, &client()), Ok(id));
        assert!(!store.at(id).active);
        assert_eq!(
            code(store.deactivate(&selector, &client())),
            Err(inactive),
            "{profile:?}"
        );
        assert_eq!(store.reactivate(&selector, &client()), Ok(id));
        assert!(store.at(id).active);
    }
}

#[test]
fn a_selector_is_an_id_an_identifier_or_an_account_in_this_order() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    let first = store.given(Some("2"), "alice");
    let second = store.given(Some("b"), "bob");
    assert_eq!((first, second), (1, 2));
    let selected = |selector: &str| store.select(selector).map(|credential| credential.id);
    assert_eq!(selected("2"), Some(second), "an id wins over an identifier");
    assert_eq!(selected("b"), Some(second));
    assert_eq!(selected("alice@db"), Some(first));
    assert_eq!(selected("alice@web"), None);
}

#[test]
fn an_at_sign_in_the_user_name_breaks_the_account_form() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    store.given(None, "alice@example.com");
    assert_eq!(code(store.deactivate("alice@example.com@db", &client())), Err(1007));
}

#[test]
fn each_refusal_has_its_code() {
    let mut store = pam(Profile::V4_0, &Switches::default());
    let id = store.given(Some("a"), "alice").to_string();
    let key = NewCredential {
        fields: json!({"credential_type": "SSH Key"})
            .as_object()
            .expect("an object")
            .clone(),
        ..NewCredential::new("db", "10.0.0.1", "key")
    };
    let key = store.register(key).to_string();
    let read_only = Client {
        permission: Permission::ReadOnly,
        ..client()
    };
    let narrow = Client {
        credentials: Some([].into()),
        ..client()
    };
    let shut_out = Client {
        authorized: false,
        ..client()
    };
    for (selector, client, expected) in [
        ("99", client(), 1007),
        (key.as_str(), client(), 1010),
        (id.as_str(), narrow, 1009),
        (id.as_str(), read_only.clone(), 1039),
        (id.as_str(), shut_out, 500),
    ] {
        assert_eq!(code(store.deactivate(selector, &client)), Err(expected));
        assert_eq!(code(store.reactivate(selector, &client)), Err(expected));
        if expected != 1039 {
            assert_eq!(code(store.reveal(selector, &client)), Err(expected));
        }
    }
    assert_eq!(
        code(store.reveal(&id, &read_only)),
        Ok(()),
        "reading needs no write permission"
    );
}

#[test]
fn a_reveal_takes_custody_and_leaves_a_trace() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    let id = store.given(Some("a"), "alice");
    let revealed = store.reveal(&id.to_string(), &client()).expect("active and visible");
    assert!(revealed.content.is_some());
    assert_eq!(store.at(id).custody.as_deref(), Some("operator"));
    assert!(store.at(id).view.is_some());
}
