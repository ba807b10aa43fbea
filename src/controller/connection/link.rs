//! A connection at run time: its client, its health, what its PAM holds, and who waits for news of it.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, RwLock},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::controller::{
    credential::memory::{backoff, jittered},
    ownership::{identity::Name, register::Register},
};
use crate::{
    api::{
        AdditionalSettingsFormat, ConnectionKind, ConnectionRef, ConnectionRefStatus, Permission, Reason, SecretVersion,
    },
    pam,
};

/// Pause before a refused call is tried again: an administrator may have mended the authorization (design 2.3).
pub const REFUSED_PAUSE: Duration = Duration::from_mins(10);

/// Kind, namespace and name of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkKey {
    /// `PamConnection` or `ClusterPamConnection`.
    pub kind: ConnectionKind,
    /// The namespace of a `PamConnection`.
    pub namespace: Option<String>,
    /// The connection's name.
    pub name: String,
}

impl LinkKey {
    /// The connection that an object of this namespace means.
    pub fn new(kind: ConnectionKind, name: &str, namespace: &str) -> Self {
        Self {
            kind,
            namespace: (kind == ConnectionKind::PamConnection).then(|| namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// The connection that a spec names.
    pub fn of(reference: &ConnectionRef, namespace: &str) -> Self {
        Self::new(reference.kind_or_default(), &reference.name, namespace)
    }

    /// As status names it.
    pub fn to_status(&self) -> ConnectionRefStatus {
        ConnectionRefStatus {
            kind: self.kind,
            name: self.name.clone(),
        }
    }
}

impl fmt::Display for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// What the connection's spec says about the objects that use it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The PAM: normalised URL and tenant.
    pub target: String,
    /// How old a listing may be for an update.
    pub interval: Duration,
    /// Longest duration of one call.
    pub timeout: Duration,
    /// First part of generated identifiers.
    pub prefix: Option<String>,
    /// Shape of `additional_settings`.
    pub format: AdditionalSettingsFormat,
    /// No calls but for deletions.
    pub suspended: bool,
    /// Namespaces that may use it; none listed for a `PamConnection`, which belongs to its namespace.
    pub namespaces: Option<Vec<String>>,
    /// What its users may do beyond credentials of their own.
    pub permissions: Vec<Permission>,
}

impl Terms {
    /// Whether objects of this namespace may use it.
    pub fn allows(&self, namespace: &str) -> bool {
        self.namespaces
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == namespace))
    }
}

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
    /// What the client was built from.
    pub source: Option<Source>,
    /// Counts the clients.
    pub epoch: u64,
    /// Whether calls may be made.
    pub health: Health,
    /// A failure that may pass by itself; objects find it out themselves, or by the missing listing.
    pub outage: Option<Problem>,
    failures: u32,
    /// No token is asked for before, unless the client changes.
    pub token_from: Option<Instant>,
    /// What the PAM holds.
    pub register: Option<Register>,
    wanted: bool,
    waiting: BTreeSet<Name>,
    riding: BTreeSet<Name>,
    probe: Option<(Name, Instant)>,
    probe_from: Option<Instant>,
}

/// One connection.
#[derive(Debug)]
pub struct Link {
    /// Which one.
    pub key: LinkKey,
    state: Mutex<State>,
    /// Wakes the loop that lists.
    pub demand: Notify,
}

impl Link {
    fn new(key: LinkKey) -> Self {
        Self {
            key,
            state: Mutex::default(),
            demand: Notify::new(),
        }
    }

    /// The state; never held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }

    /// The object waits for a listing that begins from now on.
    pub fn want(&self, object: &Name) {
        let mut state = self.state();
        state.waiting.insert(object.clone());
        state.wanted = true;
        self.demand.notify_one();
    }

    /// The object is to be looked at after the next listing, whenever that comes.
    pub fn ride(&self, object: &Name) {
        self.state().riding.insert(object.clone());
    }

    /// A listing is needed to judge the connection itself.
    pub fn doubt(&self) {
        self.state().wanted = true;
        self.demand.notify_one();
    }

    /// A call succeeded. Returns whether that is news.
    pub fn succeeded(&self, call: Call) -> bool {
        let mut state = self.state();
        state.failures = 0;
        let news = state.outage.take().is_some();
        if matches!(&state.health, Health::Unusable(problem) if problem.call == call) {
            state.health = Health::Ready;
            state.probe = None;
            return true;
        }
        news
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
            state.probe = None;
            state.probe_from = Some(now + jittered(REFUSED_PAUSE));
        }
        let health = Health::Unusable(problem);
        std::mem::replace(&mut state.health, health.clone()) != health
    }
}

impl State {
    /// Whether this object may find out if the authorization may write again: one at a time, and only now and then.
    pub fn may_probe(&mut self, object: &Name, now: Instant) -> bool {
        if !matches!(&self.health, Health::Unusable(problem) if problem.call == Call::Write) {
            return false;
        }
        match &self.probe {
            Some((prober, until)) if *until > now => prober == object,
            _ if self.probe_from.is_some_and(|from| from <= now) => {
                self.probe = Some((object.clone(), now + REFUSED_PAUSE));
                true
            }
            _ => false,
        }
    }

    /// When a refused write may be tried again.
    pub fn probe_from(&self) -> Option<Instant> {
        self.probe_from
    }

    /// Whether somebody waits for a listing; taken by the one who makes it.
    pub fn take_wanted(&mut self) -> bool {
        std::mem::take(&mut self.wanted)
    }

    /// Everybody who is to be woken after a listing; those who only ride along, only after a successful one.
    pub fn take_waiting(&mut self, success: bool) -> BTreeSet<Name> {
        let mut woken = std::mem::take(&mut self.waiting);
        if success {
            woken.append(&mut self.riding);
        }
        woken
    }

    /// Forgets what was known through another client.
    pub fn reset(&mut self) {
        self.epoch += 1;
        self.health = Health::Unknown;
        self.outage = None;
        self.failures = 0;
        self.token_from = None;
        self.register = None;
        self.probe = None;
        self.probe_from = None;
    }
}

/// All connections that exist.
#[derive(Debug, Default)]
pub struct Links(RwLock<HashMap<LinkKey, Arc<Link>>>);

impl Links {
    /// The connection, if it exists.
    pub fn get(&self, key: &LinkKey) -> Option<Arc<Link>> {
        self.0
            .read()
            .expect("no code panics while it holds this lock")
            .get(key)
            .cloned()
    }

    /// The connection, which exists from now on.
    pub fn ensure(&self, key: &LinkKey) -> Arc<Link> {
        let mut links = self.0.write().expect("no code panics while it holds this lock");
        links
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Link::new(key.clone())))
            .clone()
    }

    /// The connection is gone.
    pub fn remove(&self, key: &LinkKey) -> Option<Arc<Link>> {
        self.0
            .write()
            .expect("no code panics while it holds this lock")
            .remove(key)
    }
}
