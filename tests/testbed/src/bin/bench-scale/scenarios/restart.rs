//! S5: a restart over objects that have not changed.

use std::time::Instant;

use testbed::{Error, Operator};

use crate::{record::Record, settle::settle, stage::Stage};

/// From the start of the process until it is ready, and until it has nothing more to do.
pub async fn measure(stage: &Stage<'_>, operator: Operator) -> Result<(Record, Operator), Error> {
    operator.stop().await?;
    let mark = stage.pam.mark();
    let started = Instant::now();
    let operator = stage.start().await?;
    let ready = started.elapsed();
    let since = settle(&operator).await?;
    let usage = operator.usage()?;
    let mut record = stage.record("S5", mark);
    record.seconds("until ready", ready);
    record.seconds("until at rest", since.saturating_duration_since(started));
    record.seconds("CPU", usage.cpu);
    record.memory(usage);
    record.count("POSTs", stage.pam.mark() - mark);
    Ok((record, operator))
}
