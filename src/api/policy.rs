//! What the operator may do by itself. Each default is the careful choice, and is what leaving the field out means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rules::described_by_field;

/// May the object take over a credential that already exists in the PAM?
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
pub enum AdoptionPolicy {
    /// An existing credential is left alone; the object says `AlreadyExists`.
    #[default]
    Never,
    /// An existing credential with the same identifier, or the same hostname, ip and username, becomes this object's.
    Adopt,
}

/// When is the password sent?
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
pub enum PasswordPolicy {
    /// On create, and whenever the Secret's value changes.
    #[default]
    OnSecretChange,
    /// Once, on create; later changes of the Secret are not sent.
    CreateOnly,
    /// As `OnSecretChange`, and again when the PAM changed the password by itself.
    Enforce,
}

/// What happens when somebody changes the credential's identity in the PAM?
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
pub enum DriftPolicy {
    /// The condition Drifted says what differs.
    #[default]
    Report,
    /// The object's values are sent again, once per difference.
    Correct,
    /// Nothing.
    Ignore,
}

/// What happens to the credential in the PAM when the object is deleted?
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
pub enum DeletionPolicy {
    /// It stays as it is.
    #[default]
    Retain,
    /// It is deactivated, provided that it is still this object's.
    Deactivate,
}
