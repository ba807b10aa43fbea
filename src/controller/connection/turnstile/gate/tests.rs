//! Who enters, who waits, who is woken.

use super::*;
use crate::api::Reason;

fn name(text: &str) -> Name {
    let (namespace, name) = text.split_once('/').expect("namespace/name");
    Name::new(namespace, name)
}

fn caller(text: &str) -> Caller {
    Caller::Object(name(text))
}

fn gate(per_second: u32, burst: u32, in_flight: u32, now: Instant) -> Gate {
    let limits = Limits {
        per_second,
        burst,
        in_flight,
    };
    Gate::new(limits, now)
}

fn failure() -> Failure {
    Failure {
        reason: Reason::PamUnavailable,
        message: "it failed".to_owned(),
        asked: None,
    }
}

/// Opens the breaker by calls of the connection; returns when the first probe is due.
fn open(gate: &mut Gate, now: Instant) -> Instant {
    while gate.cause().is_none() {
        gate.failed(&Caller::Connection, false, &failure(), now);
    }
    gate.until().expect("it is open")
}

fn woken(gate: &mut Gate, now: Instant) -> Vec<String> {
    let moves = gate.advance(now, false);
    moves.wake.iter().map(ToString::to_string).collect()
}

const ENTERS: Option<Entry> = Some(Entry { probe: false });
const PROBES: Option<Entry> = Some(Entry { probe: true });

#[test]
fn a_free_turnstile_is_passed_at_once() {
    let now = Instant::now();
    let mut gate = gate(1, 10, 2, now);
    assert_eq!(gate.enter(&name("a/1"), now), ENTERS);
    assert_eq!(gate.enter(&name("a/2"), now), ENTERS);
    assert_eq!(gate.enter(&name("a/3"), now), None, "two are inside");
    gate.leave(&caller("a/1"), false, false);
    assert_eq!(gate.enter(&name("a/4"), now), None, "nobody overtakes");
    assert_eq!(woken(&mut gate, now), ["a/3"]);
    assert_eq!(woken(&mut gate, now), [""; 0], "its place is kept");
    assert_eq!(gate.enter(&name("a/3"), now), ENTERS);
    gate.leave(&caller("a/2"), false, false);
    assert_eq!(woken(&mut gate, now), ["a/4"]);
    assert_eq!(gate.waiting(), 0);
}

#[test]
fn turns_come_as_fast_as_tokens_and_the_usher_knows_when() {
    let start = Instant::now();
    let mut gate = gate(10, 1, 100, start);
    assert_eq!(gate.enter(&name("a/0"), start), ENTERS);
    for number in 1..=3 {
        assert_eq!(gate.enter(&Name::new("a", &number.to_string()), start), None);
    }
    let mut now = start;
    for number in 1..=3 {
        let moves = gate.advance(now, false);
        assert!(moves.wake.is_empty());
        now = moves.next.expect("a token comes");
        assert_eq!(woken(&mut gate, now), [format!("a/{number}")]);
        assert_eq!(gate.enter(&Name::new("a", &number.to_string()), now), ENTERS);
    }
    assert_eq!(now, start + Duration::from_millis(300));
    assert_eq!(gate.advance(now, false), Moves::default(), "nothing to wait for");
}

#[test]
fn namespaces_take_turns() {
    let now = Instant::now();
    let mut gate = gate(1000, 1000, 1, now);
    gate.enter(&name("a/0"), now);
    for text in ["a/1", "a/2", "a/3", "b/1"] {
        gate.enter(&name(text), now);
    }
    let mut order = Vec::new();
    let mut inside = "a/0".to_owned();
    while gate.waiting() > 0 {
        gate.leave(&caller(&inside), false, false);
        inside = woken(&mut gate, now).remove(0);
        gate.enter(&name(&inside), now);
        order.push(inside.clone());
    }
    assert_eq!(order, ["a/1", "b/1", "a/2", "a/3"]);
}

#[test]
fn a_turn_that_is_not_used_falls_back_with_its_token() {
    let now = Instant::now();
    let mut gate = gate(1, 1, 1, now);
    gate.enter(&name("a/0"), now);
    for text in ["a/1", "a/2", "a/3"] {
        gate.enter(&name(text), now);
    }
    // The first one inside made no call after all.
    gate.leave(&caller("a/0"), true, false);
    assert_eq!(woken(&mut gate, now), ["a/1"]);
    // It is not needed any more.
    gate.forget(&name("a/1"));
    assert_eq!(woken(&mut gate, now), ["a/2"]);
    // It never comes.
    let expiry = gate.advance(now, false).next.expect("its turn expires");
    assert_eq!(expiry, now + TICKET_LIFE);
    assert_eq!(woken(&mut gate, expiry), ["a/3"]);
    gate.forget(&name("a/3"));
    assert_eq!((gate.in_flight, gate.waiting()), (0, 0));
    assert_eq!(gate.enter(&name("a/2"), expiry), ENTERS, "who comes too late asks anew");
}

#[test]
fn further_calls_and_those_of_the_connection_do_not_wait_but_count() {
    let now = Instant::now();
    let mut gate = gate(10, 3, 10, now);
    assert_eq!(gate.enter(&name("a/1"), now), ENTERS);
    gate.called(&caller("a/1"), true, now);
    gate.called(&caller("a/1"), false, now);
    assert_eq!(gate.admit(now), ENTERS);
    gate.called(&Caller::Connection, true, now);
    assert_eq!(gate.enter(&name("a/2"), now), None);
    assert_eq!(gate.admit(now), ENTERS, "never behind objects");
    gate.called(&Caller::Connection, true, now);
    let next = gate.advance(now, true).next;
    assert_eq!(next, Some(now + Duration::from_millis(200)), "one token is owed");
}

#[test]
fn an_open_breaker_stops_all_but_one_probe() {
    let now = Instant::now();
    let mut gate = gate(1000, 1000, 4, now);
    for text in ["a/in", "a/1", "a/2", "a/3", "a/4"] {
        gate.enter(&name(text), now);
    }
    gate.leave(&caller("a/in"), false, false);
    assert_eq!(woken(&mut gate, now), ["a/4"]);
    let due = open(&mut gate, now);
    assert_eq!(gate.enter(&name("a/4"), now), None, "its turn is over too");
    assert_eq!(gate.enter(&name("b/1"), now), None);
    assert_eq!(gate.admit(now), None);
    assert_eq!(gate.advance(now, true).next, Some(due));

    assert_eq!(woken(&mut gate, due), ["b/1"], "a was served last");
    assert_eq!(woken(&mut gate, due), [""; 0]);
    assert_eq!(gate.enter(&name("b/1"), due), PROBES);
    assert_eq!(gate.admit(due), None, "one at a time");
    gate.failed(&caller("b/1"), true, &failure(), due);
    gate.leave(&caller("b/1"), false, false);
    gate.enter(&name("b/1"), due);

    let due = gate.until().expect("it is open");
    let moves = gate.advance(due, true);
    assert!(moves.list && moves.wake.is_empty(), "{moves:?}");
    assert_eq!(gate.admit(due), PROBES);
    gate.answered();
    assert_eq!(gate.cause(), None);
}

#[test]
fn after_an_outage_the_queue_drains_one_then_twice_as_many_with_each_answer() {
    let now = Instant::now();
    let mut gate = gate(1000, 1000, 6, now);
    let due = open(&mut gate, now);
    for number in 0..100 {
        gate.enter(&Name::new("a", &number.to_string()), due);
    }
    gate.admit(due);
    gate.answered();
    let mut inside = gate.advance(due, true).wake;
    let mut most = vec![inside.len()];
    for _ in 0..4 {
        let name = inside.remove(0);
        gate.enter(&name, due);
        gate.answered();
        gate.leave(&Caller::Object(name), false, false);
        inside.extend(gate.advance(due, true).wake);
        most.push(inside.len());
    }
    assert_eq!(most, [1, 2, 4, 6, 6]);
}

#[test]
fn a_probe_that_makes_no_call_is_given_to_the_next() {
    let now = Instant::now();
    let mut gate = gate(1000, 1000, 4, now);
    let due = open(&mut gate, now);
    for text in ["a/1", "a/2", "a/3"] {
        gate.enter(&name(text), now);
    }
    assert_eq!(woken(&mut gate, due), ["a/1"]);
    assert_eq!(gate.enter(&name("a/1"), due), PROBES);
    gate.leave(&caller("a/1"), true, true);
    assert_eq!(woken(&mut gate, due), ["a/2"]);
    gate.forget(&name("a/2"));
    assert_eq!(woken(&mut gate, due), ["a/3"]);
    assert_eq!(woken(&mut gate, due + TICKET_LIFE), [""; 0]);
    assert_eq!(gate.admit(due + TICKET_LIFE), PROBES, "the object never came");
}
