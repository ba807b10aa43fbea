//! What is remembered of an object, and when it is forgotten.

use serde_json::{Value, json};

use super::*;
use crate::api::RECONCILE_REQUESTED_AT;

fn object(uid: &str) -> Credential {
    serde_json::from_value(json!({"metadata": {"uid": uid, "generation": 1}, "spec": {}})).expect("an object")
}

fn name() -> Name {
    Name::new("orders", "db")
}

fn inputs(generation: i64) -> Inputs {
    Inputs {
        generation,
        ..Inputs::default()
    }
}

fn unsure(settles: Instant) -> Unsure {
    Unsure {
        settles,
        sent: Some(("orders-db".to_owned(), "body".to_owned(), None)),
    }
}

/// An object of this generation whose Ready has this reason since generation 1, with these fields of status more.
fn judged(generation: i64, reason: &str, more: &Value) -> Credential {
    let mut status = json!({
        "observedGeneration": 1,
        "conditions": [{
            "type": "Ready", "status": "False", "reason": reason, "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }],
    });
    let more = more.as_object().expect("a mapping").clone();
    status.as_object_mut().expect("a mapping").extend(more);
    let object = json!({"metadata": {"uid": "u", "generation": generation}, "spec": {}, "status": status});
    let object: Credential = serde_json::from_value(object).expect("an object");
    assert!(object.status.is_some(), "its status is readable");
    object
}

/// The same, asked for a reconcile that status does not answer.
fn requested(mut object: Credential) -> Credential {
    let request = (RECONCILE_REQUESTED_AT.to_owned(), "now".to_owned());
    object.metadata.annotations = Some([request].into());
    object
}

#[test]
fn a_claim_without_answer_may_have_been_sent_by_an_earlier_process() {
    let claim = |id: Value| {
        json!({"claim": {
            "target": "a", "id": id, "identifier": "b", "hostname": "c", "ip": "d", "username": "e", "mac": "f",
        }})
    };
    let cases = [
        ("Progressing", json!({}), false),
        ("Progressing", claim(json!("7")), false),
        ("Progressing", claim(Value::Null), true),
        ("PamUnavailable", claim(Value::Null), true),
        ("UnexpectedAnswer", claim(Value::Null), false),
    ];
    for (reason, more, expected) in cases {
        let now = Instant::now();
        let memory = Memory::of_stranger(&judged(1, reason, &more), now);
        let waits = memory
            .unsettled
            .unsure
            .as_ref()
            .is_some_and(|unsure| unsure.settles > now);
        assert_eq!(waits, expected, "{reason} {more}");
    }
}

#[test]
fn a_refusal_of_this_generation_is_not_asked_for_again_after_a_restart() {
    let refused = |generation, reason| judged(generation, reason, &json!({}));
    let cases = [
        (refused(1, "DomainNotFound"), true),
        (requested(refused(1, "DomainNotFound")), false),
        (refused(2, "DomainNotFound"), false),
        (refused(1, "PamUnavailable"), false),
        (refused(1, "AlreadyExists"), false),
        (object("u"), false),
    ];
    for (object, expected) in cases {
        let now = Instant::now();
        let memory = Memory::of_stranger(&object, now);
        assert_eq!(
            memory.unsettled.held_until.is_some_and(|until| until > now),
            expected,
            "{object:?}"
        );
    }
}

#[test]
fn other_inputs_end_every_pause_and_the_first_ones_do_not() {
    let start = Instant::now();
    let mut memory = Memory::of_stranger(&judged(1, "DomainNotFound", &json!({})), start);
    let later = start + Duration::from_secs(1);
    assert!(memory.note(inputs(1), later));
    assert!(memory.unsettled.held_until.is_some(), "the first look is no change");
    assert_eq!(memory.since, later);

    assert!(!memory.note(inputs(1), later + Duration::from_secs(1)));
    assert_eq!(memory.since, later);

    memory.pause(later, None);
    assert!(memory.note(inputs(2), later));
    assert_eq!(memory.unsettled.held_until, None);
    let first = memory.pause(later, None);
    assert!(first <= Duration::from_secs(3), "failures are counted anew: {first:?}");
}

#[test]
fn pauses_grow_and_are_at_least_what_the_pam_asked_for() {
    let now = Instant::now();
    let mut memory = Memory::new("u", now);
    let pauses: Vec<_> = (0..4).map(|_| memory.pause(now, None)).collect();
    assert!(pauses.is_sorted(), "{pauses:?}");
    let asked = Duration::from_mins(30);
    assert_eq!(memory.pause(now, Some(asked)), asked);
    assert_eq!(memory.unsettled.held_until, Some(now + asked));
    memory.succeed(true, now);
    assert_eq!(
        (memory.unsettled.held_until, memory.unsettled.unsure.as_ref()),
        (None, None)
    );
    assert!(memory.pause(now, None) < pauses[3]);
}

#[test]
fn what_was_verified_holds_for_the_same_inputs_only() {
    let now = Instant::now();
    let mut memory = Memory::new("u", now);
    memory.note(inputs(1), now);
    assert!(!memory.is_verified());
    memory.verify();
    assert!(memory.is_verified());
    memory.note(inputs(2), now);
    assert!(!memory.is_verified());
}

#[test]
fn of_an_earlier_object_only_the_request_that_may_still_arrive_is_remembered() {
    let now = Instant::now();
    let memories = Memories::default();
    let mut memory = memories.take(&name(), &object("first"), now);
    memory.gone = true;
    memory.pause_refused(now);
    memory.unsettled.unsure = Some(unsure(now + Duration::from_secs(9)));
    memories.put(name(), memory);

    let same = memories.take(&name(), &object("first"), now);
    assert!(same.gone && same.unsettled.held_until.is_some());
    memories.put(name(), same);

    let other = memories.take(&name(), &object("second"), now);
    assert!(!other.gone && other.unsettled.held_until.is_none());
    assert_eq!(other.unsettled.unsure, Some(unsure(now + Duration::from_secs(9))));
}

#[test]
fn what_was_compared_holds_until_the_next_reconcile() {
    let memories = Memories::default();
    let began = Instant::now();
    let now = began + Duration::from_secs(1);
    let entry = Compared { key: 1, mark: 2 };
    let seen = || memories.glimpse(&name()).expect("it is there");
    let memory = memories.take(&name(), &object("u"), now);
    assert!(memories.glimpse(&name()).is_none(), "a reconcile has it");
    memories.put(name(), memory);
    let before = seen();
    memories.compared(&name(), before, entry, began);
    assert_eq!(seen().compared, None, "the listing is older than what is known");
    memories.compared(&name(), before, entry, now);
    assert_eq!(seen().compared, Some(entry));

    let mut memory = memories.take(&name(), &object("u"), now);
    memory.newest = Some(Arc::new(object("u")));
    memories.put(name(), memory);
    assert_eq!(seen().compared, None);
    memories.compared(&name(), before, entry, now);
    assert_eq!(seen().compared, None, "a reconcile came between");
    memories.compared(&name(), seen(), entry, now);
    assert_eq!(seen().compared, None, "the watch does not show yet what was written");
}

#[test]
fn a_deleted_object_is_forgotten_unless_a_request_of_it_may_still_arrive() {
    let now = Instant::now();
    for (settles, expected) in [
        (None, false),
        (Some(now), false),
        (Some(now + Duration::from_secs(9)), true),
    ] {
        let memories = Memories::default();
        let mut memory = memories.take(&name(), &object("u"), now);
        memory.unsettled.unsure = settles.map(unsure);
        memories.put(name(), memory);
        memories.forget(&name(), now);
        assert_eq!(memories.lock().contains_key(&name()), expected, "{settles:?}");
    }
}

/// Objects and their connection are looked at side by side, so an object may be seen before its connection has a client.
#[test]
fn a_refusal_before_a_restart_outlasts_the_first_look_at_the_connection() {
    let mut memory = Memory::of_stranger(&judged(1, "DomainNotFound", &json!({})), Instant::now());
    for connection in 0..2 {
        memory.note(
            Inputs {
                connection,
                ..inputs(1)
            },
            Instant::now(),
        );
    }
    assert!(memory.unsettled.refused && memory.unsettled.held_until.is_some());
    memory.note(
        Inputs {
            connection: 2,
            ..inputs(1)
        },
        Instant::now(),
    );
    assert!(!memory.unsettled.refused, "another client is a reason to try again");
}

#[test]
fn an_object_that_is_handed_over_comes_back_as_a_stranger_whose_late_request_is_remembered() {
    let (memories, now) = (Memories::default(), Instant::now());
    for (settles, remembered) in [(now + LATE, true), (now, false)] {
        let mut memory = memories.take(&name(), &object("u"), now);
        memory.unsettled.unsure = Some(unsure(settles));
        memory.confirmed = true;
        memory.unsettled.refused = true;
        memories.put(name(), memory);
        memories.part(&name(), now);
        assert_eq!(memories.knows(&name()), remembered);
        let memory = memories.take(&name(), &object("u"), now);
        assert_eq!(memory.unsettled.unsure.is_some(), remembered);
        assert!(!memory.confirmed && !memory.unsettled.refused);
    }
}

#[test]
fn what_a_reconcile_saw_last_is_no_news_once() {
    let (memories, now) = (Memories::default(), Instant::now());
    let seen = |version: &str| -> Credential {
        serde_json::from_value(json!({"metadata": {"uid": "u", "resourceVersion": version}, "spec": {}}))
            .expect("an object")
    };
    let mut memory = memories.take(&name(), &seen("1"), now);
    memory.newest = Some(Arc::new(seen("2")));
    assert!(!memories.saw(&name(), || "2".to_owned()), "a reconcile has it");
    memories.put(name(), memory);
    assert!(!memories.saw(&name(), || "3".to_owned()), "somebody else wrote");
    assert!(memories.saw(&name(), || "2".to_owned()));
    assert!(
        !memories.saw(&name(), || "2".to_owned()),
        "a wake that comes later has another reason"
    );
}

#[test]
fn an_answer_may_be_younger_than_a_listing() {
    let (memories, now) = (Memories::default(), Instant::now());
    let second = Duration::from_secs(1);
    assert!(!memories.is_younger(&name(), now), "nothing is known of it");
    let mut memory = memories.take(&name(), &object("u"), now);
    memory.succeed(true, now + second);
    memories.put(name(), memory);
    assert!(memories.is_younger(&name(), now));
    assert!(!memories.is_younger(&name(), now + 2 * second));
}
