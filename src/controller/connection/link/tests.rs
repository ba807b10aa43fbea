//! What a connection's calls make of its health, and who is woken.

use std::time::Duration;

use super::*;
use crate::api::ConnectionKind;
use crate::controller::connection::links::Links;
use crate::controller::connection::turnstile::Limits;

fn link() -> Link {
    Link::new(LinkKey::new(ConnectionKind::PamConnection, "vault", "orders"))
}

fn problem(call: Call, stalled: bool) -> Problem {
    Problem {
        call,
        reason: if stalled {
            Reason::AccessDenied
        } else {
            Reason::PamUnavailable
        },
        message: "it failed".to_owned(),
        stalled,
    }
}

fn object(name: &str) -> Name {
    Name::new("orders", name)
}

#[test]
fn only_the_success_of_the_refused_call_clears_a_refusal() {
    let calls = [Call::Token, Call::Listing, Call::Write];
    for refused in calls {
        for succeeded in calls {
            let link = link();
            assert!(link.failed(problem(refused, true), Instant::now()), "news");
            assert!(!link.failed(problem(refused, true), Instant::now()), "the same again");
            assert_eq!(link.succeeded(succeeded), succeeded == refused);
            let expected = if succeeded == refused {
                Health::Ready
            } else {
                Health::Unusable(problem(refused, true))
            };
            assert_eq!(link.state().health, expected, "{refused:?} {succeeded:?}");
        }
    }
}

/// Whoever gets an answer has a token; a listing or a write that fails is mended by another one only.
#[test]
fn an_outage_leaves_the_health_alone_and_ends_with_a_success_that_disproves_it() {
    let cases = [
        (Call::Token, Call::Listing, true),
        (Call::Token, Call::Token, true),
        (Call::Listing, Call::Token, false),
        (Call::Listing, Call::Write, false),
        (Call::Listing, Call::Listing, true),
    ];
    for (failed, succeeded, ends) in cases {
        let link = link();
        link.state().health = Health::Ready;
        let outage = problem(failed, false);
        assert!(link.failed(outage.clone(), Instant::now()));
        assert!(!link.failed(outage.clone(), Instant::now()), "the same again");
        assert_eq!(link.state().health, Health::Ready);
        assert_eq!(link.succeeded(succeeded), ends, "{failed:?} {succeeded:?}");
        assert_eq!(link.state().outage, (!ends).then_some(outage));
        assert_eq!(link.state().health, Health::Ready);
    }
}

#[test]
fn a_failed_token_request_has_its_pause() {
    let now = Instant::now();
    for (call, stalled, least, most) in [
        (Call::Token, true, 480, 720),
        (Call::Token, false, 1, 3),
        (Call::Listing, true, 0, 0),
        (Call::Write, true, 0, 0),
    ] {
        let link = link();
        link.failed(problem(call, stalled), now);
        let from = link.state().token_from;
        let pause = from.map_or(Duration::ZERO, |from| from - now);
        let range = Duration::from_secs(least)..=Duration::from_secs(most);
        assert!(range.contains(&pause), "{call:?} {stalled}: {pause:?}");
    }
}

#[test]
fn one_object_at_a_time_finds_out_whether_it_may_write_again() {
    let link = link();
    let now = Instant::now();
    link.failed(problem(Call::Write, true), now);
    let from = link.probe_from().expect("a time to try again");
    assert!(!link.open_probe(now), "it is too early");
    assert!(!link.may_probe(&object("a")));
    assert!(link.open_probe(from));
    assert!(link.may_probe(&object("a")), "the first one that comes");
    assert!(link.may_probe(&object("a")), "as often as it needs to");
    assert!(!link.may_probe(&object("b")));
    let next = link.probe_from().expect("another time");
    assert!(next > from);
    assert!(link.open_probe(next));
    assert!(link.may_probe(&object("b")), "another one's turn");
    link.succeeded(Call::Write);
    assert_eq!(link.probe_from(), None);
}

#[test]
fn listings_wake_who_waits_and_successful_ones_also_who_rides_along() {
    let link = link();
    link.want(&object("waits"));
    link.ride(&object("rides"));
    assert!(link.state().wants_listing(false));
    link.state().take_wanted();
    assert!(!link.state().wants_listing(false), "one listing serves all");
    assert!(link.state().wants_listing(true), "it is due");
    assert!(link.state().wants_listing(false), "and stays so until it begins");
    assert_eq!(link.state().take_waiting(), [object("waits")].into());
    assert_eq!(link.state().take_riding(), [object("rides")].into());
    assert!(link.state().take_waiting().is_empty() && link.state().take_riding().is_empty());
}

#[test]
fn a_listing_needs_a_token_first() {
    let cases = [
        (Health::Unknown, false),
        (Health::Ready, true),
        (Health::Unusable(problem(Call::Configuration, true)), false),
        (Health::Unusable(problem(Call::Token, true)), false),
        (Health::Unusable(problem(Call::Listing, true)), true),
        (Health::Unusable(problem(Call::Write, true)), true),
    ];
    for (health, expected) in cases {
        let link = link();
        link.state().health = health.clone();
        assert_eq!(link.state().may_list(), expected, "{health:?}");
    }
}

#[test]
fn another_client_is_news_and_knows_nothing_of_the_one_before() {
    let link = link();
    assert!(link.state().tells_news(), "the first look");
    assert!(!link.state().tells_news());
    link.failed(problem(Call::Token, true), Instant::now());
    assert!(link.state().tells_news());
    link.state().reset();
    let mut state = link.state();
    assert!(state.tells_news());
    assert_eq!(
        (&state.health, &state.outage, state.token_from),
        (&Health::Unknown, &None, None)
    );
}

#[test]
fn a_connection_is_one_link_as_long_as_it_exists() {
    let links = Links::default();
    let key = LinkKey::new(ConnectionKind::ClusterPamConnection, "vault", "orders");
    assert!(links.get(&key).is_none());
    let link = links.ensure(&key);
    assert!(Arc::ptr_eq(&link, &links.ensure(&key)));
    let elsewhere = LinkKey::new(ConnectionKind::ClusterPamConnection, "vault", "billing");
    assert!(links.get(&elsewhere).is_some(), "it belongs to no namespace");
    assert!(links.remove(&key).is_some());
    assert!(links.get(&key).is_none());
}

#[test]
fn a_few_objects_say_that_the_pam_fails_and_none_while_nothing_is_sent() {
    let link = link();
    let turnstile = Turnstile::new(Limits::default());
    link.state().turnstile = Some(turnstile.clone());
    let speaks = |number: usize| link.state().may_speak(&object(&number.to_string()));
    assert!((0..100).all(speaks), "there is no outage");
    link.failed(problem(Call::Listing, false), Instant::now());
    let speakers: Vec<_> = (0..100).filter(|number| speaks(*number)).collect();
    assert_eq!(speakers, [0, 1, 2, 3, 4]);
    assert!(speaks(4), "as often as it needs to");

    let down = pam::Error::new(pam::Class::Unavailable, pam::Outcome::NotExecuted);
    for _ in 0..THRESHOLD {
        turnstile.admit().expect("it is closed").end(Some(&down));
    }
    assert!((0..100).all(|number| !speaks(number)));
    let due = turnstile.until().expect("it is open");
    turnstile.admit_at(due).expect("a probe").end(None);
    assert!(link.succeeded(Call::Listing));
    assert!((0..100).all(speaks));
}

#[test]
fn the_connection_says_that_nothing_is_sent_unless_it_says_more_already() {
    let link = link();
    let turnstile = Turnstile::new(Limits::default());
    let stopped = || Some(problem(Call::Write, false));
    assert!(!link.stopped(&turnstile, stopped()), "the turnstile of another client");
    link.state().turnstile = Some(turnstile.clone());
    assert!(link.stopped(&turnstile, stopped()));
    assert_eq!(link.state().outage, stopped());
    assert!(link.stopped(&turnstile, None));
    assert_eq!(link.state().outage, None);

    let listing = problem(Call::Listing, false);
    link.failed(listing.clone(), Instant::now());
    assert!(!link.stopped(&turnstile, stopped()));
    assert!(!link.stopped(&turnstile, None));
    assert_eq!(link.state().outage, Some(listing), "another listing ends it");
}
