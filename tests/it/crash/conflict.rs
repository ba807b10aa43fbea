//! Somebody else writes to the object while its POST is under way.

use kube::api::DeleteParams;
use pam_operator::{
    api::PamCredential,
    simulator::{Hold, Operation, Point},
};
use serde_json::json;

use crate::{
    look::{accepted_after, applied, content, mark, only, own, password, posts, requested, set_password},
    world::{DEADLINE, World, id, message},
};

/// The next POST, held before the PAM executes it.
fn hold(world: &World) -> Hold {
    world.pam.faults().hold(Operation::Post, None, Point::Before)
}

/// An object `db` whose create is held.
async fn creating(world: &World) -> Hold {
    set_password(world, "db", "canary-first").await;
    let hold = hold(world);
    world.create("db", content("db")).await;
    hold.held(DEADLINE).await.expect("the POST arrives");
    hold
}

/// A ready object `db` whose next POST, with another note, is held.
async fn updating(world: &World) -> Hold {
    set_password(world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    let hold = hold(world);
    world.change("db", json!({"additional": "first"})).await;
    hold.held(DEADLINE).await.expect("the POST arrives");
    hold
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_written_during_the_post_costs_no_second_one() {
    let world = World::start().await;
    let hold = creating(&world).await;
    world
        .patch("db", json!({"metadata": {"labels": {"team": "orders"}}}))
        .await;
    hold.release();
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).id, only(&world).id);
    assert_eq!(posts(&world).await.len(), 1);
    assert_eq!(object.metadata.labels.expect("labels")["team"], "orders");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_written_during_the_post_does_not_lose_the_result() {
    let world = World::start().await;
    let hold = creating(&world).await;
    world
        .forge(
            "db",
            json!({"id": "4711", "lastHandledReconcileAt": "never", "conditions": []}),
        )
        .await;
    hold.release();
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).id, only(&world).id);
    assert_eq!(posts(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_the_create_is_applied_after_it() {
    let world = World::start().await;
    let hold = creating(&world).await;
    world.change("db", json!({"additional": "changed meanwhile"})).await;
    hold.release();
    let object = world.ready("db").await;
    let credential = own(&world, &object);
    assert_eq!(credential.fields["additional"], "changed meanwhile");
    assert_eq!(applied(&object).generation, 2);
    assert_eq!(credential.id, only(&world).id);
    let posts = posts(&world).await;
    assert_eq!(posts.len(), 2);
    assert!(posts[1].body.get("content").is_none(), "the password did not change");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_an_update_is_applied_after_it() {
    let world = World::start().await;
    let hold = updating(&world).await;
    world.change("db", json!({"additional": "second"})).await;
    hold.release();
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).fields["additional"], "second");
    assert_eq!(applied(&object).generation, 3);
}

/// After ten seconds the operator says that it waits, and so meets the conflict before the answer is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_during_a_slow_update_is_applied_after_it() {
    let world = World::start().await;
    let hold = updating(&world).await;
    let start = mark(&world).await;
    world.change("db", json!({"additional": "second"})).await;
    requested(&world, start, "meet the conflict", |request| {
        request.operation() == "patch pamcredentials/status" && request.code == 409
    })
    .await;
    hold.release();
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).fields["additional"], "second");
    assert_eq!(applied(&object).generation, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_changed_during_the_create_is_applied_after_it() {
    let world = World::start().await;
    let hold = creating(&world).await;
    set_password(&world, "db", "canary-second").await;
    hold.release();
    let journal = world.pam.journal();
    let twice = journal.wait_for_count(Operation::Post, 2, DEADLINE).await;
    twice.expect("the new password is sent");
    posts(&world).await;
    let credential = only(&world);
    assert_eq!(password(&credential), Some("canary-second"));
    assert_eq!(own(&world, &world.ready("db").await).id, credential.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_deleted_during_its_create_sends_nothing_more() {
    let world = World::start().await;
    let hold = creating(&world).await;
    world.delete("db").await;
    world.gone("db").await;
    let start = mark(&world).await;
    hold.release();
    requested(&world, start, "try to record the result", |request| {
        request.operation() == "patch pamcredentials/status" && request.code == 404
    })
    .await;
    world.create("later", json!({})).await;
    world.ready("later").await;
    let posts = posts(&world).await;
    let usernames: Vec<_> = posts.iter().map(|post| &post.body["username"]).collect();
    assert_eq!(usernames, ["db", "later"]);
    assert_eq!(world.pam.journal().count(Operation::Delete), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_deleted_with_deactivate_during_its_create_leaves_no_active_credential() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    let hold = hold(&world);
    world.create("db", json!({"deletionPolicy": "Deactivate"})).await;
    hold.held(DEADLINE).await.expect("the POST arrives");
    world.delete("db").await;
    hold.release();
    world.gone("db").await;
    assert!(!only(&world).active);
    assert_eq!(posts(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_created_again_during_the_post_of_the_first_one_finds_its_credential() {
    let world = World::start().await;
    let hold = creating(&world).await;
    let first = world
        .api::<PamCredential>()
        .delete("db", &DeleteParams::default())
        .await;
    first.expect("the deletion is accepted");
    world.gone("db").await;
    world.create("db", json!({"additional": "the second object"})).await;
    hold.release();
    let object = world.ready("db").await;
    let credential = only(&world);
    assert_eq!(id(&object), own(&world, &object).id);
    assert_eq!(credential.fields["additional"], "the second object");
    assert_eq!(posts(&world).await.len(), 2);
    let object = world.change("db", content("db")).await;
    assert_eq!(object.metadata.generation, Some(2));
    let object = world.ready("db").await;
    assert!(!message(&object).is_empty());
    set_password(&world, "db", "canary-second").await;
    accepted_after(&world, &object).await;
    assert_eq!(password(&only(&world)), Some("canary-second"));
}
