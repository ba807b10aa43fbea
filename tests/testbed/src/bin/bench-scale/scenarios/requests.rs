//! Each request to the API server for an object, by the audit log: on a small stage of its own, as the log costs throughput.

use std::time::Duration;

use testbed::{Error, Mark, Operator, Progress, count};

use super::{converged, tenant};
use crate::{
    fleet::Change,
    probe::arrivals,
    record::{Record, number},
    settle::settle,
    stage::{Plot, Run, Stage},
};

/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(30);

/// Creates, changes, rotates, restarts and waits.
pub async fn measure(run: Run<'_>) -> Result<Record, Error> {
    let tenants = [tenant(run.arguments.counted)];
    let plot = Plot {
        tenants: &tenants,
        deactivates: false,
        audited: true,
    };
    let mut stage = Stage::set(run, plot).await?;
    let mut counted = Vec::new();

    let mark = stage.control_plane.audit().mark(run.contestant.user()).await?;
    let operator = converged(&stage).await?;
    counted.push(("new", since(&stage, mark).await?));

    let changes = stage.fleet.edit_all();
    counted.push(("changed spec", during(&stage, &operator, &changes).await?));
    let changes = stage.fleet.rotate(run.arguments.counted);
    counted.push(("changed Secret", during(&stage, &operator, &changes).await?));

    operator.stop().await?;
    let mark = stage.control_plane.audit().mark(run.contestant.user()).await?;
    let posts = stage.pam.mark();
    let operator = stage.start().await?;
    settle(&operator).await?;
    counted.push(("restart", since(&stage, mark).await?));
    let posts = stage.pam.mark() - posts;

    let mark = stage.control_plane.audit().mark(run.contestant.user()).await?;
    let progress = Progress::start(format!("requests, {}", run.contestant.name()));
    progress.follow("nothing happens", tokio::time::sleep(IDLE)).await;
    let at_rest = since(&stage, mark).await?;

    let mut record = stage.record("requests", 0);
    for (what, operations) in counted {
        for (operation, times) in operations {
            record.number(format!("{what}: {operation}"), "each", times);
        }
    }
    record.count("restart: POSTs", posts);
    for (operation, times) in at_rest {
        let times = times * f64::from(run.arguments.counted);
        record.number(format!("idle: {operation}"), "in 30 s", times);
    }
    Ok(record)
}

async fn during(stage: &Stage<'_>, operator: &Operator, changes: &[Change]) -> Result<Vec<(String, f64)>, Error> {
    let mark = stage.control_plane.audit().mark(stage.run.contestant.user()).await?;
    let posts = stage.pam.mark();
    stage.make(changes).await?;
    arrivals(&stage.pam, posts, changes).await?;
    settle(operator).await?;
    since(stage, mark).await
}

/// How often each operation was asked for since then, for each object.
async fn since(stage: &Stage<'_>, mark: Mark) -> Result<Vec<(String, f64)>, Error> {
    let requests = stage
        .control_plane
        .audit()
        .since(mark, stage.run.contestant.user())
        .await?;
    let operations = count(&requests).into_iter();
    let objects = f64::from(stage.fleet.len());
    Ok(operations
        .map(|(operation, times)| (operation, number(times) / objects))
        .collect())
}
