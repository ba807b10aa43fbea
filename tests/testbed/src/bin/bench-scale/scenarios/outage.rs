//! S8: the PAM is down for a while, and Secrets change meanwhile.

use std::time::{Duration, Instant};

use testbed::{Error, Progress};

use crate::{probe::arrivals, record::Record, stage::Stage};

/// What a PAM that is down is asked nevertheless, and how soon after its return it has everything.
pub async fn measure(stage: &mut Stage<'_>) -> Result<Record, Error> {
    let outage = Duration::from_secs(stage.run.arguments.outage);
    let mark = stage.pam.mark();
    let changes = stage.fleet.rotate(stage.run.arguments.rotations());
    let before = stage.pam.set_down(true);
    let went_down = Instant::now();
    stage.make(&changes).await?;
    let progress = Progress::start(format!("S8, {}", stage.run.contestant.name()));
    let rest = outage.saturating_sub(went_down.elapsed());
    progress.follow("the PAM is down", tokio::time::sleep(rest)).await;
    let refused = stage.pam.set_down(false) - before;
    let returned = Instant::now();
    let arrivals = arrivals(&stage.pam, mark, &changes).await?;
    let last = arrivals.values().max().copied().unwrap_or(returned);
    let mut record = stage.record("S8", mark);
    record.count("Secrets changed meanwhile", changes.len());
    record.count("requests while it was down", refused);
    record.seconds(
        "until it has all, after its return",
        last.saturating_duration_since(returned),
    );
    Ok(record)
}
