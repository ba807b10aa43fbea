//! The turnstile before a PAM: how many requests a second, how many at the same time, none while the PAM is down, and
//! whose turn it is.
//!
//! ```text
//! bucket.rs   how many requests a second
//! breaker.rs  whether the PAM answers at all   gate.rs    all of it together, over explicit moments
//! usher.rs    the task that hands out turns
//! ```
//!
//! Nobody sleeps before a turnstile. An object that finds it free passes at once; any other one stands in the queue, its
//! reconcile ends, and it is woken when its turn has come. The connection's own calls never stand behind objects, but
//! they count, and an open breaker stops them too.

mod breaker;
mod bucket;
mod gate;
pub mod usher;

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::sync::Notify;

use crate::controller::{credential::reaction::connection_reaction, ownership::identity::Name};
use crate::pam::{self, Class};

use breaker::Caller;
use gate::{Gate, Moves};

pub use breaker::{Failure, THRESHOLD};
pub use gate::Limits;

/// The turnstile of one client.
#[derive(Debug)]
pub struct Turnstile {
    gate: Mutex<Gate>,
    /// Wakes the usher.
    news: Notify,
}

/// The permission to call the PAM. It ends when it is dropped, however that comes.
#[derive(Debug)]
pub struct Pass {
    turnstile: Arc<Turnstile>,
    caller: Caller,
    probe: bool,
    called: AtomicBool,
    judged: AtomicBool,
}

impl Turnstile {
    /// A turnstile with these limits.
    pub fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            gate: Mutex::new(Gate::new(limits, Instant::now())),
            news: Notify::new(),
        })
    }

    /// An object wants to call; without a pass it stands in the queue and will be woken.
    pub fn enter(self: &Arc<Self>, name: &Name) -> Option<Pass> {
        let entry = self.gate().enter(name, Instant::now());
        if entry.is_none() {
            self.news.notify_one();
        }
        entry.map(|entry| self.pass(Caller::Object(name.clone()), entry.probe))
    }

    /// The connection wants to call; without a pass the usher tells when to ask again.
    pub fn admit(self: &Arc<Self>) -> Option<Pass> {
        self.admit_at(Instant::now())
    }

    pub(super) fn admit_at(self: &Arc<Self>, now: Instant) -> Option<Pass> {
        let entry = self.gate().admit(now);
        entry.map(|entry| self.pass(Caller::Connection, entry.probe))
    }

    /// An object needs no turn any more.
    pub fn forget(&self, name: &Name) {
        let mut gate = self.gate();
        gate.forget(name);
        self.tell(&gate);
    }

    /// Why no call is made, while the breaker is open.
    pub fn cause(&self) -> Option<Failure> {
        self.gate().cause().cloned()
    }

    /// When the next probe is due, while the breaker is open.
    pub fn until(&self) -> Option<Instant> {
        self.gate().until()
    }

    /// Lets the usher see that it serves nobody any more.
    pub fn close(&self) {
        self.news.notify_one();
    }

    fn pass(self: &Arc<Self>, caller: Caller, probe: bool) -> Pass {
        Pass {
            turnstile: self.clone(),
            caller,
            probe,
            called: AtomicBool::default(),
            judged: AtomicBool::default(),
        }
    }

    /// Where nobody waits and nothing is open, the usher has nothing to do.
    fn tell(&self, gate: &Gate) {
        if gate.waiting() > 0 || gate.cause().is_some() {
            self.news.notify_one();
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().expect("no code panics while it holds this lock")
    }
}

impl Pass {
    /// Whether this is the way through that turnstile.
    pub fn leads_through(&self, turnstile: &Arc<Turnstile>) -> bool {
        Arc::ptr_eq(&self.turnstile, turnstile)
    }

    /// A call begins.
    pub fn begin(&self) {
        let first = !self.called.swap(true, Ordering::Relaxed);
        self.turnstile.gate().called(&self.caller, first, Instant::now());
    }

    /// A call ended, with this error if it failed.
    pub fn end(&self, error: Option<&pam::Error>) {
        let mut gate = self.turnstile.gate();
        match error.map(judge) {
            None | Some(Verdict::Answer) => gate.answered(),
            Some(Verdict::Failure(failure)) => gate.failed(&self.caller, self.probe, &failure, Instant::now()),
            Some(Verdict::Nothing) => return,
        }
        self.judged.store(true, Ordering::Relaxed);
        // Whatever it was, it may have opened or closed something.
        self.turnstile.news.notify_one();
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let idle = !self.called.load(Ordering::Relaxed);
        let unjudged = self.probe && !self.judged.load(Ordering::Relaxed);
        let mut gate = self.turnstile.gate();
        gate.leave(&self.caller, idle, unjudged);
        self.turnstile.tell(&gate);
    }
}

/// What a failed call says about the PAM.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It answers; what it answers is not for the breaker to judge.
    Answer,
    /// It does not, or not as a PAM does.
    Failure(Failure),
    /// Nothing: the call was not made.
    Nothing,
}

fn judge(error: &pam::Error) -> Verdict {
    match error.class {
        Class::Unavailable | Class::RateLimited | Class::InvalidResponse => Verdict::Failure(Failure {
            reason: connection_reaction(error).0,
            message: error.to_string(),
            asked: error.retry_after,
        }),
        _ if error.status.is_none() => Verdict::Nothing,
        _ => Verdict::Answer,
    }
}

#[cfg(test)]
mod tests;
