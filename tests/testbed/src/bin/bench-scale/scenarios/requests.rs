//! Each request to the API server for an object, by the audit log: on a small stage of its own, as the log costs throughput.

use std::time::Duration;

use testbed::{Error, Mark, Operator, Progress, count};

use super::{converged, deletion::delete_all, tenant};
use crate::{
    fleet::Change,
    probe::arrivals,
    record::{Record, number},
    settle::settle,
    stage::{Plot, Run, Stage},
    view::Follower,
};

/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(30);

/// For each phase what was asked for, and how often for each object.
type Counted = Vec<(&'static str, Vec<(String, f64)>)>;

/// Creates, changes, rotates, restarts, waits and deletes.
pub async fn measure(run: Run<'_>) -> Result<Record, Error> {
    let tenants = [tenant(run.arguments.counted)];
    let plot = Plot {
        tenants: &tenants,
        deactivates: false,
        audited: true,
    };
    let mut stage = Stage::set(run, plot).await?;
    let (mut counted, at_rest) = live(&mut stage).await?;
    let mut record = stage.record("requests", 0);
    drop(stage);

    let stage = Stage::set(
        run,
        Plot {
            deactivates: true,
            ..plot
        },
    )
    .await?;
    counted.extend(live_and_die(&stage).await?);
    for (what, operations) in counted {
        for (operation, times) in operations {
            record.number(format!("{what}: {operation}"), "each", times);
        }
    }
    for (operation, times) in at_rest {
        let times = times * f64::from(run.arguments.counted);
        record.number(format!("idle: {operation}"), "in 30 s", times);
    }
    Ok(record)
}

/// Everything but deletions; what is asked for while nothing happens is apart, as it has nothing to do with objects.
async fn live(stage: &mut Stage<'_>) -> Result<(Counted, Vec<(String, f64)>), Error> {
    let mut counted = Vec::new();
    let start = mark(stage).await?;
    let operator = converged(stage).await?;
    counted.push(("new", since(stage, start).await?));

    let changes = stage.fleet.edit_all();
    counted.push(("changed spec", during(stage, &operator, &changes).await?));
    let changes = stage.fleet.rotate(stage.fleet.len());
    counted.push(("changed Secret", during(stage, &operator, &changes).await?));

    operator.stop().await?;
    let restart = mark(stage).await?;
    let operator = stage.start().await?;
    settle(&operator).await?;
    counted.push(("restart", since(stage, restart).await?));

    let rest = mark(stage).await?;
    let progress = Progress::start(format!("requests, {}", stage.run.contestant.name()));
    progress.follow("nothing happens", tokio::time::sleep(IDLE)).await;
    Ok((counted, since(stage, rest).await?))
}

/// Objects whose credentials end with them.
async fn live_and_die(stage: &Stage<'_>) -> Result<Counted, Error> {
    let start = mark(stage).await?;
    let operator = converged(stage).await?;
    let new = since(stage, start).await?;
    let end = mark(stage).await?;
    let follower = Follower::begin(&stage.admin).await?;
    delete_all(stage, follower).await?;
    settle(&operator).await?;
    let deleted = since(stage, end).await?;
    Ok(vec![("new, with Deactivate", new), ("deleted", deleted)])
}

async fn mark(stage: &Stage<'_>) -> Result<Mark, Error> {
    stage.control_plane.audit().mark(stage.run.contestant.user()).await
}

async fn during(stage: &Stage<'_>, operator: &Operator, changes: &[Change]) -> Result<Vec<(String, f64)>, Error> {
    let start = mark(stage).await?;
    let posts = stage.pam.mark();
    stage.make(changes).await?;
    arrivals(&stage.pam, posts, changes).await?;
    settle(operator).await?;
    since(stage, start).await
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
