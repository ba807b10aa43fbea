//! Objects that lost their status: a restored cluster, or an object that was deleted and made again.

use serde_json::json;

use crate::ownership::{everything, password, posts, secret, with_password};
use crate::world::{World, id, message};

const LEFT: &str = "password was left as it is";

#[tokio::test(flavor = "multi_thread")]
async fn an_object_made_again_finds_its_credential_and_leaves_the_password() {
    let world = World::start().await;
    secret(&world).await;
    world.create("db", with_password(&json!({}))).await;
    let first = id(&world.ready("db").await);
    // Meanwhile the PAM rotates the password.
    world
        .pam
        .edit(first, |credential| credential.content = Some("rotated".into()));
    let before = everything(&world.pam, first);
    world.delete("db").await;
    world.gone("db").await;

    world.create("db", with_password(&json!({}))).await;
    let object = world.ready("db").await;
    assert_eq!(id(&object), first);
    assert!(message(&object).contains(LEFT), "{}", message(&object));
    assert_eq!(everything(&world.pam, first), before);
    assert_eq!((posts(&world.pam), world.pam.credentials().len()), (2, 1));

    world
        .patch(
            "db",
            json!({"metadata": {"annotations": {"pam-operator.dev/reconcile-requested-at": "now"}}}),
        )
        .await;
    let sent = world
        .until("db", "in sync with its password", |object| {
            !message(object).contains(LEFT)
        })
        .await;
    assert_eq!(id(&sent), first);
    let credential = world.pam.credential(first).expect("it is ours");
    assert_eq!(password(&credential), Some("our-password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_restored_without_status_finds_its_credential_and_leaves_the_password() {
    let world = World::start().await;
    secret(&world).await;
    world.create("db", with_password(&json!({}))).await;
    let first = id(&world.ready("db").await);
    let before = everything(&world.pam, first);
    let nothing = json!({"id": null, "identifier": null, "claim": null, "applied": null, "conditions": null});
    world.forge("db", nothing).await;
    let object = world
        .until("db", "found again", |object| message(object).contains(LEFT))
        .await;
    assert_eq!(id(&object), first);
    assert_eq!(everything(&world.pam, first), before);

    world.secret("ours", json!({"password": "next-password"})).await;
    world
        .until("db", "in sync with its password", |object| {
            message(object).contains("is in sync") && !message(object).contains(LEFT)
        })
        .await;
    let credential = world.pam.credential(first).expect("it is ours");
    assert_eq!(credential.content_writes, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_identifier_proves_nothing_after_the_status_is_lost() {
    let world = World::start().await;
    world.create("db", json!({"identifier": "orders-db"})).await;
    let first = id(&world.ready("db").await);
    world.delete("db").await;
    world.gone("db").await;
    world.create("db", json!({"identifier": "orders-db"})).await;
    world.fails("db", "AlreadyExists").await;
    world.change("db", json!({"adoptionPolicy": "Adopt"})).await;
    assert_eq!(id(&world.ready("db").await), first);
}
