//! `PamConnection` and `ClusterPamConnection`: how to reach a PAM, and who may use it.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    PamConnectionStatus, SecretRef,
    rules::{DURATION_LENGTH, described_by_field, duration_between, matches, object_name},
};

/// How to reach a PAM. What the references name is read from the connection's own namespace; for a
/// `ClusterPamConnection` from the operator's.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pam-operator.dev",
    version = "v1alpha1",
    kind = "PamConnection",
    doc = "A connection to PAM Core that the credentials of its own namespace may use.",
    namespaced,
    status = "PamConnectionStatus",
    derive = "PartialEq",
    shortname = "pamconn",
    category = "pam",
    selectable = ".spec.url",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "URL", type_ = "string", json_path = ".spec.url"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[allow(
    clippy::duplicated_attributes,
    reason = "the lint takes the types of all columns for one list"
)]
pub struct PamConnectionSpec {
    /// Base address of the PAM, such as `https://pam.example.com`. Plain http is refused unless the operator runs with
    /// --allow-http.
    #[schemars(length(min = 1, max = 1024))]
    #[x_kube(validation = matches(
        r"^https?://[^@/?#\s]+(/[^@?#\s]*)?$",
        "must be https://HOST, https://HOST:PORT or https://HOST/PATH, without user, password, query or fragment"
    ))]
    pub url: String,

    /// First part of the API's path: `iso` (PAM Core 3.32 and older) or `api`. Omitted: `iso`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_prefix: Option<ApiPrefix>,

    /// Tenant of a PAM that serves several. Omitted: not sent.
    #[schemars(length(min = 1, max = 128))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,

    /// Secret with the keys `clientId` and `clientSecret` of an OAuth 2.0 client (the PAM's A2A application), which
    /// needs read and write permission on PAM Core.
    pub credentials_secret_ref: SecretRef,

    /// How the PAM's certificate is checked. Omitted: against the public authorities, for the url's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsSettings>,

    /// HTTP proxy to go through, such as `http://proxy.example.com:3128`. Omitted: none; proxy environment variables
    /// are ignored.
    #[schemars(length(min = 1, max = 1024))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = matches(
        r"^https?://[^@/?#\s]+/?$",
        "must be http://HOST:PORT or https://HOST:PORT, without user, password, path or query"
    ))]
    pub proxy_url: Option<String>,

    /// Longest wait for an answer of the PAM, from 1s to 2m. Omitted: 30s.
    #[schemars(length(max = DURATION_LENGTH))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = duration_between("1s", "2m"))]
    pub timeout: Option<String>,

    /// Limits of the requests to this PAM. Omitted: the operator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,

    /// How often the PAM's list of credentials is read to find changes made there, from 1s to 24h. Omitted: 10m.
    #[schemars(length(max = DURATION_LENGTH))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = duration_between("1s", "24h"))]
    pub drift_check_interval: Option<String>,

    /// Begins every generated identifier, followed by `_`. Letters, digits and `-`. Omitted: nothing is put in front.
    #[schemars(length(min = 1, max = 32))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = matches("^[A-Za-z0-9-]*$", "may contain only letters, digits and -"))]
    pub identifier_prefix: Option<String>,

    /// Shape of `additional_settings` on the wire: an object, or an array with that one object. Omitted: `Object`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_settings_format: Option<AdditionalSettingsFormat>,

    /// Stops all calls to this PAM, deletions of credentials excepted. Omitted: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// First part of the API's path.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
#[serde(rename_all = "lowercase")]
pub enum ApiPrefix {
    /// `/iso/...`, the prefix of PAM Core 3.32.
    #[default]
    Iso,
    /// `/api/...`, the prefix that newer versions document.
    Api,
}

/// Shape of `additional_settings` on the wire (the documents of the PAM's versions disagree).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
pub enum AdditionalSettingsFormat {
    /// An object.
    #[default]
    Object,
    /// An array with one object.
    Array,
}

/// How the PAM's certificate is checked. The checks cannot be switched off.
#[derive(Clone, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TlsSettings {
    /// Certificates (PEM) of the authorities to trust, in place of the public ones. Omitted: the public authorities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<CaBundleRef>,

    /// Name that the PAM's certificate must carry. Omitted: the url's host.
    #[schemars(length(min = 1, max = 253))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = matches(
        "^[A-Za-z0-9.:-]*$",
        "must be a host name or an IP address, without scheme and port"
    ))]
    pub server_name: Option<String>,

    /// Secret with the keys `tls.crt` and `tls.key`: a certificate for the operator to show to the PAM. Omitted: none
    /// is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_secret_ref: Option<SecretRef>,
}

/// A key of a `ConfigMap` or a Secret with certificates (PEM).
#[derive(Clone, Debug, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
pub struct CaBundleRef {
    /// `ConfigMap` or `Secret`.
    pub kind: CaBundleKind,

    /// Name of the `ConfigMap` or Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = object_name())]
    pub name: String,

    /// Key in its `data`, such as `ca.crt`.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// Where a CA bundle lies.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(transform = described_by_field)]
pub enum CaBundleKind {
    /// In a `ConfigMap`.
    ConfigMap,
    /// In a Secret.
    Secret,
}

/// Limits of the requests to one PAM.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, KubeSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Requests a second in the long run, from 1 to 1000. Omitted: the operator's own limit.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<i32>,

    /// Requests at once after a quiet time, from 1 to 1000. Omitted: the operator's own limit.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<i32>,

    /// Requests under way at the same time, from 1 to 256. Omitted: the operator's own limit.
    #[schemars(range(min = 1, max = 256))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<i32>,
}
