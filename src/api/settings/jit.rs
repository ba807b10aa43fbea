//! `jitSettings`: an account that exists, or is enabled, only while a proxy session runs.

use kube::{KubeSchema, core::Rule};
use serde::{Deserialize, Serialize};

use crate::api::rules::together;

/// Just-in-time access through the PAM's proxies. Wire: `jit_settings`. The booleans are always sent; an omitted one
/// means false, except useOwnCredentialToConnect.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = modes_exclude_each_other(),
    validation = jit_has_a_mode(),
    validation = other_credential_is_named(),
    validation = together(&["authenticationCredential", "authenticationHostname", "authenticationIp"]),
    validation = together(&["credentialCreationPlugin", "credentialCreationTemplate"]),
    validation = together(&["credentialDeletionPlugin", "credentialDeletionTemplate"]),
    validation = together(&["credentialEnablePlugin", "credentialEnableTemplate"]),
    validation = together(&["credentialDisablePlugin", "credentialDisableTemplate"]),
)]
pub struct JitSettings {
    /// Switches just-in-time access on; needs one of the two modes. Wire: `jit`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jit: Option<bool>,

    /// Mode: an account is created when a session starts and removed when it ends. Wire:
    /// `credential_creation_and_deletion`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_creation_and_deletion: Option<bool>,

    /// Mode: the account is enabled when a session starts and disabled when it ends. Wire:
    /// `enable_disable_credential`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_disable_credential: Option<bool>,

    /// Connects with the credential itself instead of the authentication credential. Wire:
    /// `use_own_credential_to_connect`. Omitted: false when the authentication credential is given, else true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_own_credential_to_connect: Option<bool>,

    /// User name of the credential that connects; required when useOwnCredentialToConnect is false. Wire:
    /// `authentication_credential`. Omitted: not sent.
    #[schemars(length(min = 1, max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_credential: Option<String>,

    /// Hostname of the authentication credential's device. Wire: `authentication_hostname`. Omitted: not sent.
    #[schemars(length(min = 1, max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_hostname: Option<String>,

    /// Address of the authentication credential's device. Wire: `authentication_ip`. Omitted: not sent.
    #[schemars(length(min = 1, max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_ip: Option<String>,

    /// Plugin that creates the account; must be registered in the PAM; needs credentialCreationTemplate. Wire:
    /// `credential_creation_plugin`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_creation_plugin: Option<String>,

    /// Template that creates the account; must be registered in the PAM; needs credentialCreationPlugin. Wire:
    /// `credential_creation_template`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_creation_template: Option<String>,

    /// Plugin that removes the account; must be registered in the PAM; needs credentialDeletionTemplate. Wire:
    /// `credential_deletion_plugin`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_deletion_plugin: Option<String>,

    /// Template that removes the account; must be registered in the PAM; needs credentialDeletionPlugin. Wire:
    /// `credential_deletion_template`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_deletion_template: Option<String>,

    /// Plugin that enables the account; must be registered in the PAM; needs credentialEnableTemplate. Wire:
    /// `credential_enable_plugin`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_enable_plugin: Option<String>,

    /// Template that enables the account; must be registered in the PAM; needs credentialEnablePlugin. Wire:
    /// `credential_enable_template`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_enable_template: Option<String>,

    /// Plugin that disables the account; must be registered in the PAM; needs credentialDisableTemplate. Wire:
    /// `credential_disable_plugin`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_disable_plugin: Option<String>,

    /// Template that disables the account; must be registered in the PAM; needs credentialDisablePlugin. Wire:
    /// `credential_disable_template`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_disable_template: Option<String>,
}

fn modes_exclude_each_other() -> Rule {
    Rule::new("!(self.?credentialCreationAndDeletion.orValue(false) && self.?enableDisableCredential.orValue(false))")
        .message("credentialCreationAndDeletion and enableDisableCredential exclude each other: set only one to true")
}

fn jit_has_a_mode() -> Rule {
    Rule::new(
        "!self.?jit.orValue(false) || self.?credentialCreationAndDeletion.orValue(false) \
         || self.?enableDisableCredential.orValue(false)",
    )
    .message("jit needs a mode: set credentialCreationAndDeletion or enableDisableCredential to true")
}

/// The seeds require all three fields then; that they come together is a rule of its own.
fn other_credential_is_named() -> Rule {
    Rule::new("self.?useOwnCredentialToConnect.orValue(true) || has(self.authenticationCredential)").message(
        "when useOwnCredentialToConnect is false, set authenticationCredential, authenticationHostname and \
         authenticationIp",
    )
}
