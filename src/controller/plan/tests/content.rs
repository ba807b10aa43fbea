//! When the password goes along, and when it must not.

use crate::api::{Claim, Reason};
use crate::controller::plan::{
    facts::{Content, Prints},
    tests::fixture::{
        Case, ELSEWHERE, GENERATED, NAMED, applied, claim, claimed, edited, entry, kept, new, prints, secret, synced,
    },
};

/// The object in sync, whose Secrets were read and gave this.
fn rendered(case: Case, prints: Prints) -> Case {
    case.but(|facts| facts.content = Content::Rendered(kept(prints)))
}

/// Another password, in another version of the Secret.
fn rotated() -> Prints {
    Prints {
        secrets: vec![secret("2")],
        content_source: Some(secret("2")),
        ..prints("body", "other password")
    }
}

#[test]
fn a_create_and_an_adoption_carry_the_password() {
    assert_eq!(claimed().next(), "create as orders-db with password");
    let adopted = claimed().adopting().lists(&[entry("115", "theirs", "app")]);
    assert_eq!(adopted.next(), "update 115 as orders-db with password");
}

#[test]
fn a_changed_secret_carries_the_password_and_a_changed_spec_does_not() {
    assert_eq!(
        rendered(synced(), rotated()).next(),
        "update 115 as orders-db with password"
    );
    assert_eq!(edited().next(), "update 115 as orders-db");
}

#[test]
fn a_secret_that_was_only_touched_sends_nothing() {
    let touched = Prints {
        secrets: vec![secret("2")],
        content_source: Some(secret("2")),
        ..prints("body", "password")
    };
    assert_eq!(rendered(synced(), touched).next(), "Nothing");
}

#[test]
fn a_password_that_disappears_from_the_spec_is_not_blanked() {
    let without = Prints {
        content: None,
        content_source: None,
        secrets: vec![],
        ..prints("body", "")
    };
    assert_eq!(rendered(synced(), without).next(), "Nothing");
}

#[test]
fn create_only_manages_the_password_until_the_create() {
    let create_only = |case: Case| case.but(|facts| facts.wish.create_only = true);
    assert_eq!(create_only(claimed()).next(), "create as orders-db with password");
    assert_eq!(create_only(rendered(synced(), rotated())).next(), "Nothing");
    assert_eq!(create_only(edited()).next(), "update 115 as orders-db");
    let asked = create_only(reclaimed()).but(|facts| facts.wish.requested = true);
    assert_eq!(asked.next(), "Record");
}

/// An object whose credential was found again: nothing is known of the password there.
fn reclaimed() -> Case {
    synced().but(|facts| {
        let mut applied = applied();
        applied.content = None;
        facts.record.applied = Some(kept(applied));
        facts.content = Content::Rendered(kept(prints("body", "password")));
    })
}

#[test]
fn what_is_found_again_gets_the_spec_but_keeps_its_password() {
    let found = new().unnamed().lists(&[entry("115", GENERATED, "app")]);
    assert_eq!(found.next(), format!("claim 115 as {GENERATED}"));
    let claim_of_found = Claim {
        identifier: GENERATED.to_owned(),
        ..claim(Some("115"))
    };
    assert_eq!(
        found.claims(claim_of_found).next(),
        format!("update 115 as {GENERATED}")
    );
    assert_eq!(reclaimed().next(), "Nothing");
}

#[test]
fn a_request_or_a_changed_secret_sends_the_password_that_was_left_alone() {
    let password = "update 115 as orders-db with password";
    assert_eq!(reclaimed().but(|facts| facts.wish.requested = true).next(), password);
    assert_eq!(rendered(reclaimed(), rotated()).next(), password);
    let unread = reclaimed().but(|facts| {
        facts.wish.requested = true;
        facts.content = Content::Unmoved;
    });
    assert_eq!(unread.next(), "ReadSecrets");
    assert_eq!(
        synced().but(|facts| facts.wish.requested = true).next(),
        "Record",
        "a request alone sends no password twice"
    );
}

#[test]
fn a_password_of_unknown_outcome_is_sent_again_after_an_edit_too() {
    let known = new().claims(claim(Some("115"))).lists(&[entry("115", NAMED, "app")]);
    assert_eq!(known.next(), "update 115 as orders-db");
    let late = new().claims(claim(Some("115"))).lists(&[entry("115", NAMED, "app")]);
    let late = late.unsure(NAMED, "an older body", Some("password"), 0);
    assert_eq!(late.next(), "update 115 as orders-db with password");
    let left_out = new().claims(claim(Some("115"))).lists(&[entry("115", NAMED, "app")]);
    let left_out = left_out.unsure(NAMED, "body", None, 0);
    assert_eq!(left_out.next(), "update 115 as orders-db");
}

#[test]
fn another_key_means_comparing_versions_not_pushing_everything_again() {
    let other_key = |prints: Prints| Prints {
        key: "key-b".to_owned(),
        ..prints
    };
    let unmoved = other_key(prints("print of the body", "print of the password"));
    assert_eq!(rendered(synced(), unmoved.clone()).next(), "Nothing");
    assert_eq!(
        rendered(synced(), other_key(rotated())).next(),
        "update 115 as orders-db with password"
    );
    let next_generation = rendered(synced(), unmoved.clone()).but(|facts| facts.wish.generation = 2);
    assert_eq!(next_generation.next(), "update 115 as orders-db");
    let seed = Prints {
        secrets: [unmoved.secrets.clone(), vec![secret("of the seed")]].concat(),
        ..unmoved
    };
    assert_eq!(
        rendered(synced(), seed).next(),
        "update 115 as orders-db",
        "a Secret beside the password's moved"
    );
}

#[test]
fn secrets_are_read_only_when_something_may_have_to_be_sent() {
    let unread = |case: Case| case.but(|facts| facts.content = Content::Unread);
    assert_eq!(unread(new()).next(), "ReadSecrets");
    assert_eq!(unread(synced()).next(), "ReadSecrets");
    let edit = synced().but(|facts| facts.wish.generation = 2);
    assert_eq!(edit.next(), "ReadSecrets");
    assert_eq!(synced().next(), "Nothing");
    let moved = synced().but(|facts| facts.link.target = Some(ELSEWHERE));
    assert_eq!(moved.next(), "ReadSecrets", "another PAM knows nothing of it");
}

#[test]
fn a_missing_secret_is_named_and_nothing_is_sent() {
    for reason in [Reason::SecretNotFound, Reason::SecretKeyNotFound] {
        let message = "Secret db does not exist";
        let broken = |case: Case| {
            case.but(|facts| {
                facts.content = Content::Broken {
                    reason,
                    message,
                    unmoved: false,
                }
            })
        };
        for case in [broken(new()), broken(claimed()), broken(edited())] {
            assert_eq!(
                (case.finding().reason, case.finding().message.as_str()),
                (reason, message)
            );
            assert_eq!(case.finding().until, None, "the Secret itself wakes it");
        }
    }
}

#[test]
fn an_identifier_alone_is_a_change_worth_sending() {
    let case = rendered(synced(), prints("body", "password")).but(|facts| facts.wish.identifier = Some("new"));
    assert_eq!(case.next(), "update 115 as new");
    assert_eq!(case.unnamed().next(), "Nothing");
}
