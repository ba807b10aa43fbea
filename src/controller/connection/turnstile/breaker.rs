//! The circuit breaker of a connection: it opens when calls fail one after the other, lets one call at a time find out
//! whether the PAM is back, and closes with the first answer.
//!
//! Failures of one and the same object count once, and after its failed probe another caller tries: so no single
//! object's body opens the breaker or keeps it open.

use std::time::{Duration, Instant};

use crate::api::Reason;
use crate::controller::{backoff::backoff_up_to, ownership::identity::Name};

/// How many callers have to fail in a row.
pub const THRESHOLD: usize = 5;

/// Longest pause between two probes: an outage ends for the objects at most this long after it ended for the PAM.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How long a probe is kept for the connection's own call, which may still have its own pause.
const OFFER: Duration = Duration::from_secs(10);

/// Who makes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// An object: a write.
    Object(Name),
    /// The connection itself: token or listing.
    Connection,
}

/// A call that got no answer from the PAM itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason in the conditions.
    pub reason: Reason,
    /// What went wrong, in our own words.
    pub message: String,
    /// How long the PAM wants to be left alone.
    pub asked: Option<Duration>,
}

impl Failure {
    /// How long the PAM wants no request at all: "too many" is about all of them, "unavailable" may be about one.
    fn silence(&self) -> Option<Duration> {
        self.asked.filter(|_| self.reason == Reason::RateLimited)
    }
}

/// The breaker. It has no clock: whoever asks says what time it is.
#[derive(Debug, Default)]
pub struct Breaker {
    /// Who failed since the last answer, each object once.
    failed: Vec<Caller>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    cause: Failure,
    /// No probe before.
    until: Instant,
    pauses: u32,
    /// A probe was handed out.
    probing: bool,
    /// When the connection was asked to make the next probe.
    offered: Option<Instant>,
    /// Whose probe failed last.
    prober: Option<Caller>,
}

/// Who makes the next probe.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nobody before this moment, or, without one, before something happens.
    Nobody(Option<Instant>),
    /// The connection shall list.
    Connection,
    /// A waiting object, rather another than this one.
    Object(Option<Name>),
}

impl Breaker {
    /// Why no call is made, while it is open.
    pub fn cause(&self) -> Option<&Failure> {
        self.open.as_ref().map(|open| &open.cause)
    }

    /// Whether calls are stopped.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When the next probe is due, while it is open.
    pub fn until(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.until)
    }

    /// The PAM answered. True when that closes the breaker.
    pub fn answered(&mut self) -> bool {
        self.failed.clear();
        self.open.take().is_some()
    }

    /// A call failed. True when that opens the breaker.
    pub fn failed(&mut self, caller: &Caller, probe: bool, failure: &Failure, now: Instant) -> bool {
        let silence = failure.silence();
        if let Some(open) = &mut self.open {
            if probe {
                open.pauses += 1;
                open.probing = false;
                open.offered = None;
                open.prober = Some(caller.clone());
                open.until = now + pause(open.pauses).max(failure.asked.unwrap_or_default());
            }
            // A call from before the breaker opened says nothing new, but the PAM's wish counts.
            open.until = open.until.max(now + silence.unwrap_or_default());
            return false;
        }
        if *caller == Caller::Connection || !self.failed.contains(caller) {
            self.failed.push(caller.clone());
        }
        if self.failed.len() < THRESHOLD && silence.is_none() {
            return false;
        }
        self.failed.clear();
        self.open = Some(Open {
            cause: failure.clone(),
            until: now + pause(1).max(failure.asked.unwrap_or_default()),
            pauses: 1,
            probing: false,
            offered: None,
            prober: None,
        });
        true
    }

    /// The connection wants to make a call: true when it may be the probe.
    pub fn probe_by_connection(&mut self, now: Instant, waiting: bool) -> bool {
        let Some(open) = &mut self.open else { return false };
        let others_first = open.prober == Some(Caller::Connection) && waiting;
        let free = !open.probing && open.until <= now && !others_first;
        open.probing |= free;
        free
    }

    /// A probe was handed to an object.
    pub fn probe_by_object(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    /// A probe was given back without a verdict: the next one may try at once.
    pub fn give_back(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }

    /// Who makes the next probe: objects and the connection's listing in turns, as far as they are there.
    pub fn next(&mut self, now: Instant, may_list: bool, waiting: bool) -> Next {
        let Some(open) = &mut self.open else {
            return Next::Nobody(None);
        };
        if open.probing {
            return Next::Nobody(None);
        }
        if now < open.until {
            return Next::Nobody(Some(open.until));
        }
        let object_failed = match &open.prober {
            Some(Caller::Object(name)) => Some(name.clone()),
            _ => None,
        };
        if may_list && (object_failed.is_some() || !waiting) {
            let Some(offered) = open.offered else {
                open.offered = Some(now);
                return Next::Connection;
            };
            if now < offered + OFFER {
                return Next::Nobody(waiting.then_some(offered + OFFER));
            }
        }
        if waiting {
            Next::Object(object_failed)
        } else {
            Next::Nobody(None)
        }
    }
}

fn pause(pauses: u32) -> Duration {
    backoff_up_to(LONGEST_PAUSE, pauses)
}

#[cfg(test)]
mod tests;
