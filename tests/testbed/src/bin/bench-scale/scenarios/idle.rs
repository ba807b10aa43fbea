//! S2: nothing happens.

use std::time::Duration;

use testbed::{Error, Operator, Progress};

use crate::{record::Record, stage::Stage};

/// What nothing costs. Its requests to the API server are counted in `requests.rs`.
pub async fn measure(stage: &Stage<'_>, operator: &Operator) -> Result<Record, Error> {
    let idle = Duration::from_secs(stage.run.arguments.idle);
    let (mark, listings, before) = (stage.pam.mark(), stage.pam.listings(), operator.usage()?);
    let progress = Progress::start(format!("S2, {}", stage.run.contestant.name()));
    progress.follow("nothing happens", tokio::time::sleep(idle)).await;
    let after = operator.usage()?;
    let cpu = after.cpu.saturating_sub(before.cpu);
    let mut record = stage.record("S2", mark);
    record.number("CPU, of one core", "%", cpu.as_secs_f64() * 100.0 / idle.as_secs_f64());
    record.memory(after);
    record.count("POSTs", stage.pam.mark() - mark);
    record.count("listings", stage.pam.listings() - listings);
    Ok(record)
}
