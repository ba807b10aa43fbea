//! What the objects' status says, counted at the moment of a scrape: what does not exist any more is not shown any more.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{TypedMetric, gauge::ConstGauge},
};

use crate::metrics::table::{CONDITIONS, CONNECTION_CONDITIONS, DELETED, Described, LEADS, OBJECTS};

/// The kind whose objects have metrics of their own.
const CREDENTIAL: &str = "PamCredential";

/// An object, as far as metrics show it. All texts but its name are words of ours.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace; empty for a cluster's.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whether its conditions speak of its present generation.
    pub observed: bool,
    /// Its conditions.
    pub conditions: Vec<Shown>,
    /// When its deletion was asked for, in seconds since 1970.
    pub deleted: Option<i64>,
}

/// A condition.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its type.
    pub condition: &'static str,
    /// True or False.
    pub status: &'static str,
    /// Its reason.
    pub reason: &'static str,
}

/// Where objects are counted.
pub(super) struct View {
    /// Whether each has series of its own.
    pub each: bool,
    /// The objects; none while this process does not act.
    pub look: Box<dyn Fn() -> Option<Vec<Subject>> + Send + Sync>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("each", &self.each).finish_non_exhaustive()
    }
}

/// Counts what a view shows. Before there is one, this process does not act.
#[derive(Debug)]
pub(super) struct Objects {
    /// The name of the lease by which one of several processes leads.
    pub lease: String,
    /// Where the objects are seen.
    pub view: Arc<OnceLock<View>>,
}

/// A label and its value.
type Label<'a> = (&'static str, &'a str);

impl Collector for Objects {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let view = self.view.get();
        let subjects = view.and_then(|view| (view.look)());
        let leads = i64::from(subjects.is_some());
        gauges(&mut encoder, &LEADS, [([("name", self.lease.as_str())], leads)])?;
        let (Some(view), Some(subjects)) = (view, subjects) else {
            return Ok(());
        };
        gauges(&mut encoder, &OBJECTS, counts(&subjects))?;
        if !view.each {
            return Ok(());
        }
        let (credentials, connections): (Vec<_>, Vec<_>) =
            subjects.iter().partition(|subject| subject.kind == CREDENTIAL);
        let conditions = credentials.iter().flat_map(|subject| {
            let series = move |shown: &Shown| {
                let [namespace, name] = subject.labels();
                let [condition, status, reason] = shown.labels();
                ([namespace, name, condition, status, reason], 1)
            };
            subject.conditions.iter().map(series)
        });
        gauges(&mut encoder, &CONDITIONS, conditions)?;
        let conditions = connections.iter().flat_map(|subject| {
            let series = move |shown: &Shown| {
                let [namespace, name] = subject.labels();
                let [condition, status, reason] = shown.labels();
                let kind = ("kind", subject.kind);
                ([kind, namespace, name, condition, status, reason], 1)
            };
            subject.conditions.iter().map(series)
        });
        gauges(&mut encoder, &CONNECTION_CONDITIONS, conditions)?;
        let deleted = credentials
            .iter()
            .filter_map(|subject| Some((subject.labels(), subject.deleted?)));
        gauges(&mut encoder, &DELETED, deleted)
    }
}

impl Subject {
    fn labels(&self) -> [Label<'_>; 2] {
        [("namespace", &self.namespace), ("name", &self.name)]
    }
}

impl Shown {
    fn labels(&self) -> [Label<'static>; 3] {
        [
            ("condition", self.condition),
            ("status", self.status),
            ("reason", self.reason),
        ]
    }
}

/// How many objects are how ready.
fn counts(subjects: &[Subject]) -> BTreeMap<[Label<'static>; 3], i64> {
    let mut counts = BTreeMap::new();
    for subject in subjects {
        let ready = subject.conditions.iter().find(|shown| shown.condition == "Ready");
        let (ready, reason) = match ready.filter(|_| subject.observed) {
            Some(ready) => (ready.status, ready.reason),
            None => ("Unknown", "Unobserved"),
        };
        let labels = [("kind", subject.kind), ("ready", ready), ("reason", reason)];
        *counts.entry(labels).or_default() += 1;
    }
    counts
}

/// One gauge with some series; nothing when there is none.
fn gauges<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder,
    described: &Described,
    series: impl IntoIterator<Item = (L, i64)>,
) -> fmt::Result {
    let mut series = series.into_iter().peekable();
    if series.peek().is_none() {
        return Ok(());
    }
    let help = format!("{}.", described.help);
    let mut family = encoder.encode_descriptor(described.stem(), &help, None, ConstGauge::<i64>::TYPE)?;
    for (labels, value) in series {
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}
