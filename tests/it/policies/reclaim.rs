//! Objects that come back to a credential: after their own deletion, and after the loss of the installation's key.

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::DeleteParams};
use pam_operator::simulator::{Operation, Switches};
use serde_json::json;

use super::{listings, ready, sent, watchful, watchful_with};
use crate::{
    look::{accepted_after, applied, claim, only, password, set_password},
    world::{Setting, World, data, id},
};

/// A PAM that lists inactive credentials too.
fn lists_inactive() -> Setting {
    let mut data = data();
    data.switches = Switches {
        list_inactive: Some(true),
        ..Switches::default()
    };
    Setting {
        data,
        ..Setting::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deactivated_with_an_object_is_active_again_with_the_next_one_of_its_name() {
    let world = watchful_with(lists_inactive()).await;
    let first = id(&ready(&world, json!({"deletionPolicy": "Deactivate"})).await);
    world.delete("db").await;
    world.gone("db").await;
    assert!(!only(&world).active);
    let object = ready(&world, json!({"deletionPolicy": "Deactivate"})).await;
    let credential = only(&world);
    assert_eq!((id(&object), credential.id, credential.active), (first, first, true));
    assert_eq!(world.pam.journal().count(Operation::Put), 1);
    listings(&world, 2).await;
    assert_eq!((sent(&world).await, world.pam.journal().count(Operation::Put)), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_active_already_counts_as_done() {
    let world = watchful().await;
    let spec = json!({"deletionPolicy": "Deactivate"});
    let first = id(&ready(&world, spec).await);
    let nothing = json!({"id": null, "identifier": null, "claim": null, "applied": null, "conditions": null});
    world.forge("db", nothing).await;
    let object = world
        .until("db", "restored", |object| {
            crate::world::is(object, "True", Some("Synced"))
        })
        .await;
    assert_eq!(id(&object), first);
    assert!(only(&world).active);
    assert_eq!(world.pam.journal().count(Operation::Put), 1);
}

/// The operator starts with another key than the one that signed everything.
async fn lose_the_key(world: &mut World) {
    world.stop().await;
    let secrets: Api<Secret> = world.api();
    let deleted = secrets
        .delete("pam-operator-installation", &DeleteParams::default())
        .await;
    deleted.expect("the installation's Secret was there");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_loss_of_the_key_nothing_is_sent_and_nothing_is_taken() {
    let mut world = watchful().await;
    let before = ready(&world, json!({"deletionPolicy": "Deactivate"})).await;
    lose_the_key(&mut world).await;
    world.run().await;
    listings(&world, 2).await;
    let object = world.ready("db").await;
    assert_eq!(object.status, before.status, "what was accepted before still is");
    set_password(&world, "db", "canary-second").await;
    world.fails("db", "AlreadyExists").await;
    assert_eq!(sent(&world).await, 1);
    assert_eq!(password(&only(&world)), Some("canary-first"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_has_the_claims_signed_anew_where_the_pam_lists_exactly_what_they_say() {
    let mut world = watchful().await;
    let before = ready(&world, json!({"deletionPolicy": "Deactivate"})).await;
    world.create("renamed", json!({})).await;
    let renamed = world.ready("renamed").await;
    lose_the_key(&mut world).await;
    world
        .pam
        .edit(id(&renamed), |credential| credential.username = "Renamed".into());
    world.run_with(&["--resign-claims"]).await;
    let signed = world
        .until("db", "signed anew", |object| claim(object).mac != claim(&before).mac)
        .await;
    assert_eq!(applied(&signed), applied(&before));
    assert_eq!(sent(&world).await, 2, "a signature is no reason to send anything");
    let other = world.until("renamed", "there", |_| true).await;
    assert_eq!(
        claim(&other).mac,
        claim(&renamed).mac,
        "its username is not exactly the claim's"
    );

    world.stop().await;
    world.run().await;
    set_password(&world, "db", "canary-second").await;
    let after = accepted_after(&world, &signed).await;
    assert_eq!(id(&after), id(&before));
    world.delete("db").await;
    world.gone("db").await;
    assert!(!world.pam.credential(id(&before)).expect("it is there").active);
}
