//! What errors mean to the breaker, and that a pass ends however it ends.

use std::time::Duration;

use super::*;
use crate::api::Reason;
use crate::pam::{Error, Outcome};

fn turnstile(in_flight: u32) -> Arc<Turnstile> {
    Turnstile::new(Limits {
        in_flight,
        ..Limits::default()
    })
}

fn object(name: &str) -> Name {
    Name::new("orders", name)
}

fn error(class: Class, status: Option<u16>) -> Error {
    let mut error = Error::new(class, Outcome::NotExecuted);
    error.status = status;
    error
}

#[test]
fn only_what_is_no_answer_of_a_pam_counts() {
    for (class, status, reason) in [
        (Class::Unavailable, None, Reason::PamUnavailable),
        (Class::Unavailable, Some(503), Reason::PamUnavailable),
        (Class::RateLimited, Some(429), Reason::RateLimited),
        (Class::InvalidResponse, Some(200), Reason::InvalidResponse),
    ] {
        let Verdict::Failure(failure) = judge(&error(class, status)) else {
            panic!("{class:?} counts");
        };
        assert_eq!((failure.reason, failure.asked), (reason, None));
    }
    for class in [
        Class::InternalError,
        Class::Rejected,
        Class::NoWritePermission,
        Class::Forbidden,
        Class::AuthenticationFailed,
        Class::ApiNotFound,
        Class::DomainNotFound,
    ] {
        assert_eq!(judge(&error(class, Some(500))), Verdict::Answer, "{class:?}");
        assert_eq!(judge(&error(class, None)), Verdict::Nothing, "{class:?} of our own");
    }
    let mut limited = error(Class::RateLimited, Some(429));
    limited.retry_after = Some(Duration::from_secs(7));
    assert!(matches!(judge(&limited), Verdict::Failure(failure) if failure.asked == Some(Duration::from_secs(7))));
}

#[test]
fn a_pass_ends_with_whoever_has_it() {
    let turnstile = turnstile(1);
    let pass = turnstile.enter(&object("a")).expect("it is free");
    assert!(pass.leads_through(&turnstile) && !pass.leads_through(&self::turnstile(1)));
    assert!(turnstile.enter(&object("b")).is_none());
    drop(pass);
    let woken = turnstile.gate().advance(Instant::now(), false).wake;
    assert_eq!(woken, [object("b")]);
    let task = std::thread::spawn({
        let turnstile = turnstile.clone();
        move || {
            let pass = turnstile.enter(&object("b")).expect("its turn");
            pass.begin();
            panic!("in the middle of a reconcile");
        }
    });
    assert!(task.join().is_err());
    assert!(turnstile.enter(&object("c")).is_some());
}

#[test]
fn a_probe_without_a_verdict_is_not_the_last_one() {
    let turnstile = turnstile(4);
    let down = error(Class::Unavailable, None);
    for _ in 0..THRESHOLD {
        turnstile.admit().expect("it is closed").end(Some(&down));
    }
    assert_eq!(
        turnstile.cause().map(|cause| cause.reason),
        Some(Reason::PamUnavailable)
    );
    let due = turnstile.until().expect("it is open");
    let admit = || turnstile.admit_at(due);
    let probe = admit().expect("it is due");
    probe.begin();
    assert!(admit().is_none(), "one at a time");
    drop(probe);
    let probe = admit().expect("the one before was cut off");
    probe.end(None);
    drop(probe);
    assert_eq!(turnstile.cause(), None);
}
