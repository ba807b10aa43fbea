//! The decision table of contract 5.1, row by row and per profile, and the switches around it.

use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::simulator::{
    switches::{Matching, Profile, Switches},
    vault::fixture::{PROFILES, body, client, pam},
};

fn password(store: &Store, id: u64) -> Option<String> {
    store
        .at(id)
        .content
        .as_ref()
        .map(|content| content.expose_secret().to_owned())
}

#[test]
fn row_1_identifier_and_triple_of_one_credential_update_it() {
    for profile in PROFILES {
        let mut store = pam(profile, &Switches::default());
        let a = store.given(Some("a"), "alice");
        let written = store
            .send(&body("alice", &json!({"identifier": "a", "content": "after"})))
            .expect("row 1");
        assert_eq!(
            (written.id, written.created, written.identifier.as_deref()),
            (a, false, Some("a"))
        );
        assert_eq!((password(&store, a).as_deref(), store.len()), (Some("after"), 1));
    }
}

#[test]
fn row_2_a_known_identifier_renames_and_moves_its_credential() {
    for profile in PROFILES {
        let mut store = pam(profile, &Switches::default());
        let a = store.given(Some("a"), "alice");
        let moved = json!({"identifier": "a", "username": "bob", "hostname": "web", "ip": "10.0.0.2"});
        let written = store.send(&moved).expect("row 2");
        assert_eq!(
            (written.id, written.created, written.identifier.as_deref()),
            (a, false, Some("a"))
        );
        let credential = store.at(a);
        assert_eq!(
            (credential.username.as_str(), credential.hostname.as_str()),
            ("bob", "web")
        );
        assert!(
            store.with_triple("db", "10.0.0.1", "alice").is_none(),
            "the old triple is free"
        );
        assert!(
            store
                .with_triple("web", "10.0.0.2", "bob")
                .is_some_and(|found| found.id == a)
        );
    }
}

#[test]
fn row_3_identifier_of_one_and_triple_of_another_is_1052_unless_switched() {
    for profile in PROFILES {
        let mut store = pam(profile, &Switches::default());
        store.given(Some("a"), "alice");
        let b = store.given(Some("b"), "bob");
        let collision = body("bob", &json!({"identifier": "a", "content": "after"}));
        assert_eq!(store.send(&collision), Err(refusal::DUPLICATE));
        assert_eq!(password(&store, b).as_deref(), Some("before"), "nothing was written");
    }
    let mut store = pam(
        Profile::V3_32,
        &Switches {
            collision: Some(Collision::Update),
            ..Switches::default()
        },
    );
    let a = store.given(Some("a"), "alice");
    store.given(Some("b"), "bob");
    let written = store.send(&body("bob", &json!({"identifier": "a"}))).expect("switched");
    assert_eq!((written.id, store.at(a).username.as_str()), (a, "bob"));
}

#[test]
fn row_4_a_new_identifier_replaces_the_one_of_the_matching_triple() {
    for profile in PROFILES {
        let mut store = pam(profile, &Switches::default());
        let b = store.given(Some("old"), "bob");
        let written = store.send(&body("bob", &json!({"identifier": "new"}))).expect("row 4");
        assert_eq!(
            (written.id, written.created, written.identifier.as_deref()),
            (b, false, Some("new"))
        );
        assert_eq!(written.previous_identifier.as_deref(), Some("old"));
        assert!(store.with_identifier("old").is_none());
        assert!(store.with_identifier("new").is_some_and(|found| found.id == b));
    }
}

#[test]
fn row_5_a_new_identifier_and_triple_create() {
    for profile in PROFILES {
        let mut store = pam(profile, &Switches::default());
        store.given(Some("a"), "alice");
        let written = store
            .send(&body("bob", &json!({"identifier": "b", "content": "pw"})))
            .expect("row 5");
        assert!(written.created);
        let credential = store.at(written.id);
        assert_eq!((credential.identifier.as_deref(), credential.active), (Some("b"), true));
        assert_eq!((credential.created_by.as_deref(), store.len()), (Some("operator"), 2));
    }
}

#[test]
fn row_6_without_identifier_the_version_decides_whether_the_old_one_stays() {
    for profile in PROFILES {
        let mut store = pam(profile, &Switches::default());
        let b = store.given(Some("b"), "bob");
        let written = store.send(&body("bob", &json!({"identifier": ""}))).expect("row 6");
        assert_eq!((written.id, written.created), (b, false));
        let kept = written.identifier.as_deref() == Some("b");
        assert_eq!(kept, profile == Profile::V4_0, "{profile:?}");
        assert_eq!(store.at(b).identifier, written.identifier);
    }
}

#[test]
fn row_7_without_identifier_a_create_gets_a_uuid_or_none() {
    for profile in PROFILES {
        let mut store = pam(profile, &Switches::default());
        let written = store.send(&body("bob", &json!({}))).expect("row 7");
        assert!(written.created);
        assert_eq!(written.identifier.map(|identifier| identifier.len()), Some(36));
    }
    let old = Switches {
        identifier_without: Some(WithoutIdentifier::Null),
        ..Switches::default()
    };
    let written = pam(Profile::V3_32, &old).send(&body("bob", &json!({}))).expect("row 7");
    assert_eq!(written.identifier, None);
}

#[test]
fn an_empty_username_becomes_usr_also_on_an_update() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    let a = store.given(Some("a"), "alice");
    store
        .send(&body("", &json!({"identifier": "a"})))
        .expect("the key is there");
    assert_eq!(store.at(a).username, "usr");
}

#[test]
fn content_is_written_when_sent_and_kept_when_omitted_or_empty() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    let a = store.given(Some("a"), "alice");
    let first = store.at(a).change.clone();
    for kept in [json!({"identifier": "a"}), json!({"identifier": "a", "content": ""})] {
        store.send(&body("alice", &kept)).expect("an update");
        assert_eq!(
            (password(&store, a).as_deref(), &store.at(a).change),
            (Some("before"), &first)
        );
    }
    store
        .send(&body("alice", &json!({"identifier": "a", "content": "before"})))
        .expect("an update");
    assert_ne!(store.at(a).change, first, "the same password again is a change too");
    assert_eq!(store.at(a).content_writes, 2);
}

#[test]
fn switched_to_blank_an_update_without_content_removes_the_password() {
    let blank = Switches {
        content_omitted: Some(ContentRule::Blank),
        ..Switches::default()
    };
    let mut store = pam(Profile::V3_32, &blank);
    let a = store.given(Some("a"), "alice");
    store
        .send(&body("alice", &json!({"identifier": "a", "content": ""})))
        .expect("an update");
    assert_eq!(
        password(&store, a).as_deref(),
        Some("before"),
        "empty is the other switch"
    );
    store
        .send(&body("alice", &json!({"identifier": "a"})))
        .expect("an update");
    assert_eq!(password(&store, a), None);
}

#[test]
fn a_post_onto_an_inactive_credential_leaves_it_inactive_unless_switched() {
    let onto_inactive = |rule: Option<InactiveOnPost>| {
        let mut store = pam(
            Profile::V3_32,
            &Switches {
                inactive_on_post: rule,
                ..Switches::default()
            },
        );
        let a = store.given(Some("a"), "alice");
        store.edit(a, |credential| credential.active = false);
        let result = store.send(&body("alice", &json!({"identifier": "a"})));
        (
            result.map(|written| (written.id == a, written.created)),
            store.at(a).active,
            store.len(),
        )
    };
    assert_eq!(onto_inactive(None), (Ok((true, false)), false, 1));
    assert_eq!(
        onto_inactive(Some(InactiveOnPost::Refuse)),
        (Err(refusal::INACTIVE), false, 1)
    );
    assert_eq!(
        onto_inactive(Some(InactiveOnPost::Duplicate)),
        (Ok((false, true)), false, 2)
    );
}

#[test]
fn names_match_exactly_unless_switched_to_loose() {
    let spelled = json!({"identifier": " A ", "username": "ALICE ", "hostname": "DB", "ip": "10.0.0.1"});
    let mut exact = pam(Profile::V3_32, &Switches::default());
    exact.given(Some("a"), "alice");
    assert_eq!(exact.send(&spelled), Err(refusal::DEVICE_NOT_FOUND));
    let mut loose = pam(
        Profile::V3_32,
        &Switches {
            matching: Some(Matching::Loose),
            ..Switches::default()
        },
    );
    let a = loose.given(Some("a"), "alice");
    assert_eq!(
        loose.send(&spelled).map(|written| (written.id, written.created)),
        Ok((a, false))
    );
    assert_eq!(loose.at(a).username, "ALICE ", "it is stored as it was sent");
}

#[test]
fn fields_that_are_not_sent_stay_and_settings_are_replaced_or_merged() {
    let after_update = |rule| {
        let mut store = pam(
            Profile::V3_32,
            &Switches {
                partial_settings: rule,
                ..Switches::default()
            },
        );
        let both = json!({"identifier": "a", "tags": "x, y", "session_settings": {"SSH": true, "RDP": true}});
        let a = store.send(&body("alice", &both)).expect("a create").id;
        store
            .send(&body(
                "alice",
                &json!({"identifier": "a", "session_settings": {"SSH": false}}),
            ))
            .expect("an update");
        Value::Object(store.at(a).fields.clone())
    };
    assert_eq!(
        after_update(None),
        json!({"tags": "x, y", "session_settings": {"SSH": false}})
    );
    assert_eq!(
        after_update(Some(PartialSettings::Merge)),
        json!({"tags": "x, y", "session_settings": {"SSH": false, "RDP": true}})
    );
}

#[test]
fn a_match_that_the_client_does_not_see_is_1009_and_what_it_created_it_sees() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    let foreign = store.given(Some("a"), "alice");
    let narrow = Client {
        credentials: Some([].into()),
        ..client()
    };
    for taken in [json!({"identifier": "a"}), json!({"identifier": "new"}), json!({})] {
        let post = CredentialPost::new(&body("alice", &taken));
        assert_eq!(store.post(&post, &narrow), Err(refusal::NO_ACCESS));
    }
    assert_eq!(password(&store, foreign).as_deref(), Some("before"));
    let own = CredentialPost::new(&body("bob", &json!({"identifier": "b"})));
    let created = store.post(&own, &narrow).expect("a create needs no visibility");
    assert_eq!(store.post(&own, &narrow).map(|written| written.id), Ok(created.id));
}

#[test]
fn types_vendors_models_and_sites_are_created_when_unseen() {
    let mut store = pam(Profile::V3_32, &Switches::default());
    let named = json!({
        "credential_type": "Robot", "type": "Server", "vendor": "Debian", "model": "10.0 Buster", "site": "Lab"
    });
    store
        .send(&body("alice", &named))
        .expect("none of them must be registered");
    let registry = &store.registry;
    for (seen, name) in [
        (&registry.credential_types, "Robot"),
        (&registry.types, "Server"),
        (&registry.vendors, "Debian"),
        (&registry.models, "10.0 Buster"),
        (&registry.sites, "Lab"),
    ] {
        assert!(seen.contains(name), "{name}");
    }
    let device = registry.device("db", "10.0.0.1").expect("registered");
    assert_eq!(device.model.as_deref(), Some("10.0 Buster"), "they describe the device");
}
