//! `sessionSettings`: what people may do in a session with the credential.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::rules::together;

/// Protocols and applications of privileged sessions. Wire: `session_settings`. The booleans are always sent; an
/// omitted one means false, except useOwnCredentialToConnect.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = together(&["authenticationCredential", "authenticationHostname", "authenticationIp"]))]
pub struct SessionSettings {
    /// Allows SSH. Wire: `SSH`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<bool>,

    /// Allows Telnet. Wire: `Telnet`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub telnet: Option<bool>,

    /// Allows `MySQL`. Wire: `MySQL`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mysql: Option<bool>,

    /// Allows SQL Server. Wire: `SQL Server`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql_server: Option<bool>,

    /// Allows HTTP. Wire: `HTTP`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<bool>,

    /// Allows HTTPS. Wire: `HTTPS`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https: Option<bool>,

    /// Allows RDP. Wire: `RDP`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdp: Option<bool>,

    /// Allows forwarding of X11. Wire: `X11 Forward`. Omitted: false.
    #[serde(rename = "x11Forward", skip_serializing_if = "Option::is_none")]
    pub x11_forward: Option<bool>,

    /// Allows VNC. Wire: `VNC`. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vnc: Option<bool>,

    /// Restricts sessions to the remote applications of macros. Wire: `restrict_access_to_remote_application`.
    /// Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restrict_access_to_remote_application: Option<bool>,

    /// Macros for remote applications; remoteApp and connectivity together are unique. Wire: `macros`. Omitted: not
    /// sent.
    #[schemars(length(max = 64))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["remoteApp".into(), "connectivity".into()]))]
    pub macros: Option<Vec<Macro>>,

    /// Connects with the credential itself instead of the authentication credential. Wire:
    /// `use_own_credential_to_connect`. Omitted: false when the authentication credential is given, else true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub use_own_credential_to_connect: Option<bool>,

    /// User name of the credential that connects; needs authenticationHostname and authenticationIp. Wire:
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
}

/// One macro of a remote application.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Macro {
    /// Remote application, such as `MySQL`. Wire: `remote_app`.
    #[schemars(length(min = 1, max = 255))]
    pub remote_app: String,

    /// Connectivity that starts it, such as `SSH`. Wire: `connectivity`.
    #[schemars(length(min = 1, max = 255))]
    pub connectivity: String,
}
