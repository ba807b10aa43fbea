//! The testbed itself: what all other tests rely on.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use testbed::{
    ADMIN, ControlPlane, count, create_namespace, delete_namespace, finalize_namespace, manifest, rbac, shared,
    wait_for,
};

const DEADLINE: Duration = Duration::from_secs(10);

const SECRET_AND_CONFIG_MAP: &str = "
apiVersion: v1
kind: Secret
metadata: {name: one}
stringData: {password: example}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {key: value}
";

#[tokio::test]
async fn each_write_is_counted_once_for_its_user() {
    let control_plane = shared().await;
    let admin = control_plane.admin().await.expect("a client");
    let namespace = create_namespace(&admin, "audit").await.expect("a namespace");
    let user = format!("user-of-{namespace}");
    rbac::bind_operator(&admin, &user, &namespace).await.expect("a role");
    let client = control_plane.client_for(&user).await.expect("a client");

    let mark = control_plane.audit().mark(&user).await.expect("an audit log");
    let secrets = Api::<Secret>::namespaced(client.clone(), &namespace);
    secrets.list(&ListParams::default()).await.expect("allowed");
    secrets
        .delete("one", &DeleteParams::default())
        .await
        .expect_err("the operator may not delete Secrets");
    manifest::apply(&admin, SECRET_AND_CONFIG_MAP, &namespace)
        .await
        .expect("valid manifests");

    let requests = control_plane.audit().since(mark, &user).await.expect("an audit log");
    let expected = BTreeMap::from([("list secrets".to_owned(), 1), ("delete secrets".to_owned(), 1)]);
    assert_eq!(count(&requests), expected);
    assert_eq!(
        control_plane.audit().writes(mark, &user).await.expect("an audit log"),
        BTreeMap::new()
    );
    let of_admin = control_plane.audit().since(mark, ADMIN).await.expect("an audit log");
    let here = of_admin
        .iter()
        .filter(|request| request.namespace == namespace && request.is_write());
    let expected = BTreeMap::from([("patch secrets".to_owned(), 1), ("patch configmaps".to_owned(), 1)]);
    assert_eq!(count(here), expected);
}

#[tokio::test]
async fn a_refusal_carries_the_answer_of_the_api_server() {
    let admin = shared().await.admin().await.expect("a client");
    let manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: Upper-Case}}";
    let refusal = manifest::apply(&admin, manifest, "default")
        .await
        .expect_err("names are lower case");
    let status = refusal.status().expect("the API server answered");
    assert_eq!((status.code, status.reason.as_str()), (422, "Invalid"));
}

#[tokio::test]
async fn waiting_in_vain_shows_what_was_there() {
    let admin = shared().await.admin().await.expect("a client");
    let namespace = create_namespace(&admin, "wait").await.expect("a namespace");
    manifest::apply(&admin, SECRET_AND_CONFIG_MAP, &namespace)
        .await
        .expect("valid manifests");
    let config_maps = Api::<ConfigMap>::namespaced(admin, &namespace);
    let short = Duration::from_millis(200);
    let error = wait_for(&config_maps, "two", "labelled", short, |object| {
        object.metadata.labels.is_some()
    })
    .await;
    let text = error.expect_err("it has no labels").to_string();
    assert!(
        text.starts_with("two is not labelled after 200ms") && text.contains("key: value"),
        "{text}"
    );
}

#[tokio::test]
async fn a_namespace_goes_when_it_is_finalized() {
    let admin = shared().await.admin().await.expect("a client");
    let namespace = create_namespace(&admin, "gone").await.expect("a namespace");
    let namespaces = Api::<Namespace>::all(admin.clone());
    delete_namespace(&admin, &namespace).await.expect("allowed");
    let terminating = |object: &Namespace| object.metadata.deletion_timestamp.is_some();
    wait_for(&namespaces, &namespace, "terminating", DEADLINE, terminating)
        .await
        .expect("nobody finalizes it");
    finalize_namespace(&admin, &namespace).await.expect("allowed");
    assert!(namespaces.get_opt(&namespace).await.expect("allowed").is_none());
}

#[tokio::test]
async fn a_control_plane_ends_with_its_value() {
    let control_plane = ControlPlane::start().await.expect("a second one beside the shared one");
    let kubeconfig = control_plane.write_kubeconfig(ADMIN).expect("a file");
    let admin = control_plane.admin().await.expect("a client");
    assert!(kubeconfig.is_file());
    admin.apiserver_version().await.expect("it runs");
    drop(control_plane);
    assert!(!kubeconfig.exists());
    admin.apiserver_version().await.expect_err("it ended");
}
