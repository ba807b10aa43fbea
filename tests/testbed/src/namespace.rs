//! Namespaces: each test has its own.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ObjectMeta, PostParams},
};
use serde_json::json;

use crate::{Error, wait::wait_until_gone};

const GONE_DEADLINE: Duration = Duration::from_secs(10);

/// Creates a namespace whose name starts with `prefix` and is given to nobody else, and returns the name.
pub async fn create_namespace(client: &Client, prefix: &str) -> Result<String, Error> {
    let metadata = ObjectMeta {
        generate_name: Some(format!("{prefix}-")),
        ..ObjectMeta::default()
    };
    let namespace = Namespace {
        metadata,
        ..Namespace::default()
    };
    let created = Api::<Namespace>::all(client.clone())
        .create(&PostParams::default(), &namespace)
        .await;
    Ok(created.map_err(Error::kube("cannot create a namespace"))?.name_any())
}

/// Marks a namespace for deletion. It stays in phase Terminating, and what is in it stays too, because the controller that
/// empties namespaces does not run here; [`finalize_namespace`] does its last step.
pub async fn delete_namespace(client: &Client, name: &str) -> Result<(), Error> {
    let deleted = Api::<Namespace>::all(client.clone())
        .delete(name, &DeleteParams::default())
        .await;
    deleted
        .map(drop)
        .map_err(Error::kube(format!("cannot delete namespace {name}")))
}

/// Lets a namespace that is marked for deletion go. Objects still in it stay in the store: delete them before.
pub async fn finalize_namespace(client: &Client, name: &str) -> Result<(), Error> {
    let doing = format!("cannot finalize namespace {name}");
    let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {"finalizers": []}});
    let request = http::Request::put(format!("/api/v1/namespaces/{name}/finalize"))
        .header("Content-Type", "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|error| Error::Manifest(format!("{doing}: {error}")))?;
    client.request::<Namespace>(request).await.map_err(Error::kube(doing))?;
    wait_until_gone(&Api::<Namespace>::all(client.clone()), name, GONE_DEADLINE).await
}
