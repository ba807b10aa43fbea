//! Which connection an object means, and what that connection says about the objects that use it.

use std::{fmt, time::Duration};

use crate::api::{
    AdditionalSettingsFormat, AllowedNamespaces, ConnectionKind, ConnectionRef, ConnectionRefStatus, Permission,
};
use crate::controller::connection::turnstile::Limits;

/// Kind, namespace and name of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkKey {
    /// `PamConnection` or `ClusterPamConnection`.
    pub kind: ConnectionKind,
    /// The namespace of a `PamConnection`.
    pub namespace: Option<String>,
    /// The connection's name.
    pub name: String,
}

impl LinkKey {
    /// The connection that an object of this namespace means.
    pub fn new(kind: ConnectionKind, name: &str, namespace: &str) -> Self {
        Self {
            kind,
            namespace: (kind == ConnectionKind::PamConnection).then(|| namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// The connection that a spec names.
    pub fn of(reference: &ConnectionRef, namespace: &str) -> Self {
        Self::new(reference.kind_or_default(), &reference.name, namespace)
    }

    /// As status names it.
    pub fn to_status(&self) -> ConnectionRefStatus {
        ConnectionRefStatus {
            kind: self.kind,
            name: self.name.clone(),
        }
    }
}

impl fmt::Display for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// How long a call may take where the connection does not say.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Who may use a connection, and for what.
#[derive(Clone, Debug)]
pub struct Audience {
    /// The namespaces; none for a PamConnection, which belongs to its own.
    pub namespaces: Option<AllowedNamespaces>,
    /// What they may do beyond credentials of their own.
    pub permissions: Vec<Permission>,
}

/// What the connection's spec says about the objects that use it.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The PAM: normalised URL and tenant.
    pub target: String,
    /// How old a listing may be for an update.
    pub interval: Duration,
    /// Longest duration of one call.
    pub timeout: Duration,
    /// Limits of the requests.
    pub limits: Limits,
    /// First part of generated identifiers.
    pub prefix: Option<String>,
    /// Shape of `additional_settings`.
    pub format: AdditionalSettingsFormat,
    /// No calls but for deletions.
    pub suspended: bool,
    /// Namespaces that may use it; none listed for a `PamConnection`, which belongs to its namespace.
    pub namespaces: Option<Vec<String>>,
    /// What its users may do beyond credentials of their own.
    pub permissions: Vec<Permission>,
}

impl Terms {
    /// Whether objects of this namespace may use it.
    pub fn allows(&self, namespace: &str) -> bool {
        self.namespaces
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == namespace))
    }
}
