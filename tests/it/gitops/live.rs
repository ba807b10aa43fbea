//! Objects of any of the three kinds, as the API server has them now.

use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};
use testbed::wait_for;

use super::kstatus::condition;
use crate::{
    manifests::Kind,
    world::{DEADLINE, World},
};

/// Waits until an object is in a state.
pub async fn until(world: &World, kind: Kind, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let found = wait_for(&api(world, kind), name, "in its state", DEADLINE, |object| {
        is_so(&plain(object))
    })
    .await;
    plain(&world.expect(found))
}

/// Changes the spec of an object by a merge patch.
pub async fn change(world: &World, kind: Kind, name: &str, spec: Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    let changed = api(world, kind).patch(name, &PatchParams::default(), &patch).await;
    changed.expect("the change is accepted");
}

/// The objects of a kind, where the world has them.
pub fn api(world: &World, kind: Kind) -> Api<DynamicObject> {
    match kind {
        Kind::Credential | Kind::Connection => {
            Api::namespaced_with(world.client.clone(), &world.namespace, &kind.resource())
        }
        Kind::ClusterConnection => Api::all_with(world.client.clone(), &kind.resource()),
    }
}

fn plain(object: &DynamicObject) -> Value {
    serde_json::to_value(object).expect("plain data")
}

/// Whether Ready has this status and reason for the present generation.
pub fn is(status: &'static str, expected: &'static str) -> impl Fn(&Value) -> bool {
    move |object| {
        condition(object, "Ready") == Some(status)
            && reason(object, "Ready") == Some(expected)
            && object["status"]["observedGeneration"] == object["metadata"]["generation"]
    }
}

/// The reason of a condition.
pub fn reason<'a>(object: &'a Value, type_: &str) -> Option<&'a str> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == type_)?;
    found["reason"].as_str()
}
