//! S10: of two processes the one that leads is killed, and is stopped, while objects change at a steady rate.

use std::time::Duration;

use testbed::{Error, Operator};

use crate::{
    probe::{Latencies, probe},
    record::Record,
    stage::Stage,
};

/// How long changes are made, and when within that time the leader ends.
const SECONDS: u32 = 5;
const END: Duration = Duration::from_secs(1);

/// How long changes waited, for each end, and who leads then. `leader` leads already.
pub async fn measure(stage: &mut Stage<'_>, leader: Operator) -> Result<([Record; 2], Operator), Error> {
    let second = stage.start().await?;
    let killed = during(stage, "S10, killed", async { leader.kill().await.map(drop) }).await?;
    let third = stage.start().await?;
    let stopped = during(stage, "S10, stopped", async { second.stop().await.map(drop) }).await?;
    Ok(([killed, stopped], third))
}

async fn during(
    stage: &mut Stage<'_>,
    scenario: &'static str,
    end: impl Future<Output = Result<(), Error>>,
) -> Result<Record, Error> {
    let mark = stage.pam.mark();
    let arguments = stage.run.arguments;
    let changes = stage.fleet.probe(arguments.probes().min(arguments.rate * SECONDS));
    let (latencies, ended) = tokio::join!(probe(stage, changes), async {
        tokio::time::sleep(END).await;
        end.await
    });
    ended?;
    let Latencies { spec, secret, .. } = latencies?;
    let mut record = stage.record(scenario, mark);
    record.percentiles("change to POST", [spec, secret].concat());
    Ok(record)
}
