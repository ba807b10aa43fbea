//! The manifests of `examples/`, pointed at the simulated PAM.

use std::path::PathBuf;

use kube::{ResourceExt, api::DynamicObject};
use pam_operator::simulator::{Data, Handle};
use serde_json::json;

use crate::{Error, manifest};

/// Where the operator lives, and with it what a `ClusterPamConnection` refers to.
pub const OPERATOR_NAMESPACE: &str = "pam-operator";

/// Where an example goes that names no namespace.
pub const NAMESPACE: &str = "demo";

/// What the simulator knows from the start; the other files are manifests.
const SIMULATOR_DATA: &str = "simulator.yaml";

/// The data file of the simulator.
pub fn simulator_data() -> Result<Data, Error> {
    Data::read(&directory().join(SIMULATOR_DATA)).map_err(|error| Error::Manifest(error.to_string()))
}

/// All objects of the examples in the order of the files. Connections lead to `pam` instead of to the address in the file,
/// and what each one names as its authority's certificate comes before it.
pub fn objects(pam: &Handle) -> Result<Vec<DynamicObject>, Error> {
    let mut objects = Vec::new();
    for file in manifest::yaml_files(&directory())? {
        if file.file_name().is_some_and(|name| name == SIMULATOR_DATA) {
            continue;
        }
        let documents = manifest::documents(&manifest::read(&file)?);
        for mut object in documents.map_err(|error| Error::Manifest(format!("{}: {error}", file.display())))? {
            if kind(&object).ends_with("PamConnection") {
                object.data["spec"]["url"] = json!(pam.url());
                objects.push(authority(&object, pam)?);
            }
            objects.push(object);
        }
    }
    Ok(objects)
}

/// The kind of an object; empty when the manifest has none, which the API server will refuse.
#[must_use]
pub fn kind(object: &DynamicObject) -> &str {
    object.types.as_ref().map_or("", |types| &types.kind)
}

/// The namespace that an object of the examples goes to.
#[must_use]
pub fn namespace(object: &DynamicObject) -> String {
    object.namespace().unwrap_or_else(|| NAMESPACE.to_owned())
}

/// The `ConfigMap` in which a connection looks for the certificate of the PAM's authority.
fn authority(connection: &DynamicObject, pam: &Handle) -> Result<DynamicObject, Error> {
    let reference = &connection.data["spec"]["tls"]["caBundleRef"];
    let (Some(name), Some(key)) = (reference["name"].as_str(), reference["key"].as_str()) else {
        return Err(Error::Manifest(format!(
            "example {}: the demo needs its caBundleRef",
            connection.name_any()
        )));
    };
    let namespace = match kind(connection) {
        "ClusterPamConnection" => OPERATOR_NAMESPACE.to_owned(),
        _ => namespace(connection),
    };
    let config_map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: pam.ca_pem().unwrap_or_default()},
    });
    Ok(serde_json::from_value(config_map).expect("the literal has the form of an object"))
}

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"))
}
