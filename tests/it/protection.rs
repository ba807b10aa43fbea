//! The PAM is protected: limits hold, nobody is held up by a neighbour, an outage costs probes and not objects, and what
//! was sent into it arrives exactly once.

mod breaker;
mod deletion;
mod faults;
mod limits;
mod silence;
mod storm;

use std::time::Duration;

use kube::{Api, api::ListParams};
use pam_operator::api::PamCredential;
use tokio::time::Instant;

use crate::world::{World, is};

/// How long many objects may take.
const LONG: Duration = Duration::from_mins(3);

/// The value of a metric of the operator, all its series that contain these labels added up; zero while there is none.
async fn metric(world: &World, name: &str, labels: &[&str]) -> u64 {
    let operator = world.operator.as_ref().expect("the operator runs");
    let text = operator.get("/metrics").await.expect("the operator answers");
    let series = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?.strip_prefix('{')?;
        let (found, value) = rest.rsplit_once("} ")?;
        let matches = labels.iter().all(|label| found.contains(label));
        matches.then(|| value.parse::<u64>().expect("a whole number"))
    });
    series.sum()
}

/// Whether the breaker of a connection is open.
async fn is_open(world: &World, connection: &str) -> bool {
    let label = format!("name=\"{connection}\"");
    metric(world, "pam_operator_pam_breaker_open", &[&label]).await == 1
}

/// How many objects wait for their turn at a connection.
async fn waiting(world: &World, connection: &str) -> u64 {
    let label = format!("name=\"{connection}\"");
    metric(world, "pam_operator_pam_waiting_objects", &[&label]).await
}

/// How many calls the operator has made, answered or not.
async fn calls(world: &World) -> u64 {
    metric(world, "pam_operator_pam_api_requests_total", &[]).await
}

/// All objects of the test's namespace.
async fn objects(world: &World) -> Vec<PamCredential> {
    let api: Api<PamCredential> = world.api();
    api.list(&ListParams::default()).await.expect("a list").items
}

/// Waits until so many objects satisfy a condition, and says how long that took.
async fn until_all(world: &World, count: usize, described: &str, is_so: impl Fn(&PamCredential) -> bool) -> Duration {
    let began = Instant::now();
    loop {
        let objects = objects(world).await;
        let done = objects.iter().filter(|object| is_so(object)).count();
        if done == count {
            return began.elapsed();
        }
        let other = objects.iter().find(|object| !is_so(object));
        assert!(
            began.elapsed() < LONG,
            "{done} of {count} objects are {described}; another one:\n{:?}",
            other.map(|object| (&object.metadata.name, &object.status))
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until so many objects are Ready with what they say now, and says how long that took.
async fn all_ready(world: &World, count: usize) -> Duration {
    until_all(world, count, "Ready", |object| is(object, "True", Some("Synced"))).await
}
