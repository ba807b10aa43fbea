//! When the password is sent, and when it is left alone.

use k8s_openapi::api::core::v1::Secret;
use kube::api::DeleteParams;
use pam_operator::api::RECONCILE_REQUESTED_AT;
use serde_json::json;
use testbed::wait_until_gone;

use crate::{
    look::{accepted_after, applied, content, only, own, password, posts, set_password},
    world::{DEADLINE, World, message},
};

async fn delete_secret(world: &World, name: &str) {
    let secrets = world.api::<Secret>();
    secrets
        .delete(name, &DeleteParams::default())
        .await
        .expect("the deletion is accepted");
    wait_until_gone(&secrets, name, DEADLINE).await.expect("it goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_secret_reaches_the_pam() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let before = world.ready("db").await;
    set_password(&world, "db", "canary-second").await;
    let after = accepted_after(&world, &before).await;
    let credential = own(&world, &after);
    assert_eq!(password(&credential), Some("canary-second"));
    assert_eq!(credential.content_writes, 2);
    assert_ne!(applied(&after).content, applied(&before).content);
    assert_eq!(applied(&after).body, applied(&before).body);
    assert_eq!(posts(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_waits_for_its_secret_and_continues_by_itself() {
    let world = World::start().await;
    world.create("db", content("db")).await;
    let object = world.fails("db", "SecretNotFound").await;
    assert!(
        message(&object).contains("Secret db does not exist"),
        "{}",
        message(&object)
    );
    world.secret("db", json!({"passwort": "canary-first"})).await;
    let object = world.fails("db", "SecretKeyNotFound").await;
    assert!(
        message(&object).contains("Key password of Secret db is missing"),
        "{}",
        message(&object)
    );
    set_password(&world, "db", "").await;
    let empty = |message: &str| message.contains("Key password of Secret db is empty or not UTF-8");
    world
        .until("db", "told of the empty value", |object| empty(message(object)))
        .await;
    assert!(posts(&world).await.is_empty());
    set_password(&world, "db", "canary-first").await;
    world.ready("db").await;
    assert_eq!(password(&only(&world)), Some("canary-first"));
}

/// A Secret that vanishes has nothing to send: what the PAM accepted still holds. A spec change needs it again, because
/// only its value tells whether the password changed with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_vanishes_stops_only_changes() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    delete_secret(&world, "db").await;
    world.change("db", json!({"additional": "orders"})).await;
    world.fails("db", "SecretNotFound").await;
    assert_eq!(posts(&world).await.len(), 1);
    set_password(&world, "db", "canary-first").await;
    let object = world.ready("db").await;
    let credential = own(&world, &object);
    assert_eq!(credential.fields["additional"], "orders");
    assert_eq!(credential.content_writes, 1, "the same password was not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn create_only_needs_the_secret_for_the_create_only() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    let mut spec = content("db");
    spec["passwordPolicy"] = json!("CreateOnly");
    world.create("db", spec).await;
    world.ready("db").await;
    set_password(&world, "db", "canary-second").await;
    delete_secret(&world, "db").await;
    world.change("db", json!({"additional": "orders"})).await;
    let object = world.ready("db").await;
    let credential = own(&world, &object);
    assert_eq!(credential.fields["additional"], "orders");
    assert_eq!(password(&credential), Some("canary-first"));
    assert_eq!(credential.content_writes, 1);
}

/// Nobody knows whether the password in the PAM is still the Secret's, so a person decides.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_created_again_leaves_the_password_until_it_is_asked_to_send_it() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let first = own(&world, &world.ready("db").await);
    world.delete("db").await;
    world.gone("db").await;
    set_password(&world, "db", "canary-second").await;
    world.create("db", content("db")).await;
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).id, first.id);
    assert_eq!(password(&only(&world)), Some("canary-first"));
    assert_eq!(applied(&object).content, None);
    assert!(
        message(&object).ends_with("its password was left as it is"),
        "{}",
        message(&object)
    );

    let request = json!({"metadata": {"annotations": {RECONCILE_REQUESTED_AT: "now"}}});
    world.patch("db", request).await;
    let object = accepted_after(&world, &object).await;
    assert_eq!(password(&only(&world)), Some("canary-second"));
    assert!(message(&object).ends_with("is in sync"), "{}", message(&object));
}
