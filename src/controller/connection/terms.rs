//! Which connection an object means, and what that connection says about the objects that use it.

use std::{fmt, time::Duration};

use kube::core::{ParseExpressionError, Selector, SelectorExt};

use crate::api::{
    AdditionalSettingsFormat, AllowedNamespaces, ConnectionKind, ConnectionRef, ConnectionRefStatus, Permission,
};
use crate::controller::{connection::turnstile::Limits, namespaces::Sight, ownership::identity::Name};

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

    /// The object of this name among those of a kind.
    pub fn named(kind: ConnectionKind, name: &Name) -> Self {
        Self::new(kind, name.name(), name.namespace())
    }

    /// The connection as an object among those of its kind.
    pub fn object(&self) -> Name {
        Name::new(self.namespace.as_deref().unwrap_or_default(), &self.name)
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
    /// Namespaces that may use it; none for a `PamConnection`, which belongs to its own.
    pub namespaces: Option<Admitted>,
    /// What its users may do beyond credentials of their own.
    pub permissions: Vec<Permission>,
}

/// The namespaces that may use a connection: those listed and those selected.
#[derive(Clone, Debug, Default)]
pub struct Admitted {
    names: Vec<String>,
    selector: Option<Selector>,
}

impl TryFrom<AllowedNamespaces> for Admitted {
    type Error = ParseExpressionError;

    fn try_from(allowed: AllowedNamespaces) -> Result<Self, ParseExpressionError> {
        let selector = allowed.selector.map(Selector::try_from).transpose()?;
        Ok(Self {
            names: allowed.names.unwrap_or_default(),
            // To Kubernetes an empty one selects everything; here it selects nothing, as the schema's message says.
            selector: selector.filter(|selector| !selector.selects_all()),
        })
    }
}

/// Whether a namespace may use a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Allowed,
    /// It may not.
    NotAllowed,
    /// Its labels decide, and were not seen yet.
    Unknown,
}

impl Terms {
    /// Whether objects of this namespace may use the connection. Its labels are looked at only where they decide.
    pub fn standing(&self, namespace: &str, sight: impl FnOnce() -> Sight) -> Standing {
        let Some(admitted) = &self.namespaces else {
            return Standing::Allowed;
        };
        if admitted.names.iter().any(|name| name == namespace) {
            return Standing::Allowed;
        }
        match admitted.selector.as_ref().map(|selector| (selector, sight())) {
            Some((selector, Sight::Labels(labels))) if selector.matches(&labels) => Standing::Allowed,
            Some((_, Sight::Unseen)) => Standing::Unknown,
            _ => Standing::NotAllowed,
        }
    }

    /// Whether labels of namespaces decide who may use the connection.
    pub fn selects(&self) -> bool {
        self.namespaces
            .as_ref()
            .is_some_and(|admitted| admitted.selector.is_some())
    }
}

#[cfg(test)]
mod tests;
