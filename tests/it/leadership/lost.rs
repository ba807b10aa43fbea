//! A leader that loses the lease although it runs: it ends, and leaves what is under way.

use std::time::{Duration, Instant};

use k8s_openapi::api::{coordination::v1::Lease, rbac::v1::RoleBinding};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use pam_operator::simulator::{Operation, Point};
use serde_json::json;

use super::{LEASE, declare, held_by, led, seconds, unseated};
use crate::{
    look::{posts, requested},
    world::{DEADLINE, World},
};

/// Ends a leader in the middle of a POST by what `lose` does; nothing of it arrives at the PAM after that.
async fn loses(mut world: World, lose: impl AsyncFnOnce(&World)) -> (World, Duration, String) {
    let hold = world.pam.faults().hold(Operation::Post, None, Point::Before);
    declare(&world, "db").await;
    hold.held(DEADLINE).await.expect("the POST arrives");
    lose(&world).await;
    let since = Instant::now();
    let output = unseated(world.operator.take().expect("it runs")).await;
    let took = since.elapsed();
    declare(&world, "later").await;
    hold.drop_connection();
    assert_eq!(posts(&world).await.len(), 1, "{output}");
    assert!(world.pam.credentials().is_empty());
    (world, took, output)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_lease_ends_the_leader() {
    let (mut world, took, output) = loses(led().await, async |world| {
        let api: Api<Lease> = world.api();
        api.delete(LEASE, &DeleteParams::default()).await.expect("it is there");
    })
    .await;
    println!("lease deleted: leader ended after {}", seconds(took));
    assert!(output.contains("somebody deleted it"), "{output}");

    // The next one finds none, and does what was left.
    world.run().await;
    held_by(&world, &world.user).await;
    world.ready("later").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_with_another_name_in_it_ends_the_leader() {
    let (_, took, output) = loses(led().await, async |world| {
        let api: Api<Lease> = world.api();
        let patch = Patch::Merge(json!({"spec": {"holderIdentity": "somebody"}}));
        let patched = api.patch(LEASE, &PatchParams::default(), &patch).await;
        patched.expect("it is there");
    })
    .await;
    println!("lease taken: leader ended after {}", seconds(took));
    assert!(output.contains("somebody holds it"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_cannot_be_renewed_ends_the_leader_before_it_is_over() {
    let world = led().await;
    let (_, took, output) = loses(world, async |world| {
        let start = crate::look::mark(world).await;
        let bindings: Api<RoleBinding> = world.api();
        let name = format!("pam-operator-{}", world.user);
        let deleted = bindings.delete(&name, &DeleteParams::default()).await;
        deleted.expect("the operator's rights in its own namespace");
        requested(world, start, "be refused a renewal", |request| {
            request.resource == "leases" && request.code == 403
        })
        .await;
    })
    .await;
    println!("renewals refused: leader ended {} after the first one", seconds(took));
    assert!(output.contains("could not be renewed"), "{output}");
    // The deadline counts from the last renewal that went well, which was before that.
    assert!(took < Duration::from_secs(12), "{took:?}");
}

/// Somebody else's label in the lease is no reason to end: another version is not another holder.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_does_not_mind_what_else_is_written_to_the_lease() {
    let world = led().await;
    let api: Api<Lease> = world.api();
    let patch = Patch::Merge(json!({"metadata": {"labels": {"team": "pam"}}}));
    let start = crate::look::mark(&world).await;
    let labelled = api.patch(LEASE, &PatchParams::default(), &patch).await;
    let labelled = labelled.expect("it is there").spec.expect("a spec");
    super::until(&world, "renewed", |lease| lease.renew_time != labelled.renew_time).await;
    requested(&world, start, "see that it was outrun", |request| {
        request.resource == "leases" && request.code == 409
    })
    .await;
    let mut world = world;
    world.stop().await;
}
