//! Argo CD's actions, on recorded objects of every state and on a live one.

use kube::api::{DynamicObject, Patch, PatchParams};
use pam_operator::api::RECONCILE_REQUESTED_AT;
use serde_json::{Value, json};

use super::{
    argo::{FOLDER, act, offered},
    documents,
    live::{api, is, until},
    path,
};
use crate::{manifests::Kind, world::World};

#[test]
fn what_is_offered_fits_the_state() {
    let files = testbed::manifest::yaml_files(&path(FOLDER).join("testdata")).expect("there are records");
    for file in files {
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        let [object] = documents(&format!("{FOLDER}/testdata/{name}"))
            .try_into()
            .expect("one object");
        let suspended = object["spec"]["suspend"] == true;
        let expected: &[&str] = if object["metadata"]["deletionTimestamp"].is_string() {
            &[]
        } else if suspended {
            &["resume"]
        } else if object["kind"] == "PamCredential" {
            &["reconcile", "suspend"]
        } else {
            &["suspend"]
        };
        assert_eq!(offered(&object), expected, "{name}");
        for action in expected {
            let changed = changes(&object, &act(action, &object));
            assert_eq!(changed.len(), 1, "{name}, {action}: {changed:?}");
        }
    }
}

/// The places where two objects differ.
fn changes(before: &Value, after: &Value) -> Vec<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let fields: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).collect();
            let of = |object: &serde_json::Map<_, _>, field: &String| object.get(field).cloned().unwrap_or(Value::Null);
            let inner = fields.into_iter().flat_map(|field| {
                let places = changes(&of(before, field), &of(after, field));
                places.into_iter().map(move |place| format!(".{field}{place}"))
            });
            inner.collect()
        }
        (before, after) if before == after => Vec::new(),
        _ => vec![String::new()],
    }
}

/// Empty lists and maps look the same to Lua, and go through an action as they were.
#[test]
fn what_is_empty_stays_what_it_was() {
    let spec = json!({"tags": [], "sessionSettings": {}, "macros": [{"remoteApp": "x"}]});
    let object = json!({"kind": "PamCredential", "metadata": {"annotations": {}, "generation": 1}, "spec": spec});
    let mut expected = object.clone();
    expected["spec"]["suspend"] = json!(true);
    assert_eq!(act("suspend", &object), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_live_object_the_operator_does_what_they_say() {
    let world = World::start().await;
    world.create("db", json!({})).await;
    let object = until(&world, Kind::Credential, "db", is("True", "Synced")).await;

    run(&world, "suspend", &object).await;
    let object = until(&world, Kind::Credential, "db", is("True", "Suspended")).await;
    run(&world, "resume", &object).await;
    let object = until(&world, Kind::Credential, "db", is("True", "Synced")).await;
    run(&world, "reconcile", &object).await;
    let answered = |object: &Value| {
        let asked = &object["metadata"]["annotations"][RECONCILE_REQUESTED_AT];
        asked.is_string() && *asked == object["status"]["lastHandledReconcileAt"]
    };
    let object = until(&world, Kind::Credential, "db", answered).await;
    let asked = object["status"]["lastHandledReconcileAt"].as_str().expect("a text");
    asked.parse::<k8s_openapi::jiff::Timestamp>().expect("a moment");
    assert_eq!(crate::look::posts(&world).await.len(), 1, "nothing was sent again");
}

/// Runs an action as Argo CD does: what the script changed goes to the API server as a merge patch.
async fn run(world: &World, action: &str, object: &Value) {
    assert!(offered(object).iter().any(|offered| offered == action), "{action}");
    let mut changed = act(action, object);
    // The patch may not depend on the version that the script saw.
    changed["metadata"] = json!({"annotations": changed["metadata"]["annotations"]});
    let patch = json!({"metadata": changed["metadata"], "spec": changed["spec"]});
    let patched = api(world, Kind::Credential)
        .patch("db", &PatchParams::default(), &Patch::Merge(patch))
        .await;
    let _: DynamicObject = patched.expect("the patch is accepted");
}
