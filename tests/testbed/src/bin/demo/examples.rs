//! The manifests of `examples/`, pointed at the simulated PAM.

use std::{collections::BTreeSet, path::PathBuf};

use kube::{ResourceExt, api::DynamicObject};
use pam_operator::simulator::{Data, Handle};
use serde_json::json;
use testbed::{Error, manifest};

/// Where the operator lives, and with it what a `ClusterPamConnection` refers to.
pub const OPERATOR_NAMESPACE: &str = "pam-operator";

/// Where an example goes that names no namespace.
pub const NAMESPACE: &str = "demo";

/// What the simulator knows from the start; the other files are manifests.
const SIMULATOR_DATA: &str = "simulator.yaml";

/// The `ConfigMap` with the certificate of the simulator's authority.
const AUTHORITY: &str = "simulated-pam-authority";

/// The data file of the simulator.
pub fn simulator_data() -> Result<Data, Error> {
    Data::read(&directory().join(SIMULATOR_DATA)).map_err(|error| Error::Manifest(error.to_string()))
}

/// All objects of the examples in the order of the files, after the namespaces that they need. Connections lead to `pam`
/// instead of to the address in the file.
pub fn objects(pam: &Handle) -> Result<Vec<DynamicObject>, Error> {
    let mut objects = Vec::new();
    for file in manifest::yaml_files(&directory())? {
        if file.file_name().is_some_and(|name| name != SIMULATOR_DATA) {
            let documents = manifest::documents(&manifest::read(&file)?);
            objects.extend(documents.map_err(|error| Error::Manifest(format!("{}: {error}", file.display())))?);
        }
    }
    let connections = objects
        .iter_mut()
        .filter(|object| kind(object).ends_with("PamConnection"));
    let authorities: BTreeSet<String> = connections.map(|connection| lead_to(connection, pam)).collect();
    let namespaces: BTreeSet<String> = objects
        .iter()
        .map(namespace)
        .chain(authorities.iter().cloned())
        .collect();
    let mut all: Vec<DynamicObject> = namespaces.iter().map(|name| namespace_object(name)).collect();
    all.extend(authorities.iter().map(|namespace| authority(namespace, pam)));
    all.extend(objects);
    Ok(all)
}

/// The kind of an object; empty when the manifest has none, which the API server will refuse.
pub fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map_or("", |types| &types.kind)
}

/// The namespace that an object of the examples goes to.
pub fn namespace(object: &DynamicObject) -> String {
    object.namespace().unwrap_or_else(|| NAMESPACE.to_owned())
}

/// Points a connection at the simulator; returns the namespace in which it looks for the authority's certificate.
fn lead_to(connection: &mut DynamicObject, pam: &Handle) -> String {
    let spec = &mut connection.data["spec"];
    spec["url"] = json!(pam.url());
    spec["tls"] = json!({"caBundleRef": {"kind": "ConfigMap", "name": AUTHORITY, "key": "ca.crt"}});
    if kind(connection) == "ClusterPamConnection" {
        OPERATOR_NAMESPACE.to_owned()
    } else {
        namespace(connection)
    }
}

fn authority(namespace: &str, pam: &Handle) -> DynamicObject {
    object(json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": AUTHORITY, "namespace": namespace},
        "data": {"ca.crt": pam.ca_pem().unwrap_or_default()},
    }))
}

fn namespace_object(name: &str) -> DynamicObject {
    object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
}

fn object(value: serde_json::Value) -> DynamicObject {
    serde_json::from_value(value).expect("the literal has the form of an object")
}

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"))
}
