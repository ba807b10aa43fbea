//! `spec.suspend`, and the annotation that asks for a reconcile.

use pam_operator::{
    api::{PamCredential, RECONCILE_REQUESTED_AT},
    simulator::{Effect, Fault, Operation},
};
use serde_json::{Value, json};

use crate::{
    look::{content, mark, only, own, password, posts, set_password, writes},
    world::{World, is},
};

fn request(value: &str) -> Value {
    json!({"metadata": {"annotations": {RECONCILE_REQUESTED_AT: value}}})
}

fn has_handled(object: &PamCredential, value: &str) -> bool {
    let status = object.status.as_ref();
    status.and_then(|status| status.last_handled_reconcile_at.as_deref()) == Some(value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_object_sends_nothing_until_it_is_resumed() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    let mut spec = content("db");
    spec["suspend"] = json!(true);
    world.create("db", spec).await;
    world.fails("db", "Suspended").await;
    assert!(posts(&world).await.is_empty());
    world.change("db", json!({"suspend": false})).await;
    world.ready("db").await;
    assert_eq!(posts(&world).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_suspended_object_has_to_send_shows_and_waits() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    world.change("db", json!({"suspend": true})).await;
    let ready = |object: &PamCredential| is(object, "True", Some("Suspended"));
    world.until("db", "ready as it was", ready).await;
    set_password(&world, "db", "canary-second").await;
    world.fails("db", "Suspended").await;
    set_password(&world, "db", "canary-first").await;
    world.until("db", "ready again: nothing waits", ready).await;
    world.change("db", json!({"additional": "orders"})).await;
    world.fails("db", "Suspended").await;
    assert_eq!(posts(&world).await.len(), 1);
    set_password(&world, "db", "canary-third").await;
    world.change("db", json!({"suspend": null})).await;
    let credential = own(&world, &world.ready("db").await);
    assert_eq!(credential.fields["additional"], "orders");
    assert_eq!(password(&credential), Some("canary-third"));
    assert_eq!(posts(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_object_is_deactivated_all_the_same() {
    let world = World::start().await;
    let spec = json!({"deletionPolicy": "Deactivate"});
    world.create("db", spec).await;
    world.ready("db").await;
    world
        .change("db", json!({"suspend": true, "additional": "waits"}))
        .await;
    world.fails("db", "Suspended").await;
    world.delete("db").await;
    world.gone("db").await;
    assert!(!only(&world).active);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_answered_in_status_and_sends_nothing_that_the_pam_has() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    let start = mark(&world).await;
    for value in ["2026-01-01T00:00:00Z", "again"] {
        world.patch("db", request(value)).await;
        let object = world
            .until("db", "told that the request was seen", |object| {
                has_handled(object, value)
            })
            .await;
        assert!(is(&object, "True", Some("Synced")));
    }
    assert_eq!(posts(&world).await.len(), 1);
    assert_eq!(
        writes(&world, start).await,
        [("patch pamcredentials/status".to_owned(), 2)].into()
    );
}

/// A refusal is tried again only now and then; a person need not wait for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_ends_the_pause_after_a_refusal() {
    let world = World::start().await;
    let effect = Effect::Refuse {
        code: 1029,
        message: "Domain not found".to_owned(),
        status: 400,
    };
    let refusal = world.pam.faults().add(Fault::new(effect).on(Operation::Post));
    world.create("db", json!({})).await;
    world.fails("db", "DomainNotFound").await;
    world.pam.faults().remove(refusal);
    world.patch("db", request("now")).await;
    let object = world.ready("db").await;
    assert!(has_handled(&object, "now"));
    assert_eq!(posts(&world).await.len(), 2);
}
