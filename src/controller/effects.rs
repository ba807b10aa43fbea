//! Every effect that leaves the process: requests to the API server and to the PAM.
//!
//! The controllers do nothing to the world but through here, so that effects can be counted, failed on purpose and
//! guarded (by a lease, a limit, a breaker) in one place. The lease itself is no effect of theirs: see [`crate::leader`].

use std::{collections::HashMap, fmt::Debug};

use futures::FutureExt;
use k8s_openapi::{
    ByteString,
    api::{
        core::v1::{ConfigMap, Namespace, Secret},
        events::v1::Event,
    },
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zeroize::Zeroize;

use crate::controller::{
    Credential,
    connection::{kind::ConnectionResource, terms::LinkKey, turnstile::Pass},
    ownership::identity::Name,
};
use crate::{
    api::{FINALIZER, SecretVersion},
    leader::{Cut, Tenure},
    metrics::Metrics,
    names::is_dns_subdomain,
    pam::{self, Answer, Class, CredentialBody, Listing, Outcome},
};

/// The way to the world; cheap to clone.
#[derive(Clone)]
pub struct Effects {
    client: Client,
    metrics: Metrics,
    tenure: Tenure,
}

/// A Secret as it was read: its version, and values that nobody prints.
pub struct SecretValues {
    uid: String,
    resource_version: String,
    name: String,
    values: HashMap<String, SecretSlice<u8>>,
}

impl SecretValues {
    /// The bytes under a key.
    pub fn bytes(&self, key: &str) -> Option<&SecretSlice<u8>> {
        self.values.get(key)
    }

    /// The text under a key; none when it is missing, empty or not UTF-8.
    pub fn text(&self, key: &str) -> Option<SecretString> {
        let text = std::str::from_utf8(self.bytes(key)?.expose_secret()).ok()?;
        (!text.is_empty()).then(|| SecretString::from(text))
    }

    /// The version of a key of this Secret.
    pub fn version(&self, key: &str) -> SecretVersion {
        SecretVersion {
            name: self.name.clone(),
            key: key.to_owned(),
            uid: self.uid.clone(),
            resource_version: self.resource_version.clone(),
        }
    }
}

impl Effects {
    /// Reaches the API server through this client.
    pub fn new(client: Client, metrics: Metrics) -> Self {
        Self {
            client,
            metrics,
            tenure: Tenure::unlimited(),
        }
    }

    /// The same for as long as this process may act.
    pub fn under(self, tenure: Tenure) -> Self {
        Self { tenure, ..self }
    }

    /// The right to act.
    pub fn tenure(&self) -> &Tenure {
        &self.tenure
    }

    /// Creates a Secret.
    pub async fn create_secret(&self, namespace: &str, secret: &Secret) -> kube::Result<Secret> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        self.write(api.create(&PostParams::default(), secret)).await
    }

    /// Changes a Secret by a merge patch.
    pub async fn patch_secret(&self, namespace: &str, name: &str, patch: Value) -> kube::Result<Secret> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        self.write(api.patch(name, &PatchParams::default(), &Patch::Merge(patch)))
            .await
    }

    /// Reads a Secret; none when it does not exist. Secrets and ConfigMaps are named as DNS subdomains: another text, of an
    /// object that is older than the schema's rule, would become part of the request's path as it is, and lead out of the
    /// namespace.
    pub async fn read_secret(&self, namespace: &str, name: &str) -> kube::Result<Option<SecretValues>> {
        if !is_dns_subdomain(name) {
            return Ok(None);
        }
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let Some(secret) = api.get_opt(name).await? else {
            return Ok(None);
        };
        let values = secret.data.unwrap_or_default().into_iter();
        Ok(Some(SecretValues {
            uid: secret.metadata.uid.unwrap_or_default(),
            resource_version: secret.metadata.resource_version.unwrap_or_default(),
            name: name.to_owned(),
            values: values.map(|(key, value)| (key, guard(value))).collect(),
        }))
    }

    /// Reads a ConfigMap; none when it does not exist.
    pub async fn read_config_map(&self, namespace: &str, name: &str) -> kube::Result<Option<ConfigMap>> {
        if !is_dns_subdomain(name) {
            return Ok(None);
        }
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
        api.get_opt(name).await
    }

    /// Whether a namespace is being deleted, or gone; not as far as is known where it may not be read.
    pub async fn is_terminating(&self, namespace: &str) -> kube::Result<bool> {
        let api: Api<Namespace> = Api::all(self.client.clone());
        match api.get_opt(namespace).await {
            Ok(namespace) => Ok(namespace.is_none_or(|namespace| namespace.metadata.deletion_timestamp.is_some())),
            Err(kube::Error::Api(status)) if status.is_forbidden() => {
                tracing::debug!(namespace, %status, "whether the namespace is being deleted cannot be read");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads an object anew.
    pub async fn read_credential(&self, name: &Name) -> kube::Result<Option<Credential>> {
        let api: Api<Credential> = Api::namespaced(self.client.clone(), name.namespace());
        api.get_opt(name.name()).await
    }

    /// Patches the status of an object, if it still has this resourceVersion.
    pub async fn patch_credential_status(&self, name: &Name, version: &str, status: Value) -> kube::Result<Credential> {
        let api: Api<Credential> = Api::namespaced(self.client.clone(), name.namespace());
        self.write(patch_status(&api, name.name(), version, status)).await
    }

    /// Replaces the finalizers of an object, if it still has this resourceVersion.
    pub async fn patch_finalizers(&self, object: &Credential, name: &Name, present: bool) -> kube::Result<Credential> {
        let api: Api<Credential> = Api::namespaced(self.client.clone(), name.namespace());
        let mut finalizers = object.metadata.finalizers.clone().unwrap_or_default();
        finalizers.retain(|finalizer| finalizer != FINALIZER);
        if present {
            finalizers.push(FINALIZER.to_owned());
        }
        let patch = json!({"metadata": {"resourceVersion": object.version(), "finalizers": finalizers}});
        self.write(api.patch(name.name(), &PatchParams::default(), &Patch::Merge(patch)))
            .await
    }

    /// Patches the status of a connection, if it still has this resourceVersion.
    pub async fn patch_connection_status<K: ConnectionResource>(
        &self,
        key: &LinkKey,
        version: &str,
        status: Value,
    ) -> kube::Result<()> {
        let api = K::api(self.client.clone(), key.namespace.as_deref());
        self.write(patch_status(&api, &key.name, version, status))
            .await
            .map(drop)
    }

    /// Creates an event in its namespace.
    pub async fn create_event(&self, event: &Event) -> kube::Result<()> {
        let namespace = event.metadata.namespace.as_deref().unwrap_or_default();
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        self.write(api.create(&PostParams::default(), event)).await.map(drop)
    }

    /// Obtains a token, or finds the cached one still good.
    pub async fn authenticate(&self, client: &pam::Client, pass: &Pass) -> Result<(), pam::Error> {
        self.ask("token", pass, client.authenticate()).await
    }

    /// Lists the PAM.
    pub async fn list(&self, client: &pam::Client, pass: &Pass) -> Result<Listing, pam::Error> {
        self.ask("list", pass, client.list()).await
    }

    /// Creates or updates a credential.
    pub async fn post(&self, client: &pam::Client, pass: &Pass, body: &CredentialBody) -> Result<Answer, pam::Error> {
        self.ask("post", pass, client.post(body)).await
    }

    /// Deactivates a credential.
    pub async fn deactivate(&self, client: &pam::Client, pass: &Pass, id: &str) -> Result<(), pam::Error> {
        self.ask("deactivate", pass, client.deactivate(id)).await
    }

    /// Reactivates a credential.
    pub async fn reactivate(&self, client: &pam::Client, pass: &Pass, id: &str) -> Result<(), pam::Error> {
        self.ask("reactivate", pass, client.reactivate(id)).await
    }

    /// Every request to a PAM leaves here, reading ones too, and every answer comes back. Without a valid lease nothing is
    /// sent, and what is under way when it ends is cut: the next leader must not be met by a late request of this one. The turnstile
    /// of the connection counts request and answer.
    fn ask<T>(
        &self,
        operation: &'static str,
        pass: &Pass,
        request: impl Future<Output = Result<T, pam::Error>>,
    ) -> impl Future<Output = Result<T, pam::Error>> {
        let guarded = self.tenure.guard(request);
        let guarded = guarded.map(|done| done.unwrap_or_else(|cut| Err(unled(cut))));
        let counted = self.metrics.count_call(operation, guarded);
        async move {
            pass.begin();
            let result = counted.await;
            pass.end(result.as_ref().err());
            result
        }
    }

    /// Every write to the API server leaves here, as long as the lease is valid.
    fn write<T>(&self, request: impl Future<Output = kube::Result<T>>) -> impl Future<Output = kube::Result<T>> {
        let guarded = self.tenure.guard(request);
        guarded.map(|done| done.unwrap_or_else(|cut| Err(kube::Error::Service(Box::new(cut)))))
    }
}

/// The error of a request to a PAM without a lease.
fn unled(cut: Cut) -> pam::Error {
    let outcome = if cut.begun {
        Outcome::Unknown
    } else {
        Outcome::NotExecuted
    };
    pam::Error::new(Class::Unavailable, outcome).detail("this process does not hold the lease")
}

async fn patch_status<K>(api: &Api<K>, name: &str, version: &str, status: Value) -> kube::Result<K>
where
    K: Clone + DeserializeOwned + Debug,
{
    let patch = json!({"metadata": {"resourceVersion": version}, "status": status});
    api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
        .await
}

/// Takes a value over into a type that nobody prints, and wipes where it came from.
fn guard(mut value: ByteString) -> SecretSlice<u8> {
    let guarded = SecretSlice::from(value.0.clone());
    value.0.zeroize();
    guarded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was never begun cannot have happened, so its claim may be given up; anything else has to be found out.
    #[test]
    fn a_request_that_is_cut_may_have_happened_only_if_it_had_begun() {
        for (begun, outcome) in [(false, Outcome::NotExecuted), (true, Outcome::Unknown)] {
            let error = unled(Cut { begun });
            assert_eq!((error.class, error.outcome), (Class::Unavailable, outcome));
            assert!(error.to_string().contains("lease"), "{error}");
        }
    }
}
