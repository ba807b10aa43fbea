//! adoptionPolicy Adopt: one credential may be taken over, if the author of the object says so.

use pam_operator::simulator::{NewCredential, Operation};
use serde_json::json;

use crate::ownership::{DEVICE, Foreign, foreign, password, posts, secret, with_password};
use crate::world::{World, id, message};

#[tokio::test(flavor = "multi_thread")]
async fn adoption_takes_the_credential_over_and_keeps_its_identifier() {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "db");
    secret(&world).await;
    world
        .create("db", with_password(&json!({"adoptionPolicy": "Adopt"})))
        .await;
    let object = world.ready("db").await;
    assert_eq!(id(&object), foreign.id);
    assert_eq!(
        object.status.and_then(|status| status.identifier).as_deref(),
        Some("theirs")
    );
    let credential = world.pam.credential(foreign.id).expect("it was there");
    assert_eq!(credential.identifier.as_deref(), Some("theirs"));
    assert_eq!(password(&credential), Some("our-password"));
    assert_eq!((posts(&world.pam), world.pam.credentials().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_credential_gets_the_identifier_that_the_spec_names() {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "db");
    let spec = json!({"adoptionPolicy": "Adopt", "identifier": "orders-db"});
    world.create("db", spec).await;
    assert_eq!(id(&world.ready("db").await), foreign.id);
    let credential = world.pam.credential(foreign.id).expect("it was there");
    assert_eq!(credential.identifier.as_deref(), Some("orders-db"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_without_identifier_gets_the_generated_one() {
    let world = World::start().await;
    let foreign = Foreign::add(&world.pam, NewCredential::new(DEVICE.0, DEVICE.1, "db"));
    world.create("db", json!({"adoptionPolicy": "Adopt"})).await;
    let object = world.ready("db").await;
    let credential = world.pam.credential(foreign.id).expect("it was there");
    let identifier = credential.identifier.expect("every object sends one");
    assert!(
        identifier.starts_with(&format!("{}_db_", world.namespace)),
        "{identifier}"
    );
    assert_eq!(object.status.and_then(|status| status.identifier), Some(identifier));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_object_may_adopt_when_its_author_changes_his_mind() {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "db");
    world.create("db", json!({})).await;
    world.fails("db", "AlreadyExists").await;
    world.change("db", json!({"adoptionPolicy": "Adopt"})).await;
    assert_eq!(id(&world.ready("db").await), foreign.id);
}

/// An administrator renamed the account of an object's credential, and another object declares the new name.
#[tokio::test(flavor = "multi_thread")]
async fn the_credential_of_another_object_is_not_adopted_under_whatever_name() {
    let world = World::start().await;
    world.create("first", json!({})).await;
    let first = id(&world.ready("first").await);
    world
        .pam
        .edit(first, |credential| credential.username = "second".to_owned());
    world.create("second", json!({"adoptionPolicy": "Adopt"})).await;
    let second = world.fails("second", "Conflict").await;
    assert!(
        message(&second).contains(&format!("{}/first", world.namespace)),
        "{}",
        message(&second)
    );
    assert_eq!(posts(&world.pam), 1);
    world.delete("first").await;
    world.gone("first").await;
    assert_eq!(id(&world.ready("second").await), first);
}

/// Adoption needs the account or the identifier: an id in status is nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_neither_the_identifier_nor_the_account_is_not_adopted() {
    let world = World::start().await;
    let theirs = Foreign::add(&world.pam, foreign("theirs", "somebody"));
    world.create("db", json!({"adoptionPolicy": "Adopt"})).await;
    assert_ne!(id(&world.ready("db").await), theirs.id);
    theirs.is_untouched(&world.pam);
    assert_eq!(world.pam.journal().count(Operation::Put), 0);
}
