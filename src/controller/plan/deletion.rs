//! The end of an object. It works from status and never needs a valid spec.

use std::time::Instant;

use crate::api::Reason;
use crate::controller::plan::{
    Await, Finding, Step, Warning,
    facts::{FRESH, Facts, LinkState},
};

/// The next step towards the release of an object that is being deleted.
pub fn deletion(facts: &Facts) -> Step {
    if !facts.wish.finalizer {
        return Step::Nothing;
    }
    if !facts.wish.deactivates {
        return Step::Release(None);
    }
    if facts.recall.orphaned {
        return Step::Release(Some(Warning::Orphaned));
    }
    if facts.recall.release_at.is_some_and(|at| at <= facts.now) {
        return Step::Release(Some(Warning::TimedOut));
    }
    match facts.link.state {
        LinkState::Missing => failed("the connection does not exist"),
        LinkState::NotAllowed => failed("the connection is not for this namespace"),
        LinkState::NotReady(reason, message) => failed(format!("{}: {message}", reason.as_str())),
        LinkState::Unknown => Step::Await(Await::Connection),
        LinkState::Ready | LinkState::Suspended => match (facts.link.target, waits(facts)) {
            (None, _) => Step::Await(Await::Connection),
            (_, Some(until)) => {
                let release = facts.recall.release_at.unwrap_or(until);
                Step::Await(Await::Until(until.min(release)))
            }
            (Some(target), None) => deactivate(facts, target),
        },
    }
}

/// A request that could still arrive would bring the credential back to life; a failed attempt has its pause.
fn waits(facts: &Facts) -> Option<Instant> {
    let settles = facts.recall.unsure.map(|unsure| unsure.settles);
    settles.max(facts.recall.held_until).filter(|until| *until > facts.now)
}

fn deactivate(facts: &Facts, target: &str) -> Step {
    // A listing from before the last request could arrive would miss what that request made.
    let settled = facts.recall.unsure.map(|unsure| unsure.settles);
    let since = settled.map_or(facts.recall.since, |settled| settled.max(facts.recall.since));
    let fresh = facts
        .register
        .filter(|register| register.began >= since && register.age(facts.now) <= FRESH);
    let Some(register) = fresh else {
        return match facts.link.listing_failure {
            Some((reason, message)) => {
                Finding::unlisted(Reason::DeactivationFailed, format!("{}: {message}", reason.as_str()))
            }
            None => Step::Await(Await::Listing),
        };
    };
    if let Some((entry, _)) = facts.title(target).own(register) {
        return if facts.link.turn {
            Step::Deactivate(entry.id)
        } else {
            Step::Await(Await::Turn)
        };
    }
    let foreign = facts.record.claim.is_some_and(|claim| {
        let elsewhere = claim.target != target;
        let other_entry = claim.id.as_deref().is_some_and(|id| register.by_id(id).is_some());
        elsewhere || other_entry || !facts.record.proven
    });
    Step::Release(foreign.then_some(Warning::NotOurs))
}

fn failed(message: impl Into<String>) -> Step {
    Finding::waiting(Reason::DeactivationFailed, message)
}
