//! A credential that the PAM has already is not taken over: nothing is sent at all.

use pam_operator::simulator::{Client, Data, Matching, NewCredential, Operation, Switches};
use serde_json::{Value, json};

use crate::ownership::{DEVICE, Foreign, names, posts, secret, with_password};
use crate::world::{CLIENT, CLIENT_SECRET, Setting, World, data};

/// Creates an object that wants what somebody else has, and sees it refused.
async fn refused(world: &World, theirs: [&str; 2], ours: Value) {
    let [identifier, username] = theirs;
    let foreign = Foreign::register(&world.pam, identifier, username);
    secret(world).await;
    world.create("db", with_password(&ours)).await;
    let object = world.fails("db", "AlreadyExists").await;
    names(&object, foreign.id);
    assert_eq!(posts(&world.pam), 0);
    foreign.is_untouched(&world.pam);
    let status = object.status.expect("it was just read");
    assert_eq!((status.claim, status.id), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_identifier() {
    let world = World::start().await;
    refused(&world, ["orders-db", "somebody"], json!({"identifier": "orders-db"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_account() {
    let world = World::start().await;
    refused(&world, ["theirs", "db"], json!({"identifier": "orders-db"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_account_although_the_identifier_is_generated() {
    let world = World::start().await;
    refused(&world, ["theirs", "db"], json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_both() {
    let world = World::start().await;
    refused(&world, ["orders-db", "db"], json!({"identifier": "orders-db"})).await;
}

/// The PAM may compare loosely, and then these are the same.
fn loose() -> Setting {
    let switches = Switches {
        matching: Some(Matching::Loose),
        ..Switches::default()
    };
    Setting {
        data: Data { switches, ..data() },
        ..Setting::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_identifier_in_other_letters() {
    let world = World::with(loose()).await;
    refused(&world, ["Orders-DB ", "somebody"], json!({"identifier": "orders-db"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_account_in_other_letters() {
    let world = World::with(loose()).await;
    refused(&world, ["theirs", " DB"], json!({"hostname": "DB.Example.COM"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identifier_of_one_and_account_of_another_are_refused_even_with_adoption() {
    let world = World::start().await;
    let other = Foreign::register(&world.pam, "other", "db");
    refused(
        &world,
        ["orders-db", "somebody"],
        json!({"identifier": "orders-db", "adoptionPolicy": "Adopt"}),
    )
    .await;
    other.is_untouched(&world.pam);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_waits_until_its_place_is_free() {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "db");
    world.create("db", json!({})).await;
    world.fails("db", "AlreadyExists").await;
    world.pam.remove(foreign.id);
    world
        .patch(
            "db",
            json!({"metadata": {"annotations": {"pam-operator.dev/reconcile-requested-at": "now"}}}),
        )
        .await;
    world.ready("db").await;
    assert_eq!(posts(&world.pam), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_object_goes_and_leaves_the_credential_active() {
    let world = World::start().await;
    refused(
        &world,
        ["orders-db", "db"],
        json!({"identifier": "orders-db", "deletionPolicy": "Deactivate"}),
    )
    .await;
    world.delete("db").await;
    world.gone("db").await;
    assert_eq!(world.pam.journal().count(Operation::Delete), 0);
    assert!(world.pam.find("orders-db").expect("it is theirs").active);
}

/// The PAM refused the create after the finalizer was placed; then somebody else took the place.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_the_pam_refused_goes_and_leaves_what_came_after() {
    let world = World::with(Setting {
        data: Data {
            clients: vec![Client::new(CLIENT, CLIENT_SECRET)],
            ..Data::default()
        },
        ..Setting::default()
    })
    .await;
    let spec = json!({"identifier": "orders-db", "deletionPolicy": "Deactivate"});
    world.create("db", spec).await;
    let object = world.fails("db", "DeviceNotFound").await;
    assert!(
        object
            .metadata
            .finalizers
            .is_some_and(|finalizers| !finalizers.is_empty())
    );
    assert_eq!(object.status.expect("it was just read").claim, None);
    let later = Foreign::add(
        &world.pam,
        NewCredential {
            identifier: Some("orders-db".to_owned()),
            ..NewCredential::new(DEVICE.0, DEVICE.1, "db")
        },
    );
    world.delete("db").await;
    world.gone("db").await;
    later.is_untouched(&world.pam);
    assert_eq!(world.pam.journal().count(Operation::Delete), 0);
}
