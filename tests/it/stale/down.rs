//! What happens while the operator is down.

use serde_json::json;

use crate::{
    look::{accepted_after, applied, content, mark, only, own, password, posts, requests, set_password},
    stale::{delete_secret, looked_around, tapped},
    world::{id, message},
};

/// A namespace and a name are an identity: the new object has what the old one had, and leaves the password alone.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_deleted_and_created_anew() {
    let mut world = tapped().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let first = world.ready("db").await;
    world.stop().await;
    world.delete("db").await;
    world.gone("db").await;
    set_password(&world, "db", "canary-second").await;
    let mut spec = content("db");
    spec["additional"] = json!("of the second object");
    world.create("db", spec).await;
    world.run().await;
    let second = world.ready("db").await;
    assert_ne!(first.metadata.uid, second.metadata.uid);
    assert_eq!((id(&second), own(&world, &second).id), (id(&first), only(&world).id));
    assert_eq!(only(&world).fields["additional"], "of the second object");
    assert_eq!(password(&only(&world)), Some("canary-first"));
    assert!(message(&second).contains("password"), "{}", message(&second));
    assert_eq!(posts(&world).await.len(), 2);
}

/// Somebody's own identifier is no proof: what the first object left behind is somebody else's to the second.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_with_an_identifier_of_its_own_is_deleted_and_created_anew() {
    let mut world = tapped().await;
    let spec = json!({"identifier": "orders-db"});
    world.create("db", spec.clone()).await;
    world.ready("db").await;
    world.stop().await;
    world.delete("db").await;
    world.gone("db").await;
    world.create("db", spec).await;
    world.run().await;
    world.fails("db", "AlreadyExists").await;
    looked_around(&world).await;
    assert_eq!(posts(&world).await.len(), 1);
    world.change("db", json!({"adoptionPolicy": "Adopt"})).await;
    let object = world.ready("db").await;
    assert_eq!(id(&object), only(&world).id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_replaced() {
    let mut world = tapped().await;
    for name in ["other", "same"] {
        set_password(&world, name, "canary-first").await;
        world.create(name, content(name)).await;
    }
    let other = world.ready("other").await;
    let same = world.ready("same").await;
    world.stop().await;
    for (name, value) in [("other", "canary-second"), ("same", "canary-first")] {
        delete_secret(&world, name).await;
        set_password(&world, name, value).await;
    }
    let start = mark(&world).await;
    world.run().await;
    let changed = accepted_after(&world, &other).await;
    assert_eq!(password(&own(&world, &changed)), Some("canary-second"));
    looked_around(&world).await;
    assert_eq!(posts(&world).await.len(), 3, "the same value is not sent again");
    assert_eq!(applied(&world.ready("same").await), applied(&same));
    let patches = requests(&world, start).await;
    let patches = patches
        .iter()
        .filter(|request| request.operation() == "patch pamcredentials/status");
    assert_eq!(patches.count(), 1);
}
