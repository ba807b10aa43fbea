//! `suspend`, on an object and on its connection: nothing is sent, nothing is forgotten.

use kube::api::{Patch, PatchParams};
use pam_operator::{
    api::{
        PamConnection, PamCredential,
        condition::{READY, RECONCILING, STALLED, find},
    },
    simulator::Operation,
};
use serde_json::{Value, json};

use crate::{
    errors::conditions,
    vaults::posts,
    world::{World, id, is},
};

/// Ready is this because of the suspension, and nobody is asked to act.
fn assert_suspended(object: &PamCredential, ready: &str) {
    let conditions = conditions(object);
    let condition = find(conditions, READY).expect("Ready is always there");
    assert_eq!(
        (condition.status.as_str(), condition.reason.as_str()),
        (ready, "Suspended")
    );
    assert!(
        find(conditions, STALLED).is_none() && find(conditions, RECONCILING).is_none(),
        "{conditions:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_object_waits_with_what_it_has_to_send() {
    let world = World::start().await;
    world.secret("old", json!({"password": "canary-first"})).await;
    world
        .create("old", json!({"contentSecretRef": {"name": "old", "key": "password"}}))
        .await;
    world.create("new", json!({"suspend": true})).await;
    assert_suspended(&world.fails("new", "Suspended").await, "False");
    world.ready("old").await;

    world.change("old", json!({"suspend": true})).await;
    let quiet = world
        .until("old", "Ready but suspended", |object| {
            is(object, "True", Some("Suspended"))
        })
        .await;
    assert_suspended(&quiet, "True");
    world.secret("old", json!({"password": "canary-second"})).await;
    assert_suspended(&world.fails("old", "Suspended").await, "False");
    world.change("old", json!({"additional": "more"})).await;
    assert_suspended(&world.fails("old", "Suspended").await, "False");
    assert_eq!(posts(&world.pam, "old").len(), 1);
    assert_eq!(posts(&world.pam, "new").len(), 0);

    for name in ["old", "new"] {
        world.change(name, json!({"suspend": false})).await;
        world.ready(name).await;
    }
    let sent = posts(&world.pam, "old");
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0].body["content"], sent[1].body["content"]);
    assert_eq!(sent[1].body["additional"], "more");
    assert_eq!(posts(&world.pam, "new").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_object_can_still_be_deleted() {
    let world = World::start().await;
    world.create("db", json!({"deletionPolicy": "Deactivate"})).await;
    let object = world.ready("db").await;
    world.change("db", json!({"suspend": true})).await;
    world
        .until("db", "Ready but suspended", |object| {
            is(object, "True", Some("Suspended"))
        })
        .await;
    world.delete("db").await;
    world.gone("db").await;
    assert!(!world.pam.credential(id(&object)).expect("nothing is removed").active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_connection_makes_no_calls_but_for_deletions() {
    let world = World::start().await;
    world.create("quiet", json!({})).await;
    world.create("changed", json!({})).await;
    world.create("deleted", json!({"deletionPolicy": "Deactivate"})).await;
    let quiet = world.ready("quiet").await;
    world.ready("changed").await;
    let deleted = world.ready("deleted").await;

    suspend(&world, true).await;
    world.connection_is("vault", "True", "Suspended").await;
    world.pam.journal().clear();
    world.change("changed", json!({"additional": "more"})).await;
    world.create("new", json!({})).await;
    assert_suspended(&world.fails("changed", "Suspended").await, "False");
    assert_suspended(&world.fails("new", "Suspended").await, "False");
    assert_eq!(world.ready("quiet").await.status, quiet.status);
    let calls = world.pam.journal().entries();
    assert!(calls.is_empty(), "{calls:?}");

    world.delete("deleted").await;
    world.gone("deleted").await;
    assert!(!world.pam.credential(id(&deleted)).expect("nothing is removed").active);
    assert_eq!(world.pam.journal().count(Operation::Post), 0);

    suspend(&world, false).await;
    world.ready("changed").await;
    world.ready("new").await;
    world.connection_is("vault", "True", "Synced").await;
    assert_eq!(world.ready("quiet").await.status, quiet.status);
}

async fn suspend(world: &World, suspended: bool) {
    let spec: Value = json!({"spec": {"suspend": suspended}});
    let connections = world.api::<PamConnection>();
    let changed = connections
        .patch("vault", &PatchParams::default(), &Patch::Merge(spec))
        .await;
    changed.expect("the change is accepted");
}
