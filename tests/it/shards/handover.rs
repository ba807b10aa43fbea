//! A connection gets another label: its credentials go to another shard.

use pam_operator::simulator::{Operation, Point};
use serde_json::json;

use super::{LABEL, Shards, names};
use crate::{
    look::{accepted_after, applied, set_password, within_deadline},
    vaults::posts,
};

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
    world.connection_is("vault", "True", "Synced").await;
}

/// An administrator who does not wait: the former shard has an answer to come, and the object is newer than what was sent.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_the_former_shard_is_recorded_and_nothing_else_is_said_by_it() {
    let (shards, _other) = Shards::start(&[]).await;
    let Shards { world, first, second } = &shards;
    shards.declare("a1", "vault").await;
    let before = world.ready("a1").await;
    let mark = first.mark(world).await;
    let hold = world.pam.faults().hold(Operation::Post, None, Point::After);
    set_password(world, "a1", "canary-second").await;
    within_deadline("send", async || posts(&world.pam, "a1").len() == 2).await;

    shards.change("vault", json!({"spec": {"suspend": true}})).await;
    shards
        .change("vault", json!({"metadata": {"labels": {LABEL: "b"}}}))
        .await;
    first.uses("vault", false).await;
    second.uses("vault", true).await;
    world.change("a1", json!({"additional": "newer"})).await;
    world.fails("a1", "Suspended").await;
    hold.release();
    world
        .until("a1", "recorded", |object| {
            applied(object).content != applied(&before).content
        })
        .await;
    shards.change("vault", json!({"spec": {"suspend": false}})).await;
    world.ready("a1").await;

    let sent = posts(&world.pam, "a1");
    let bodies: Vec<_> = sent
        .iter()
        .map(|post| (&post.body["content"], &post.body["additional"]))
        .collect();
    assert_eq!(bodies.len(), 3, "{bodies:?}");
    assert!(bodies[2].0.is_null(), "no password is sent again: {bodies:?}");
    assert_eq!(bodies[2].1, "newer");
    let said = first.writes(world, mark).await;
    let said: Vec<_> = said
        .iter()
        .filter(|request| request.name == "a1" && request.succeeded())
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
}
