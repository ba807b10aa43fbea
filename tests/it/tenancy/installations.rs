//! Two installations see the same ClusterPamConnection, and only one of them has its Secret.

use std::time::{Duration, Instant};

use kube::Api;
use pam_operator::api::ClusterPamConnection;
use serde_json::json;
use testbed::{Mark, Operator, create_namespace, rbac, wait_for};

use crate::{
    look::within_deadline,
    world::{DEADLINE, Setting, World},
};

/// How often a user wrote the status of a ClusterPamConnection since then.
async fn said(world: &World, mark: Mark, user: &str) -> usize {
    let writes = world.plane.audit().writes(mark, user).await.expect("the audit log");
    writes
        .get("patch clusterpamconnections/status")
        .copied()
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_says_what_it_finds_after_pauses_that_grow() {
    let world = World::with(Setting {
        own_plane: true,
        ..Setting::default()
    })
    .await;
    let namespace = create_namespace(&world.client, "another").await.expect("a namespace");
    let another = format!("{}-another", world.user);
    rbac::bind_operator(&world.client, &another, &namespace)
        .await
        .expect("the operator's rights");
    let mark = world.plane.audit().mark(&another).await.expect("the audit log");
    let mut config = world.config(&another);
    for argument in &mut config.args {
        if *argument == *world.namespace {
            *argument = namespace.clone().into();
        }
    }
    let operator = Operator::start(&config).await.expect("it becomes ready");

    let began = Instant::now();
    world.cluster_connection("shared", json!({})).await;
    within_deadline("say the same three times each", async || {
        said(&world, mark, &world.user).await >= 3 && said(&world, mark, &another).await >= 3
    })
    .await;
    // Two pauses of 2 s and 4 s, a fifth less at most.
    assert!(began.elapsed() > Duration::from_millis(4_800), "{:?}", began.elapsed());
    for user in [&world.user, &another] {
        let times = said(&world, mark, user).await;
        assert!(times <= 5, "{user} wrote {times} times");
    }

    // Whoever is alone again has the last word.
    operator.stop().await.expect("it ends well");
    let connections: Api<ClusterPamConnection> = Api::all(world.client.clone());
    let ready = wait_for(&connections, "shared", "Ready", DEADLINE, |connection| {
        let status = connection.status.as_ref();
        status.is_some_and(|status| status.conditions.iter().any(|condition| condition.status == "True"))
    });
    ready.await.expect("it is Ready");
}
