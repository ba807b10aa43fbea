//! S7: many Secrets change at once.

use std::time::Instant;

use testbed::{Error, Operator};

use crate::{probe::arrivals, record::Record, settle::settle, stage::Stage};

/// From the first change until the PAM has the last.
pub async fn measure(stage: &mut Stage<'_>, operator: &Operator) -> Result<Record, Error> {
    let mark = stage.pam.mark();
    let count = stage.run.arguments.rotations();
    let changes = stage.fleet.rotate(count);
    let before = operator.usage()?.cpu;
    let started = Instant::now();
    stage.make(&changes).await?;
    let made = started.elapsed();
    let arrivals = arrivals(&stage.pam, mark, &changes).await?;
    let last = arrivals.values().max().copied().unwrap_or(started);
    settle(operator).await?;
    let cpu = operator.usage()?.cpu.saturating_sub(before);
    let mut record = stage.record("S7", mark);
    record.count("Secrets", changes.len());
    record.seconds("until all are changed", made);
    record.seconds("until the PAM has all", last.saturating_duration_since(started));
    record.cpu_each("CPU for a change", cpu, count);
    record.count("POSTs", stage.pam.mark() - mark);
    Ok(record)
}
