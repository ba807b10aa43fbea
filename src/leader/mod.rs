//! Who acts, when several processes run: the one that holds a lease of the API server (`coordination.k8s.io/v1`).
//!
//! ```text
//! candidate.rs   what to do about the lease: pure        desk.rs     the lease on the API server
//! tenure.rs      how long this process may act, and the guard of everything that it does
//! alarm.rs       the end of a process that stood still until its lease was over
//! ```
//!
//! * Two processes never hold the lease at one time: each write of it names the version that it was decided on.
//! * The right to act ends before anybody else can take the lease: it counts from the moment when the request that
//!   renewed it was sent, while others count from when they saw what that request wrote.
//! * Who loses the lease ends; a new process begins with nothing that could be out of date.

mod alarm;
mod candidate;
mod desk;
mod tenure;

use std::{env, time::Duration};

use k8s_openapi::{api::coordination::v1::LeaseSpec, apimachinery::pkg::apis::meta::v1::MicroTime, jiff::Timestamp};
use kube::Client;
use rand::{RngExt, distr::Alphanumeric};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use candidate::{Bid, Candidate, DURATION, Duty, Finding, RENEW_DEADLINE, RETRY, duty, holder};
use desk::{Desk, Written};
use tenure::Term;

pub use candidate::Loss;
pub use tenure::{Cut, Tenure};

/// Name of the lease where nobody chose another one.
pub const LEASE: &str = "pam-operator";

/// A process that stands for election.
#[derive(Debug)]
pub struct Election {
    desk: Desk,
    identity: String,
    term: watch::Sender<Term>,
}

/// A process that was elected.
#[derive(Debug)]
pub struct Office {
    desk: Desk,
    identity: String,
    term: watch::Sender<Term>,
    /// When the request was sent that gave or renewed the lease last.
    since: Instant,
}

impl Election {
    /// Stands for the lease of this name in the operator's namespace; asks nothing yet.
    #[must_use]
    pub fn new(client: Client, namespace: &str, lease: &str) -> Self {
        Self {
            desk: Desk::new(client, namespace, lease),
            identity: identity(),
            term: watch::Sender::new(Term::Never),
        }
    }

    /// The right to act, which this process gets with the lease.
    #[must_use]
    pub fn tenure(&self) -> Tenure {
        Tenure::of(&self.term)
    }

    /// Waits until this process has the lease.
    pub async fn win(mut self) -> Office {
        let mut candidate = Candidate::new(self.identity.clone());
        let mut told = String::new();
        let mut finding = self.look().await;
        loop {
            let bid = candidate.bid(&finding, Instant::now());
            let sent = Instant::now();
            let written = match bid {
                Bid::Wait(pause) => {
                    if let Finding::Lease(lease) = &finding
                        && told != holder(lease)
                    {
                        told = holder(lease).to_owned();
                        tracing::info!(leader = told, "standing by: another process leads");
                    }
                    sleep(unevenly(pause)).await;
                    finding = self.look().await;
                    continue;
                }
                Bid::Create => self.desk.create(self.record(0), sent + RENEW_DEADLINE).await,
                Bid::Take(transitions) => self.desk.patch(self.record(transitions), sent + RENEW_DEADLINE).await,
            };
            finding = match written {
                Written::Yes => break self.elected(sent),
                Written::Outrun => self.look().await,
                Written::Unknown => Finding::Unknown,
            };
        }
    }

    async fn look(&mut self) -> Finding {
        self.desk.read(Instant::now() + RENEW_DEADLINE).await
    }

    fn elected(self, sent: Instant) -> Office {
        tracing::info!(identity = self.identity, "the lease was acquired: this process leads");
        alarm::prepare();
        let mut office = Office {
            desk: self.desk,
            identity: self.identity,
            term: self.term,
            since: sent,
        };
        office.extend(sent);
        office
    }

    /// The lease as its new holder writes it.
    fn record(&self, transitions: i32) -> LeaseSpec {
        LeaseSpec {
            acquire_time: Some(now()),
            lease_transitions: Some(transitions),
            ..renewal(&self.identity)
        }
    }
}

impl Office {
    /// Renews the lease until it is lost; from then on nobody may act any more.
    pub async fn keep(&mut self) -> Loss {
        loop {
            sleep_until(self.since + RETRY).await;
            let mut finding = Finding::Lease(renewal(&self.identity));
            // Until it is renewed or lost.
            loop {
                let sent = Instant::now();
                let deadline = self.since + RENEW_DEADLINE;
                finding = match duty(&self.identity, self.since, &finding, sent) {
                    Duty::Renew => match self.desk.patch(renewal(&self.identity), deadline).await {
                        Written::Yes => {
                            self.extend(sent);
                            break;
                        }
                        Written::Outrun => self.desk.read(deadline).await,
                        Written::Unknown => Finding::Unknown,
                    },
                    Duty::Wait(pause) => {
                        sleep(pause).await;
                        Finding::Lease(renewal(&self.identity))
                    }
                    Duty::Leave(loss) => {
                        self.term.send_replace(Term::Never);
                        return loss;
                    }
                };
            }
        }
    }

    /// The lease is good from the moment when the request was sent that says so: the API server may have taken note of it
    /// at any time since.
    fn extend(&mut self, sent: Instant) {
        let end = sent + DURATION;
        alarm::set(end.saturating_duration_since(Instant::now()));
        self.term.send_replace(Term::Until(end));
        self.since = sent;
    }

    /// Gives the lease up, so that another process need not wait for its end. Whatever was to be done must be done: from
    /// now on this process may not act.
    pub async fn release(mut self) {
        self.term.send_replace(Term::Never);
        let deadline = Instant::now() + RETRY;
        let mut written = self.desk.patch(vacancy(), deadline).await;
        if matches!(written, Written::Outrun)
            && let Finding::Lease(lease) = self.desk.read(deadline).await
            && holder(&lease) == self.identity
        {
            // A renewal that was under way came before, or somebody labelled it.
            written = self.desk.patch(vacancy(), deadline).await;
        }
        match written {
            Written::Yes => tracing::info!("the lease was released"),
            Written::Outrun => tracing::info!("the lease was somebody else's before it was released"),
            Written::Unknown => tracing::warn!("the lease could not be released, and ends by itself"),
        }
    }
}

/// What a renewal writes.
fn renewal(identity: &str) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: Some(i32::try_from(DURATION.as_secs()).expect("some seconds")),
        renew_time: Some(now()),
        ..LeaseSpec::default()
    }
}

/// What a release writes.
fn vacancy() -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        renew_time: Some(now()),
        ..LeaseSpec::default()
    }
}

/// The pause between two looks a little shorter, so that rivals do not always come at the same moment. A shorter one leads
/// to the end of another holder's lease, which each saw at a moment of its own.
fn unevenly(pause: Duration) -> Duration {
    if pause < RETRY {
        pause
    } else {
        pause.mul_f64(rand::rng().random_range(0.8..1.0))
    }
}

/// For people to read; no decision rests on it.
fn now() -> MicroTime {
    MicroTime(Timestamp::now())
}

/// The pod's name, as it is known inside, and something that no earlier process of that name had.
fn identity() -> String {
    let host = env::var("POD_NAME").or_else(|_| env::var("HOSTNAME"));
    let host = host.unwrap_or_else(|_| LEASE.to_owned());
    let random: String = rand::rng().sample_iter(Alphanumeric).take(8).map(char::from).collect();
    format!("{host}_{random}")
}
