//! The end of an object, and what it leaves in the PAM.

use pam_operator::{
    api::{FINALIZER, PamCredential},
    simulator::{Effect, Fault, Operation},
};
use serde_json::json;

use crate::{
    look::{mark, only, own, posts, writes},
    world::{World, id},
};

fn has_finalizer(object: &PamCredential) -> bool {
    let finalizers = object.metadata.finalizers.iter().flatten();
    finalizers.into_iter().any(|finalizer| finalizer == FINALIZER)
}

fn deactivations(world: &World) -> u64 {
    world.pam.journal().count(Operation::Delete)
}

#[tokio::test(flavor = "multi_thread")]
async fn retain_leaves_the_credential_and_the_object_has_no_finalizer() {
    let world = World::start().await;
    world.create("db", json!({"deletionPolicy": "Retain"})).await;
    let object = world.ready("db").await;
    assert!(!has_finalizer(&object));
    world.delete("db").await;
    world.gone("db").await;
    // Another object's whole way through the operator comes after the deletion.
    world.create("later", json!({})).await;
    world.ready("later").await;
    assert!(world.pam.credential(id(&object)).expect("the PAM has it").active);
    assert_eq!(deactivations(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deactivate_puts_the_finalizer_on_before_the_first_post_and_deactivates_at_the_end() {
    let world = World::start().await;
    world.create("db", json!({"deletionPolicy": "Deactivate"})).await;
    let object = world.until("db", "under a finalizer", has_finalizer).await;
    assert!(object.status.is_none_or(|status| status.claim.is_none()));
    let object = world.ready("db").await;
    assert!(own(&world, &object).active);
    world.delete("db").await;
    world.gone("db").await;
    assert!(!only(&world).active);
    assert_eq!(deactivations(&world), 1);
}

/// What is inactive or gone already counts as done, whichever way the PAM says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_gone_or_inactive_counts_as_done() {
    let world = World::start().await;
    let refusals = [
        (1007, "Credential not found"),
        (1008, "Credential already inactive"),
        (1017, "Credential already inactive or active"),
    ];
    for (code, text) in refusals {
        let name = format!("answers-{code}");
        world.create(&name, json!({"deletionPolicy": "Deactivate"})).await;
        let object = world.ready(&name).await;
        let identifier = own(&world, &object).identifier.expect("an identifier");
        let effect = Effect::Refuse {
            code,
            message: text.to_owned(),
            status: 400,
        };
        world
            .pam
            .faults()
            .add(Fault::new(effect).on(Operation::Delete).identifier(&identifier));
        world.delete(&name).await;
        world.gone(&name).await;
    }
    assert_eq!(deactivations(&world), 3);

    for name in ["removed", "inactive"] {
        world.create(name, json!({"deletionPolicy": "Deactivate"})).await;
        let id = id(&world.ready(name).await);
        let found = match name {
            "removed" => world.pam.remove(id),
            _ => world.pam.edit(id, |credential| credential.active = false),
        };
        assert!(found);
        world.delete(name).await;
        world.gone(name).await;
    }
    assert_eq!(deactivations(&world), 3, "what is not listed is not asked for");
    let metrics = world.operator.as_ref().expect("it runs").get("/metrics").await;
    let metrics = metrics.expect("metrics");
    let mut released = metrics
        .lines()
        .filter(|line| line.starts_with("pam_operator_orphaned_total{"));
    assert!(released.all(|line| line.ends_with(" 0")), "nothing was given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_deletion_policy_costs_one_patch_and_no_post() {
    let world = World::start().await;
    world.create("db", json!({})).await;
    world.ready("db").await;
    let start = mark(&world).await;
    world.change("db", json!({"deletionPolicy": "Deactivate"})).await;
    let object = world.ready("db").await;
    assert!(has_finalizer(&object));
    world.change("db", json!({"deletionPolicy": "Retain"})).await;
    let object = world.ready("db").await;
    assert!(!has_finalizer(&object));
    assert_eq!(posts(&world).await.len(), 1);
    assert_eq!(
        writes(&world, start).await,
        [
            ("patch pamcredentials".to_owned(), 2),
            ("patch pamcredentials/status".to_owned(), 2)
        ]
        .into()
    );
    world.delete("db").await;
    world.gone("db").await;
    assert_eq!(deactivations(&world), 0);
}

/// Whoever switches to Retain after the deletion lets the object go without asking the PAM.
#[tokio::test(flavor = "multi_thread")]
async fn retain_set_during_the_deletion_lets_the_object_go() {
    let mut world = World::start().await;
    world.create("db", json!({"deletionPolicy": "Deactivate"})).await;
    world.ready("db").await;
    world.pam.down().await;
    world.delete("db").await;
    world.fails("db", "DeactivationFailed").await;
    world.change("db", json!({"deletionPolicy": "Retain"})).await;
    world.gone("db").await;
    assert!(only(&world).active);
}
