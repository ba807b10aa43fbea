//! A connection at run time: its client, its health, what its PAM holds, and who waits for news of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

use tokio::sync::Notify;

use crate::api::{Reason, SecretVersion};
use crate::controller::{
    backoff::{REFUSED_PAUSE, backoff, jittered},
    connection::{
        statement::Statement,
        sweep::Vanished,
        terms::{LinkKey, Terms},
        turnstile::{THRESHOLD, Turnstile},
    },
    ownership::{identity::Name, register::Register},
};
use crate::pam;

/// What a client was built from: a change of any of it builds another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Generation of the connection's spec.
    pub generation: i64,
    /// UID of the connection.
    pub uid: String,
    /// Versions of the Secrets and the ConfigMap that it reads, absent ones included.
    pub inputs: Vec<Option<SecretVersion>>,
}

/// Which call went wrong: only its own success shows that it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// None: the configuration is at fault.
    Configuration,
    /// The token request.
    Token,
    /// The listing.
    Listing,
    /// A write that the authorization may not make (1039).
    Write,
}

/// Why a connection cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The call that went wrong.
    pub call: Call,
    /// The reason in the conditions.
    pub reason: Reason,
    /// What was found, without the remedy.
    pub message: String,
    /// A person must act.
    pub stalled: bool,
}

/// Whether a connection may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Not judged yet.
    #[default]
    Unknown,
    /// Calls may be made.
    Ready,
    /// They may not.
    Unusable(Problem),
}

/// What changes in a link while the operator runs.
#[derive(Debug, Default)]
pub struct State {
    /// What the objects need to know.
    pub terms: Option<Arc<Terms>>,
    /// The client, while the configuration is sound.
    pub client: Option<Arc<pam::Client>>,
    /// What stands before that client.
    pub turnstile: Option<Arc<Turnstile>>,
    /// What the client was built from.
    pub source: Option<Source>,
    /// Counts the clients.
    pub epoch: u64,
    /// Whether calls may be made.
    pub health: Health,
    /// What the objects were woken for last.
    told: Option<(u64, Health)>,
    /// A failure that may pass by itself; objects find it out themselves, or by the missing listing.
    pub outage: Option<Problem>,
    /// The objects that say so too: the connection speaks for all the others.
    witnesses: BTreeSet<Name>,
    failures: u32,
    /// No token is asked for before, unless the client changes.
    pub token_from: Option<Instant>,
    /// What the PAM holds.
    pub register: Option<Register>,
    /// The last listing missed so many credentials of this connection's objects that nothing is corrected by itself.
    pub vanished: Option<Vanished>,
    wanted: bool,
    waiting: BTreeSet<Name>,
    riding: BTreeSet<Name>,
}

/// Who may find out whether the authorization may write again: one object at a time, and only now and then.
#[derive(Debug, Default)]
struct Probe {
    /// When the next one may try.
    from: Option<Instant>,
    /// Somebody may try now.
    open: bool,
    /// Who does.
    given: Option<Name>,
}

/// One connection.
#[derive(Debug)]
pub struct Link {
    /// Which one.
    pub key: LinkKey,
    state: Mutex<State>,
    probe: Mutex<Probe>,
    /// What its status was made to say last.
    statement: Mutex<Statement>,
    /// Wakes the loop that lists.
    pub demand: Notify,
}

impl Link {
    /// A connection of which nothing is known yet.
    pub fn new(key: LinkKey) -> Self {
        Self {
            key,
            state: Mutex::default(),
            probe: Mutex::default(),
            statement: Mutex::default(),
            demand: Notify::new(),
        }
    }

    /// The state; never held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    /// The object waits for a listing that begins from now on.
    pub fn want(&self, object: &Name) {
        self.state().waiting.insert(object.clone());
        self.want_listing();
    }

    /// Somebody needs a listing that begins from now on.
    pub fn want_listing(&self) {
        self.state().wanted = true;
        self.demand.notify_one();
    }

    /// The object is to be looked at after the next listing, whenever that comes.
    pub fn ride(&self, object: &Name) {
        self.state().riding.insert(object.clone());
    }

    /// Whether this object may try a write although the last one was refused.
    pub fn may_probe(&self, object: &Name) -> bool {
        let mut probe = self.probe();
        if probe.open {
            probe.open = false;
            probe.given = Some(object.clone());
        }
        probe.given.as_ref() == Some(object)
    }

    /// Lets somebody try, when the time has come. True once for each time.
    pub fn open_probe(&self, now: Instant) -> bool {
        let mut probe = self.probe();
        let due = probe.from.is_some_and(|from| from <= now);
        if due {
            *probe = Probe {
                from: Some(now + jittered(REFUSED_PAUSE)),
                open: true,
                given: None,
            };
        }
        due
    }

    /// When a refused write may be tried again.
    pub fn probe_from(&self) -> Option<Instant> {
        self.probe().from
    }

    /// What its status was made to say; never held across an await.
    pub fn statement(&self) -> MutexGuard<'_, Statement> {
        self.statement.lock().expect("no code panics while it holds this lock")
    }

    fn probe(&self) -> MutexGuard<'_, Probe> {
        self.probe.lock().expect("no code panics while it holds this lock")
    }

    /// A call succeeded. Returns whether that is news.
    pub fn succeeded(&self, call: Call) -> bool {
        let mut state = self.state();
        state.failures = 0;
        // Every answer shows that there is a token.
        let over = state
            .outage
            .as_ref()
            .is_some_and(|outage| outage.call == call || outage.call == Call::Token);
        let news = over && state.end_outage();
        if matches!(&state.health, Health::Unusable(problem) if problem.call == call) {
            state.health = Health::Ready;
            *self.probe() = Probe::default();
            return true;
        }
        news
    }

    /// All calls of a client stopped for this reason, or may be made again. Returns whether that is news; an outage that
    /// the connection's own calls found out is their own to end.
    pub fn stopped(&self, turnstile: &Arc<Turnstile>, problem: Option<Problem>) -> bool {
        let mut state = self.state();
        let current = state.turnstile.as_ref();
        if !current.is_some_and(|current| Arc::ptr_eq(current, turnstile)) {
            return false;
        }
        match (problem, &state.outage) {
            (Some(problem), None) => state.outage = Some(problem),
            (None, Some(outage)) if outage.call == Call::Write => return state.end_outage(),
            _ => return false,
        }
        true
    }

    /// A call failed. Returns whether that is news.
    pub fn failed(&self, problem: Problem, now: Instant) -> bool {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if problem.call == Call::Token {
            let pause = if problem.stalled {
                jittered(REFUSED_PAUSE)
            } else {
                backoff(state.failures)
            };
            state.token_from = Some(now + pause);
        }
        if !problem.stalled {
            return state.outage.replace(problem.clone()) != Some(problem);
        }
        if problem.call == Call::Write {
            *self.probe() = Probe {
                from: Some(now + jittered(REFUSED_PAUSE)),
                ..Probe::default()
            };
        }
        let health = Health::Unusable(problem);
        std::mem::replace(&mut state.health, health.clone()) != health
    }
}

impl State {
    /// Whether this is the connection's client now.
    pub fn leads_by(&self, client: &Arc<pam::Client>) -> bool {
        self.client.as_ref().is_some_and(|current| Arc::ptr_eq(current, client))
    }

    /// Whether the objects have to look again, since they were woken last. Listings and writes change the health too, so
    /// it is not enough to compare before and after a reconcile.
    pub fn tells_news(&mut self) -> bool {
        let now = Some((self.epoch, self.health.clone()));
        std::mem::replace(&mut self.told, now.clone()) != now
    }

    /// Whether a listing can tell anything: not before there was a token, which a suspended connection asks for only on
    /// behalf of a deletion.
    pub fn may_list(&self) -> bool {
        match &self.health {
            Health::Unknown => self.terms.as_ref().is_some_and(|terms| terms.suspended),
            Health::Ready => true,
            Health::Unusable(problem) => matches!(problem.call, Call::Listing | Call::Write),
        }
    }

    /// Whether an object may say in its own status that it waits for the PAM: while calls fail a few, so that a person who
    /// looks at one of a handful of objects finds the reason there, and while none are made nobody.
    pub fn may_speak(&mut self, object: &Name) -> bool {
        let stopped = self
            .turnstile
            .as_ref()
            .is_some_and(|turnstile| turnstile.cause().is_some());
        if stopped || self.outage.is_none() {
            return !stopped;
        }
        let known = self.witnesses.contains(object);
        known || (self.witnesses.len() < THRESHOLD && self.witnesses.insert(object.clone()))
    }

    fn end_outage(&mut self) -> bool {
        self.witnesses.clear();
        self.outage.take().is_some()
    }

    /// Whether a listing is wanted, by somebody or because it is due.
    pub fn wants_listing(&mut self, due: bool) -> bool {
        self.wanted |= due;
        self.wanted
    }

    /// The listing that begins now serves all who wanted one.
    pub fn take_wanted(&mut self) {
        self.wanted = false;
    }

    /// A listing concerns these objects.
    pub fn concern(&mut self, objects: Vec<Name>) {
        self.riding.extend(objects);
    }

    /// Everybody who waited for a listing.
    pub fn take_waiting(&mut self) -> BTreeSet<Name> {
        std::mem::take(&mut self.waiting)
    }

    /// Everybody who rides along with a listing that succeeded.
    pub fn take_riding(&mut self) -> BTreeSet<Name> {
        std::mem::take(&mut self.riding)
    }

    /// Forgets the client, and what was known through it.
    pub fn reset(&mut self) {
        self.epoch += 1;
        self.client = None;
        if let Some(turnstile) = self.turnstile.take() {
            turnstile.close();
        }
        self.source = None;
        self.health = Health::Unknown;
        self.end_outage();
        self.failures = 0;
        self.token_from = None;
        self.register = None;
        self.vanished = None;
        // Everybody is woken and says again what is needed; while the connection is suspended that is less.
        self.wanted = false;
    }
}

#[cfg(test)]
mod tests;
