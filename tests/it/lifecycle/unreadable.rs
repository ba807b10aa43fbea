//! Objects that do not fit the schema any more, because somebody loosened it: they stop nobody else, say what is wrong,
//! and can be deleted.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams},
};
use pam_operator::{
    api::{FINALIZER, PamCredential},
    simulator::Operation,
};
use serde_json::{Value, json};
use testbed::{wait_for, wait_until_gone};

use crate::{
    look::within_deadline,
    world::{DEADLINE, Setting, World, id},
};

/// The objects without their types, which some of them do not fit.
fn untyped(world: &World) -> Api<DynamicObject> {
    let resource = ApiResource::erase::<PamCredential>(&());
    Api::namespaced_with(world.client.clone(), &world.namespace, &resource)
}

/// Lets `spec.additional` be anything, and waits until the API server takes it.
async fn loosen(world: &World) {
    let crds: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let patch = json!([{
        "op": "replace",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/additional",
        "value": {"x-kubernetes-preserve-unknown-fields": true},
    }]);
    let patch: Patch<Value> = Patch::Json(serde_json::from_value(patch).expect("a patch"));
    crds.patch("pamcredentials.pam-operator.dev", &PatchParams::default(), &patch)
        .await
        .expect("the schema is accepted");
}

/// Gives an object a spec that the operator cannot read, as soon as the API server takes it.
async fn spoil(world: &World, name: &str) {
    let patch = Patch::Merge(json!({"spec": {"additional": {"number": 7}}}));
    within_deadline("meet a loosened schema", async || {
        let patched = untyped(world).patch(name, &PatchParams::default(), &patch).await;
        patched.is_ok()
    })
    .await;
}

/// Whether Ready tells that the spec of this generation cannot be read.
fn says_so(object: &DynamicObject) -> bool {
    let conditions = object.data["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "Ready"
            && condition["reason"] == "Rejected"
            && condition["observedGeneration"] == json!(object.metadata.generation)
            && condition["message"]
                .as_str()
                .is_some_and(|text| text.contains("cannot be read"))
    })
}

async fn wait_until_told(world: &World, name: &str) {
    let told = wait_for(&untyped(world), name, "told that it cannot be read", DEADLINE, says_so).await;
    told.expect("the operator says so");
}

async fn delete(world: &World, name: &str) {
    let api = untyped(world);
    api.delete(name, &DeleteParams::default()).await.expect("it is there");
    wait_until_gone(&api, name, DEADLINE).await.expect("it goes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_object_stops_nobody_and_can_be_deleted() {
    let mut world = World::with(Setting {
        own_plane: true,
        ..Setting::default()
    })
    .await;
    world.create("keeper", json!({"deletionPolicy": "Deactivate"})).await;
    world.create("leaver", json!({})).await;
    let keeper = world.ready("keeper").await;
    world.ready("leaver").await;
    loosen(&world).await;
    for name in ["keeper", "leaver"] {
        spoil(&world, name).await;
        wait_until_told(&world, name).await;
    }
    let spoilt = untyped(&world).get("keeper").await.expect("it is there");
    assert!(spoilt.finalizers().iter().any(|finalizer| finalizer == FINALIZER));

    world.create("other", json!({})).await;
    world.ready("other").await;
    world.stop().await;
    world.run().await;
    world.change("other", json!({"username": "another"})).await;
    let other = world.ready("other").await;
    assert_eq!(
        world.pam.credential(id(&other)).expect("the PAM has it").username,
        "another"
    );

    delete(&world, "leaver").await;
    delete(&world, "keeper").await;
    assert!(!world.pam.credential(id(&keeper)).expect("the PAM has it").active);
    assert_eq!(world.pam.journal().count(Operation::Delete), 1);
}
