//! Who may call now, and who is called when: bucket, limit, breaker and queue together, over explicit moments.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::controller::{
    connection::turnstile::{
        breaker::{Breaker, Caller, Failure, Next},
        bucket::Bucket,
    },
    line::Line,
    ownership::identity::Name,
};

/// How long a turn waits for its object. An operator that starts with thousands of objects needs some seconds until it
/// comes to one that was woken.
const TICKET_LIFE: Duration = Duration::from_secs(10);

/// Limits of the requests to one PAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second in the long run.
    pub per_second: u32,
    /// Requests at once after a quiet time.
    pub burst: u32,
    /// Objects whose requests are under way at the same time.
    pub in_flight: u32,
}

impl Default for Limits {
    /// What an operator takes for itself where nobody says: enough for a thousand credentials in ten seconds, and no more
    /// than a PAM that people work with can spare. An object has its place from its turn to the answer, with the write of
    /// its claim between, so that there have to be more places than the PAM alone would fill.
    fn default() -> Self {
        Self {
            per_second: 100,
            burst: 200,
            in_flight: 24,
        }
    }
}

/// The state behind a turnstile.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    bucket: Bucket,
    breaker: Breaker,
    queue: Line,
    /// Turns that were given and not taken yet.
    tickets: HashMap<Name, Ticket>,
    /// Objects inside, and tickets for those to come.
    in_flight: u32,
    /// How many may be inside: after an outage one, then twice as many with every answer.
    allowed: u32,
}

#[derive(Debug)]
struct Ticket {
    expires: Instant,
    probe: bool,
}

/// The way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The caller finds out whether the PAM is back.
    pub probe: bool,
}

/// What is to be done now.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Objects that got a turn.
    pub wake: Vec<Name>,
    /// The connection shall list, to find out whether the PAM is back.
    pub list: bool,
    /// When to look again, if nothing happens before.
    pub next: Option<Instant>,
}

impl Gate {
    /// A gate that nobody went through yet.
    pub fn new(limits: Limits, now: Instant) -> Self {
        Self {
            bucket: Bucket::new(limits.per_second, limits.burst, now),
            breaker: Breaker::default(),
            queue: Line::default(),
            tickets: HashMap::new(),
            in_flight: 0,
            allowed: limits.in_flight,
            limits,
        }
    }

    /// Why no call is made, while the breaker is open.
    pub fn cause(&self) -> Option<&Failure> {
        self.breaker.cause()
    }

    /// When the connection may make the next probe, while the breaker is open.
    pub fn until(&self) -> Option<Instant> {
        self.breaker.until()
    }

    /// How many objects wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// An object wants to call: it enters with its ticket, or at once where nothing is in the way; else it stands in the
    /// queue.
    pub fn enter(&mut self, name: &Name, now: Instant) -> Option<Entry> {
        if let Some(ticket) = self.tickets.remove(name) {
            return Some(Entry { probe: ticket.probe });
        }
        let free = self.queue.is_empty() && !self.breaker.is_open() && self.in_flight < self.allowed;
        if free && self.bucket.take(now) {
            self.in_flight += 1;
            return Some(Entry { probe: false });
        }
        self.queue.push(name);
        None
    }

    /// The connection wants to call: only an open breaker is in the way.
    pub fn admit(&mut self, now: Instant) -> Option<Entry> {
        let probe = self.breaker.is_open();
        let free = !probe || self.breaker.probe_by_connection(now, !self.queue.is_empty());
        free.then_some(Entry { probe })
    }

    /// A call begins. The first one of an object was paid for when it entered; every other one is not delayed any more.
    pub fn called(&mut self, caller: &Caller, first: bool, now: Instant) {
        if !first || *caller == Caller::Connection {
            self.bucket.owe(now);
        }
    }

    /// The PAM answered.
    pub fn answered(&mut self) {
        self.allowed = if self.breaker.answered() {
            1
        } else {
            self.allowed.saturating_mul(2).min(self.limits.in_flight)
        };
    }

    /// A call failed.
    pub fn failed(&mut self, caller: &Caller, probe: bool, failure: &Failure, now: Instant) {
        if self.breaker.failed(caller, probe, failure, now) {
            // Who has not come yet waits with the others.
            for (name, ticket) in std::mem::take(&mut self.tickets) {
                self.fall_back(&ticket);
                self.queue.push(&name);
            }
        }
    }

    /// A caller is done; `idle` says that it made no call, `unjudged_probe` that nothing was found out.
    pub fn leave(&mut self, caller: &Caller, idle: bool, unjudged_probe: bool) {
        if let Caller::Object(_) = caller {
            self.in_flight -= 1;
            if idle {
                self.bucket.give_back();
            }
        }
        if unjudged_probe {
            self.breaker.give_back();
        }
    }

    /// An object does not wait any more.
    pub fn forget(&mut self, name: &Name) {
        self.queue.remove(name);
        if let Some(ticket) = self.tickets.remove(name) {
            self.fall_back(&ticket);
        }
    }

    /// Hands out the turns that are free.
    pub fn advance(&mut self, now: Instant, may_list: bool) -> Moves {
        self.expire(now);
        let mut moves = Moves::default();
        if self.breaker.is_open() {
            match self.breaker.next(now, may_list, !self.queue.is_empty()) {
                Next::Nobody(next) => moves.next = next,
                Next::Connection => moves.list = true,
                Next::Object(unwanted) => {
                    if let Some(name) = self.queue.pop_rather_than(unwanted.as_ref()) {
                        // A probe does not wait for a token: after a pause there is one.
                        self.bucket.owe(now);
                        self.breaker.probe_by_object();
                        self.hand_out(name, true, now, &mut moves);
                    }
                }
            }
        } else {
            while self.in_flight < self.allowed && !self.queue.is_empty() {
                if !self.bucket.take(now) {
                    moves.next = Some(self.bucket.ready_at(now));
                    break;
                }
                if let Some(name) = self.queue.pop() {
                    self.hand_out(name, false, now, &mut moves);
                }
            }
        }
        let expiry = self.tickets.values().map(|ticket| ticket.expires).min();
        moves.next = moves.next.into_iter().chain(expiry).min();
        moves
    }

    fn hand_out(&mut self, name: Name, probe: bool, now: Instant, moves: &mut Moves) {
        self.in_flight += 1;
        let expires = now + TICKET_LIFE;
        self.tickets.insert(name.clone(), Ticket { expires, probe });
        moves.wake.push(name);
    }

    /// Takes back the turns of objects that do not come.
    fn expire(&mut self, now: Instant) {
        let expired = self.tickets.extract_if(|_, ticket| ticket.expires <= now);
        let expired: Vec<_> = expired.map(|(_, ticket)| ticket).collect();
        for ticket in &expired {
            self.fall_back(ticket);
        }
    }

    fn fall_back(&mut self, ticket: &Ticket) {
        self.in_flight -= 1;
        self.bucket.give_back();
        if ticket.probe {
            self.breaker.give_back();
        }
    }
}

#[cfg(test)]
mod tests;
