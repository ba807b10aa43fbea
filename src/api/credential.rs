//! `PamCredential`: one object, one credential in the PAM.

use kube::{CustomResource, KubeSchema, core::Rule};
use serde::{Deserialize, Serialize};

use super::{
    AdditionalSettings, AdoptionPolicy, ConnectionRef, DeletionPolicy, DriftPolicy, ExecutionSettings, JitSettings,
    PamCredentialStatus, PasswordPolicy, SecretKeyRef, SessionSettings,
    rules::{each_matches, matches},
};

/// What the credential shall be. A field that is absent is not sent, and the PAM keeps what it has; a field that is
/// present is sent, even when empty.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pam-operator.dev",
    version = "v1alpha1",
    kind = "PamCredential",
    doc = "One credential in senhasegura (Segura) PAM Core, kept equal to this object.",
    namespaced,
    status = "PamCredentialStatus",
    derive = "PartialEq",
    shortname = "pamcred",
    category = "pam",
    selectable = ".spec.connectionRef.name",
    selectable = ".spec.identifier",
    selectable = ".spec.username",
    selectable = ".spec.hostname",
    selectable = ".spec.ip",
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#),
    printcolumn(name = "Status", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#),
    printcolumn(name = "ID", type_ = "string", json_path = ".status.id"),
    printcolumn(name = "Username", type_ = "string", json_path = ".spec.username"),
    printcolumn(name = "Hostname", type_ = "string", json_path = ".spec.hostname"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Identifier", type_ = "string", json_path = ".status.identifier", priority = 1),
    printcolumn(name = "Connection", type_ = "string", json_path = ".spec.connectionRef.name", priority = 1),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    ),
    validation = connection_stays_once_claimed(),
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = identity_changes_in_two_steps())]
pub struct PamCredentialSpec {
    /// Connection to the PAM. May not change once status.claim exists.
    pub connection_ref: ConnectionRef,

    /// Unique name of the credential in the PAM. Wire: `identifier`, always sent. Omitted: generated from namespace,
    /// name and a secret of this installation; see status.identifier. May not change together with username, hostname
    /// or ip.
    #[schemars(length(min = 1, max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = matches(
        r"^[^\pZ\p{Cc}]([^\p{Cc}]*[^\pZ\p{Cc}])?$",
        "must have no control characters and no blank at either end; every PAM takes letters, digits, _ and -"
    ))]
    pub identifier: Option<String>,

    /// User name. Wire: `username`. It cannot be empty: the PAM would make `usr` of that, so write `usr` if you mean
    /// it.
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = matches(
        r"\S",
        "may not be blank: the PAM would make usr of it, so write usr if you mean it"
    ))]
    pub username: String,

    /// Name of the device, which must exist in the PAM. Wire: `hostname`.
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = matches(r"\S", "may not be blank: write the name of the device as the PAM has it"))]
    pub hostname: String,

    /// Address of the device as the PAM has it: an IP address, a name or a URL. Wire: `ip`.
    #[schemars(length(min = 1, max = 255))]
    #[x_kube(validation = matches(r"\S", "may not be blank: write the address of the device as the PAM has it"))]
    pub ip: String,

    /// Secret key with the password. Wire: `content`, as the value itself. Omitted: the password is not managed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_secret_ref: Option<SecretKeyRef>,

    /// Additional information, such as the name of a database. Wire: `additional`. Omitted: not sent.
    #[schemars(length(max = 4096))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional: Option<String>,

    /// Tags of the credential. Wire: `tags`, joined with `, `. Omitted: not sent.
    #[schemars(length(max = 64), inner(length(min = 1, max = 128)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[x_kube(validation = each_matches("^[^,]*$", "a tag may not contain a comma: write one list item per tag"))]
    pub tags: Option<Vec<String>>,

    /// Type of the credential; one that the PAM has not seen is created there. Wire: `credential_type`. Omitted: not
    /// sent; `Local User` for a new credential.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<String>,

    /// Domain of the credential, by name or abbreviation; must be registered in the PAM. Wire: `domain`. Omitted: not
    /// sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,

    /// PAM id of the parent credential. Wire: `parent_password`. Omitted: not sent.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_password: Option<i64>,

    /// Type of the device; one that the PAM has not seen is created there. Wire: `type`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,

    /// Vendor of the device; one that the PAM has not seen is created there. Wire: `vendor`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,

    /// Model of the device; one that the PAM has not seen is created there. Wire: `model`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,

    /// Site of the device; one that the PAM has not seen is created there. Wire: `site`. Omitted: not sent.
    #[schemars(length(max = 255))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,

    /// Domain of the device, by name or abbreviation; must be registered in the PAM. Several are separated by a comma
    /// without a blank. Wire: `device_domain`. Omitted: not sent.
    #[schemars(length(max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new(r"!self.matches(r',\s|\s,')")
        .message("domains are separated by a comma without a blank, such as a.example,b.example: remove the blank"))]
    pub device_domain: Option<String>,

    /// Tags of the device. Wire: `device_tags`, joined with `, `. Omitted: not sent.
    #[schemars(length(max = 64), inner(length(min = 1, max = 128)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[x_kube(validation = each_matches("^[^,]*$", "a tag may not contain a comma: write one list item per tag"))]
    pub device_tags: Option<Vec<String>>,

    /// Connectivities of the device, each `NAME` or `NAME:PORT`, such as `SSH:22`. Wire: `connectivities`, joined with
    /// `, `. Omitted: not sent.
    #[schemars(length(max = 32), inner(length(min = 1, max = 64)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[x_kube(validation = each_matches(
        r"^[^,:\s]([^,:]*[^,:\s])?(:[0-9]{1,5})?$",
        "each item must be NAME or NAME:PORT, such as SSH:22; write one list item per connectivity"
    ))]
    #[x_kube(validation = each_matches(
        "^[^:]*$|:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
        "each port must be from 1 to 65535, without leading zeros"
    ))]
    pub connectivities: Option<Vec<String>>,

    /// Login expression of remote sessions, such as `SSH:EXPECT:FILL`. Wire: `session_remote_config`. Omitted: not
    /// sent.
    #[schemars(length(max = 4096))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_remote_config: Option<String>,

    /// Password rotation and reconciliation. Wire: `execution_settings`. Omitted: not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_settings: Option<ExecutionSettings>,

    /// Protocols and applications of privileged sessions. Wire: `session_settings`, complete. Omitted: not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_settings: Option<SessionSettings>,

    /// Owner, TOTP, criticality and notes. Wire: `additional_settings`. Omitted: not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_settings: Option<AdditionalSettings>,

    /// Just-in-time access. Wire: `jit_settings`, complete. Omitted: not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jit_settings: Option<JitSettings>,

    /// May this object take over a credential that already exists in the PAM? Omitted: `Never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adoption_policy: Option<AdoptionPolicy>,

    /// When the password is sent: on create and Secret change (`OnSecretChange`), on create only (`CreateOnly`), or
    /// also when the PAM changed it (`Enforce`). Omitted: `OnSecretChange`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_policy: Option<PasswordPolicy>,

    /// What happens when the credential's identity was changed in the PAM: it is reported, corrected or ignored.
    /// Omitted: `Report`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift_policy: Option<DriftPolicy>,

    /// What happens in the PAM when this object is deleted: nothing (`Retain`) or the credential is deactivated.
    /// Omitted: `Retain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// Stops all calls to the PAM for this object, deletion excepted. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// Another connection is another PAM: the claimed credential would stay behind there, unmanaged.
fn connection_stays_once_claimed() -> Rule {
    Rule::new(
        "!has(oldSelf.status) || !has(oldSelf.status.claim) \
         || (self.spec.connectionRef.name == oldSelf.spec.connectionRef.name \
         && (has(self.spec.connectionRef.kind) && self.spec.connectionRef.kind == 'ClusterPamConnection') \
         == (has(oldSelf.spec.connectionRef.kind) && oldSelf.spec.connectionRef.kind == 'ClusterPamConnection'))",
    )
    .message(
        "spec.connectionRef may not change once status.claim exists: \
         create another PamCredential for the other connection",
    )
}

/// The PAM finds a credential by its identifier or by username, hostname and ip, so one of the two must still be the
/// known one. Written without `orValue`, whose text has no bound that the cost estimator could see.
fn identity_changes_in_two_steps() -> Rule {
    Rule::new(
        "(has(self.identifier) == has(oldSelf.identifier) \
         && (!has(self.identifier) || self.identifier == oldSelf.identifier)) \
         || (self.username == oldSelf.username && self.hostname == oldSelf.hostname && self.ip == oldSelf.ip)",
    )
    .message(
        "identifier may not change together with username, hostname or ip: \
         change one, wait until the object is Ready, then change the other",
    )
}
