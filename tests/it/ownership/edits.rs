//! Edits of an object that has its credential: they change that one, or nothing.

use serde_json::{Value, json};

use crate::ownership::{Foreign, everything, posts};
use crate::world::{World, id, message};

/// Makes an object with a credential, changes it into what somebody else has, and then into what nobody has.
async fn refused(edit: Value, harmless: Value) {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "web");
    world.create("db", json!({"identifier": "orders-db"})).await;
    let own = id(&world.ready("db").await);
    let before = everything(&world.pam, own);
    world.change("db", edit).await;
    let object = world.fails("db", "AlreadyExists").await;
    assert!(
        message(&object).contains(&format!("would take over credential {}", foreign.id)),
        "{}",
        message(&object)
    );
    assert_eq!(posts(&world.pam), 1);
    foreign.is_untouched(&world.pam);
    assert_eq!(everything(&world.pam, own), before);

    world.change("db", harmless).await;
    let object = world.ready("db").await;
    assert_eq!(id(&object), own);
    assert_eq!(posts(&world.pam), 2);
    foreign.is_untouched(&world.pam);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_somebody_else_is_not_taken_over_by_an_edit() {
    refused(json!({"username": "web"}), json!({"username": "free"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_somebody_else_is_not_taken_over_in_other_letters_either() {
    refused(json!({"username": "WEB"}), json!({"username": "free"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_of_somebody_else_is_not_taken_over_by_an_edit_that_permits_adoption() {
    refused(
        json!({"username": "web", "adoptionPolicy": "Adopt"}),
        json!({"username": "free"}),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_of_somebody_else_is_not_taken_over_by_an_edit() {
    refused(json!({"identifier": "theirs"}), json!({"identifier": "free"})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identifier_and_account_change_one_after_the_other() {
    let world = World::start().await;
    world.create("db", json!({"identifier": "old"})).await;
    let own = id(&world.ready("db").await);
    world.change("db", json!({"suspend": true})).await;
    world.change("db", json!({"username": "web"})).await;
    world.change("db", json!({"identifier": "new"})).await;
    world.change("db", json!({"suspend": null})).await;
    let object = world.ready("db").await;
    assert_eq!(id(&object), own);
    let sent: Vec<_> = world.pam.journal().posts().into_iter().skip(1).collect();
    let names = sent.iter().map(|post| {
        let text = |key: &str| post.body[key].as_str().unwrap_or_default().to_owned();
        [text("identifier"), text("username")]
    });
    assert_eq!(
        names.collect::<Vec<_>>(),
        [["old", "web"], ["new", "web"]],
        "the PAM looks for the identifier first"
    );
    let credential = world.pam.credential(own).expect("it is ours");
    assert_eq!(
        (credential.identifier.as_deref(), credential.username.as_str()),
        (Some("new"), "web")
    );
    assert_eq!(world.pam.credentials().len(), 1);
}
