//! S9: all objects are deleted, and their credentials deactivated.

use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use kube::{Api, api::DeleteParams};
use pam_operator::api::PamCredential;
use testbed::{Error, Operator, Progress};

use super::{converged, set};
use crate::{
    record::Record,
    settle::settle,
    stage::{Run, Stage, WRITERS},
    view::{Follower, View},
};

/// From the first deletion until no object is left.
pub async fn measure(stage: &Stage<'_>, operator: &Operator) -> Result<Record, Error> {
    let follower = Follower::begin(&stage.admin).await?;
    let void = stage.pam.look(|store| stage.fleet.void(store, 0));
    let (mark, before) = (stage.pam.mark(), operator.usage()?.cpu);
    let started = Instant::now();
    let progress = Progress::start(format!("S9, {}", stage.run.contestant.name()));
    progress
        .follow("everything is deleted", delete_all(stage, follower))
        .await?;
    let wall = started.elapsed();
    settle(operator).await?;
    let cpu = operator.usage()?.cpu.saturating_sub(before);
    let active = stage
        .pam
        .look(|store| store.entries().iter().filter(|entry| entry.is_active).count());
    let left = (active > 0).then(|| format!("{active} entries are still active"));
    let mut record = Record::new(stage.run, "S9", stage.fleet.len(), void.or(left));
    record.seconds("until all are gone", wall);
    record.cpu_each("CPU for an object", cpu, stage.fleet.len());
    record.count("POSTs", stage.pam.mark() - mark);
    record.memory(operator.usage()?);
    Ok(record)
}

/// The same with objects of its own, as those that scenarios share have another policy.
pub async fn on_own_stage(run: Run<'_>) -> Result<Record, Error> {
    let stage = set(run, true).await?;
    let operator = converged(&stage).await?;
    measure(&stage, &operator).await
}

/// Deletes all objects and waits until they are gone.
pub async fn delete_all(stage: &Stage<'_>, follower: Follower) -> Result<(), Error> {
    let gone = follower.until("all gone", stage.deadline(), View::is_empty);
    let (deleted, gone) = tokio::join!(delete(stage), gone);
    deleted.and(gone)
}

async fn delete(stage: &Stage<'_>) -> Result<(), Error> {
    let params = DeleteParams::default();
    let deleting = stage.fleet.objects.iter().map(async |object| {
        let api = Api::<PamCredential>::namespaced(stage.admin.clone(), object.namespace);
        let deleted = api.delete(&object.name, &params).await;
        deleted.map(drop).map_err(Error::kube("cannot delete a credential"))
    });
    stream::iter(deleting)
        .buffer_unordered(WRITERS)
        .try_for_each(|()| async { Ok(()) })
        .await
}
