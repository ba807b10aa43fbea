//! passwordPolicy: the PAM changed a password that was sent.

use pam_operator::api::Reason;
use serde_json::{Value, json};

use super::{listings, ready, says, sent, watchful};
use crate::{
    look::{accepted_after, applied, only, password, set_password},
    world::{World, id},
};

/// The PAM changes the password by itself.
fn rotate(world: &World, id: u64, password: &'static str) {
    assert!(
        world
            .pam
            .edit(id, |credential| credential.content = Some(password.into()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_said_and_the_password_left_alone_unless_it_is_enforced() {
    for (policy, said) in [
        (json!({}), Some(Reason::PasswordChangedInPam)),
        (json!({"driftPolicy": "Correct"}), Some(Reason::PasswordChangedInPam)),
        (json!({"driftPolicy": "Ignore"}), None),
        (json!({"passwordPolicy": "CreateOnly"}), None),
    ] {
        let world = watchful().await;
        let object = ready(&world, policy.clone()).await;
        listings(&world, 1).await;
        rotate(&world, id(&object), "rotated");
        listings(&world, 2).await;
        says(&world, said).await;
        assert_eq!(password(&only(&world)), Some("rotated"), "{policy}");
        assert_eq!(sent(&world).await, 1, "{policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_is_said_until_the_secret_brings_a_password_again() {
    let mut world = watchful().await;
    let object = ready(&world, json!({})).await;
    listings(&world, 1).await;
    rotate(&world, id(&object), "rotated");
    says(&world, Some(Reason::PasswordChangedInPam)).await;
    // Neither an update without the password nor a restart makes it good.
    world.change("db", json!({"additional": "orders"})).await;
    let updated = accepted_after(&world, &object).await;
    listings(&world, 1).await;
    world.stop().await;
    world.run().await;
    listings(&world, 2).await;
    let told = world.ready("db").await.status.expect("a status").conditions;
    assert!(
        told.iter().any(|condition| condition.reason == "PasswordChangedInPam"),
        "{told:?}"
    );
    set_password(&world, "db", "canary-second").await;
    accepted_after(&world, &updated).await;
    listings(&world, 2).await;
    says(&world, None).await;
    assert_eq!(password(&only(&world)), Some("canary-second"));
}

fn change_seen(object: &pam_operator::api::PamCredential) -> Option<&str> {
    applied(object).change_seen.as_deref()
}

async fn enforced(world: &World, policies: Value) -> pam_operator::api::PamCredential {
    let mut policies = policies;
    policies["passwordPolicy"] = json!("Enforce");
    ready(world, policies).await;
    world
        .until("db", "knowing when its password was set", |object| {
            change_seen(object).is_some()
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enforced_password_is_sent_again_once_for_each_rotation_and_then_after_a_pause() {
    let world = watchful().await;
    let object = enforced(&world, json!({})).await;
    assert_eq!(change_seen(&object), only(&world).change.as_deref());
    rotate(&world, id(&object), "rotated");
    let again = accepted_after(&world, &object).await;
    let credential = only(&world);
    assert_eq!(
        (password(&credential), credential.content_writes),
        (Some("canary-first"), 3)
    );
    let settled = world
        .until("db", "knowing the new time", |object| {
            change_seen(object).is_some() && change_seen(object) != change_seen(&again)
        })
        .await;
    assert_eq!(change_seen(&settled), only(&world).change.as_deref());
    listings(&world, 2).await;
    assert_eq!(sent(&world).await, 2, "one push for one rotation");
    // The PAM insists: the next push has to wait, and that is said.
    rotate(&world, id(&object), "rotated-again");
    says(&world, Some(Reason::PasswordChangedInPam)).await;
    listings(&world, 2).await;
    assert_eq!(sent(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_while_the_operator_is_down_is_enforced_when_it_is_back() {
    let mut world = watchful().await;
    let object = enforced(&world, json!({})).await;
    world.stop().await;
    rotate(&world, id(&object), "rotated");
    world.run().await;
    accepted_after(&world, &object).await;
    assert_eq!(password(&only(&world)), Some("canary-first"));
    assert_eq!(sent(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_enforces_a_password_sends_one_that_was_left_as_it_is() {
    let world = watchful().await;
    let object = enforced(&world, json!({})).await;
    let nothing = json!({"id": null, "identifier": null, "claim": null, "applied": null, "conditions": null});
    world.forge("db", nothing).await;
    let restored = world
        .until("db", "restored", |object| {
            crate::world::is(object, "True", Some("Synced")) && applied(object).content.is_some()
        })
        .await;
    assert_eq!(id(&restored), id(&object));
    assert_eq!((only(&world).content_writes, sent(&world).await), (2, 3));
}
