//! What a plan can come to.

use std::time::Instant;

use crate::api::Reason;
use crate::controller::{
    ownership::identity::{Name, Triple},
    plan::drift::Difference,
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

    /// A finding that this can change too.
    pub fn until(until: Option<Await>, reason: Reason, message: impl Into<String>) -> Step {
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
