//! Every feature works with the rights that the chart gives, and the API server refuses nothing on the way.

use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret},
    events::v1::Event,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use pam_operator::{
    api::{
        ClusterPamConnection, PamConnection, PamCredential,
        condition::{READY, find},
    },
    simulator::Credential,
};
use serde_json::{Value, json};
use testbed::{delete_namespace, examples, manifest, wait_for, wait_until_gone};

use super::installed::Installed;
use crate::{
    look::{password, within_deadline},
    world::{DEADLINE, is},
};

/// Where the examples' objects are.
const DEMO: &str = examples::NAMESPACE;

impl Installed {
    fn credentials(&self) -> Api<PamCredential> {
        Api::namespaced(self.admin.clone(), DEMO)
    }

    async fn apply(&self, yaml: &str) {
        let applied = manifest::apply(&self.admin, yaml, DEMO).await;
        applied.unwrap_or_else(|error| panic!("{error}"));
    }

    async fn until(&self, name: &str, described: &str, is_so: impl Fn(&PamCredential) -> bool) -> PamCredential {
        let found = wait_for(&self.credentials(), name, described, DEADLINE, is_so).await;
        found.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn patch(&self, name: &str, change: Value) {
        let (credentials, params) = (self.credentials(), PatchParams::default());
        let patched = credentials.patch(name, &params, &Patch::Merge(change)).await;
        patched.expect("it is accepted");
    }

    /// The PAM's entry of an object.
    fn entry(&self, object: &PamCredential) -> Credential {
        let identifier = object.status.as_ref().and_then(|status| status.identifier.as_deref());
        self.pam
            .find(identifier.expect("an identifier"))
            .expect("the PAM has it")
    }

    /// The examples, all Ready; then a new password, what others change, a deletion that deactivates, a refusal.
    async fn tour(&self) {
        let mut names = Vec::new();
        for object in examples::objects(&self.pam).expect("the examples") {
            let applied = manifest::apply_object(&self.admin, &object, DEMO).await;
            applied.unwrap_or_else(|error| panic!("{error}"));
            if examples::kind(&object) == "PamCredential" {
                names.push(object.name_any());
            }
        }
        assert!(names.len() >= 10, "{names:?}");
        for name in &names {
            let object = self.until(name, "Ready", |object| is(object, "True", None)).await;
            let status = object
                .managed_fields()
                .iter()
                .find(|fields| fields.subresource.is_some());
            let manager = status.and_then(|fields| fields.manager.as_deref());
            assert_eq!(manager, Some("pam-operator"), "{name}: who wrote the status");
        }

        self.apply(
            r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "social"}, "stringData": {"password": "canary-second"}}"#,
        )
        .await;
        let object = self.credentials().get("password").await.expect("it is there");
        within_deadline("have the new password", async || {
            password(&self.entry(&object)) == Some("canary-second")
        })
        .await;

        // Drift that is corrected: the listing that sees it comes on a new interval.
        let correct = self.credentials().get("correct").await.expect("it is there");
        self.pam
            .edit(self.entry(&correct).id, |entry| entry.username = "renamed".into());
        let connections: Api<PamConnection> = Api::namespaced(self.admin.clone(), DEMO);
        let sooner = Patch::Merge(json!({"spec": {"driftCheckInterval": "10s"}}));
        connections
            .patch("team", &PatchParams::default(), &sooner)
            .await
            .expect("it is accepted");
        within_deadline("be corrected", async || {
            self.entry(&correct).username == correct.spec.username
        })
        .await;

        let deactivate = self.credentials().get("deactivate").await.expect("it is there");
        assert!(!deactivate.finalizers().is_empty());
        let entry = self.entry(&deactivate).id;
        let deleted = self.credentials().delete("deactivate", &DeleteParams::default()).await;
        deleted.expect("it is deleted");
        wait_until_gone(&self.credentials(), "deactivate", DEADLINE)
            .await
            .expect("it is released");
        assert!(!self.pam.credential(entry).expect("it stays in the PAM").active);

        self.patch("minimal", json!({"spec": {"domain": "nowhere"}})).await;
        self.until("minimal", "DomainNotFound", |object| {
            is(object, "False", Some("DomainNotFound"))
        })
        .await;
        self.event_about(DEMO, "minimal", "DomainNotFound").await;
        self.patch("minimal", json!({"spec": {"domain": null}})).await;
        self.until("minimal", "Ready", |object| is(object, "True", None)).await;
    }

    /// A ClusterPamConnection that selects namespaces by label, and one that lacks its Secret.
    async fn connections_of_the_cluster(&self) {
        let vault: Api<ClusterPamConnection> = Api::all(self.admin.clone());
        let spec = vault.get("vault").await.expect("it is there").spec;
        let mut spec = serde_json::to_value(spec).expect("JSON");
        spec["allowedNamespaces"] = json!({"selector": {"matchLabels": {"kubernetes.io/metadata.name": DEMO}}});
        let connection = |name: &str, spec: &Value| {
            json!({"apiVersion": "pam-operator.dev/v1alpha1", "kind": "ClusterPamConnection",
                "metadata": {"name": name}, "spec": spec})
            .to_string()
        };
        self.apply(&connection("selecting", &spec)).await;
        let selected = json!({"apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential",
            "metadata": {"name": "selected"},
            "spec": {"connectionRef": {"kind": "ClusterPamConnection", "name": "selecting"},
                "username": "selected", "hostname": "localhost", "ip": "127.0.0.1"}});
        self.apply(&selected.to_string()).await;
        self.until("selected", "Ready", |object| is(object, "True", None)).await;

        spec["credentialsSecretRef"] = json!({"name": "nowhere"});
        self.apply(&connection("lacking", &spec)).await;
        let lacks = |connection: &ClusterPamConnection| {
            let ready = connection
                .status
                .as_ref()
                .and_then(|status| find(&status.conditions, READY));
            ready.is_some_and(|ready| ready.reason == "SecretNotFound")
        };
        let lacking = wait_for(&vault, "lacking", "SecretNotFound", DEADLINE, lacks).await;
        lacking.unwrap_or_else(|error| panic!("{error}"));
        self.event_about("default", "lacking", "SecretNotFound").await;
    }

    /// Events are written beside everything else, so this one may come later than what it is about.
    async fn event_about(&self, namespace: &str, name: &str, reason: &str) {
        let events: Api<Event> = Api::namespaced(self.admin.clone(), namespace);
        within_deadline("have an event", async || {
            let list = events.list(&ListParams::default()).await.expect("a list");
            list.iter().any(|event| {
                let regarding = event.regarding.as_ref().and_then(|regarding| regarding.name.as_deref());
                regarding == Some(name) && event.reason.as_deref() == Some(reason)
            })
        })
        .await;
    }

    /// The namespace goes with an object that would be deactivated, and its connection's Secret is gone first.
    async fn end_of_a_namespace(&self, namespace: &str) {
        let objects = format!(
            r#"{{"apiVersion": "v1", "kind": "Secret", "metadata": {{"name": "own-client", "namespace": "{namespace}"}},
                 "stringData": {{"clientId": "5e1f0a7c2b9d4e6388c0d1f2a3b4c5d6e7f809120", "clientSecret": "example-client-secret-0123456789"}}}}
---
{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "own-ca", "namespace": "{namespace}"}}, "data": {{"ca.crt": {}}}}}
---
{{"apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamConnection", "metadata": {{"name": "own", "namespace": "{namespace}"}},
  "spec": {{"url": "{}", "credentialsSecretRef": {{"name": "own-client"}}, "tls": {{"caBundleRef": {{"kind": "ConfigMap", "name": "own-ca", "key": "ca.crt"}}}}}}}}
---
{{"apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential", "metadata": {{"name": "last", "namespace": "{namespace}"}},
  "spec": {{"connectionRef": {{"name": "own"}}, "username": "last", "hostname": "localhost", "ip": "127.0.0.1", "deletionPolicy": "Deactivate"}}}}"#,
            json!(self.pam.ca_pem()),
            self.pam.url(),
        );
        self.apply(&objects).await;
        let credentials: Api<PamCredential> = Api::namespaced(self.admin.clone(), namespace);
        let ready = wait_for(&credentials, "last", "Ready", DEADLINE, |object| {
            is(object, "True", None)
        })
        .await;
        ready.unwrap_or_else(|error| panic!("{error}"));
        delete_namespace(&self.admin, namespace).await.expect("it is deleted");
        let secrets: Api<Secret> = Api::namespaced(self.admin.clone(), namespace);
        secrets
            .delete("own-client", &DeleteParams::default())
            .await
            .expect("it is deleted");
        credentials
            .delete("last", &DeleteParams::default())
            .await
            .expect("it is deleted");
        wait_until_gone(&credentials, "last", DEADLINE)
            .await
            .expect("it blocks nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_whole_cluster() {
    let installed = Installed::new(&["ending"], &[]).await;
    let operator = installed.run().await;
    installed.tour().await;
    installed.connections_of_the_cluster().await;
    installed.end_of_a_namespace("ending").await;
    operator.stop().await.expect("it ends well");

    // Recovery after a restore: both start with what they may do only then.
    let recovery = ["--set", "operator.acceptCluster=true,operator.resignClaims=true"];
    let secrets: Api<Secret> = Api::namespaced(installed.admin.clone(), super::RELEASE);
    let foreign = Patch::Merge(json!({"stringData": {"cluster": "another"}}));
    secrets
        .patch("pam-operator-installation", &PatchParams::default(), &foreign)
        .await
        .expect("it is patched");
    installed.upgrade(&recovery).await;
    let operator = installed.run().await;
    installed
        .patch("minimal", json!({"spec": {"additional": "after the restore"}}))
        .await;
    installed
        .until("minimal", "Ready again", |object| is(object, "True", Some("Synced")))
        .await;
    operator.stop().await.expect("it ends well");
    assert_eq!(installed.denied().await, [], "everything is permitted");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_named_namespaces_and_nowhere_else() {
    let flags = [
        "--set",
        "scope.mode=namespaces",
        "--set",
        "scope.namespaces={demo,ending}",
    ];
    let installed = Installed::new(&[DEMO, "ending", "other"], &flags).await;
    let ignored = r#"
{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": "other"}, "stringData": {"password": "canary-theirs"}}
---
{"apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential", "metadata": {"name": "ignored", "namespace": "other"},
 "spec": {"connectionRef": {"kind": "ClusterPamConnection", "name": "vault"}, "username": "ignored", "hostname": "localhost", "ip": "127.0.0.1"}}"#;
    installed.apply(ignored).await;
    let operator = installed.run().await;
    installed.tour().await;
    installed.connections_of_the_cluster().await;
    installed.end_of_a_namespace("ending").await;

    let others: Api<PamCredential> = Api::namespaced(installed.admin.clone(), "other");
    let ignored = others.get("ignored").await.expect("it is there");
    let status = ignored.status.expect("the definition's default");
    assert_eq!((status.observed_generation, status.conditions.len()), (Some(-1), 0));
    assert_eq!(installed.denied().await, [], "everything is permitted");
    operator.stop().await.expect("it ends well");

    let client = installed.as_operator().await;
    for namespace in ["other", "kube-system", "default"] {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let config_maps: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
        let refused = |error: kube::Error| matches!(error, kube::Error::Api(status) if status.code == 403);
        assert!(secrets.get("theirs").await.is_err_and(refused), "{namespace}");
        assert!(
            secrets.list(&ListParams::default()).await.is_err_and(refused),
            "{namespace}"
        );
        assert!(
            config_maps.list(&ListParams::default()).await.is_err_and(refused),
            "{namespace}"
        );
    }
    let all: Api<Secret> = Api::all(client);
    assert!(all.list(&ListParams::default()).await.is_err());
}
