//! What the plan looks at: plain data, gathered from the object, the connection, the Secrets, the register and this
//! process's memory.

use std::time::{Duration, Instant};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::api::{Applied, Claim, DriftPolicy, Reason, SecretVersion};
use crate::controller::ownership::{
    Title,
    identity::{Name, Triple},
    register::Register,
};

/// How fresh a listing must be for a create, an adoption or a change of identity.
pub const FRESH: Duration = Duration::from_secs(30);

/// After this time a person who looks at the object should see that something is under way (design 2.3, `Progressing`).
pub const SLOW: Duration = Duration::from_secs(10);

/// Everything that was observed about one object.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The moment of the observation.
    pub now: Instant,
    /// What the object asks for.
    pub wish: Wish<'a>,
    /// What its status says.
    pub record: Record<'a>,
    /// What its Secrets say.
    pub content: Content<'a>,
    /// How its PAM can be reached.
    pub link: Route<'a>,
    /// The object that goes before this one at the same credential.
    pub rival: Option<&'a Name>,
    /// What the PAM holds, where a listing was completed.
    pub register: Option<&'a Register>,
    /// What this process remembers of the object.
    pub recall: Recall<'a>,
}

impl Facts<'_> {
    /// What the object could own at this PAM.
    pub fn title<'a>(&'a self, target: &'a str) -> Title<'a> {
        Title {
            claim: self.record.proven_claim(),
            may_have_arrived: self.recall.unsure.is_some(),
            target,
            generated: self.wish.generated,
            triple: self.wish.triple,
        }
    }

    /// Whether the PAM answered unexpectedly to this generation, and nobody asked for another attempt.
    pub fn is_surprised(&self) -> bool {
        self.record.reason == Some(Reason::UnexpectedAnswer)
            && self.record.generation == self.wish.generation
            && !self.wish.requested
    }

    /// The identifier that the credential should have: the spec's, else the one that it has, else the generated one.
    pub fn identifier(&self, target: &str) -> String {
        let title = self.title(target);
        let kept = title.here().map(|claim| claim.identifier.as_str());
        self.wish.identifier.or(kept).unwrap_or(self.wish.generated).to_owned()
    }
}

/// What the object asks for.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the object's own switches, one field each")]
pub struct Wish<'a> {
    /// Generation of the spec.
    pub generation: i64,
    /// Why the spec cannot be read, if it cannot.
    pub unreadable: Option<&'a str>,
    /// The identifier in the spec.
    pub identifier: Option<&'a str>,
    /// The identifier that it gets without one.
    pub generated: &'a str,
    /// Device and account; absent only when the spec is unreadable.
    pub triple: Option<&'a Triple>,
    /// Fields that it uses although its connection does not allow them.
    pub forbidden: &'a [&'static str],
    /// adoptionPolicy is Adopt.
    pub adopts: bool,
    /// passwordPolicy is CreateOnly.
    pub create_only: bool,
    /// passwordPolicy is Enforce, and the spec names a password.
    pub enforces: bool,
    /// What to do about differences that others made in the PAM.
    pub drift: DriftPolicy,
    /// deletionPolicy is Deactivate.
    pub deactivates: bool,
    /// The finalizer is there.
    pub finalizer: bool,
    /// The object is suspended.
    pub suspended: bool,
    /// A person asked for a reconcile that is not answered yet.
    pub requested: bool,
    /// The object is being deleted.
    pub deleting: bool,
}

/// What the status says.
#[derive(Clone, Debug, Default)]
pub struct Record<'a> {
    /// The claim, whether or not it verifies.
    pub claim: Option<&'a Claim>,
    /// Whether the claim verifies under the installation's key.
    pub proven: bool,
    /// What the PAM accepted last.
    pub applied: Option<&'a Applied>,
    /// Generation that the conditions are about.
    pub generation: i64,
    /// Whether the condition Ready holds.
    pub ready: bool,
    /// Reason of the condition Ready.
    pub reason: Option<Reason>,
    /// The condition Drifted, while it is true.
    pub drifted: Option<&'a Condition>,
}

impl<'a> Record<'a> {
    /// The claim, if it is worth anything.
    pub fn proven_claim(&self) -> Option<&'a Claim> {
        self.claim.filter(|_| self.proven)
    }
}

/// What the Secrets say.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Their versions are those of the last success: no value was read.
    Unmoved,
    /// A version moved, or nothing was sent yet; no value was read.
    Unread,
    /// By its metadata a Secret does not exist; a read tells for sure.
    Absent,
    /// A Secret or a key is missing or unusable.
    Broken {
        /// `SecretNotFound` or `SecretKeyNotFound`.
        reason: Reason,
        /// Which Secret, which key, and what is wrong.
        message: &'a str,
        /// By metadata it is no other Secret than the one that was sent, or it is gone after it was sent: only who would
        /// send it again misses it.
        unmoved: bool,
    },
    /// The values were read and the body rendered.
    Rendered(&'a Prints),
}

/// Fingerprints of what would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prints {
    /// Of the body without identifier and password.
    pub body: String,
    /// Of the password, when there is one.
    pub content: Option<String>,
    /// Id of the key that made the fingerprints.
    pub key: String,
    /// The Secrets and keys that were read, with their versions.
    pub secrets: Vec<SecretVersion>,
    /// The version that the password came from.
    pub content_source: Option<SecretVersion>,
}

/// How the object's PAM can be reached.
#[derive(Clone, Debug)]
pub struct Route<'a> {
    /// The PAM, where the connection's URL can be read.
    pub target: Option<&'a str>,
    /// Whether calls may be made.
    pub state: LinkState<'a>,
    /// Whether it is this object's turn to call the PAM.
    pub turn: bool,
    /// How old a listing may be for an update.
    pub interval: Duration,
    /// Why no listing could be had since the object began to wait for one.
    pub listing_failure: Option<(Reason, &'a str)>,
    /// So many of the connection's credentials vanished at once that nothing is corrected by itself.
    pub many_vanished: bool,
}

/// Whether a connection may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState<'a> {
    /// There is no such connection.
    Missing,
    /// It is not for this namespace.
    NotAllowed,
    /// This process has not judged it yet.
    Unknown,
    /// It is suspended.
    Suspended,
    /// It cannot be used, with its own reason and message.
    NotReady(Reason, &'a str),
    /// Calls may be made.
    Ready,
}

/// What this process remembers of the object.
#[derive(Clone, Debug)]
pub struct Recall<'a> {
    /// When spec, Secrets, connection and deletion were first seen as they are now.
    pub since: Instant,
    /// Not to be tried again before, unless one of these changes.
    pub held_until: Option<Instant>,
    /// The PAM refused what would be sent: the next attempt comes with a listing that others ask for.
    pub refused: bool,
    /// An earlier request whose outcome is not known.
    pub unsure: Option<&'a Unsure>,
    /// When attempts to deactivate are given up.
    pub release_at: Option<Instant>,
    /// The namespace is being deleted and the connection or its Secret is gone already.
    pub orphaned: bool,
    /// What listings showed since the last answer.
    pub watch: Watch<'a>,
    /// The operator shall sign claims anew whose key was lost.
    pub resigns: bool,
}

/// What the listings since the PAM's last answer to this object showed of its credential.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// When the last answer came; earlier listings say nothing about drift.
    pub answered: Instant,
    /// The credential was missing in the last two complete listings.
    pub vanished: bool,
    /// The PAM changed the password after it was sent.
    pub rotated: bool,
    /// Differences that were corrected already, see [`Difference::mark`](super::drift::Difference::mark).
    pub corrected: &'a [u64],
    /// Not so many were corrected that whoever makes them must mean it.
    pub may_correct: bool,
    /// A password is not enforced again before.
    pub enforce_from: Option<Instant>,
}

/// A request that the PAM may have executed, now or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsure {
    /// When it can no longer arrive: 60 s after its deadline.
    pub settles: Instant,
    /// What it contained: identifier and fingerprints of body and password; unknown after a restart.
    pub sent: Option<(String, String, Option<String>)>,
}

impl Unsure {
    /// Whether the password may have gone along.
    pub fn may_have_brought_password(&self) -> bool {
        self.sent.as_ref().is_none_or(|(_, _, content)| content.is_some())
    }
}
