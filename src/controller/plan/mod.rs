//! The plan: what to do next, as a pure function of what was observed.
//!
//! It is asked again after every step, with what the step changed, until nothing is left to do or something must be
//! waited for. Its order is the order of the promises: first what could do harm, then what would be a lie, then cost.

mod approach;
mod deletion;
pub mod drift;
pub mod facts;
#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::api::{Applied, Reason};
use crate::controller::{
    ownership::{
        identity::{Name, Triple},
        register::Register,
    },
    plan::{
        approach::approach,
        deletion::deletion,
        drift::{Difference, resign, settled},
        facts::{Content, FRESH, Facts, LinkState, Prints, SLOW},
    },
};

/// The next step for one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Everything is as it should be, and status says so.
    Nothing,
    /// Wait for an event or a moment; status stays as it is.
    Await(Await),
    /// Read the Secrets and render the body.
    ReadSecrets,
    /// Nothing has to be sent: note in status that this generation was seen.
    Record,
    /// Say in status why nothing is sent.
    Report(Finding),
    /// Nothing has to be sent: say in status what others changed in the PAM, or that it is over.
    Note(Option<Difference>),
    /// Note in status which text the PAM has for the time of our password (passwordPolicy Enforce).
    Baseline(String),
    /// Put the finalizer on.
    AddFinalizer,
    /// Take the finalizer off.
    RemoveFinalizer,
    /// Write down what is about to be ours, before it is.
    Claim(Stake),
    /// The one write: POST the body.
    Send(Dispatch),
    /// Deactivate our credential, by its id.
    Deactivate(String),
    /// Let the deleted object go; with what a person must know when the credential stays active.
    Release(Option<Warning>),
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Await {
    /// The first judgement of the connection.
    Connection,
    /// A listing that begins from now on.
    Listing,
    /// The next listing, whenever it comes.
    NextListing,
    /// The object's turn at the PAM.
    Turn,
    /// A moment.
    Until(Instant),
}

/// Why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The reason in the conditions.
    pub reason: Reason,
    /// What was found, without the remedy, which belongs to the reason.
    pub message: String,
    /// What may change the finding beside the object itself, its Secrets and its connection.
    pub until: Option<Await>,
}

impl Finding {
    /// A finding that only the object itself, its Secrets or its connection can change.
    pub fn waiting(reason: Reason, message: impl Into<String>) -> Step {
        Self::until(None, reason, message)
    }

    /// A finding that the next listing, whenever it comes, can change too.
    pub fn riding(reason: Reason, message: impl Into<String>) -> Step {
        Self::until(Some(Await::NextListing), reason, message)
    }

    /// No listing can be had, and one is needed.
    pub fn unlisted(reason: Reason, message: impl Into<String>) -> Step {
        Self::until(Some(Await::Listing), reason, message)
    }

    /// Another object of this cluster goes first.
    pub fn conflict(rival: &Name) -> Self {
        Self {
            reason: Reason::Conflict,
            message: format!("PamCredential {rival} declares the same credential and goes first"),
            until: Some(Await::NextListing),
        }
    }

    fn until(until: Option<Await>, reason: Reason, message: impl Into<String>) -> Step {
        Step::Report(Self {
            reason,
            message: message.into(),
            until,
        })
    }
}

/// A claim to be signed and written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stake {
    /// The id, where the entry is ours already.
    pub id: Option<String>,
    /// The entry that is about to be adopted.
    pub adopts: Option<String>,
    /// The identifier that the POST will carry.
    pub identifier: String,
    /// The triple that the POST will carry, or that our entry has.
    pub triple: Triple,
    /// What was applied before still holds (only the listing's view of our entry is taken over).
    pub keeps_applied: bool,
    /// Only the signature is new: status says the same as before.
    pub resigns: bool,
    /// The difference that a create will end.
    pub corrects: Option<Difference>,
}

/// A POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// The identifier to send.
    pub identifier: String,
    /// Whether the password goes along.
    pub with_content: bool,
    /// What the answer must be about.
    pub expected: Expected,
    /// The identifier has still to be changed by a second POST.
    pub interim: bool,
    /// The credential may have been deactivated with an earlier object of this name: it is activated again.
    pub reactivates: bool,
    /// Nothing of the object's own has to be sent: the POST ends this difference.
    pub corrects: Option<Difference>,
}

/// What a POST is predicted to hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A credential that does not exist yet.
    New,
    /// This entry.
    Entry(String),
}

/// What a person must know when a deleted object is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The PAM's entry under our id is somebody else's by now.
    NotOurs,
    /// The deletion timeout passed.
    TimedOut,
    /// Namespace and connection are going away.
    Orphaned,
}

impl Warning {
    /// As metrics and logs name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::TimedOut => "timed_out",
            Self::Orphaned => "orphaned",
        }
    }

    /// As the event says it.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotOurs => "Released without deactivating: the PAM has no credential that is provably this object's.",
            Self::TimedOut => {
                "Released without deactivating: the PAM could not be asked within --deletion-timeout. The credential may still be active there."
            }
            Self::Orphaned => {
                "Released without deactivating: namespace and connection are being deleted. The credential may still be active there."
            }
        }
    }
}

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
        Due::Nothing if !is_recorded(facts) => Step::Record,
        Due::Nothing => settled(facts),
        Due::Unknown => Step::ReadSecrets,
        Due::Broken(reason, message) => Finding::waiting(reason, message),
        Due::Send(change) => match in_turn(facts, send(facts, change)) {
            // The finalizer is there before anything of ours can be in the PAM.
            Step::Claim(_) | Step::Send(_) if needs_finalizer(facts) => Step::AddFinalizer,
            step => step,
        },
    }
}

/// What has to be sent.
enum Due<'a> {
    Nothing,
    Unknown,
    Broken(Reason, &'a str),
    Send(Change),
}

/// What differs from what the PAM accepted.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Nothing was accepted from this object at this PAM yet.
    pub first: bool,
    /// The password has to go along.
    pub content: bool,
}

fn due<'a>(facts: &Facts<'a>) -> Due<'a> {
    let (wish, record) = (&facts.wish, &facts.record);
    let claim = record
        .claim
        .filter(|claim| facts.link.target.is_none_or(|target| claim.target == target));
    let (Some(claim), Some(applied)) = (claim, record.applied) else {
        return Due::Send(Change {
            first: true,
            content: true,
        });
    };
    let identified = wish.identifier.is_none_or(|identifier| identifier == claim.identifier);
    let owes_content = owes_content(facts, applied);
    match &facts.content {
        Content::Unmoved if applied.generation == wish.generation && identified && !owes_content => Due::Nothing,
        Content::Unmoved | Content::Unread | Content::Absent => Due::Unknown,
        Content::Broken { reason, message } => Due::Broken(*reason, message),
        Content::Rendered(prints) => {
            let content = !wish.create_only && content_moved(applied, prints, owes_content);
            let body = body_moved(applied, prints, wish.generation);
            if content || body || !identified {
                Due::Send(Change { first: false, content })
            } else {
                Due::Nothing
            }
        }
    }
}

/// Whether a password that was never sent has to be: nobody else knows whether the PAM has it, so only who is asked to,
/// or who enforces it, sends it.
fn owes_content(facts: &Facts, applied: &Applied) -> bool {
    let wish = &facts.wish;
    (wish.requested || wish.enforces) && applied.content.is_none() && !wish.create_only
}

/// Whether anything but the password is another than the PAM accepted. Fingerprints under another key cannot be
/// compared, so generation and versions decide: a lost key must not push everything again.
fn body_moved(applied: &Applied, prints: &Prints, generation: i64) -> bool {
    if applied.key == prints.key {
        return applied.body != prints.body;
    }
    applied.generation != generation || prints.secrets.iter().any(|version| !applied.secrets.contains(version))
}

/// Whether the password is another one than the PAM accepted, by its fingerprint or, failing that, its version.
fn content_moved(applied: &Applied, prints: &Prints, owed: bool) -> bool {
    let Some(content) = &prints.content else {
        return false;
    };
    match &applied.content {
        Some(before) if applied.key == prints.key => before != content,
        before => {
            let source = prints.content_source.as_ref();
            let moved = source.is_some_and(|source| !applied.secrets.contains(source));
            moved || (owed && before.is_none())
        }
    }
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
        Content::Broken { reason, message } => return Finding::waiting(*reason, *message),
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
