//! The plan: what to do next, as a pure function of what was observed.
//!
//! It is asked again after every step, with what the step changed, until nothing is left to do or something must be
//! waited for. Its order is the order of the promises: first what could do harm, then what would be a lie, then cost.

mod approach;
mod deletion;
pub mod drift;
mod due;
pub mod facts;
mod step;
#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::api::Reason;
use crate::controller::{
    ownership::{identity::Triple, register::Register},
    plan::{
        approach::approach,
        deletion::deletion,
        drift::{resign, settled, stays_surprised},
        due::{Change, Due, due},
        facts::{Content, FRESH, Facts, LinkState, Prints, SLOW},
    },
};

pub use step::{Await, Dispatch, Expected, Finding, Stake, Step, Warning};

/// The next step.
pub fn plan(facts: &Facts) -> Step {
    if facts.wish.deleting {
        return deletion(facts);
    }
    if let Some(message) = facts.wish.unreadable {
        return Finding::waiting(Reason::Rejected, format!("the spec cannot be read: {message}"));
    }
    if facts.wish.finalizer && !facts.wish.deactivates {
        return Step::RemoveFinalizer;
    }
    if let Some(step) = resign(facts) {
        return step;
    }
    match due(facts) {
        Due::Nothing if needs_finalizer(facts) => Step::AddFinalizer,
        Due::Nothing if !is_recorded(facts) && !stays_surprised(facts) => Step::Record,
        Due::Nothing => settled(facts),
        Due::Unknown => Step::ReadSecrets,
        Due::Broken(reason, message) => Finding::waiting(reason, message),
        Due::Send(change) => match in_turn(facts, send(facts, change)) {
            // The finalizer is there before anything of ours can be in the PAM.
            Step::Claim(_) | Step::Send(_) if needs_finalizer(facts) => Step::AddFinalizer,
            Step::Report(found) if outlives(facts, &found) => Step::Await(found.until.unwrap_or(Await::NextListing)),
            step => step,
        },
    }
}

/// An unexpected answer is remembered by what status says of it, so nothing that passes by itself takes its place: the
/// same POST would go to the same credential, which is somebody else's.
fn outlives(facts: &Facts, found: &Finding) -> bool {
    facts.is_surprised() && !facts.wish.adopts && (found.reason.is_reconciling() || found.reason == Reason::Suspended)
}

fn needs_finalizer(facts: &Facts) -> bool {
    facts.wish.deactivates && !facts.wish.finalizer
}

/// Whether status says already that this generation needs nothing.
fn is_recorded(facts: &Facts) -> bool {
    let reason = if facts.wish.suspended {
        Reason::Suspended
    } else {
        Reason::Synced
    };
    let record = &facts.record;
    record.ready && record.reason == Some(reason) && record.generation == facts.wish.generation && !facts.wish.requested
}

/// Something has to be sent: is there anything in the way?
fn send(facts: &Facts, change: Change) -> Step {
    match facts.link.state {
        LinkState::Missing => {
            return Finding::waiting(Reason::ConnectionNotFound, "the connection does not exist");
        }
        LinkState::NotAllowed => {
            return Finding::waiting(Reason::ConnectionNotAllowed, "the connection is not for this namespace");
        }
        _ => {}
    }
    if !facts.wish.forbidden.is_empty() {
        let fields = facts.wish.forbidden.join(", ");
        return Finding::waiting(Reason::NotPermitted, format!("the connection does not allow {fields}"));
    }
    match &facts.content {
        Content::Absent => return Step::ReadSecrets,
        Content::Broken { reason, message, .. } => return Finding::waiting(*reason, *message),
        Content::Unmoved | Content::Unread | Content::Rendered(_) => {}
    }
    if facts.wish.suspended || facts.link.state == LinkState::Suspended {
        return Finding::waiting(Reason::Suspended, "changes wait to be sent");
    }
    if let Some(rival) = facts.rival {
        return Step::Report(Finding::conflict(rival));
    }
    match facts.link.state {
        LinkState::Unknown => return patience(facts, Await::Connection, "the connection is being checked"),
        LinkState::NotReady(reason, message) => {
            return Finding::waiting(Reason::ConnectionNotReady, format!("{}: {message}", reason.as_str()));
        }
        _ => {}
    }
    let (Some(target), Some(triple)) = (facts.link.target, facts.wish.triple) else {
        return Step::Await(Await::Connection);
    };
    if let Some(until) = facts.recall.held_until.filter(|until| *until > facts.now) {
        return Step::Await(Await::Until(until));
    }
    let Some(register) = facts.register.filter(|register| usable(facts, register, target)) else {
        return match facts.link.listing_failure {
            Some((reason, message)) => Finding::unlisted(reason, message),
            None if facts.recall.refused => Step::Await(Await::NextListing),
            None => patience(facts, Await::Listing, "the PAM is being listed"),
        };
    };
    // The Secrets are read last, so that an object which waits for a listing or its turn reads them once.
    let Content::Rendered(prints) = &facts.content else {
        return if facts.link.turn {
            Step::ReadSecrets
        } else {
            turn(facts)
        };
    };
    match late(facts, target, prints) {
        Some(until) => Finding::until(
            Some(Await::Until(until)),
            Reason::Progressing,
            "an earlier request may still arrive in the PAM; the change is sent when it no longer can",
        ),
        None => approach(facts, register, target, triple, change),
    }
}

/// A step towards a PAM call is made only in turn.
fn in_turn(facts: &Facts, step: Step) -> Step {
    match step {
        Step::Claim(_) | Step::Send(_) if !facts.link.turn => turn(facts),
        step => step,
    }
}

/// Waits for the object's turn at the PAM. Only an object that is Ready with what it said before has to say so when that
/// takes long: thousands may wait, and a claim or a finding is written when the turn comes.
fn turn(facts: &Facts) -> Step {
    if facts.record.ready {
        patience(facts, Await::Turn, "other objects are sent to the PAM first")
    } else {
        Step::Await(Await::Turn)
    }
}

/// Waits for what should be there in a moment; when it takes longer, status says so, unless it says already why this
/// generation is not ready.
fn patience(facts: &Facts, until: Await, message: &str) -> Step {
    let slow = facts.now.saturating_duration_since(facts.recall.since) >= SLOW;
    let silent = facts.record.ready || facts.record.generation != facts.wish.generation;
    if slow && silent {
        Finding::until(Some(until), Reason::Progressing, message)
    } else {
        Step::Await(until)
    }
}

/// Until when an earlier request with other content could still arrive and undo ours.
fn late(facts: &Facts, target: &str, prints: &Prints) -> Option<Instant> {
    let unsure = facts.recall.unsure.filter(|unsure| unsure.settles > facts.now)?;
    let (identifier, body, content) = unsure.sent.as_ref()?;
    let same = *identifier == facts.identifier(target)
        && *body == prints.body
        && (content.is_none() || *content == prints.content);
    (!same).then_some(unsure.settles)
}

/// Whether the listing is fresh enough for what is about to be sent. Whoever keeps the identity of a credential that
/// the PAM confirmed hits that one again; everything else needs to know what is there now.
fn usable(facts: &Facts, register: &Register, target: &str) -> bool {
    let keeps_identity = facts.title(target).here().is_some_and(|claim| {
        let same_triple = facts.wish.triple.is_some_and(|triple| *triple == Triple::from(claim));
        claim.id.is_some() && same_triple && facts.identifier(target) == claim.identifier
    });
    if keeps_identity {
        // The interval has a jitter of a tenth, and the listing takes its own time.
        register.age(facts.now) <= facts.link.interval.mul_f32(1.1) + FRESH
    } else {
        register.began >= facts.recall.since && register.age(facts.now) <= FRESH
    }
}
