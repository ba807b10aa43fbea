//! References to other objects. None carries a namespace: what a reference may reach is decided by the kind that holds
//! it.

use std::fmt;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::{described_by_field, object_name};

/// Names the connection that a credential is sent through.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionRef {
    /// Kind of the connection. Omitted: `PamConnection`, one of the credential's own namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ConnectionKind>,

    /// Name of the connection.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = object_name())]
    pub name: String,
}

impl ConnectionRef {
    /// The kind that is meant, also when it was omitted.
    #[must_use]
    pub fn kind_or_default(&self) -> ConnectionKind {
        self.kind.unwrap_or_default()
    }
}

/// The two kinds of connection.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[schemars(transform = described_by_field)]
pub enum ConnectionKind {
    /// A connection of the credential's own namespace.
    #[default]
    PamConnection,
    /// A connection owned by the administrators of the cluster.
    ClusterPamConnection,
}

impl ConnectionKind {
    /// The kind as it is written in a manifest.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PamConnection => "PamConnection",
            Self::ClusterPamConnection => "ClusterPamConnection",
        }
    }
}

impl fmt::Display for ConnectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One key of a Secret in the credential's own namespace.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, KubeSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = object_name())]
    pub name: String,

    /// Key in the Secret's `data`; its value is used byte for byte, a final line break included, and must be UTF-8.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// A Secret with a fixed set of keys, in the namespace that the connection reads.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, KubeSchema, Ord, PartialEq, PartialOrd, Serialize)]
pub struct SecretRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = object_name())]
    pub name: String,
}
