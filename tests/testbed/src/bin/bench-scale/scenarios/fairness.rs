//! S6: a small tenant beside a large one, when all move to another PAM that takes 100 requests a second.

use std::time::Instant;

use serde_json::{Value, json};
use testbed::{Error, Progress};

use super::{NAMESPACE, converged, plot};
use crate::{
    fleet::Tenant,
    pam::{Pam, Store},
    record::Record,
    stage::{Run, Stage},
};

/// The small tenant.
const SMALL: &str = "tenant-b";

/// What the other PAM takes.
const PER_SECOND: u32 = 100;

/// From the moment when the contestant is told of the other PAM until that has all of the small tenant, and everything. The
/// operator is told by its connection, which has the limits that omitted ones mean; the baselines by a flag, so that they
/// start again.
pub async fn measure(run: Run<'_>) -> Result<Record, Error> {
    let tenants = [
        Tenant {
            namespace: NAMESPACE,
            objects: run.arguments.tenant_a,
        },
        Tenant {
            namespace: SMALL,
            objects: run.arguments.tenant_b,
        },
    ];
    let mut stage = Stage::set(run, plot(&tenants)).await?;
    let operator = converged(&stage).await?;
    let other = Pam::start(run.manner(Some(PER_SECOND))).await?;
    let (started, _operator) = if run.contestant.reads_connection() {
        let started = Instant::now();
        let limits = Value::Null;
        stage
            .reconnect(json!({"url": other.url(), "rateLimit": limits}))
            .await?;
        (started, operator)
    } else {
        operator.stop().await?;
        (Instant::now(), stage.spawn_at(&other)?)
    };
    let progress = Progress::start(format!("S6, {}", run.contestant.name()));
    let moving = async {
        let small = all_of(SMALL, run.arguments.tenant_b);
        other
            .wait_for("all of the small tenant", stage.deadline(), small)
            .await?;
        let small = started.elapsed();
        let posts = other.mark();
        let large = all_of(NAMESPACE, run.arguments.tenant_a);
        other
            .wait_for("all of the large tenant", stage.deadline(), large)
            .await?;
        Ok::<_, Error>((small, posts, started.elapsed()))
    };
    let (small, posts, all) = progress.follow("everything moves to another PAM", moving).await?;
    stage.pam = other;
    let mut record = stage.record("S6", 0);
    record.seconds("until the small tenant is done", small);
    record.count("POSTs until then", posts);
    record.seconds("until all are done", all);
    Ok(record)
}

/// Whether so many objects of a namespace were posted; each POST is looked at once.
fn all_of(namespace: &'static str, count: u32) -> impl FnMut(&Store) -> bool {
    let (mut read, mut found) = (0, 0);
    move |store| {
        let posts = &store.posts()[read..];
        read += posts.len();
        let are_its = posts.iter().filter(|post| post.username.starts_with(namespace));
        found += are_its.filter(|post| !post.is_needless).count();
        found >= count as usize
    }
}
