//! `additionalSettings`: owner, TOTP seed, criticality, further authentication fields and notes.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::{SecretKeyRef, rules::described_by_field};

/// Owner, TOTP, criticality and notes. Wire: `additional_settings`, with the effective identifier as its inner
/// `identifier`.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalSettings {
    /// User of the PAM who owns the credential; must exist, the PAM answers 500 otherwise. Wire:
    /// `user_credential_owner`. Omitted: not sent.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_credential_owner: Option<String>,

    /// Path of the script or file on the server that holds the credential. Wire: `server_path`. Omitted: not sent.
    #[schemars(length(max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_path: Option<String>,

    /// Secret key with the TOTP seed. Wire: `secret_key`, as the value itself. Omitted: not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key_secret_ref: Option<SecretKeyRef>,

    /// Criticality of the credential. Wire: `criticality`. Omitted: not sent; `Medium` for a new credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,

    /// Further fields that a login asks for; names are unique. Wire: `additional_authentication_fields`. Omitted: not
    /// sent.
    #[schemars(length(max = 32))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub additional_authentication_fields: Option<Vec<AuthenticationField>>,

    /// Notes on the credential. Wire: `notes`. Omitted: not sent.
    #[schemars(length(max = 4096))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// How critical a credential is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
pub enum Criticality {
    /// Low.
    Low,
    /// Medium, the PAM's own default.
    Medium,
    /// High.
    High,
}

impl Criticality {
    /// As it is written, here and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
        }
    }
}

/// A further field that a login asks for.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("!(has(self.value) && has(self.valueSecretRef))").message(
    "value and valueSecretRef exclude each other: keep valueSecretRef for a secret, value for any other text"
))]
pub struct AuthenticationField {
    /// Name of the field. Wire: `name`.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,

    /// Short name of the field. Wire: `short_name`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_name: Option<String>,

    /// Text to fill in, for what is no secret: everybody who may read the object reads it. Wire: `value`. Omitted: not
    /// sent, or taken from valueSecretRef.
    #[schemars(length(max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,

    /// Secret key with the text to fill in. Wire: `value`, as the value itself. Omitted: not sent, or taken from value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_secret_ref: Option<SecretKeyRef>,
}
