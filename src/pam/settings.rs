//! The four blocks of settings of a credential, field for field as the seeds spell them on the wire.
//!
//! `None` means that the field is not sent. Booleans that are not optional are always sent: the PAM may take a block with only
//! some of its check boxes as the order to clear the others (contract 5.3).

use secrecy::SecretString;
use serde::Serialize;

use super::body::expose;

/// `execution_settings`: password change and reconciliation. Every field is sent as written.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ExecutionSettings {
    /// Username of the parent credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_credential: Option<String>,
    /// Hostname of the parent credential (a string, as in the seeds' examples; their table says Int).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_hostname: Option<String>,
    /// Address of the parent credential's device (a string, as in the seeds' examples; their table says Int).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_ip: Option<String>,
    /// Whether the PAM changes the password by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic_change: Option<bool>,
    /// Whether an agent on the device changes the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_based_password_change: Option<bool>,
    /// Plugin that changes the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_plugin: Option<String>,
    /// Template of the plugin that changes the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_template: Option<String>,
    /// Whether the credential itself connects in order to change its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_own_credential_to_connect: Option<bool>,
    /// Username of the credential that authenticates during the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_credential: Option<String>,
    /// Hostname of the credential that authenticates during the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_hostname: Option<String>,
    /// Address of the credential that authenticates during the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_ip: Option<String>,
    /// Whether the credential is reconciled after a failed change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<bool>,
    /// Username of the credential that reconciles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_credential: Option<String>,
    /// Hostname of the credential that reconciles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_hostname: Option<String>,
    /// Address of the credential that reconciles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_ip: Option<String>,
    /// Plugin that reconciles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_plugin: Option<String>,
    /// Template of the plugin that reconciles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconciliation_template: Option<String>,
}

/// `session_settings`: which protocols a session may use, and who connects.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the PAM's check boxes, one field each")]
pub struct SessionSettings {
    /// Protocol SSH.
    #[serde(rename = "SSH")]
    pub ssh: bool,
    /// Protocol Telnet.
    #[serde(rename = "Telnet")]
    pub telnet: bool,
    /// Connections to `MySQL`.
    #[serde(rename = "MySQL")]
    pub mysql: bool,
    /// Connections to SQL Server.
    #[serde(rename = "SQL Server")]
    pub sql_server: bool,
    /// Protocol HTTP.
    #[serde(rename = "HTTP")]
    pub http: bool,
    /// Protocol HTTPS.
    #[serde(rename = "HTTPS")]
    pub https: bool,
    /// Protocol RDP.
    #[serde(rename = "RDP")]
    pub rdp: bool,
    /// X11 forwarding.
    #[serde(rename = "X11 Forward")]
    pub x11_forward: bool,
    /// Connections by VNC.
    #[serde(rename = "VNC")]
    pub vnc: bool,
    /// Whether only the remote applications of `macros` may be used.
    pub restrict_access_to_remote_application: bool,
    /// Remote applications and how they are reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub macros: Option<Vec<Macro>>,
    /// Whether the credential itself connects.
    pub use_own_credential_to_connect: bool,
    /// Username of the credential that connects instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_credential: Option<String>,
    /// Hostname of the credential that connects instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_hostname: Option<String>,
    /// Address of the credential that connects instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_ip: Option<String>,
}

/// One entry of `session_settings.macros`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Macro {
    /// Name of the remote application.
    pub remote_app: String,
    /// Connectivity by which it is reached, such as `SSH`.
    pub connectivity: String,
}

/// `additional_settings`, in the form that the PAM's version wants (contract 2.2.4).
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum AdditionalSettings {
    /// An object: version 3.32.
    Object(AdditionalFields),
    /// An array of one object: some of 3.33 and 4.0.
    Array([AdditionalFields; 1]),
}

/// The fields of `additional_settings`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AdditionalFields {
    /// The same identifier as at the top of the body; another one is undocumented.
    pub identifier: String,
    /// Username of the person who owns the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_credential_owner: Option<String>,
    /// Where the script or file with the credential lies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_path: Option<String>,
    /// Seed of the one-time password (TOTP).
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub secret_key: Option<SecretString>,
    /// `Low`, `Medium` or `High`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criticality: Option<String>,
    /// Further fields for the log-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_authentication_fields: Option<Vec<AuthenticationField>>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// One entry of `additional_settings.additional_authentication_fields`.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AuthenticationField {
    /// Name of the field.
    pub name: String,
    /// Short name of the field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_name: Option<String>,
    /// What is filled in; treated as a secret, because it may come from one.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub value: Option<SecretString>,
}

/// `jit_settings`: just-in-time accounts, created or enabled for the length of a session.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the PAM's check boxes, one field each")]
pub struct JitSettings {
    /// Whether the block applies at all.
    pub jit: bool,
    /// Mode: an account is created for the session and removed after it.
    pub credential_creation_and_deletion: bool,
    /// Mode: the credential is enabled for the session and disabled after it.
    pub enable_disable_credential: bool,
    /// Whether the credential itself connects.
    pub use_own_credential_to_connect: bool,
    /// Username of the credential that connects instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_credential: Option<String>,
    /// Hostname of the credential that connects instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_hostname: Option<String>,
    /// Address of the credential that connects instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_ip: Option<String>,
    /// Plugin that creates the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_creation_plugin: Option<String>,
    /// Template of the plugin that creates the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_creation_template: Option<String>,
    /// Plugin that removes the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_deletion_plugin: Option<String>,
    /// Template of the plugin that removes the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_deletion_template: Option<String>,
    /// Plugin that enables the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_enable_plugin: Option<String>,
    /// Template of the plugin that enables the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_enable_template: Option<String>,
    /// Plugin that disables the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_disable_plugin: Option<String>,
    /// Template of the plugin that disables the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_disable_template: Option<String>,
}
