//! What the operator reports. Nothing in a status is a secret, and nothing in it changes without a cause.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    ConnectionKind, Reason,
    condition::{DRIFTED, READY, conditions_schema, find},
};

/// What the PAM has of the credential, and whether it is in sync.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = json!({ "observedGeneration": -1 })))]
pub struct PamCredentialStatus {
    /// Generation of the spec that this status speaks of; -1 before the operator has seen the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Id of the credential as the PAM returned it.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,

    /// Effective identifier of the credential in the PAM, given or generated.
    #[schemars(length(max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,

    /// The credential that is this object's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,

    /// What the PAM accepted last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,

    /// The connection that is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<ConnectionRefStatus>,

    /// Last value of the annotation pam-operator.dev/reconcile-requested-at that was acted upon.
    #[schemars(length(max = 262_144))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// Ready always; Reconciling, Stalled and Drifted while they are true.
    #[schemars(schema_with = "conditions_schema")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

impl PamCredentialStatus {
    /// Whether the condition Ready holds.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        find(&self.conditions, READY).is_some_and(|ready| ready.status == "True")
    }

    /// Reason of the condition Drifted, while it is true.
    #[must_use]
    pub fn drifted_because(&self) -> Option<Reason> {
        Reason::parse(&find(&self.conditions, DRIFTED)?.reason)
    }

    /// Reason of the condition Ready.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        Reason::parse(&find(&self.conditions, READY)?.reason)
    }
}

/// Proof that a credential in the PAM is this object's. Its mac covers all other fields, so writing to status proves
/// nothing.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The PAM that the claim is bound to: normalised URL and tenant of the connection.
    #[schemars(length(max = 2048))]
    pub target: String,

    /// Id of the credential in the PAM; absent until the first answer.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,

    /// Identifier of the credential in the PAM.
    #[schemars(length(max = 1024))]
    pub identifier: String,

    /// Hostname of the credential's device.
    #[schemars(length(max = 1024))]
    pub hostname: String,

    /// Address of the credential's device.
    #[schemars(length(max = 1024))]
    pub ip: String,

    /// User name of the credential.
    #[schemars(length(max = 1024))]
    pub username: String,

    /// Message authentication code of the fields above and of this object's namespace and name.
    #[schemars(length(max = 256))]
    pub mac: String,
}

/// What the PAM accepted last, as keyed fingerprints: they tell whether something changed and disclose nothing.
#[derive(Clone, Debug, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Applied {
    /// Generation of the spec that was accepted.
    pub generation: i64,

    /// When it was accepted.
    #[schemars(length(max = 64))]
    pub time: Time,

    /// Fingerprint of the request's body without the password.
    #[schemars(length(max = 256))]
    pub body: String,

    /// Fingerprint of the password; absent when none was sent.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,

    /// Short id of the key that the fingerprints were made with.
    #[schemars(length(max = 64))]
    pub key: String,

    /// The PAM's time of the last password change, as its list showed it first after the answer.
    #[schemars(length(max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_seen: Option<String>,

    /// Versions of the Secrets that were used.
    #[schemars(length(max = 64))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub secrets: Vec<SecretVersion>,
}

/// One key of a Secret at the time when it was used.
#[derive(Clone, Debug, Default, Deserialize, Eq, Hash, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretVersion {
    /// Name of the Secret.
    #[schemars(length(max = 253))]
    pub name: String,

    /// Key in the Secret.
    #[schemars(length(max = 253))]
    pub key: String,

    /// UID of the Secret.
    #[schemars(length(max = 64))]
    pub uid: String,

    /// Resource version of the Secret.
    #[schemars(length(max = 64))]
    pub resource_version: String,
}

/// The connection that a credential uses.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct ConnectionRefStatus {
    /// Kind of the connection.
    pub kind: ConnectionKind,

    /// Name of the connection.
    #[schemars(length(max = 253))]
    pub name: String,
}

/// Whether a connection can be used.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = json!({ "observedGeneration": -1 })))]
pub struct PamConnectionStatus {
    /// Generation of the spec that this status speaks of; -1 before the operator has seen the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready always; Reconciling and Stalled while they are true.
    #[schemars(schema_with = "conditions_schema")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a merge patch a null would remove what it names.
    #[test]
    fn what_is_absent_is_not_written_as_null() {
        assert_eq!(json!(PamCredentialStatus::default()), json!({}));
        assert_eq!(json!(PamConnectionStatus::default()), json!({}));
        let claim = json!(Claim::default());
        assert!(
            claim
                .as_object()
                .is_some_and(|fields| fields.values().all(|value| !value.is_null())),
            "{claim}"
        );
    }

    /// The default that the schema gives to a new object is a status that the types can read.
    #[test]
    fn the_default_of_the_schema_is_a_status() {
        let new: PamCredentialStatus = serde_json::from_value(json!({ "observedGeneration": -1 })).expect("a status");
        assert_eq!(
            new,
            PamCredentialStatus {
                observed_generation: Some(-1),
                ..PamCredentialStatus::default()
            }
        );
    }
}
