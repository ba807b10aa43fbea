//! Whoever can write status could point an object at any credential, if status were believed.

use pam_operator::{api::PamCredential, simulator::Operation};
use serde_json::{Value, json};

use crate::ownership::{DEVICE, Foreign, everything};
use crate::world::{World, id};

/// The claim in an object's status, changed by `change`.
fn claim_of(object: &PamCredential, change: &Value) -> Value {
    let status = object.status.as_ref().expect("it is in sync");
    let mut claim = serde_json::to_value(&status.claim).expect("a claim is plain data");
    let fields = claim.as_object_mut().expect("it has a claim");
    fields.extend(change.as_object().expect("an object").clone());
    claim
}

/// The identity of a foreign credential, as a claim would say it.
fn identity(foreign: &Foreign) -> Value {
    json!({
        "id": foreign.id.to_string(), "identifier": "theirs",
        "hostname": DEVICE.0, "ip": DEVICE.1, "username": "somebody",
    })
}

async fn deactivating(world: &World, spec: Value) -> PamCredential {
    let mut spec = spec;
    spec["deletionPolicy"] = json!("Deactivate");
    world.create("db", spec).await;
    world.ready("db").await
}

/// The ids in the paths of all deactivations.
fn deactivated(world: &World) -> Vec<String> {
    let deletes = world.pam.journal().of(Operation::Delete);
    let id = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    deletes.iter().map(|entry| id(&entry.path)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_id_leads_neither_an_update_nor_the_deletion_astray() {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "somebody");
    let own = id(&deactivating(&world, json!({})).await);
    let forgery = json!({"id": foreign.id.to_string()});
    world.forge("db", forgery.clone()).await;
    world.change("db", json!({"tags": ["edited"]})).await;
    assert_eq!(id(&world.ready("db").await), own);
    foreign.is_untouched(&world.pam);
    world.forge("db", forgery).await;
    world.delete("db").await;
    world.gone("db").await;
    assert_eq!(deactivated(&world), [own.to_string()]);
    foreign.is_untouched(&world.pam);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_claim_updates_nobody_elses_credential() {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "somebody");
    let object = deactivating(&world, json!({"identifier": "orders-db"})).await;
    let own = everything(&world.pam, id(&object));
    let claim = claim_of(&object, &identity(&foreign));
    world
        .forge("db", json!({"id": foreign.id.to_string(), "claim": claim}))
        .await;
    world.change("db", json!({"username": "edited"})).await;
    let object = world.fails("db", "AlreadyExists").await;
    foreign.is_untouched(&world.pam);
    let claimed = object.status.and_then(|status| status.claim).and_then(|claim| claim.id);
    assert_eq!(claimed, Some(foreign.id.to_string()), "it is not signed by the way");

    world.delete("db").await;
    world.gone("db").await;
    assert!(deactivated(&world).is_empty(), "nothing is provably its own");
    foreign.is_untouched(&world.pam);
    let own_now = world.pam.find("orders-db").expect("it is still there").id;
    assert_eq!(everything(&world.pam, own_now), own);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_claim_is_replaced_where_the_generated_identifier_proves_the_truth() {
    let world = World::start().await;
    let foreign = Foreign::register(&world.pam, "theirs", "somebody");
    let object = deactivating(&world, json!({})).await;
    let claim = claim_of(&object, &identity(&foreign));
    world.forge("db", json!({"claim": claim})).await;
    world.change("db", json!({"tags": ["edited"]})).await;
    let mended = world.ready("db").await;
    assert_eq!(id(&mended), id(&object));
    assert_eq!(claim_of(&mended, &json!({})), claim_of(&object, &json!({})));
    foreign.is_untouched(&world.pam);
    world
        .forge("db", json!({"claim": claim_of(&object, &identity(&foreign))}))
        .await;
    world.delete("db").await;
    world.gone("db").await;
    assert_eq!(deactivated(&world), [id(&object).to_string()]);
    foreign.is_untouched(&world.pam);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_copied_from_another_object_is_worth_nothing() {
    let world = World::start().await;
    world.create("victim", json!({"identifier": "victim"})).await;
    let victim = world.ready("victim").await;
    let before = everything(&world.pam, id(&victim));
    let thief = deactivating(&world, json!({})).await;
    let copied = json!({
        "id": id(&victim).to_string(), "identifier": "victim", "claim": claim_of(&victim, &json!({})),
    });
    world.forge("db", copied.clone()).await;
    world.change("db", json!({"tags": ["edited"]})).await;
    assert_eq!(id(&world.ready("db").await), id(&thief));
    world.forge("db", copied.clone()).await;
    world.delete("db").await;
    world.gone("db").await;
    assert_eq!(deactivated(&world), [id(&thief).to_string()]);

    world.create("db", json!({"username": "victim", "suspend": true})).await;
    world.fails("db", "Suspended").await;
    world.forge("db", copied).await;
    world.change("db", json!({"suspend": null})).await;
    world.fails("db", "Conflict").await;
    assert_eq!(everything(&world.pam, id(&victim)), before);
}
