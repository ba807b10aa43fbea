//! The metrics, from the table that they are registered by.

use pam_operator::metrics::METRICS;

use super::markdown::{code, codes, prose, table};

const INTRODUCTION: &str = "\
# Metrics

`/metrics` on the address of `--listen`, in the text format of Prometheus. No label has a secret, an address, a name from the
PAM, or the text of an error. [Monitoring](../operations/monitoring.md) says what to look at.

";

pub(super) fn page() -> String {
    let rows = METRICS.iter().map(|metric| {
        [
            code(metric.name),
            metric.kind.to_string(),
            codes(metric.labels.iter().copied()),
            format!("{}.", prose(metric.help)),
        ]
    });
    format!(
        "{INTRODUCTION}{}",
        table(["metric", "type", "labels", "what it says"], rows)
    )
}
