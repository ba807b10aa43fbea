//! Server-side apply, as Argo CD, Flux and `kubectl apply --server-side` do it: applied twice nothing changes, and after the
//! operator did its work a diff is empty.

use std::collections::BTreeMap;

use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::GroupVersionKind,
    discovery::{self, Scope},
};
use pam_operator::simulator::Data;
use serde_json::{Value, json};

use super::{
    argo, documents, files,
    live::{change, is, until},
    path,
};
use crate::{
    look::posts,
    manifests::Kind,
    world::{Setting, Watch, World},
};

/// The field manager of the one who applies.
const MANAGER: &str = "gitops";

#[tokio::test(flavor = "multi_thread")]
async fn twice_changes_nothing_and_the_operator_alters_nothing_that_was_written() {
    let setting = Setting {
        data: Data::read(&path("examples/simulator.yaml")).expect("the simulator's file"),
        own_plane: true,
        started: false,
        watch: Watch::All,
        ..Setting::default()
    };
    let mut world = World::with(setting).await;
    let manifests = manifests().into_iter().map(|object| here(&world, object));
    let (secrets, objects): (Vec<_>, Vec<_>) = manifests.partition(|manifest| manifest["kind"] == "Secret");
    furnish(&world, &secrets, &objects).await;
    let mut created = Vec::new();
    for object in &objects {
        created.push(apply(&world.client, object, false).await);
    }
    for (object, mut created) in objects.iter().zip(created) {
        let again = apply(&world.client, object, false).await;
        // The default of status is shown from the beginning and stored with the first write after the creation, which gives
        // the object another version and nothing else.
        created.metadata.resource_version = again.resource_version();
        assert_same(&again, &created, "applied again");
        assert_same(
            &apply(&world.client, object, false).await,
            &again,
            "applied a third time",
        );
    }

    world.run().await;
    for object in &objects {
        settle(&world, object, &objects).await;
    }
    for object in &objects {
        let live = get(&world.client, object).await;
        let predicted = apply(&world.client, object, true).await;
        assert_same(&predicted, &live, "the diff after the operator's work");
        let applied = apply(&world.client, object, false).await;
        assert_same(&applied, &live, "applied after the operator's work");
        alters_nothing(&live);
        written_as(object, &live);
    }
    an_unchanged_password_is_not_sent(&world, &secrets).await;
    an_action_is_no_difference(&world, &objects).await;
    println!("apply: {} objects and {} Secrets", objects.len(), secrets.len());
}

/// `stringData` is not stored, so the API server counts every apply of it as a change of the Secret. It is none.
async fn an_unchanged_password_is_not_sent(world: &World, secrets: &[Value]) {
    let before = posts(world).await.len();
    for secret in secrets {
        let live = get(&world.client, secret).await;
        assert_eq!(
            apply(&world.client, secret, false).await.data,
            live.data,
            "{}",
            live.name_any()
        );
    }
    // Another object's whole way through the operator comes after the Secrets'.
    let later = json!({"connectionRef": {"name": "team"}, "hostname": "API-Testing", "ip": "128.0.0.1"});
    world.create("later", later).await;
    world.ready("later").await;
    assert_eq!(posts(world).await.len(), before + 1, "that of the other object");
}

/// What an action of Argo CD adds stays, because Git does not say anything of it.
async fn an_action_is_no_difference(world: &World, manifests: &[Value]) {
    let manifest = manifests
        .iter()
        .find(|manifest| manifest["metadata"]["name"] == "billing");
    let manifest = manifest.expect("a credential of gitops/");
    let suspended = argo::act("suspend", &plain(&get(&world.client, manifest).await));
    change(world, Kind::Credential, "billing", suspended["spec"].clone()).await;
    until(world, Kind::Credential, "billing", is("True", "Suspended")).await;
    let live = get(&world.client, manifest).await;
    assert_eq!(live.data["spec"]["suspend"], true);
    assert_same(
        &apply(&world.client, manifest, true).await,
        &live,
        "the diff after an action",
    );
}

/// Every manifest of `examples/` and `gitops/` whose kind this API server knows.
fn manifests() -> Vec<Value> {
    let kinds = ["Secret", "PamCredential", "PamConnection", "ClusterPamConnection"];
    let mut found = BTreeMap::new();
    for file in files::manifests() {
        for object in documents(&file) {
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            if let Some(order) = kinds.iter().position(|known| *known == kind) {
                let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
                // examples/ and gitops/ may show the same object.
                found.entry((order, name)).or_insert(object);
            }
        }
    }
    found.into_values().collect()
}

/// Applies the Secrets, and makes those that come from elsewhere than from a manifest.
async fn furnish(world: &World, secrets: &[Value], objects: &[Value]) {
    for secret in secrets {
        apply(&world.client, secret, false).await;
    }
    for spec in objects.iter().map(|object| &object["spec"]) {
        for field in ["credentialsSecretRef", "contentSecretRef"] {
            let name = &spec[field]["name"];
            if name.is_string() && !secrets.iter().any(|secret| secret["metadata"]["name"] == *name) {
                let values = json!({
                    "clientId": "5e1f0a7c2b9d4e6388c0d1f2a3b4c5d6e7f809120",
                    "clientSecret": "example-client-secret-0123456789",
                    "password": "canary-from-elsewhere",
                });
                world.secret(name.as_str().expect("a name"), values).await;
            }
        }
    }
}

/// A manifest as it is applied here: in the namespace of this world, and about its PAM.
fn here(world: &World, mut manifest: Value) -> Value {
    if manifest["kind"] != "ClusterPamConnection" {
        manifest["metadata"]["namespace"] = json!(world.namespace);
    }
    if let Some(url) = manifest.pointer_mut("/spec/url") {
        *url = json!(world.pam_url());
    }
    if let Some(names) = manifest.pointer_mut("/spec/allowedNamespaces/names") {
        *names = json!([world.namespace]);
    }
    manifest
}

/// Applies a manifest, or asks what that would change.
async fn apply(client: &Client, manifest: &Value, dry_run: bool) -> DynamicObject {
    let params = PatchParams {
        dry_run,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(MANAGER).force()
    };
    let (api, name) = find(client, manifest).await;
    let applied = api.patch(&name, &params, &Patch::Apply(manifest)).await;
    applied.unwrap_or_else(|error| panic!("{name}: {error}"))
}

async fn get(client: &Client, manifest: &Value) -> DynamicObject {
    let (api, name) = find(client, manifest).await;
    api.get(&name).await.expect("it was applied")
}

async fn find(client: &Client, manifest: &Value) -> (Api<DynamicObject>, String) {
    let object: DynamicObject = serde_json::from_value(manifest.clone()).expect("a manifest");
    let gvk = GroupVersionKind::try_from(object.types.as_ref().expect("a kind")).expect("a kind");
    let (resource, capabilities) = discovery::pinned_kind(client, &gvk)
        .await
        .expect("a kind of this API server");
    let api = match (capabilities.scope, object.namespace()) {
        (Scope::Namespaced, Some(namespace)) => Api::namespaced_with(client.clone(), &namespace, &resource),
        _ => Api::all_with(client.clone(), &resource),
    };
    (api, object.name_any())
}

/// Whether two answers show the same object: the same version, and the same managers since the same moments.
fn assert_same(one: &DynamicObject, other: &DynamicObject, what: &str) {
    assert_eq!(plain(one), plain(other), "{}, {what}", one.name_any());
}

fn plain(object: &DynamicObject) -> Value {
    serde_json::to_value(object).expect("plain data")
}

/// Waits until the operator is done with an object: the PAM accepted it; or something is missing that this world does not
/// have, such as the connection that an installation with the simulator has.
async fn settle(world: &World, object: &Value, objects: &[Value]) {
    let kind = match object["kind"].as_str() {
        Some("PamCredential") => Kind::Credential,
        Some("PamConnection") => Kind::Connection,
        Some("ClusterPamConnection") => Kind::ClusterConnection,
        other => panic!("{other:?} is not of the operator"),
    };
    let name = object["metadata"]["name"].as_str().expect("a name");
    let spec = &object["spec"];
    let connection = &spec["connectionRef"]["name"];
    let knows = |name: &Value| objects.iter().any(|object| object["metadata"]["name"] == *name);
    if connection.is_string() && !knows(connection) {
        until(world, kind, name, is("False", "ConnectionNotFound")).await;
    } else if spec["tls"]["clientCertificateSecretRef"].is_object() {
        until(world, kind, name, is("False", "SecretNotFound")).await;
    } else {
        until(world, kind, name, is("True", "Synced")).await;
    }
}

/// Nobody but the one who applied wrote anything but status and finalizers.
fn alters_nothing(live: &DynamicObject) {
    for entry in live.managed_fields() {
        if entry.manager.as_deref() == Some(MANAGER) {
            continue;
        }
        let fields = serde_json::to_value(&entry.fields_v1).expect("plain data");
        let name = live.name_any();
        let written: Vec<_> = fields.as_object().expect("fields").keys().cloned().collect();
        if entry.subresource.as_deref() == Some("status") {
            assert_eq!(written, ["f:status"], "{name}: {entry:?}");
        } else {
            assert_eq!(written, ["f:metadata"], "{name}: {entry:?}");
            let metadata = fields["f:metadata"].as_object().expect("fields");
            assert!(
                metadata.keys().all(|field| field == "f:finalizers"),
                "{name}: {entry:?}"
            );
        }
    }
}

/// The spec is what the manifest says, no more and no less: no default appeared.
fn written_as(manifest: &Value, live: &DynamicObject) {
    assert_eq!(live.data.get("spec"), manifest.get("spec"), "{}", live.name_any());
    let metadata = |field: &str| manifest["metadata"].get(field).cloned();
    let live = plain(live);
    for field in ["labels", "annotations"] {
        assert_eq!(live["metadata"].get(field).cloned(), metadata(field), "{field}");
    }
}
