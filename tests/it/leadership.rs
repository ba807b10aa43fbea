//! Several replicas, of which one acts: who that is, how the next one takes over, and that nobody else writes anything.

mod frozen;
mod lost;
mod rivals;
mod takeover;

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;
use testbed::{Operator, Request, wait_for};

use crate::{
    look::{content, set_password},
    world::{DEADLINE, Setting, World},
};

/// The exit code of an operator that lost the lease.
const UNSEATED: i32 = 1;

/// The exit code of an operator that stood still until its lease was over.
const OVERSLEPT: i32 = 3;

/// The name of the lease.
const LEASE: &str = "pam-operator";

/// Another operator beside that of the world.
struct Replica {
    user: String,
    operator: Operator,
}

/// A world whose operator leads.
async fn led() -> World {
    let setting = Setting {
        leader_election: true,
        ..Setting::default()
    };
    let world = World::with(setting).await;
    held_by(&world, &world.user).await;
    world
}

/// A replica that stands by.
async fn standby(world: &World) -> Replica {
    let user = world.replica("second").await;
    let operator = Operator::start(&world.config(&user)).await;
    let operator = operator.expect("a standby becomes ready");
    Replica { user, operator }
}

/// An object of this name with a password.
async fn declare(world: &World, name: &str) {
    set_password(world, name, "canary-first").await;
    world.create(name, content(name)).await;
}

/// Waits until this user's operator holds the lease.
async fn held_by(world: &World, user: &str) -> LeaseSpec {
    until(world, &format!("held by {user}"), |lease| holder(lease) == user).await
}

/// Waits until the lease is as described.
async fn until(world: &World, described: &str, is_so: impl Fn(&LeaseSpec) -> bool) -> LeaseSpec {
    let api: Api<Lease> = world.api();
    let found = wait_for(&api, LEASE, described, DEADLINE, |lease: &Lease| {
        lease.spec.as_ref().is_some_and(&is_so)
    });
    found.await.expect("a lease").spec.expect("a spec")
}

/// The user whose operator holds a lease; its name is followed by something random.
fn holder(lease: &LeaseSpec) -> &str {
    let identity = lease.holder_identity.as_deref().unwrap_or_default();
    identity.rsplit_once('_').map_or(identity, |(user, _)| user)
}

/// Who acts, as metrics say it.
const LEADS: &str = "leader_election_master_status{name=\"pam-operator\"}";

/// The value of a series.
async fn metric(operator: &Operator, name: &str) -> Option<String> {
    let metrics = operator.get("/metrics").await.expect("metrics");
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(str::to_owned)
}

/// What a user wrote to the API server since its first request, or tried to.
async fn attempted_writes(world: &World, user: &str, since: testbed::Mark) -> Vec<Request> {
    let requests = world.plane.audit().since(since, user).await;
    let mut requests = requests.expect("the audit log is readable");
    requests.retain(Request::is_write);
    requests
}

/// Seconds, for people.
fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// Waits until the operator of a world that lost its lease has ended, and returns what it wrote.
async fn unseated(operator: Operator) -> String {
    let (code, output) = operator.exit().await.expect("it ends by itself");
    assert_eq!(code, Some(UNSEATED), "{output}");
    let told = output.lines().filter(|line| line.contains("the lease was lost"));
    assert_eq!(told.count(), 1, "one line says why:\n{output}");
    output
}
