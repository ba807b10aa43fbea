//! The manifests in `examples/`: the API server takes them, nothing that they refer to is missing, and one of them shows
//! every field. Those in its folders belong to pages of the book and are not part of the demo.

use std::path::{Path, PathBuf};

use kube::{
    Api, ResourceExt,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::GroupVersionKind,
    discovery::{self, Scope},
};
use pam_operator::api::crds;
use serde_json::Value;

/// The connection that the chart makes beside its simulator; pages of the book use it.
const SIMULATOR: &str = "simulator";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// All documents of all manifests, in the order in which they are applied.
fn documents() -> Vec<Value> {
    let folders = [folder(), folder().join("guides"), folder().join("quickstart")];
    let files = folders
        .iter()
        .flat_map(|folder| testbed::manifest::yaml_files(folder).expect("it has manifests"));
    let files: Vec<_> = files.collect();
    let manifests = files.iter().filter(|file| !file.ends_with("simulator.yaml"));
    let texts = manifests.map(|file| testbed::manifest::read(file).expect("readable"));
    texts
        .flat_map(|text| serde_saphyr::from_multiple::<Value>(&text).expect("valid YAML"))
        .collect()
}

fn of_kind(kind: &str) -> Vec<Value> {
    documents()
        .into_iter()
        .filter(|document| document["kind"] == kind)
        .collect()
}

fn simulator_data() -> Value {
    let text = testbed::manifest::read(&folder().join("simulator.yaml")).expect("readable");
    serde_saphyr::from_str(&text).expect("valid YAML")
}

/// Every value of this field, at any depth.
fn find<'a>(value: &'a Value, field: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get(field));
            fields.values().for_each(|value| find(value, field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| find(item, field, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_api_server_accepts_them_strictly() {
    let client = testbed::shared()
        .await
        .admin()
        .await
        .expect("there is an administrator");
    let namespace = testbed::create_namespace(&client, "examples")
        .await
        .expect("it can be created");
    let strict = PatchParams {
        dry_run: true,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("examples")
    };
    let mut seen = 0;
    for mut document in documents() {
        document["metadata"]["namespace"] = Value::Null;
        let object: DynamicObject = serde_json::from_value(document).expect("a manifest");
        let kind = GroupVersionKind::try_from(object.types.as_ref().expect("it has a kind")).expect("it has a group");
        let found = discovery::pinned_kind(&client, &kind).await;
        let (resource, capabilities) = found.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
        let api: Api<DynamicObject> = match capabilities.scope {
            Scope::Cluster => Api::all_with(client.clone(), &resource),
            Scope::Namespaced => Api::namespaced_with(client.clone(), &namespace, &resource),
        };
        let name = object.name_any();
        let applied = api.patch(&name, &strict, &Patch::Apply(object)).await;
        applied.unwrap_or_else(|error| panic!("{} {name}: {error}", kind.kind));
        seen += 1;
    }
    assert!(seen > 25, "only {seen} objects");
}

#[test]
fn connections_and_secrets_that_they_name_are_among_them() {
    let secrets = of_kind("Secret");
    for document in documents() {
        let mut connections = Vec::new();
        find(&document, "connectionRef", &mut connections);
        for connection in connections {
            if connection["name"] == SIMULATOR {
                continue;
            }
            let kind = connection["kind"].as_str().unwrap_or("PamConnection");
            let found = of_kind(kind)
                .iter()
                .any(|other| other["metadata"]["name"] == connection["name"]);
            assert!(found, "{kind} {connection}");
        }
        let mut keys = Vec::new();
        for field in ["contentSecretRef", "secretKeySecretRef", "valueSecretRef"] {
            find(&document, field, &mut keys);
        }
        for reference in keys {
            let key = reference["key"].as_str().expect("a key");
            let holds = |secret: &&Value| {
                secret["metadata"]["name"] == reference["name"]
                    && secret["metadata"]["namespace"] == document["metadata"]["namespace"]
            };
            let value = secrets
                .iter()
                .find(holds)
                .and_then(|secret| secret["stringData"][key].as_str());
            assert!(value.is_some_and(|value| !value.is_empty()), "{reference}");
        }
    }
}

#[test]
fn the_simulator_knows_their_devices_and_clients() {
    let data = simulator_data();
    for credential in of_kind("PamCredential") {
        let spec = &credential["spec"];
        let devices = data["devices"].as_array().expect("devices");
        let known = devices
            .iter()
            .any(|device| device["hostname"] == spec["hostname"] && device["ip"] == spec["ip"]);
        assert!(known, "{} {}", spec["hostname"], spec["ip"]);
    }
    let clients = data["clients"].as_array().expect("clients");
    let secrets = of_kind("Secret");
    let given: Vec<_> = secrets
        .iter()
        .filter(|secret| secret["stringData"]["clientId"].is_string())
        .collect();
    assert_eq!(given.len(), 2, "one client for each connection");
    for secret in given.into_iter().map(|secret| &secret["stringData"]) {
        let known = clients
            .iter()
            .any(|client| client["id"] == secret["clientId"] && client["secret"] == secret["clientSecret"]);
        assert!(known, "{}", secret["clientId"]);
    }
}

#[test]
fn no_two_name_the_same_credential() {
    let mut seen = Vec::new();
    for credential in of_kind("PamCredential") {
        let triple = ["hostname", "ip", "username"].map(|field| credential["spec"][field].clone());
        assert!(!seen.contains(&triple), "{triple:?}");
        seen.push(triple);
    }
}

#[test]
fn the_full_one_shows_every_field() {
    let full = of_kind("PamCredential")
        .into_iter()
        .find(|object| object["metadata"]["name"] == "full");
    let spec = full.expect("an example named full")["spec"].clone();
    let crd = crds()
        .into_iter()
        .find(|crd| crd.spec.names.kind == "PamCredential")
        .expect("defined");
    let crd = serde_json::to_value(crd).expect("plain data");
    let schema = crd
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .expect("a spec");
    let mut missing = Vec::new();
    compare("spec", schema, &[&spec], &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
}

/// Notes the fields of a schema that none of the values has.
fn compare(path: &str, schema: &Value, values: &[&Value], missing: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        let present: Vec<_> = values.iter().filter_map(|value| value.get(name)).collect();
        if present.is_empty() {
            missing.push(path);
        } else if property["type"] == "array" {
            let items: Vec<_> = present.iter().filter_map(|list| list.as_array()).flatten().collect();
            compare(&path, &property["items"], &items, missing);
        } else {
            compare(&path, property, &present, missing);
        }
    }
}
