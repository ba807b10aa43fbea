//! S1: all objects are new to a contestant that starts.

use std::time::Instant;

use testbed::{Error, Operator, Progress};

use super::set;
use crate::{
    ceiling,
    record::Record,
    settle::settle,
    stage::{Run, Stage},
    view::Follower,
};

/// From the start of the process until all objects are Ready.
pub async fn measure(stage: &Stage<'_>) -> Result<(Record, Operator), Error> {
    let count = stage.fleet.len();
    let follower = Follower::begin(&stage.admin).await?;
    let before = stage.control_plane.cpu()?;
    let started = Instant::now();
    let operator = stage.spawn()?;
    let ready = follower.until("all Ready", stage.deadline(), |view| view.ready() == count);
    let progress = Progress::start(format!("S1, {}", stage.run.contestant.name()));
    progress.follow("all objects are new", ready).await?;
    let (wall, cpu) = (started.elapsed(), operator.usage()?.cpu);
    let control_plane = stage.control_plane.cpu()?.saturating_sub(before);
    settle(&operator).await?;
    let scenario = if stage.run.arguments.deactivate {
        "S1, with Deactivate"
    } else {
        "S1"
    };
    let mut record = stage.record(scenario, 0);
    record.seconds("until all are Ready", wall);
    record.number("objects a second", "1/s", f64::from(count) / wall.as_secs_f64());
    record.cpu_each("CPU for an object", cpu, count);
    record.cpu_each("CPU of the control plane for an object", control_plane, count);
    record.memory(operator.usage()?);
    record.count("POSTs", stage.pam.mark());
    record.count("listings", stage.pam.listings());
    Ok((record, operator))
}

/// What the rig gives without a controller.
pub async fn ceiling(run: Run<'_>) -> Result<Record, Error> {
    let stage = set(run, false).await?;
    let before = stage.control_plane.cpu()?;
    let started = Instant::now();
    let progress = Progress::start("S1, ceiling");
    progress
        .follow("the same requests without a controller", ceiling::converge(&stage))
        .await?;
    let wall = started.elapsed();
    let control_plane = stage.control_plane.cpu()?.saturating_sub(before);
    let mut record = stage.record("S1", 0);
    record.seconds("until all are Ready", wall);
    let count = stage.fleet.len();
    record.number("objects a second", "1/s", f64::from(count) / wall.as_secs_f64());
    record.cpu_each("CPU of the control plane for an object", control_plane, count);
    record.count("POSTs", stage.pam.mark());
    Ok(record)
}
