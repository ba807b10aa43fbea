//! Namespaces are apart: who may use a shared connection, what nobody reads of others, and how a namespace ends.

mod ends;
mod installations;
mod names;
mod selectors;

use std::fmt::Debug;

use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Namespace, Secret},
};
use kube::{
    Api, Resource,
    api::{Patch, PatchParams},
    core::NamespaceResourceScope,
};
use pam_operator::api::{PamConnection, PamCredential};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use testbed::wait_for;

use crate::world::{CLIENT, CLIENT_SECRET, DEADLINE, World, is, merge};

/// One of the world's further namespaces.
struct Team<'a> {
    world: &'a World,
    namespace: &'a str,
}

impl<'a> Team<'a> {
    fn new(world: &'a World, number: usize) -> Self {
        Self {
            world,
            namespace: &world.teams[number],
        }
    }

    fn api<K: Resource<DynamicType = (), Scope = NamespaceResourceScope>>(&self) -> Api<K> {
        Api::namespaced(self.world.client.clone(), self.namespace)
    }

    async fn put<K>(&self, name: &str, mut object: Value)
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Serialize + DeserializeOwned + Debug,
    {
        object["metadata"]["name"] = json!(name);
        let params = PatchParams::apply("test").force();
        let put = self.api::<K>().patch(name, &params, &Patch::Apply(object)).await;
        put.expect("the object is accepted");
    }

    /// Creates or replaces a Secret.
    async fn secret(&self, name: &str, values: &[(&str, &str)]) {
        let data = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), ByteString(value.as_bytes().to_vec())));
        let secret = Secret {
            data: Some(data.collect()),
            ..Secret::default()
        };
        self.put::<Secret>(name, serde_json::to_value(secret).expect("JSON"))
            .await;
    }

    /// Creates the connection `vault` and what it needs.
    async fn connection(&self) {
        self.secret("vault-client", &[("clientId", CLIENT), ("clientSecret", CLIENT_SECRET)])
            .await;
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"ca.crt": self.world.ca()}});
        self.put::<ConfigMap>("vault-ca", map).await;
        self.put::<PamConnection>("vault", connection(&self.world.connection_spec(json!({}))))
            .await;
    }

    /// Creates or changes the usual PamCredential under this name, changed by a merge patch of its spec.
    async fn credential(&self, name: &str, change: Value) {
        let mut spec = json!({
            "connectionRef": {"name": "vault"},
            "username": name, "hostname": "db.example.com", "ip": "10.0.0.1",
        });
        merge(&mut spec, change);
        let object = json!({"apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential", "spec": spec});
        self.put::<PamCredential>(name, object).await;
    }

    /// Waits until an object is Ready as it is now.
    async fn ready(&self, name: &str) -> PamCredential {
        self.until(name, "Ready", |object| is(object, "True", None)).await
    }

    /// Waits until an object is not ready for this reason.
    async fn fails(&self, name: &str, reason: &str) -> PamCredential {
        self.until(name, reason, |object| is(object, "False", Some(reason)))
            .await
    }

    async fn until(&self, name: &str, described: &str, is_so: impl Fn(&PamCredential) -> bool) -> PamCredential {
        let found = wait_for(&self.api(), name, described, DEADLINE, is_so).await;
        self.world.expect(found)
    }

    /// Labels the namespace; a null takes the label off.
    async fn label(&self, labels: Value) {
        let api: Api<Namespace> = Api::all(self.world.client.clone());
        let patch = Patch::Merge(json!({"metadata": {"labels": labels}}));
        api.patch(self.namespace, &PatchParams::default(), &patch)
            .await
            .expect("the labels are accepted");
    }
}

/// A PamConnection with this spec, to be applied under any name.
fn connection(spec: &Value) -> Value {
    json!({"apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamConnection", "spec": spec})
}
