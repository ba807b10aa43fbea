//! What the status of a credential says, for those who wait for it.

use pam_operator::api::{
    PamCredential,
    condition::{READY, find},
};

/// Whether the PAM accepted this generation.
#[must_use]
pub fn is_ready(credential: &PamCredential) -> bool {
    let Some(status) = &credential.status else { return false };
    let ready = find(&status.conditions, READY).is_some_and(|condition| condition.status == "True");
    ready && status.observed_generation == credential.metadata.generation
}

/// Whether the PAM accepted the Secret in this version (its `metadata.resourceVersion`).
#[must_use]
pub fn has_applied(credential: &PamCredential, secret_version: &str) -> bool {
    let applied = credential.status.as_ref().and_then(|status| status.applied.as_ref());
    applied.is_some_and(|applied| {
        applied
            .secrets
            .iter()
            .any(|secret| secret.resource_version == secret_version)
    })
}
