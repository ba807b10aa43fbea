//! What this process remembers of an object between two reconciles. All of it may be lost: a restart then costs a
//! listing, never a wrong write.

pub mod compared;
mod unsettled;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use crate::api::{PamCredentialStatus, Reason};
use crate::controller::{
    Credential,
    backoff::{REFUSED_PAUSE, backoff, jittered},
    connection::terms::TIMEOUT,
    credential::lookout::Lookout,
    ownership::identity::{Entry, Name, Triple},
    plan::{drift::Difference, facts::Unsure},
    print::print,
};

use compared::{Compared, Glimpse};
use unsettled::Rarely;

/// A request can still arrive this long after its deadline (design 3, "Answers").
pub const LATE: Duration = Duration::from_mins(1);

/// Everything that decides what would be sent; a change of it ends every pause. Texts are kept as their hashes, because all
/// that is asked is whether they are others than before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Generation of the spec.
    pub generation: i64,
    /// Versions of the Secrets, absent ones included.
    pub secrets: u64,
    /// Counts the changes of the connection's client.
    pub connection: u64,
    /// The object is being deleted.
    pub deleting: bool,
    /// The annotation `reconcile-requested-at`.
    pub requested: u64,
}

/// What is remembered of one object.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Memory {
    /// Which object it is, of those that have or had its name: a hash of its UID.
    uid: u64,
    inputs: Inputs,
    /// When the inputs were first seen as they are.
    pub since: Instant,
    /// What is not settled about it.
    pub unsettled: Rarely,
    /// The Secrets of these inputs were read and gave nothing new.
    is_verified: bool,
    /// The object as the API server returned it last; overrides an older one from the watch.
    pub newest: Option<Arc<Credential>>,
    /// The object was read, or written, by this process: what the watch shows is not older than what others wrote.
    pub confirmed: bool,
    /// The namespace is being deleted, and connection or Secret are gone already.
    pub orphaned: bool,
    /// The last event about the object told of trouble.
    pub trouble: bool,
    /// The API server does not have the object any more, whatever the watch still shows.
    pub gone: bool,
    /// What listings showed since the last answer.
    pub lookout: Lookout,
    /// How often it was put back.
    turns: u32,
    /// The entry of a listing that was compared since then, and told nothing new.
    compared: Option<Compared>,
}

/// A result of a PAM call: a pure change of status, to be made on whatever the API server has.
#[derive(Clone)]
pub struct StatusChange(pub Arc<dyn Fn(PamCredentialStatus) -> PamCredentialStatus + Send + Sync>);

/// Two are the same only where one is a clone of the other.
impl PartialEq for StatusChange {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for StatusChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StatusChange")
    }
}

impl Memory {
    fn new(uid: &str, now: Instant) -> Self {
        Self {
            uid: print(uid),
            inputs: Inputs::default(),
            since: now,
            unsettled: Rarely::default(),
            is_verified: false,
            newest: None,
            confirmed: false,
            orphaned: false,
            trouble: false,
            gone: false,
            lookout: Lookout::new(now),
            turns: 0,
            compared: None,
        }
    }

    /// What a process can know of an object that it sees for the first time: a claim without an answer may have been
    /// sent by the one before it, and a refusal was just given to it.
    fn of_stranger(object: &Credential, now: Instant) -> Self {
        let mut memory = Self::new(object.uid(), now);
        let Some(status) = &object.status else {
            return memory;
        };
        let reason = status.reason();
        let unanswered = status.claim.as_ref().is_some_and(|claim| claim.id.is_none());
        if unanswered && reason != Some(Reason::UnexpectedAnswer) {
            memory.unsettled.unsure = Some(Unsure {
                settles: now + TIMEOUT + LATE,
                sent: None,
            });
        }
        let is_first = reason == Some(Reason::Progressing) && status.applied.is_none();
        memory.trouble = !status.is_ready() && reason.is_some() && !is_first;
        let current = status.observed_generation == Some(object.generation());
        let requested = object
            .requested()
            .is_some_and(|at| status.last_handled_reconcile_at.as_deref() != Some(at));
        if current && !requested && reason.is_some_and(Reason::is_refusal) {
            memory.pause_refused(now);
        }
        memory
    }

    /// Takes note of the inputs; other ones than before end every pause. Returns whether they are others.
    pub fn note(&mut self, inputs: Inputs, now: Instant) -> bool {
        if self.inputs == inputs {
            return false;
        }
        // A connection that had no client yet is no other one when it has its first.
        let unconfigured = Inputs {
            connection: 0,
            ..inputs
        };
        let first_sight = self.inputs == Inputs::default() || self.inputs == unconfigured;
        self.inputs = inputs;
        self.is_verified = false;
        self.since = now;
        if !first_sight {
            self.lookout.forgive();
            self.unsettled.refused = false;
            self.unsettled.held_until = None;
            self.unsettled.failures = 0;
            self.unsettled.internal_errors = 0;
        }
        true
    }

    /// The Secrets were read, and nothing has to be sent.
    pub fn verify(&mut self) {
        self.is_verified = true;
    }

    /// Whether these inputs were read before and gave nothing new.
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// A call failed in a way that may pass: the pause before the next one, at least as long as the PAM asked for.
    pub fn pause(&mut self, now: Instant, asked: Option<Duration>) -> Duration {
        self.unsettled.failures += 1;
        let pause = backoff(self.unsettled.failures).max(asked.unwrap_or_default());
        self.unsettled.held_until = Some(now + pause);
        pause
    }

    /// Something else than the PAM failed: the pause before the next reconcile, which holds nothing back.
    pub fn pause_for_trouble(&mut self) -> Duration {
        self.unsettled.troubles += 1;
        backoff(self.unsettled.troubles)
    }

    /// The PAM refused: the pause before it is asked again.
    pub fn pause_refused(&mut self, now: Instant) -> Duration {
        let pause = jittered(REFUSED_PAUSE);
        self.unsettled.held_until = Some(now + pause);
        self.unsettled.refused = true;
        pause
    }

    /// A difference was corrected, or cannot be.
    pub fn correct(&mut self, difference: &Difference, now: Instant) {
        self.lookout.correct(difference, now);
    }

    /// A POST was accepted.
    pub fn succeed(&mut self, with_content: bool, now: Instant) {
        self.lookout.answer(with_content, now);
        self.unsettled.unconfirmed = Vec::new();
        self.unsettled.held_until = None;
        self.unsettled.failures = 0;
        self.unsettled.troubles = 0;
        self.unsettled.internal_errors = 0;
        self.unsettled.unsure = None;
        self.unsettled.refused = false;
        self.unsettled.first_failed = None;
    }

    /// This is about to be sent.
    pub fn note_sent(&mut self, identifier: &str, triple: &Triple) {
        let sent = (identifier.to_owned(), triple.clone());
        if !self.unsettled.unconfirmed.contains(&sent) {
            self.unsettled.unconfirmed.push(sent);
        }
    }

    /// Whether the PAM has this entry as a request of ours left it whose answer is not known.
    pub fn may_have_made(&self, entry: &Entry) -> bool {
        self.unsettled.unsure.is_some()
            && self.unsettled.unconfirmed.iter().any(|(identifier, triple)| {
                entry.identifier.as_deref() == Some(identifier) && entry.triple.resembles(triple)
            })
    }
}

/// The memories of all objects.
#[derive(Debug, Default)]
pub struct Memories(Mutex<HashMap<Name, Box<Memory>>>);

impl Memories {
    /// Takes the memory of an object out for the time of a reconcile. Of an earlier object under the same name only
    /// the request that may still arrive counts.
    pub fn take(&self, name: &Name, object: &Credential, now: Instant) -> Box<Memory> {
        let earlier = self.lock().remove(name);
        let mut memory = match earlier {
            Some(memory) if memory.uid == print(object.uid()) => return memory,
            _ => Box::new(Memory::of_stranger(object, now)),
        };
        if let Some(unsure) = earlier.and_then(|mut earlier| earlier.unsettled.unsure.take()) {
            memory.unsettled.unsure = Some(unsure);
        }
        memory
    }

    /// Whether the object at this version is what a reconcile of ours wrote or read last: then nothing is new in it.
    pub fn saw(&self, name: &Name, version: impl FnOnce() -> String) -> bool {
        let mut memories = self.lock();
        let newest = memories.get_mut(name).map(|memory| &mut memory.newest);
        let seen = newest.and_then(|newest| newest.take_if(|newest| newest.version() == version()));
        seen.is_some()
    }

    /// Puts it back.
    pub fn put(&self, name: Name, mut memory: Box<Memory>) {
        memory.unsettled.tidy();
        memory.turns = memory.turns.wrapping_add(1);
        memory.compared = None;
        self.lock().insert(name, memory);
    }

    /// Whether anything is remembered of an object, unless a reconcile has it just now.
    pub fn knows(&self, name: &Name) -> bool {
        self.lock().contains_key(name)
    }

    /// The object is another process's work from now on. Should it come back, it is a stranger, of whom only a request
    /// that may still arrive was remembered.
    pub fn part(&self, name: &Name, now: Instant) {
        let mut memories = self.lock();
        let unsure = memories
            .remove(name)
            .and_then(|mut memory| memory.unsettled.unsure.take());
        if let Some(unsure) = unsure.filter(|unsure| unsure.settles > now) {
            let mut memory = Memory::new("", now);
            memory.unsettled.unsure = Some(unsure);
            memories.insert(name.clone(), Box::new(memory));
        }
    }

    /// Forgets an object that is gone, unless a request of it may still arrive.
    pub fn forget(&self, name: &Name, now: Instant) {
        let mut memories = self.lock();
        if memories.get(name).is_some_and(|memory| {
            memory
                .unsettled
                .unsure
                .as_ref()
                .is_none_or(|unsure| unsure.settles <= now)
        }) {
            memories.remove(name);
        }
    }

    /// Whether the PAM answered for an object after a listing began, which need not have what came of it.
    pub fn is_younger(&self, name: &Name, began: Instant) -> bool {
        let memories = self.lock();
        memories
            .get(name)
            .is_some_and(|memory| memory.lookout.is_younger(began))
    }

    /// Shows a listing to the memory of an object, unless a reconcile has it just now. Returns whether the object has to
    /// look itself.
    pub fn show(&self, name: &Name, change: Option<&String>, began: Instant) -> bool {
        match self.lock().get_mut(name) {
            Some(memory) => memory.lookout.compare(change, began),
            None => true,
        }
    }

    /// Looks into the memory of an object, unless a reconcile has it just now.
    pub fn glimpse(&self, name: &Name) -> Option<Glimpse> {
        self.lock().get(name).map(|memory| Glimpse {
            turns: memory.turns,
            compared: memory.compared,
        })
    }

    /// A listing that began then told nothing new of an object. It is kept only where no reconcile came between, and what was
    /// compared is what reconciles know.
    pub fn compared(&self, name: &Name, before: Glimpse, compared: Compared, began: Instant) {
        let mut memories = self.lock();
        let memory = memories.get_mut(name).filter(|memory| memory.turns == before.turns);
        if let Some(memory) = memory.filter(|memory| memory.newest.is_none() && !memory.lookout.is_younger(began)) {
            memory.compared = Some(compared);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Box<Memory>>> {
        self.0.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests;
