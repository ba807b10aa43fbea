//! What status says after each step.

use serde_json::json;

use super::*;
use crate::api::SecretVersion;

fn stamp(generation: i64) -> Stamp {
    Stamp {
        generation,
        now: Time(Timestamp::from_second(generation).expect("a second of 1970")),
        requested: None,
    }
}

fn claim(id: Option<&str>) -> Claim {
    Claim {
        target: "https://pam".to_owned(),
        id: id.map(str::to_owned),
        identifier: "orders-db".to_owned(),
        ..Claim::default()
    }
}

fn prints(content: Option<&str>, key: &str) -> Prints {
    Prints {
        body: "body".to_owned(),
        content: content.map(str::to_owned),
        key: key.to_owned(),
        secrets: vec![SecretVersion::default()],
        content_source: None,
    }
}

/// A status after a create with a password.
fn created() -> PamCredentialStatus {
    let connection = ConnectionRefStatus::default();
    let status = claimed(
        PamCredentialStatus::default(),
        &stamp(1),
        claim(None),
        connection.clone(),
        false,
    );
    accepted(
        status,
        &stamp(1),
        claim(Some("7")),
        connection,
        &prints(Some("a"), "k"),
        true,
        false,
    )
}

/// The conditions, each as `Type=Status Reason Generation`.
fn conditions(status: &PamCredentialStatus) -> Vec<String> {
    let text = |condition: &Condition| {
        let generation = condition.observed_generation.unwrap_or_default();
        format!(
            "{}={} {} {generation}",
            condition.type_, condition.status, condition.reason
        )
    };
    status.conditions.iter().map(text).collect()
}

fn ready_message(status: &PamCredentialStatus) -> &str {
    &condition::find(&status.conditions, READY)
        .expect("Ready is there")
        .message
}

#[test]
fn each_finding_says_who_has_to_act() {
    let cases = [
        (Reason::SecretNotFound, Some(RECONCILING)),
        (Reason::PamUnavailable, Some(RECONCILING)),
        (Reason::AlreadyExists, Some(STALLED)),
        (Reason::DeviceNotFound, Some(STALLED)),
        (Reason::Drifted, Some(STALLED)),
        (Reason::NotFoundInPam, Some(STALLED)),
        (Reason::Suspended, None),
        (Reason::DeactivationFailed, None),
    ];
    for (reason, other) in cases {
        // Whatever was true before, only what is true now is left.
        for before in [Reason::SecretNotFound, Reason::AlreadyExists] {
            let status = finding(PamCredentialStatus::default(), &stamp(1), before, "before");
            let status = finding(status, &stamp(2), reason, "found");
            let mut expected = vec![format!("Ready=False {reason} 2")];
            expected.extend(other.map(|type_| format!("{type_}=True {reason} 2")));
            if matches!(reason, Reason::Drifted | Reason::NotFoundInPam) {
                expected.push(format!("Drifted=True {reason} 2"));
            }
            assert_eq!(conditions(&status), expected);
            assert_eq!(status.observed_generation, Some(2));
        }
    }
}

/// What goes on by itself is not answered yet, so the request still stands.
#[test]
fn a_finding_that_stays_answers_the_request_and_none_loses_what_was_accepted() {
    let before = created();
    let asked = Stamp {
        requested: Some("now".to_owned()),
        ..stamp(2)
    };
    for (reason, answered) in [(Reason::AlreadyExists, Some("now")), (Reason::PamUnavailable, None)] {
        let after = finding(before.clone(), &asked, reason, "found");
        assert_eq!(after.last_handled_reconcile_at.as_deref(), answered, "{reason}");
        assert_eq!(after.applied, before.applied);
        assert_eq!((after.claim, after.id), (before.claim.clone(), before.id.clone()));
    }
}

#[test]
fn a_claim_comes_without_id_and_forgets_what_another_credential_accepted() {
    let connection = ConnectionRefStatus::default();
    let anew = claimed(created(), &stamp(2), claim(None), connection.clone(), false);
    assert_eq!((&anew.id, &anew.applied), (&None, &None));
    assert_eq!(anew.identifier.as_deref(), Some("orders-db"));
    assert_eq!(
        conditions(&anew),
        ["Ready=False Progressing 2", "Reconciling=True Progressing 2"]
    );

    let kept = claimed(created(), &stamp(2), claim(Some("7")), connection, true);
    assert_eq!((kept.id, kept.applied), (created().id, created().applied));
}

#[test]
fn a_repeated_attempt_after_a_refusal_is_no_news_until_it_is_answered() {
    let connection = ConnectionRefStatus::default;
    let refused = finding(
        PamCredentialStatus::default(),
        &stamp(1),
        Reason::DomainNotFound,
        "no domain",
    );
    let again = claimed(refused.clone(), &stamp(1), claim(None), connection(), false);
    assert_eq!(again.conditions, refused.conditions);
    let unexpected = finding(
        PamCredentialStatus::default(),
        &stamp(1),
        Reason::UnexpectedAnswer,
        "another id",
    );
    for (before, generation) in [(refused, 2), (unexpected, 1)] {
        let anew = claimed(before, &stamp(generation), claim(None), connection(), false);
        let expected = ["Ready=False Progressing", "Reconciling=True Progressing"];
        assert_eq!(
            conditions(&anew),
            expected.map(|condition| format!("{condition} {generation}"))
        );
    }
}

#[test]
fn the_fingerprint_of_the_password_is_that_of_the_one_sent_last() {
    let cases = [
        // What the Secret has, whether it was sent, the key now; and the fingerprint that is left.
        (Some("b"), true, "k", Some("b")),
        (Some("b"), false, "k", Some("a")),
        (None, false, "k", Some("a")),
        (Some("b"), false, "other", None),
        (Some("b"), true, "other", Some("b")),
    ];
    for (content, sent, key, left) in cases {
        let prints = prints(content, key);
        let status = accepted(
            created(),
            &stamp(2),
            claim(Some("7")),
            ConnectionRefStatus::default(),
            &prints,
            sent,
            false,
        );
        let applied = status.applied.as_ref().expect("something was accepted");
        assert_eq!(applied.content.as_deref(), left, "{content:?} {sent} {key}");
        assert_eq!((applied.generation, applied.key.as_str()), (2, key));
        assert_eq!(conditions(&status), ["Ready=True Synced 2"]);
    }
}

#[test]
fn the_first_of_two_posts_is_not_the_end() {
    let prints = prints(None, "k");
    let connection = ConnectionRefStatus::default();
    let status = accepted(created(), &stamp(2), claim(Some("7")), connection, &prints, false, true);
    assert_eq!(
        conditions(&status),
        ["Ready=False Progressing 2", "Reconciling=True Progressing 2"]
    );
    assert_eq!(status.applied.expect("something was accepted").generation, 2);
}

#[test]
fn a_refusal_takes_back_only_a_claim_that_has_nothing_to_show() {
    let cases = [
        (None, true, false),
        (None, false, true),
        (Some("7"), true, true),
        (Some("7"), false, true),
    ];
    for (id, gives_up, stays) in cases {
        let before = PamCredentialStatus {
            claim: Some(claim(id)),
            identifier: Some("orders-db".to_owned()),
            ..PamCredentialStatus::default()
        };
        let after = refused(before, &stamp(1), Reason::DomainNotFound, "no domain", gives_up);
        assert_eq!(after.claim.is_some(), stays, "{id:?} {gives_up}");
        assert_eq!(after.identifier.is_some(), stays, "{id:?} {gives_up}");
        assert_eq!(
            conditions(&after),
            ["Ready=False DomainNotFound 1", "Stalled=True DomainNotFound 1"]
        );
    }
}

#[test]
fn what_is_in_sync_says_what_it_does_not_know() {
    let cases = [
        (true, Some("a"), false, "Ready=True Synced 2", "Credential 7 is in sync"),
        (false, None, false, "Ready=True Synced 2", "Credential 7 is in sync"),
        (
            true,
            None,
            false,
            "Ready=True Synced 2",
            "Credential 7 is in sync; its password was left as it is",
        ),
        (
            true,
            Some("a"),
            true,
            "Ready=True Suspended 2",
            "Credential 7 is as the last change left it, and the object is suspended",
        ),
    ];
    for (wants_content, content, suspended, expected, message) in cases {
        let mut before = created();
        let applied = before.applied.as_mut().expect("something was accepted");
        applied.content = content.map(str::to_owned);
        let after = synced(before, &stamp(2), wants_content, suspended);
        assert_eq!(conditions(&after), [expected]);
        assert_eq!(ready_message(&after), message);
    }
    let nothing = synced(PamCredentialStatus::default(), &stamp(2), true, false);
    assert_eq!(
        nothing,
        PamCredentialStatus::default(),
        "nothing was accepted, so nothing is in sync"
    );
}

#[test]
fn a_difference_stands_beside_ready_and_goes_with_the_next_answer() {
    let drifted = noted(created(), &stamp(1), Some((Reason::Drifted, "credential 7 is another")));
    assert_eq!(conditions(&drifted), ["Ready=True Synced 1", "Drifted=True Drifted 1"]);
    assert_eq!(noted(drifted.clone(), &stamp(1), None), created());
    let connection = ConnectionRefStatus::default();
    let answer = |status, with_content| {
        let prints = prints(Some("a"), "k");
        let own = claim(Some("7"));
        conditions(&accepted(
            status,
            &stamp(2),
            own,
            connection.clone(),
            &prints,
            with_content,
            false,
        ))
    };
    assert_eq!(answer(drifted, false), ["Ready=True Synced 2"]);
    // A password that the PAM changed is another one until ours is sent again.
    let rotated = noted(created(), &stamp(1), Some((Reason::PasswordChangedInPam, "changed")));
    let stays = ["Ready=True Synced 2", "Drifted=True PasswordChangedInPam 1"];
    assert_eq!(answer(rotated.clone(), false), stays);
    assert_eq!(answer(rotated, true), ["Ready=True Synced 2"]);
}

#[test]
fn a_password_that_was_sent_stays_sent_when_the_key_changes_and_the_secret_does_not() {
    let version = |version: &str| SecretVersion {
        resource_version: version.to_owned(),
        ..SecretVersion::default()
    };
    let prints = |key: &str, content: &str, source: &str| Prints {
        secrets: vec![version(source)],
        content_source: Some(version(source)),
        ..prints(Some(content), key)
    };
    let answer = |status, prints: &Prints, with_content| {
        let own = claim(Some("7"));
        let connection = ConnectionRefStatus::default();
        accepted(status, &stamp(2), own, connection, prints, with_content, false)
    };
    let sent = answer(PamCredentialStatus::default(), &prints("old", "a", "1"), true);
    let content = |status: PamCredentialStatus| status.applied.and_then(|applied| applied.content);
    let resigned = answer(sent.clone(), &prints("new", "b", "1"), false);
    assert_eq!(
        content(resigned).as_deref(),
        Some("b"),
        "the same password under another key"
    );
    let moved = answer(sent, &prints("new", "b", "2"), false);
    assert_eq!(content(moved), None, "nobody knows whether it is the same");
}

#[test]
fn a_claim_that_was_surprised_is_given_up_with_the_next_finding() {
    let surprised = finding(created(), &stamp(1), Reason::UnexpectedAnswer, "another");
    let mut without_id = surprised.clone();
    without_id.claim = Some(claim(None));
    let stays = finding(without_id.clone(), &stamp(1), Reason::UnexpectedAnswer, "again");
    assert!(stays.claim.is_some());
    let left = finding(without_id, &stamp(2), Reason::SecretNotFound, "gone");
    assert_eq!((left.claim, left.identifier), (None, None));
    let owned = finding(surprised, &stamp(2), Reason::SecretNotFound, "gone");
    assert!(owned.claim.is_some(), "what has an id is ours whatever happens");
}

#[test]
fn signing_anew_changes_nothing_but_the_signature() {
    let signed = Claim {
        mac: "new".to_owned(),
        ..claim(Some("7"))
    };
    let status = resigned(created(), signed);
    let patch = patch(Some(&created()), &status).expect("something changed");
    assert_eq!(patch, json!({"claim": {"mac": "new"}}));
}

#[test]
fn a_sentence_is_the_finding_and_its_remedy() {
    let remedy = Reason::PamUnavailable.remedy();
    for found in ["the PAM is down", "the PAM is down.", "The PAM is down"] {
        assert_eq!(
            sentence(found, Reason::PamUnavailable),
            format!("The PAM is down. {remedy}")
        );
    }
}

#[test]
fn a_patch_has_what_changed_and_nothing_else() {
    let cases = [
        (json!({"a": 1}), json!({"a": 1}), None),
        (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), Some(json!({"b": 3}))),
        (json!({"a": 1, "b": 2}), json!({"a": 1}), Some(json!({"b": null}))),
        (
            json!({"a": {"b": 1, "c": 2}}),
            json!({"a": {"b": 1}}),
            Some(json!({"a": {"c": null}})),
        ),
        (json!({"a": [1, 2]}), json!({"a": [2]}), Some(json!({"a": [2]}))),
        (json!({"a": 1}), json!({"a": {"b": 1}}), Some(json!({"a": {"b": 1}}))),
    ];
    for (old, new, expected) in cases {
        assert_eq!(patch(Some(&old), &new), expected, "{old} to {new}");
    }
    assert_eq!(patch(None, &json!({"a": 1})), Some(json!({"a": 1})));
    assert_eq!(patch(Some(&created()), &created()), None);
}
