//! `executionSettings`: password rotation and reconciliation.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::rules::together;

/// Password rotation by the PAM and reconciliation after a failed one. Wire: `execution_settings`. Each field is sent
/// as written; an omitted one is not sent.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = together(&["parentCredential", "parentHostname", "parentIp"]),
    validation = together(&["authenticationCredential", "authenticationHostname", "authenticationIp"]),
    validation = together(&["reconciliationCredential", "reconciliationHostname", "reconciliationIp"]),
    validation = together(&["changePlugin", "changeTemplate"]),
    validation = together(&["reconciliationPlugin", "reconciliationTemplate"]),
)]
pub struct ExecutionSettings {
    /// User name of the parent credential; needs parentHostname and parentIp. Wire: `parent_credential`. Omitted: not
    /// sent.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_credential: Option<String>,

    /// Hostname of the parent credential's device. Wire: `parent_hostname`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_hostname: Option<String>,

    /// Address of the parent credential's device. Wire: `parent_ip`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_ip: Option<String>,

    /// Lets the PAM rotate the password by itself. Wire: `automatic_change`. Omitted: not sent; off for a new
    /// credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic_change: Option<bool>,

    /// Rotates the password through an agent. Wire: `agent_based_password_change`. Omitted: not sent; off for a new
    /// credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_based_password_change: Option<bool>,

    /// Plugin that rotates the password, such as `SSH`; must be registered in the PAM; needs changeTemplate. Wire:
    /// `change_plugin`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_plugin: Option<String>,

    /// Template that rotates the password; must be registered in the PAM; needs changePlugin. Wire: `change_template`.
    /// Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_template: Option<String>,

    /// Rotates with the credential itself instead of the authentication credential. Wire:
    /// `use_own_credential_to_connect`. Omitted: not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_own_credential_to_connect: Option<bool>,

    /// User name of the credential that logs in to rotate; needs authenticationHostname and authenticationIp. Wire:
    /// `authentication_credential`. Omitted: not sent.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_credential: Option<String>,

    /// Hostname of the authentication credential's device. Wire: `authentication_hostname`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_hostname: Option<String>,

    /// Address of the authentication credential's device. Wire: `authentication_ip`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_ip: Option<String>,

    /// Switches reconciliation after a failed rotation on. Wire: `status`. Omitted: not sent; off for a new credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<bool>,

    /// User name of the credential that reconciles; needs reconciliationHostname and reconciliationIp. Wire:
    /// `reconciliation_credential`. Omitted: not sent.
    #[schemars(length(max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_credential: Option<String>,

    /// Hostname of the reconciliation credential's device. Wire: `reconciliation_hostname`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_hostname: Option<String>,

    /// Address of the reconciliation credential's device. Wire: `reconciliation_ip`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_ip: Option<String>,

    /// Plugin that reconciles; must be registered in the PAM; needs reconciliationTemplate. Wire:
    /// `reconciliation_plugin`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_plugin: Option<String>,

    /// Template that reconciles; must be registered in the PAM; needs reconciliationPlugin. Wire:
    /// `reconciliation_template`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_template: Option<String>,
}
