//! The custom resources of the group `pam-operator.dev`: their types, the rules of their schemas, and the vocabulary
//! of their status.
//!
//! Nothing here knows of HTTP or of the controllers. Doc comments of spec and status fields are the descriptions that
//! `kubectl explain` shows, so they speak to the author of a manifest: what the field is, its name in the request to
//! the
//! PAM ("Wire"), and what leaving it out means.

mod cluster_connection;
mod connection;
mod crd;
mod credential;
mod duration;
mod policy;
mod reason;
mod reference;
mod rules;
mod settings;
mod status;

pub mod condition;

pub use cluster_connection::{AllowedNamespaces, ClusterPamConnection, ClusterPamConnectionSpec, Permission};
pub use connection::{
    AdditionalSettingsFormat, ApiPrefix, CaBundleKind, CaBundleRef, PamConnection, PamConnectionSpec, RateLimit,
    TlsSettings,
};
pub use crd::{crds, crds_yaml};
pub use credential::{PamCredential, PamCredentialSpec};
pub use duration::{DurationError, parse_duration};
pub use policy::{AdoptionPolicy, DeletionPolicy, DriftPolicy, PasswordPolicy};
pub use reason::Reason;
pub use reference::{ConnectionKind, ConnectionRef, SecretKeyRef, SecretRef};
pub use settings::{
    AdditionalSettings, AuthenticationField, Criticality, ExecutionSettings, JitSettings, Macro, SessionSettings,
};
pub use status::{Applied, Claim, ConnectionRefStatus, PamConnectionStatus, PamCredentialStatus, SecretVersion};

/// API group of all three kinds.
pub const GROUP: &str = "pam-operator.dev";

/// The only version served so far.
pub const VERSION: &str = "v1alpha1";

/// Finalizer of credentials whose deletionPolicy is Deactivate.
pub const FINALIZER: &str = "pam-operator.dev/deactivate";

/// Annotation whose every new value asks for one full push, password included (the convention of Flux's
/// `reconcile.fluxcd.io/requestedAt`).
pub const RECONCILE_REQUESTED_AT: &str = "pam-operator.dev/reconcile-requested-at";
