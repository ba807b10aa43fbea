//! Two objects of one cluster for one credential: one has it, the others say whose it is.

use futures::future::join_all;
use pam_operator::api::PamCredential;
use serde_json::{Value, json};
use testbed::{create_namespace, shared};

use crate::ownership::{names, password, posts, secret, with_password};
use crate::world::{Setting, World, id, is, message};

/// Makes objects that all declare the same account, at the same time; returns the name of the one that has it.
async fn burst(world: &World, names: &[&str]) -> String {
    let create = |name| world.create(name, json!({"username": "shared", "identifier": "shared"}));
    join_all(names.iter().copied().map(create)).await;
    let settled = |object: &PamCredential| is(object, "True", None) || is(object, "False", Some("Conflict"));
    let settle = |name| world.until(name, "Ready or in Conflict", settled);
    let objects = join_all(names.iter().copied().map(settle)).await;
    let owners: Vec<_> = objects.iter().filter(|object| is(object, "True", None)).collect();
    let [owner] = owners.as_slice() else {
        panic!("one object has it: {owners:?}")
    };
    let owner = owner.metadata.name.clone().expect("objects have names");
    // Who lost to one that lost itself later says so first, and then whose it is.
    let rival = format!("{}/{owner}", world.namespace);
    for name in names.iter().filter(|name| **name != owner) {
        let knows = |object: &PamCredential| is(object, "False", Some("Conflict")) && message(object).contains(&rival);
        world.until(name, "in Conflict with the owner", knows).await;
    }
    owner
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_burst_one_object_has_the_credential() {
    let world = World::start().await;
    burst(&world, &["a", "b", "c", "d", "e"]).await;
    assert_eq!((posts(&world.pam), world.pam.credentials().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_and_accounts_in_other_letters_are_the_same_credential() {
    let world = World::start().await;
    world.create("a", json!({"identifier": "orders-db"})).await;
    world.ready("a").await;
    world.create("b", json!({"identifier": "ORDERS-DB"})).await;
    world.fails("b", "Conflict").await;
    world.create("c", json!({"username": "A"})).await;
    world.fails("c", "Conflict").await;
    assert_eq!(posts(&world.pam), 1);
}

/// Moves into another namespace, with a connection of its own to the same PAM.
async fn settle_in(world: &mut World, namespace: String) {
    world.namespace = namespace;
    world.furnish().await;
    world.connection("vault", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_namespaces_and_other_connections_are_the_same_cluster() {
    let admin = shared().await.admin().await.expect("an administrator");
    let second = create_namespace(&admin, "it").await.expect("a namespace");
    let mut world = World::with(Setting {
        args: vec!["--watch-namespaces".to_owned(), second.clone()],
        ..Setting::default()
    })
    .await;
    let first = world.namespace.clone();
    world.create("db", json!({})).await;
    let owner = id(&world.ready("db").await);
    settle_in(&mut world, second).await;
    world.create("db", json!({})).await;
    let loser = world.fails("db", "Conflict").await;
    assert!(message(&loser).contains(&format!("{first}/db")), "{}", message(&loser));
    assert_eq!((posts(&world.pam), world.pam.credentials().len()), (1, 1));
    world.change("db", json!({"username": "other"})).await;
    assert_ne!(
        id(&world.ready("db").await),
        owner,
        "with another account both have theirs"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_keeps_the_credential_although_another_object_is_older() {
    let mut world = World::start().await;
    world
        .create("a-older", json!({"username": "shared", "suspend": true}))
        .await;
    world.fails("a-older", "Suspended").await;
    world.create("b-owner", json!({"username": "shared"})).await;
    let owner = world.ready("b-owner").await;
    world.change("a-older", json!({"suspend": null})).await;
    world.fails("a-older", "Conflict").await;

    world.stop().await;
    world.run().await;
    world.change("b-owner", json!({"tags": ["still"]})).await;
    assert_eq!(id(&world.ready("b-owner").await), id(&owner));
    world.change("a-older", json!({"tags": ["waiting"]})).await;
    world.fails("a-older", "Conflict").await;
    assert_eq!(world.pam.credentials().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_into_what_another_object_has_is_a_conflict() {
    let world = World::start().await;
    world.create("a", json!({})).await;
    world.create("b", json!({})).await;
    world.ready("a").await;
    let own = id(&world.ready("b").await);
    world.change("b", json!({"username": "a"})).await;
    world.fails("b", "Conflict").await;
    assert_eq!(world.pam.credential(own).expect("it is b's").username, "b");
    assert_eq!(posts(&world.pam), 2);
}

/// Deletes the owner, which retains its credential, and says what becomes of the object that waited for it.
async fn survivor(change: Value) -> (World, u64, PamCredential) {
    let world = World::start().await;
    secret(&world).await;
    world.create("a", json!({"username": "shared"})).await;
    let owned = id(&world.ready("a").await);
    let mut spec = with_password(&json!({"username": "shared"}));
    let fields = spec.as_object_mut().expect("an object");
    fields.extend(change.as_object().expect("an object").clone());
    world.create("b", spec).await;
    world.fails("b", "Conflict").await;
    world.delete("a").await;
    world.gone("a").await;
    let object = world
        .until("b", "out of the conflict", |object| {
            is(object, "True", None) || is(object, "False", Some("AlreadyExists"))
        })
        .await;
    (world, owned, object)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_survivor_finds_what_the_owner_left_behind() {
    let (world, owned, object) = survivor(json!({})).await;
    assert!(is(&object, "False", Some("AlreadyExists")), "{}", message(&object));
    names(&object, owned);
    assert_eq!(posts(&world.pam), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_survivor_adopts_what_the_owner_left_behind() {
    let (world, owned, object) = survivor(json!({"adoptionPolicy": "Adopt"})).await;
    assert!(is(&object, "True", None), "{}", message(&object));
    assert_eq!(id(&object), owned);
    let credential = world.pam.credential(owned).expect("the owner retained it");
    assert_eq!(password(&credential), Some("our-password"));
    assert_eq!((posts(&world.pam), world.pam.credentials().len()), (2, 1));
}
