//! A restart is free: what the PAM accepted is in status.

use futures::{StreamExt, stream};
use kube::{
    Api,
    api::{ListParams, PostParams},
};
use pam_operator::{api::PamCredential, simulator::Operation};
use serde_json::json;

use crate::{
    look::{content, mark, requests, set_password, within_deadline, writes},
    world::{World, is},
};

const OBJECTS: usize = 1000;

/// How many requests the test itself has under way.
const IN_FLIGHT: usize = 32;

/// How often the operator looked at a PamCredential since it started.
async fn reconciles(world: &World) -> usize {
    let metrics = world.operator.as_ref().expect("it runs").get("/metrics").await;
    let metrics = metrics.expect("metrics");
    let counter = "controller_runtime_reconcile_total{controller=\"PamCredential\",";
    let results = metrics.lines().filter(|line| line.starts_with(counter));
    let counts = results.filter_map(|line| line.rsplit_once(' '));
    counts.map(|(_, count)| count.parse::<usize>().expect("a count")).sum()
}

async fn all_ready(world: &World) -> bool {
    let api: Api<PamCredential> = world.api();
    let objects = api.list(&ListParams::default()).await.expect("a list");
    objects.items.len() == OBJECTS + 1 && objects.iter().all(|object| is(object, "True", Some("Synced")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_over_a_thousand_unchanged_objects_costs_one_listing_and_nothing_else() {
    let mut world = World::start().await;
    set_password(&world, "shared", "canary-shared").await;
    let api: Api<PamCredential> = world.api();
    stream::iter(0..OBJECTS)
        .map(|number| world.credential(&format!("db-{number}"), content("shared")))
        .for_each_concurrent(IN_FLIGHT, async |object| {
            let created = api.create(&PostParams::default(), &object).await;
            created.expect("the object is accepted");
        })
        .await;
    world.create("last", json!({})).await;
    within_deadline("make all objects Ready", async || all_ready(&world).await).await;
    world.stop().await;

    let start = mark(&world).await;
    let count = |operation| world.pam.journal().count(operation);
    let (posts, listings) = (count(Operation::Post), count(Operation::List));
    world.run().await;
    within_deadline("look at all objects", async || reconciles(&world).await > OBJECTS).await;
    // Reconciles begin in the order in which they were asked for, so this change comes after all that the start asked for.
    world.change("last", json!({"additional": "changed"})).await;
    world.ready("last").await;
    world.stop().await;

    let count = |operation| world.pam.journal().count(operation);
    assert_eq!(count(Operation::Post) - posts, 1, "that of the change");
    assert!(count(Operation::List) - listings <= 1);
    let written = [("patch pamcredentials/status".to_owned(), 1)];
    assert_eq!(writes(&world, start).await, written.into());
    let requests = requests(&world, start).await;
    let reads = requests.iter().filter(|request| request.operation() == "get secrets");
    let read: Vec<_> = reads.map(|request| request.name.as_str()).collect();
    assert_eq!(read, ["pam-operator-installation", "vault-client"]);
}
