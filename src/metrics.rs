//! Counters of what the operator does. No label has a secret, a name from the PAM, or the text of an error.

use std::{sync::Arc, time::Instant};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::pam;

/// The operator's metrics; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: Family<CallLabels, Counter>,
    durations: Family<OperationLabel, Histogram>,
    reconciles: Family<ControllerLabel, Counter>,
    released: Family<WhyLabel, Counter>,
    corrected: Family<WhyLabel, Counter>,
    leader: Gauge,
    breakers: Family<ConnectionLabels, Gauge>,
    waiting: Family<ConnectionLabels, Gauge>,
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

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let calls = Family::default();
        let durations = Family::new_with_constructor(histogram as fn() -> Histogram);
        let reconciles = Family::default();
        let released = Family::default();
        let leader = Gauge::default();
        let breakers = Family::default();
        let waiting = Family::default();
        registry.register(
            "pam_operator_pam_api_requests",
            "Calls to the PAM by operation and outcome",
            calls.clone(),
        );
        registry.register(
            "pam_operator_pam_api_request_duration_seconds",
            "Duration of calls to the PAM by operation",
            durations.clone(),
        );
        registry.register(
            "controller_runtime_reconcile",
            "Reconciles by controller",
            reconciles.clone(),
        );
        registry.register(
            "pam_operator_orphaned",
            "Deleted objects that were released although their credential may still be active in the PAM",
            released.clone(),
        );
        let corrected = Family::default();
        registry.register(
            "pam_operator_corrections",
            "Differences that others made in the PAM and against which the object's values were sent, by reason",
            corrected.clone(),
        );
        registry.register(
            "pam_operator_leader",
            "1 in the process that acts, 0 in one that stands by",
            leader.clone(),
        );
        registry.register(
            "pam_operator_pam_breaker_open",
            "Whether no request is sent to the PAM of a connection because it does not answer",
            breakers.clone(),
        );
        registry.register(
            "pam_operator_pam_waiting_objects",
            "Objects that wait for their turn at the PAM of a connection",
            waiting.clone(),
        );
        Self {
            registry: Arc::new(registry),
            calls,
            durations,
            reconciles,
            released,
            corrected,
            leader,
            breakers,
            waiting,
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 14))
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
        self.durations
            .get_or_create(&OperationLabel { operation })
            .observe(began.elapsed().as_secs_f64());
        result
    }

    /// Counts a reconcile.
    pub fn reconciled(&self, controller: String) {
        self.reconciles.get_or_create(&ControllerLabel { controller }).inc();
    }

    /// Counts an object that was released without its credential being deactivated.
    pub fn released(&self, reason: &'static str) {
        self.released.get_or_create(&WhyLabel { reason }).inc();
    }

    /// Counts a difference that was corrected in the PAM.
    pub fn corrected(&self, reason: &'static str) {
        self.corrected.get_or_create(&WhyLabel { reason }).inc();
    }

    /// Says whether this process acts.
    pub fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
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

    /// All metrics in the text format of OpenMetrics.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }
}
