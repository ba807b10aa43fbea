//! Manifests, applied as `kubectl apply --server-side` would.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
    discovery::{self, Scope},
    runtime::{conditions::is_crd_established, wait::Condition},
};
use serde_json::Value;

use crate::{Error, wait::wait_for};

/// The field manager of everything that the testbed applies.
pub const FIELD_MANAGER: &str = "testbed";

/// How long the API server may take to serve a new CRD.
const CRD_DEADLINE: Duration = Duration::from_secs(30);

/// Applies each document of a YAML text in its order, and returns the objects as the API server keeps them. What is
/// namespaced and names no namespace goes to `namespace`. Stops at the first refusal, see [`Error::status`].
pub async fn apply(client: &Client, yaml: &str, namespace: &str) -> Result<Vec<DynamicObject>, Error> {
    let mut applied = Vec::new();
    for object in &documents(yaml)? {
        applied.push(apply_object(client, object, namespace).await?);
    }
    Ok(applied)
}

/// Installs the product's CRDs from `crds/` and waits until they are served.
pub async fn install_crds(client: &Client) -> Result<(), Error> {
    let files = yaml_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds"))?;
    let crds = Api::<CustomResourceDefinition>::all(client.clone());
    for file in files {
        for crd in apply(client, &read(&file)?, "").await? {
            let established = is_crd_established();
            wait_for(&crds, &crd.name_any(), "established", CRD_DEADLINE, |crd| {
                established.matches_object(Some(crd))
            })
            .await?;
        }
    }
    Ok(())
}

/// The YAML files of a directory in the order of their names.
pub fn yaml_files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let doing = || Error::io(format!("cannot read {}", directory.display()));
    let entries = fs::read_dir(directory)
        .map_err(doing())?
        .collect::<Result<Vec<_>, _>>()
        .map_err(doing())?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    if files.is_empty() {
        return Err(Error::Manifest(format!("no YAML file in {}", directory.display())));
    }
    Ok(files)
}

/// Reads a file as text.
pub fn read(file: &Path) -> Result<String, Error> {
    fs::read_to_string(file).map_err(Error::io(format!("cannot read {}", file.display())))
}

/// The objects of a YAML text; empty documents are left out.
pub fn documents(yaml: &str) -> Result<Vec<DynamicObject>, Error> {
    let invalid = |error: &dyn std::fmt::Display| Error::Manifest(format!("not a manifest: {error}"));
    let values: Vec<Value> = serde_saphyr::from_multiple(yaml).map_err(|error| invalid(&error))?;
    let objects = values.into_iter().filter(|value| !value.is_null());
    objects
        .map(|value| serde_json::from_value(value).map_err(|error| invalid(&error)))
        .collect()
}

/// Applies one object as [`apply`] does.
pub async fn apply_object(client: &Client, object: &DynamicObject, namespace: &str) -> Result<DynamicObject, Error> {
    let name = object.name_any();
    let types = object.types.as_ref();
    let types = types.ok_or_else(|| Error::Manifest(format!("{name}: apiVersion or kind is missing")))?;
    let what = format!("cannot apply {} {name}", types.kind);
    let gvk = GroupVersionKind::try_from(types).map_err(|error| Error::Manifest(format!("{what}: {error}")))?;
    let (resource, capabilities) = discovery::pinned_kind(client, &gvk)
        .await
        .map_err(Error::kube(what.as_str()))?;
    let namespace = object.namespace().unwrap_or_else(|| namespace.to_owned());
    let api = match capabilities.scope {
        Scope::Cluster => Api::all_with(client.clone(), &resource),
        Scope::Namespaced => Api::namespaced_with(client.clone(), &namespace, &resource),
    };
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(&name, &params, &Patch::Apply(object))
        .await
        .map_err(Error::kube(what))
}
