//! The Secret that holds the installation's identity: created once, read at every start.

use data_encoding::BASE32_NOPAD;
use k8s_openapi::{
    ByteString,
    api::core::v1::{Namespace, Secret},
};
use kube::{Api, Client, api::ObjectMeta};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretSlice;
use serde_json::json;

use crate::controller::{effects::Effects, ownership::installation::Installation};

/// Name of the Secret.
pub const NAME: &str = "pam-operator-installation";

/// Length of the installation's HMAC key, in bytes: that of the hash.
const KEY_LENGTH: usize = 32;

/// Why the installation's identity cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The API server refused or did not answer.
    #[error(
        "the installation's identity (Secret {namespace}/{NAME}, UID of kube-system) cannot be read or created: {source}"
    )]
    Api {
        /// The operator's namespace.
        namespace: String,
        /// What the API server said.
        source: Box<kube::Error>,
    },
    /// The Secret is there, but not what this operator makes.
    #[error("Secret {0}/{NAME} has no key of {KEY_LENGTH} bytes; restore it from a backup, or delete it to start anew")]
    Damaged(String),
}

/// The installation, and whether it was copied from another cluster.
#[derive(Debug)]
pub struct Setup {
    /// The identity.
    pub installation: Installation,
    /// The Secret names another cluster than this one.
    pub copied: bool,
}

/// Reads the identity, or creates it. With `accept_cluster` a copied one becomes this cluster's.
///
/// This needs no lease, and comes before it: the caches of a standby are read with the key. Of several processes that
/// find no Secret one creates it, and all then read the same.
pub async fn load(
    client: &Client,
    effects: &Effects,
    namespace: &str,
    accept_cluster: bool,
) -> Result<Setup, SetupError> {
    let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let failed = |source: kube::Error| SetupError::Api {
        namespace: namespace.to_owned(),
        source: Box::new(source),
    };
    let cluster = cluster(client).await.map_err(failed)?;
    let secret = match api.get_opt(NAME).await.map_err(failed)? {
        Some(secret) => secret,
        None => match effects
            .create_secret(namespace, &fresh(namespace, cluster.as_deref()))
            .await
        {
            Ok(secret) => secret,
            // Another replica was faster.
            Err(kube::Error::Api(status)) if status.is_already_exists() => api.get(NAME).await.map_err(failed)?,
            Err(error) => return Err(failed(error)),
        },
    };
    let data = secret.data.unwrap_or_default();
    let key = data.get("key").filter(|key| key.0.len() == KEY_LENGTH);
    let key = key.ok_or_else(|| SetupError::Damaged(namespace.to_owned()))?;
    let recorded = data
        .get("cluster")
        .and_then(|cluster| std::str::from_utf8(&cluster.0).ok())
        .unwrap_or_default();
    let mut copied = cluster
        .as_deref()
        .is_some_and(|cluster| !recorded.is_empty() && recorded != cluster);
    if copied && accept_cluster {
        let patch = json!({"stringData": {"cluster": cluster}});
        effects.patch_secret(namespace, NAME, patch).await.map_err(failed)?;
        tracing::info!("the installation was accepted as this cluster's");
        copied = false;
    }
    Ok(Setup {
        installation: Installation::new(&SecretSlice::from(key.0.clone())),
        copied,
    })
}

/// The UID of the namespace kube-system stands for the cluster; none where it may not be read. Any other failure ends the
/// start: a copied installation must not go unnoticed because of a moment's outage.
async fn cluster(client: &Client) -> kube::Result<Option<String>> {
    let api: Api<Namespace> = Api::all(client.clone());
    match api.get("kube-system").await {
        Ok(namespace) => Ok(namespace.metadata.uid),
        Err(kube::Error::Api(status)) if status.is_forbidden() || status.is_not_found() => {
            tracing::debug!(%status, "namespace kube-system cannot be read: a copied installation would not be noticed");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn fresh(namespace: &str, cluster: Option<&str>) -> Secret {
    let mut key = vec![0; KEY_LENGTH];
    let mut id = [0; 5];
    let random = SystemRandom::new();
    random.fill(&mut key).expect("the operating system has random numbers");
    random.fill(&mut id).expect("the operating system has random numbers");
    let id = BASE32_NOPAD.encode(&id).to_lowercase();
    let cluster = cluster.unwrap_or_default();
    Secret {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        data: Some(
            [
                ("id".to_owned(), ByteString(id.into_bytes())),
                ("key".to_owned(), ByteString(key)),
                ("cluster".to_owned(), ByteString(cluster.as_bytes().to_vec())),
            ]
            .into(),
        ),
        type_: Some("pam-operator.dev/installation".to_owned()),
        ..Secret::default()
    }
}
