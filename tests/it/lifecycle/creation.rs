//! A new object, and changes of it that leave the credential the same one.

use pam_operator::api::ConnectionKind;
use serde_json::json;

use crate::{
    look::{applied, claim, content, only, own, password, posts, set_password},
    world::{World, message},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_becomes_a_credential_with_its_password() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let object = world.ready("db").await;
    let credential = own(&world, &object);
    assert_eq!(credential.id, only(&world).id);
    assert_eq!(
        (
            credential.username.as_str(),
            credential.hostname.as_str(),
            credential.ip.as_str()
        ),
        ("db", "db.example.com", "10.0.0.1")
    );
    assert_eq!(password(&credential), Some("canary-first"));
    assert_eq!(message(&object), format!("Credential {} is in sync", credential.id));

    let status = object.status.as_ref().expect("a status");
    let connection = status.connection.as_ref().expect("the connection that was used");
    assert_eq!(
        (connection.kind, connection.name.as_str()),
        (ConnectionKind::PamConnection, "vault")
    );
    let applied = applied(&object);
    assert_eq!(applied.generation, 1);
    assert!(applied.content.is_some());
    let [secret] = applied.secrets.as_slice() else {
        panic!("one Secret was used: {:?}", applied.secrets);
    };
    assert_eq!((secret.name.as_str(), secret.key.as_str()), ("db", "password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_without_password_leaves_content_out() {
    let world = World::start().await;
    world.create("db", json!({})).await;
    let object = world.ready("db").await;
    assert_eq!(password(&own(&world, &object)), None);
    assert!(posts(&world).await[0].body.get("content").is_none());
    assert_eq!(applied(&object).content, None);
    assert!(applied(&object).secrets.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_identifier_names_the_object_and_cannot_be_guessed() {
    let world = World::start().await;
    world.create("orders.db", json!({})).await;
    let object = world.ready("orders.db").await;
    let identifier = &claim(&object).identifier;
    let (readable, tag) = identifier.rsplit_once('_').expect("a tag");
    assert_eq!(readable, format!("{}_orders-db", world.namespace));
    assert_eq!(tag.len(), 12);
    let base32 = |letter: char| letter.is_ascii_lowercase() || ('2'..='7').contains(&letter);
    assert!(tag.chars().all(base32), "{tag}");
    assert_eq!(own(&world, &object).identifier.as_ref(), Some(identifier));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_in_the_spec_is_sent_as_it_is() {
    let world = World::start().await;
    world.create("db", json!({"identifier": "Orders DB (main)"})).await;
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).identifier.as_deref(), Some("Orders DB (main)"));
    assert_eq!(
        object.status.expect("a status").identifier.as_deref(),
        Some("Orders DB (main)")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_field_is_sent_without_the_password() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let before = own(&world, &world.ready("db").await);
    world
        .change("db", json!({"additional": "orders", "tags": ["a", "b"]}))
        .await;
    let object = world.ready("db").await;
    let after = own(&world, &object);
    assert_eq!(after.id, before.id);
    assert_eq!(
        (&after.fields["additional"], &after.fields["tags"]),
        (&json!("orders"), &json!("a, b"))
    );
    assert_eq!(after.content_writes, before.content_writes);
    let posts = posts(&world).await;
    assert_eq!(posts.len(), 2);
    assert!(posts[1].body.get("content").is_none());
    assert!(
        applied(&object).content.is_some(),
        "the password is still known as accepted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_field_is_not_sent_and_the_pam_keeps_it() {
    let world = World::start().await;
    world
        .create("db", json!({"additional": "orders", "domain": null}))
        .await;
    world.ready("db").await;
    world.change("db", json!({"additional": null})).await;
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).fields["additional"], "orders");
    assert!(posts(&world).await[1].body.get("additional").is_none());
}
