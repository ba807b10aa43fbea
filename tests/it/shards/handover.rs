//! A connection gets another label: its credentials go to another shard.

use serde_json::json;

use super::{LABEL, Shards, names};
use crate::{
    look::{accepted_after, set_password},
    vaults::posts,
    world::DEADLINE,
};
use kube::Api;
use pam_operator::api::{
    PamConnection,
    condition::{READY, find},
};
use testbed::wait_for;

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_connection_is_handed_over_and_nothing_is_sent_again() {
    let (shards, _other) = Shards::start(&[]).await;
    let Shards { world, first, second } = &shards;
    for name in ["a1", "a2", "a3"] {
        shards.declare(name, "vault").await;
    }
    for name in ["a1", "a3"] {
        world.ready(name).await;
    }
    let before = world.ready("a2").await;

    shards.change("vault", json!({"spec": {"suspend": true}})).await;
    world.connection_is("vault", "True", "Suspended").await;
    let (from, to) = (first.mark(world).await, second.mark(world).await);
    shards
        .change("vault", json!({"metadata": {"labels": {LABEL: "b"}}}))
        .await;
    first.uses("vault", false).await;
    second.uses("vault", true).await;
    shards.change("vault", json!({"spec": {"suspend": false}})).await;
    world.connection_is("vault", "True", "Synced").await;

    set_password(world, "a2", "canary-second").await;
    accepted_after(world, &before).await;
    for (name, count) in [("a1", 1), ("a2", 2), ("a3", 1)] {
        assert_eq!(posts(&world.pam, name).len(), count, "{name}");
    }
    assert_eq!(first.touched(world, from).await, names([]));
    assert_eq!(second.touched(world, to).await, names(["a2", "vault"]));

    // And back, while nothing is under way, without a pause: whoever loses the label stops, whoever gets it begins anew.
    let before = world.ready("a2").await;
    let to = second.mark(world).await;
    shards
        .change("vault", json!({"metadata": {"labels": {LABEL: null}}}))
        .await;
    second.uses("vault", false).await;
    set_password(world, "a2", "canary-third").await;
    accepted_after(world, &before).await;
    assert_eq!(posts(&world.pam, "a2").len(), 3);
    assert_eq!(second.touched(world, to).await, names([]));
    let api: Api<PamConnection> = world.api();
    let synced = |object: &PamConnection| {
        let ready = object
            .status
            .as_ref()
            .and_then(|status| find(&status.conditions, READY));
        ready.is_some_and(|ready| ready.status == "True" && ready.reason == "Synced")
    };
    world.expect(wait_for(&api, "vault", "Synced", DEADLINE, synced).await);
}
