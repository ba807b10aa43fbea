//! The most that the rig gives: no controller, but the same POST and two status patches for each object, over 64 connections.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use pam_operator::api::PamCredential;
use serde_json::{Value, json};
use testbed::Error;

use crate::{
    fleet::Object,
    stage::{Stage, WRITERS},
};

/// Brings all objects to where a controller would.
pub async fn converge(stage: &Stage<'_>) -> Result<(), Error> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pam = HttpClient::builder(TokioExecutor::new()).build(connector);
    let objects = stage.fleet.objects.iter();
    stream::iter(objects.map(|object| one(stage, &pam, object)))
        .buffer_unordered(WRITERS)
        .try_for_each(|()| async { Ok(()) })
        .await
}

async fn one(stage: &Stage<'_>, pam: &HttpClient<HttpConnector, Full<Bytes>>, object: &Object) -> Result<(), Error> {
    let claim = json!({
        "target": stage.pam.url(), "identifier": object.username(), "hostname": object.username(),
        "ip": object.username(), "username": object.username(), "mac": "0".repeat(43),
    });
    patch(&stage.admin, object, &status(object, &claim, "False", "Progressing")).await?;
    post(stage, pam, object).await?;
    patch(&stage.admin, object, &status(object, &claim, "True", "Synced")).await
}

/// A status as large as the operator's.
fn status(object: &Object, claim: &Value, ready: &str, reason: &str) -> Value {
    let fingerprint = "0".repeat(43);
    let mut status = json!({
        "identifier": object.username(), "claim": claim, "observedGeneration": 1,
        "connection": {"kind": "ClusterPamConnection", "name": "pam"},
        "conditions": [{
            "type": "Ready", "status": ready, "reason": reason, "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z", "message": "the PAM accepted this generation of the object",
        }],
    });
    if ready == "True" {
        status["id"] = "1".into();
        status["applied"] = json!({
            "generation": 1, "time": "2026-01-01T00:00:00Z", "body": fingerprint, "content": fingerprint,
            "key": "0".repeat(8),
            "secrets": [{
                "name": object.name, "key": "password", "uid": "00000000-0000-0000-0000-000000000000",
                "resourceVersion": "1000",
            }],
        });
    }
    status
}

async fn patch(admin: &Client, object: &Object, status: &Value) -> Result<(), Error> {
    let api = Api::<PamCredential>::namespaced(admin.clone(), object.namespace);
    let patch = Patch::Merge(json!({"status": status}));
    let patched = api.patch_status(&object.name, &PatchParams::default(), &patch).await;
    patched.map(drop).map_err(Error::kube("cannot write a status"))
}

async fn post(stage: &Stage<'_>, pam: &HttpClient<HttpConnector, Full<Bytes>>, object: &Object) -> Result<(), Error> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}/iso/pam/credential", stage.pam.url()))
        .body(Full::from(object.body().to_string()))
        .expect("a valid request");
    let failed = |error: &dyn std::fmt::Display| Error::Manifest(format!("the PAM did not take a POST: {error}"));
    let answer = pam.request(request).await.map_err(|error| failed(&error))?;
    let status = answer.status();
    answer.into_body().collect().await.map_err(|error| failed(&error))?;
    if status.is_success() {
        Ok(())
    } else {
        Err(failed(&status))
    }
}
