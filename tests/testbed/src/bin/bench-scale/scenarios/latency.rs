//! S3 and S4: from a change to its POST, at a steady rate, when idle and when everything else is busy.

use testbed::{Error, Operator};

use crate::{
    probe::{Latencies, probe},
    record::Record,
    stage::Stage,
};

/// Nothing else happens.
pub async fn when_idle(stage: &mut Stage<'_>) -> Result<Record, Error> {
    let mark = stage.pam.mark();
    let changes = stage.fleet.probe(stage.run.arguments.probes());
    let latencies = probe(stage, changes).await?;
    Ok(record(stage, "S3", mark, latencies))
}

/// Many other Secrets change at once.
pub async fn while_secrets_change(stage: &mut Stage<'_>) -> Result<Record, Error> {
    let mark = stage.pam.mark();
    let rotation = stage.fleet.rotate(stage.run.arguments.rotations());
    let changes = stage.fleet.probe(stage.run.arguments.probes());
    let (latencies, rotated) = tokio::join!(probe(stage, changes), async {
        stage.make(&rotation).await?;
        crate::probe::arrivals(&stage.pam, mark, &rotation).await
    });
    rotated?;
    Ok(record(stage, "S4, Secrets rotate", mark, latencies?))
}

/// The contestant has just been started again, and looks at everything.
pub async fn after_restart(stage: &mut Stage<'_>, operator: Operator) -> Result<(Record, Operator), Error> {
    operator.stop().await?;
    let mark = stage.pam.mark();
    let changes = stage.fleet.probe(stage.run.arguments.probes());
    let operator = stage.start().await?;
    let latencies = probe(stage, changes).await?;
    Ok((record(stage, "S4, after a restart", mark, latencies), operator))
}

fn record(stage: &Stage<'_>, scenario: &'static str, mark: usize, latencies: Latencies) -> Record {
    let mut record = stage.record(scenario, mark);
    record.percentiles("spec to POST", latencies.spec);
    record.percentiles("Secret to POST", latencies.secret);
    record.percentiles("the API server's part", latencies.patch);
    record
}
