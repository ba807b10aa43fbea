//! Changes of who the credential is: it stays the same one, by its id.

use serde_json::{Value, json};

use crate::{
    look::{applied, only, own, posts},
    world::{World, id},
};

/// A ready object `db` with an identifier of its own.
async fn named(identifier: &str) -> World {
    let world = World::start().await;
    world.create("db", json!({"identifier": identifier})).await;
    world.ready("db").await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn another_identifier_renames_the_credential() {
    let world = named("orders-db").await;
    let before = only(&world);
    world.change("db", json!({"identifier": "orders-db-2"})).await;
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).identifier.as_deref(), Some("orders-db-2"));
    assert_eq!(only(&world).id, before.id);
    assert_eq!(posts(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_taken_out_of_the_spec_stays() {
    let world = named("orders-db").await;
    world.change("db", json!({"identifier": null})).await;
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).identifier.as_deref(), Some("orders-db"));
    assert_eq!(posts(&world).await.len(), 1, "nothing has to be sent for that");
    world.change("db", json!({"additional": "orders"})).await;
    world.ready("db").await;
    assert_eq!(only(&world).identifier.as_deref(), Some("orders-db"));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_device_or_account_moves_the_credential() {
    let world = named("orders-db").await;
    let before = only(&world);
    let moves = [
        json!({"ip": "10.0.0.2"}),
        json!({"hostname": "db2.example.com"}),
        json!({"username": "orders"}),
        json!({"ip": "10.0.0.3", "hostname": "db3.example.com", "username": "app"}),
    ];
    for change in moves {
        let object = world.change("db", change.clone()).await;
        let generation = object.metadata.generation.expect("a generation");
        let object = world.ready("db").await;
        let credential = own(&world, &object);
        for (field, value) in change.as_object().expect("a mapping") {
            let sent = match field.as_str() {
                "ip" => &credential.ip,
                "hostname" => &credential.hostname,
                _ => &credential.username,
            };
            assert_eq!(json!(sent), *value);
        }
        assert_eq!((only(&world).id, applied(&object).generation), (before.id, generation));
    }
    assert_eq!(posts(&world).await.len(), 5);
}

/// The PAM would take one POST with another identifier and another triple for a new credential. Whoever changes both
/// while nobody looks gets two POSTs, the move under the old name first.
#[tokio::test(flavor = "multi_thread")]
async fn another_identifier_and_another_device_at_once_take_two_posts() {
    let mut world = named("orders-db").await;
    let before = only(&world);
    world.stop().await;
    world.change("db", json!({"identifier": "orders-db-2"})).await;
    world.change("db", json!({"ip": "10.0.0.2"})).await;
    world.run().await;
    let object = world.ready("db").await;
    let credential = own(&world, &object);
    assert_eq!(
        (credential.identifier.as_deref(), credential.ip.as_str()),
        (Some("orders-db-2"), "10.0.0.2")
    );
    assert_eq!((only(&world).id, id(&object)), (before.id, before.id));
    let sent: Vec<_> = posts(&world).await[1..]
        .iter()
        .map(|post| identity(&post.body))
        .collect();
    assert_eq!(
        sent,
        [
            ("orders-db".to_owned(), "10.0.0.2".to_owned()),
            ("orders-db-2".to_owned(), "10.0.0.2".to_owned())
        ]
    );
}

fn identity(body: &Value) -> (String, String) {
    let text = |field: &str| body[field].as_str().expect("a text").to_owned();
    (text("identifier"), text("ip"))
}
