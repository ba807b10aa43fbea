//! When the breaker opens, who probes, and when it closes.

use super::*;

fn object(name: &str) -> Caller {
    Caller::Object(Name::new("orders", name))
}

fn failure() -> Failure {
    Failure {
        reason: Reason::PamUnavailable,
        message: "it failed".to_owned(),
        asked: None,
    }
}

fn asking(reason: Reason, seconds: u64) -> Failure {
    Failure {
        reason,
        asked: Some(Duration::from_secs(seconds)),
        ..failure()
    }
}

/// A breaker that five objects have just opened.
fn open(now: Instant) -> Breaker {
    let mut breaker = Breaker::default();
    let opened: Vec<_> = (0..5)
        .map(|number| breaker.failed(&object(&number.to_string()), false, &failure(), now))
        .collect();
    assert_eq!(opened, [false, false, false, false, true]);
    breaker
}

#[test]
fn one_and_the_same_object_never_opens_it() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    for _ in 0..100 {
        for name in ["a", "b", "c", "d"] {
            assert!(!breaker.failed(&object(name), false, &failure(), now));
        }
    }
    assert!(breaker.failed(&object("e"), false, &failure(), now), "a fifth object");
}

#[test]
fn calls_of_the_connection_count_each_and_any_answer_starts_anew() {
    let (mut breaker, now) = (Breaker::default(), Instant::now());
    let connection = |breaker: &mut Breaker| breaker.failed(&Caller::Connection, false, &failure(), now);
    for _ in 0..3 {
        assert!((0..4).all(|_| !connection(&mut breaker)));
        assert!(!breaker.answered(), "it was not open");
    }
    breaker.failed(&object("a"), false, &failure(), now);
    assert!((0..3).all(|_| !connection(&mut breaker)));
    assert!(connection(&mut breaker));
    assert_eq!(breaker.cause(), Some(&failure()));
    assert!(breaker.answered());
    assert!(!breaker.is_open());
}

#[test]
fn too_many_requests_with_a_time_stops_all_at_once_and_unavailable_only_the_caller() {
    let now = Instant::now();
    let mut breaker = Breaker::default();
    assert!(!breaker.failed(&object("a"), false, &asking(Reason::PamUnavailable, 60), now));
    assert!(breaker.failed(&object("a"), false, &asking(Reason::RateLimited, 60), now));
    assert_eq!(breaker.until(), Some(now + Duration::from_mins(1)));
    // Another call that was under way is told a longer time.
    assert!(!breaker.failed(&object("b"), false, &asking(Reason::RateLimited, 90), now));
    assert_eq!(breaker.until(), Some(now + Duration::from_secs(90)));
    assert!(!breaker.probe_by_connection(now + Duration::from_secs(89), false));
    assert!(breaker.probe_by_connection(now + Duration::from_secs(90), false));
}

#[test]
fn pauses_double_up_to_a_minute_and_are_as_long_as_the_pam_asks_for() {
    let mut now = Instant::now();
    let mut breaker = open(now);
    for seconds in [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
        let until = breaker.until().expect("it is open");
        let pause = (until - now).as_secs_f64();
        assert!(
            pause >= seconds * 0.8 && pause <= seconds * 1.2,
            "{pause} instead of {seconds}"
        );
        let early = now + (until - now) * 99 / 100;
        assert!(!breaker.probe_by_connection(early, false));
        assert!(breaker.probe_by_connection(until, false));
        assert!(!breaker.probe_by_connection(until, false), "one at a time");
        now = until;
        assert!(!breaker.failed(&Caller::Connection, true, &failure(), now));
    }
    let until = breaker.until().expect("it is open");
    assert!(breaker.probe_by_connection(until, false));
    breaker.failed(&Caller::Connection, true, &asking(Reason::PamUnavailable, 300), until);
    assert_eq!(breaker.until(), Some(until + Duration::from_mins(5)));
}

#[test]
fn late_failures_of_calls_that_were_under_way_prolong_nothing() {
    let now = Instant::now();
    let mut breaker = open(now);
    let until = breaker.until();
    assert!(!breaker.failed(&object("late"), false, &failure(), now + Duration::from_secs(1)));
    assert_eq!(breaker.until(), until);
}

#[test]
fn objects_and_the_listing_probe_in_turns() {
    let now = Instant::now();
    let mut breaker = open(now);
    assert_eq!(breaker.next(now, true, true), Next::Nobody(breaker.until()));
    let due = breaker.until().expect("it is open");
    assert_eq!(breaker.next(due, true, true), Next::Object(None));
    breaker.probe_by_object();
    assert_eq!(breaker.next(due, true, true), Next::Nobody(None), "one at a time");
    breaker.failed(&object("bad"), true, &failure(), due);

    let due = breaker.until().expect("it is open");
    assert_eq!(breaker.next(due, true, true), Next::Connection);
    assert_eq!(
        breaker.next(due, true, true),
        Next::Nobody(Some(due + OFFER)),
        "it was asked already"
    );
    assert!(breaker.probe_by_connection(due, true));
    breaker.failed(&Caller::Connection, true, &failure(), due);

    let due = breaker.until().expect("it is open");
    assert!(!breaker.probe_by_connection(due, true), "the objects are next");
    assert_eq!(breaker.next(due, true, true), Next::Object(None));
    assert!(breaker.probe_by_connection(due, false), "unless none waits");
}

#[test]
fn after_a_failed_probe_another_object_tries_where_no_listing_can() {
    let now = Instant::now();
    let mut breaker = open(now);
    breaker.probe_by_object();
    breaker.failed(&object("bad"), true, &failure(), now);
    let due = breaker.until().expect("it is open");
    let bad = Some(Name::new("orders", "bad"));
    assert_eq!(breaker.next(due, false, true), Next::Object(bad.clone()));
    assert_eq!(breaker.next(due, false, false), Next::Nobody(None));
    assert_eq!(breaker.next(due, true, true), Next::Connection);
    assert_eq!(
        breaker.next(due + OFFER, true, true),
        Next::Object(bad),
        "a listing that does not come"
    );
}

#[test]
fn a_probe_that_was_not_made_is_given_to_the_next() {
    let now = Instant::now();
    let mut breaker = open(now);
    let due = breaker.until().expect("it is open");
    breaker.probe_by_object();
    breaker.give_back();
    assert_eq!(breaker.next(due, true, true), Next::Object(None));
}
