//! What the operator tells a scraper. No label has a secret, an address, a name from the PAM, or the text of an error.
//!
//! * `table.rs`: every metric's name, type, labels and help.
//! * `objects.rs`: what the objects' status says, at the moment of a scrape; `process.rs`: what the process uses.
//! * `text.rs`: the format.

mod objects;
mod process;
mod table;
mod text;

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Metric, Registry},
};

use crate::pam;
use objects::{Objects, View};
use process::Process;

pub use objects::{Shown, Subject};
pub use table::{Described, Kind, METRICS};
pub use text::CONTENT_TYPE;

/// Upper bounds of the buckets of a reconcile's duration, in seconds: those of controller-runtime, less crowded.
const RECONCILE_BUCKETS: [f64; 13] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// The operator's metrics; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: Family<CallLabels, Counter>,
    call_times: Family<OperationLabel, Histogram, fn() -> Histogram>,
    reconciles: Family<ResultLabels, Counter>,
    reconcile_errors: Family<ControllerLabel, Counter>,
    reconcile_times: Family<ControllerLabel, Histogram, fn() -> Histogram>,
    most_workers: Family<ControllerLabel, Gauge>,
    workers: Family<ControllerLabel, Gauge>,
    released: Family<WhyLabel, Counter>,
    corrected: Family<WhyLabel, Counter>,
    breakers: Family<ConnectionLabels, Gauge>,
    waiting: Family<ConnectionLabels, Gauge>,
    view: Arc<OnceLock<View>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabel {
    controller: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    controller: String,
    result: &'static str,
}

/// A connection, as metrics name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ConnectionLabels {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace; empty for a cluster's.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhyLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    revision: &'static str,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing to come back for without an event.
    Success,
    /// It failed, and is repeated.
    Error,
    /// It is repeated at once.
    Requeue,
    /// The object is looked at again later.
    RequeueAfter,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Success, Self::Error, Self::Requeue, Self::RequeueAfter];

    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Requeue => "requeue",
            Self::RequeueAfter => "requeue_after",
        }
    }
}

impl Metrics {
    /// Nothing has happened yet. By the lease of this name one of several processes leads.
    #[must_use]
    pub fn new(lease: &str) -> Self {
        let mut registry = Registry::default();
        let view = Arc::<OnceLock<View>>::default();
        let build = Family::<BuildLabels, ConstGauge, fn() -> ConstGauge>::new_with_constructor(|| ConstGauge::new(1));
        drop(build.get_or_create(&BuildLabels {
            version: env!("CARGO_PKG_VERSION"),
            revision: revision(),
        }));
        let metrics = Self {
            calls: register(&mut registry, &table::CALLS, Family::default()),
            call_times: register(
                &mut registry,
                &table::CALL_TIME,
                Family::new_with_constructor(call_times as fn() -> Histogram),
            ),
            reconciles: register(&mut registry, &table::RECONCILES, Family::default()),
            reconcile_errors: register(&mut registry, &table::RECONCILE_ERRORS, Family::default()),
            reconcile_times: register(
                &mut registry,
                &table::RECONCILE_TIME,
                Family::new_with_constructor(reconcile_times as fn() -> Histogram),
            ),
            most_workers: register(&mut registry, &table::MOST_WORKERS, Family::default()),
            workers: register(&mut registry, &table::WORKERS, Family::default()),
            released: register(&mut registry, &table::ORPHANED, Family::default()),
            corrected: register(&mut registry, &table::CORRECTIONS, Family::default()),
            breakers: register(&mut registry, &table::BREAKER, Family::default()),
            waiting: register(&mut registry, &table::WAITING, Family::default()),
            view: view.clone(),
            registry: Arc::default(),
        };
        register(&mut registry, &table::BUILD, build);
        let lease = lease.to_owned();
        registry.register_collector(Box::new(Objects { lease, view }));
        registry.register_collector(Box::new(Process::now()));
        Self {
            registry: Arc::new(registry),
            ..metrics
        }
    }
}

fn register<M: Metric + Clone>(registry: &mut Registry, described: &Described, metric: M) -> M {
    registry.register(described.stem(), described.help, metric.clone());
    metric
}

/// The commit that was built, where the build was told.
fn revision() -> &'static str {
    match option_env!("PAM_OPERATOR_REVISION") {
        None | Some("") => "unknown",
        Some(revision) => revision,
    }
}

fn call_times() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 14))
}

fn reconcile_times() -> Histogram {
    Histogram::new(RECONCILE_BUCKETS)
}

impl Metrics {
    /// Counts and times a call to the PAM.
    pub async fn count_call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, pam::Error>>,
    ) -> Result<T, pam::Error> {
        let began = Instant::now();
        let result = call.await;
        let code = result.as_ref().map_or_else(|error| error.class.as_str(), |_| "Ok");
        self.calls.get_or_create(&CallLabels { operation, code }).inc();
        self.call_times
            .get_or_create(&OperationLabel { operation })
            .observe(began.elapsed().as_secs_f64());
        result
    }

    /// A controller begins to work: its series are there from now on, because what a series begins with is no growth.
    pub fn controller(&self, controller: &str, concurrency: u16) {
        for outcome in Outcome::ALL {
            drop(self.reconciles.get_or_create(&result(controller, outcome)));
        }
        let label = ControllerLabel {
            controller: controller.to_owned(),
        };
        drop(self.reconcile_errors.get_or_create(&label));
        drop(self.workers.get_or_create(&label));
        self.most_workers.get_or_create(&label).set(concurrency.into());
    }

    /// A reconcile begins; it ends when what is returned is dropped.
    #[must_use]
    pub fn worker(&self, controller: &str) -> Worker {
        let label = ControllerLabel {
            controller: controller.to_owned(),
        };
        self.workers.get_or_create(&label).inc();
        Worker {
            metrics: self.clone(),
            label,
            began: Instant::now(),
        }
    }

    /// Objects may be let go for this reason: its series is there from now on.
    pub fn may_release(&self, reason: &'static str) {
        drop(self.released.get_or_create(&WhyLabel { reason }));
    }

    /// Counts an object that was released without its credential being deactivated.
    pub fn released(&self, reason: &'static str) {
        self.released.get_or_create(&WhyLabel { reason }).inc();
    }

    /// Counts a difference that was corrected in the PAM.
    pub fn corrected(&self, reason: &'static str) {
        self.corrected.get_or_create(&WhyLabel { reason }).inc();
    }

    /// Says where the objects are seen, for as long as this process acts, and whether each has series of its own.
    pub fn watch(&self, each: bool, look: impl Fn() -> Option<Vec<Subject>> + Send + Sync + 'static) {
        let look = Box::new(look);
        if self.view.set(View { each, look }).is_err() {
            tracing::error!("the objects of two operators cannot be shown in one process");
        }
    }

    /// Says whether a connection's breaker is open, and how many objects wait for their turn.
    pub fn turnstile(&self, connection: &ConnectionLabels, open: bool, waiting: usize) {
        self.breakers.get_or_create(connection).set(open.into());
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        self.waiting.get_or_create(connection).set(waiting);
    }

    /// Forgets a connection that calls no PAM any more.
    pub fn forget_turnstile(&self, connection: &ConnectionLabels) {
        self.breakers.remove(connection);
        self.waiting.remove(connection);
    }

    /// All metrics, as [`CONTENT_TYPE`] says.
    #[must_use]
    pub fn render(&self) -> String {
        let mut open = String::new();
        encode(&mut open, &self.registry).expect("writing to a string cannot fail");
        text::from_openmetrics(&open)
    }
}

fn result(controller: &str, outcome: Outcome) -> ResultLabels {
    ResultLabels {
        controller: controller.to_owned(),
        result: outcome.as_str(),
    }
}

/// A reconcile that is under way. One that is broken off has no result.
#[derive(Debug)]
pub struct Worker {
    metrics: Metrics,
    label: ControllerLabel,
    began: Instant,
}

impl Worker {
    /// It came to its end.
    pub fn ended(self, outcome: Outcome) {
        let metrics = &self.metrics;
        let result = result(&self.label.controller, outcome);
        metrics.reconciles.get_or_create(&result).inc();
        if outcome == Outcome::Error {
            metrics.reconcile_errors.get_or_create(&self.label).inc();
        }
        let took = self.began.elapsed().as_secs_f64();
        metrics.reconcile_times.get_or_create(&self.label).observe(took);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.metrics.workers.get_or_create(&self.label).dec();
    }
}

#[cfg(test)]
mod tests;
