//! Every metric: its name, type, labels, and what it is good for. What a scrape shows is described here and nowhere else.

use std::fmt;

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the process starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// A metric, as users know it.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says and how to use it, without a dot at the end.
    pub help: &'static str,
}

impl Described {
    /// The name without what an encoder adds.
    pub(super) fn stem(&self) -> &'static str {
        self.name.strip_suffix("_total").unwrap_or(self.name)
    }
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    described(Kind::Counter, name, labels, help)
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    described(Kind::Gauge, name, labels, help)
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    described(Kind::Histogram, name, labels, help)
}

const fn described(kind: Kind, name: &'static str, labels: &'static [&'static str], help: &'static str) -> Described {
    Described {
        name,
        kind,
        labels,
        help,
    }
}

pub(super) const RECONCILES: Described = counter(
    "controller_runtime_reconcile_total",
    &["controller", "result"],
    "Reconciles by result: success (nothing to come back for without an event), requeue and requeue_after (the object is looked \
     at again by itself), error (the API server or the operator itself failed). Use rate() by controller",
);
pub(super) const RECONCILE_ERRORS: Described = counter(
    "controller_runtime_reconcile_errors_total",
    &["controller"],
    "Reconciles that failed on the API server, took too long or ended by accident, and are repeated. What the PAM refuses is not \
     among them: see pam_operator_pam_api_requests_total. Alert on its share of controller_runtime_reconcile_total",
);
pub(super) const RECONCILE_TIME: Described = histogram(
    "controller_runtime_reconcile_time_seconds",
    &["controller"],
    "Duration of reconciles, calls to the PAM included. Use histogram_quantile() over rate()",
);
pub(super) const MOST_WORKERS: Described = gauge(
    "controller_runtime_max_concurrent_reconciles",
    &["controller"],
    "How many reconciles of a controller may run at the same time (--concurrency)",
);
pub(super) const WORKERS: Described = gauge(
    "controller_runtime_active_workers",
    &["controller"],
    "Reconciles that run now. Three quarters of controller_runtime_max_concurrent_reconciles for long means that --concurrency \
     is too small or the PAM too slow; the last quarter is kept for changes of single objects",
);
pub(super) const LEADS: Described = gauge(
    "leader_election_master_status",
    &["name"],
    "1 in the process that acts, 0 in one that stands by. The sum over all replicas of one lease should be 1",
);
pub(super) const CALLS: Described = counter(
    "pam_operator_pam_api_requests_total",
    &["operation", "code"],
    "Calls to PAMs by operation (token, list, post, deactivate, reactivate) and outcome: Ok, or the class of the failure. Alert \
     on the share of what is not a single object's, as PamApiErrors does",
);
pub(super) const CALL_TIME: Described = histogram(
    "pam_operator_pam_api_request_duration_seconds",
    &["operation"],
    "Duration of calls to PAMs by operation. Use histogram_quantile() over rate()",
);
pub(super) const ORPHANED: Described = counter(
    "pam_operator_orphaned_total",
    &["reason"],
    "Deleted objects that were let go although their credential may still be active in the PAM: not_ours, timed_out \
     (--deletion-timeout), orphaned (namespace and connection were deleted together). Each one is for a person to look at",
);
pub(super) const CORRECTIONS: Described = counter(
    "pam_operator_corrections_total",
    &["reason"],
    "Differences that others made in the PAM and against which the object's values were sent, by reason. Growth means that \
     somebody edits what the operator manages",
);
pub(super) const BREAKER: Described = gauge(
    "pam_operator_pam_breaker_open",
    &["kind", "namespace", "name"],
    "1 while nothing but probes is sent to the PAM of a connection because it does not answer, else 0",
);
pub(super) const WAITING: Described = gauge(
    "pam_operator_pam_waiting_objects",
    &["kind", "namespace", "name"],
    "Objects that wait for their turn at the PAM of a connection (spec.rateLimit, Retry-After, breaker)",
);
pub(super) const BUILD: Described = gauge(
    "pam_operator_build_info",
    &["version", "revision"],
    "Always 1; the labels say which build runs. Join on it, or count() by version during an upgrade",
);
pub(super) const OBJECTS: Described = gauge(
    "pam_operator_objects",
    &["kind", "ready", "reason"],
    "Objects by kind and condition Ready (True, False; Unknown with reason Unobserved until the operator has looked at the \
     present generation). From the leader alone",
);
pub(super) const CONDITIONS: Described = gauge(
    "pamcredential_status_condition",
    &["namespace", "name", "condition", "status", "reason"],
    "1 for each condition that a PamCredential has (Ready always; Reconciling, Stalled, Drifted while they are true). Gone with \
     the object. From the leader alone, and not with --object-metrics false",
);
pub(super) const CONNECTION_CONDITIONS: Described = gauge(
    "pam_operator_connection_status_condition",
    &["kind", "namespace", "name", "condition", "status", "reason"],
    "The same for connections. From the leader alone, and not with --object-metrics false",
);
pub(super) const DELETED: Described = gauge(
    "pamcredential_deletion_timestamp_seconds",
    &["namespace", "name"],
    "When the deletion of a PamCredential that is still there was asked for, in seconds since 1970. time() minus it says for how \
     long. From the leader alone, and not with --object-metrics false",
);
pub(super) const CPU: Described = counter(
    "process_cpu_seconds_total",
    &[],
    "Processor time of the process, in user and kernel mode",
);
pub(super) const MEMORY: Described = gauge(
    "process_resident_memory_bytes",
    &[],
    "Memory of the process that is resident. Compare it to the container's limit",
);
pub(super) const FILES: Described = gauge("process_open_fds", &[], "File descriptors that the process has open");
pub(super) const STARTED: Described = gauge(
    "process_start_time_seconds",
    &[],
    "When the process started, in seconds since 1970. changes() over it counts restarts",
);

/// All of them.
pub const METRICS: &[Described] = &[
    RECONCILES,
    RECONCILE_ERRORS,
    RECONCILE_TIME,
    MOST_WORKERS,
    WORKERS,
    LEADS,
    CALLS,
    CALL_TIME,
    ORPHANED,
    CORRECTIONS,
    BREAKER,
    WAITING,
    OBJECTS,
    CONDITIONS,
    CONNECTION_CONDITIONS,
    DELETED,
    BUILD,
    CPU,
    MEMORY,
    FILES,
    STARTED,
];
