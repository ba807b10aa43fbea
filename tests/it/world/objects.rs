//! The objects of a test's world: how they are made, changed and deleted.

use std::fmt::Debug;

use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{
    Api, Resource,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
};
use pam_operator::api::{ClusterPamConnection, PamConnection, PamCredential};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{CLIENT, CLIENT_SECRET, World};

impl World {
    /// What every connection of this namespace needs: the client's Secret and the PAM's authority.
    pub async fn furnish(&self) {
        self.secret(
            "vault-client",
            json!({"clientId": CLIENT, "clientSecret": CLIENT_SECRET}),
        )
        .await;
        if let Some(ca) = self.pam.ca_pem() {
            self.config_map("vault-ca", "ca.crt", ca).await;
        }
    }

    /// Creates or replaces a Secret.
    pub async fn secret(&self, name: &str, values: Value) {
        let values = values.as_object().expect("an object").iter();
        let bytes = |value: &Value| ByteString(value.as_str().expect("a text").as_bytes().to_vec());
        self.secret_bytes(
            name,
            values
                .map(|(key, value)| (key.clone(), bytes(value)))
                .collect::<Vec<_>>(),
        )
        .await;
    }

    /// Creates or replaces a Secret of any bytes.
    pub async fn secret_bytes(&self, name: &str, data: impl IntoIterator<Item = (String, ByteString)>) {
        let secret = Secret {
            metadata: named(name),
            data: Some(data.into_iter().collect()),
            ..Secret::default()
        };
        self.put(&self.api(), name, &secret).await;
    }

    /// Creates or replaces a ConfigMap with one key.
    pub async fn config_map(&self, name: &str, key: &str, value: &str) {
        let map = ConfigMap {
            metadata: named(name),
            data: Some([(key.to_owned(), value.to_owned())].into()),
            ..ConfigMap::default()
        };
        self.put(&self.api(), name, &map).await;
    }

    /// The spec of a connection to the simulated PAM, changed by a merge patch.
    pub fn connection_spec(&self, change: Value) -> Value {
        let mut spec = json!({"url": self.pam_url(), "credentialsSecretRef": {"name": "vault-client"}});
        if self.pam.ca_pem().is_some() {
            spec["tls"] = json!({"caBundleRef": {"kind": "ConfigMap", "name": "vault-ca", "key": "ca.crt"}});
        }
        merge(&mut spec, change);
        spec
    }

    /// Creates a PamConnection.
    pub async fn connection(&self, name: &str, change: Value) {
        self.labelled_connection(name, json!({}), change).await;
    }

    /// Creates a PamConnection with labels.
    pub async fn labelled_connection(&self, name: &str, labels: Value, change: Value) {
        let object = json!({
            "apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamConnection",
            "metadata": {"name": name, "namespace": self.namespace, "labels": labels}, "spec": self.connection_spec(change),
        });
        let object: PamConnection = serde_json::from_value(object).expect("a connection");
        self.api()
            .create(&PostParams::default(), &object)
            .await
            .expect("the connection is accepted");
    }

    /// Creates a ClusterPamConnection; only in a control plane of the test's own.
    pub async fn cluster_connection(&self, name: &str, change: Value) {
        let object = json!({
            "apiVersion": "pam-operator.dev/v1alpha1", "kind": "ClusterPamConnection",
            "metadata": {"name": name}, "spec": self.connection_spec(change),
        });
        let object: ClusterPamConnection = serde_json::from_value(object).expect("a connection");
        let api = Api::all(self.client.clone());
        api.create(&PostParams::default(), &object)
            .await
            .expect("the connection is accepted");
    }

    /// Creates a PamCredential: the usual one under this name, changed by a merge patch of its spec.
    pub async fn create(&self, name: &str, change: Value) -> PamCredential {
        let object = self.credential(name, change);
        self.api()
            .create(&PostParams::default(), &object)
            .await
            .expect("the object is accepted")
    }

    /// The usual PamCredential under this name, changed by a merge patch of its spec.
    pub fn credential(&self, name: &str, change: Value) -> PamCredential {
        let mut spec = json!({
            "connectionRef": {"name": "vault"},
            "username": name, "hostname": "db.example.com", "ip": "10.0.0.1",
        });
        merge(&mut spec, change);
        let object = json!({
            "apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential",
            "metadata": {"name": name, "namespace": self.namespace}, "spec": spec,
        });
        serde_json::from_value(object).expect("a credential")
    }

    /// Changes an object by a merge patch of its spec.
    pub async fn change(&self, name: &str, spec: Value) -> PamCredential {
        self.patch(name, json!({"spec": spec})).await
    }

    /// Changes an object by a merge patch.
    pub async fn patch(&self, name: &str, patch: Value) -> PamCredential {
        let api: Api<PamCredential> = self.api();
        api.patch(name, &PatchParams::default(), &Patch::Merge(patch))
            .await
            .expect("the change is accepted")
    }

    /// Forges a status by a merge patch, as somebody with too many rights could.
    pub async fn forge(&self, name: &str, status: Value) {
        let api: Api<PamCredential> = self.api();
        let patch = Patch::Merge(json!({"status": status}));
        api.patch_status(name, &PatchParams::default(), &patch)
            .await
            .expect("the status is accepted");
    }

    /// Deletes an object.
    pub async fn delete(&self, name: &str) {
        let api: Api<PamCredential> = self.api();
        api.delete(name, &DeleteParams::default())
            .await
            .expect("the deletion is accepted");
    }

    async fn put<K>(&self, api: &Api<K>, name: &str, object: &K)
    where
        K: Resource<DynamicType = ()> + Clone + Serialize + DeserializeOwned + Debug,
    {
        let params = PatchParams::apply("test").force();
        api.patch(name, &params, &Patch::Apply(object))
            .await
            .expect("the object is accepted");
    }
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}

/// Changes JSON by a merge patch (RFC 7386).
pub fn merge(into: &mut Value, change: Value) {
    match change {
        Value::Object(change) => {
            if !into.is_object() {
                *into = json!({});
            }
            let fields = into.as_object_mut().expect("just made one");
            for (name, value) in change {
                if value.is_null() {
                    fields.remove(&name);
                } else {
                    merge(fields.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        value => *into = value,
    }
}
