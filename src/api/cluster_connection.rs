//! `ClusterPamConnection`: a connection that administrators share, who may use it, and for what.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema, core::Rule};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{PamConnectionSpec, PamConnectionStatus, rules::described_by_field};

/// A connection of the administrators, with the namespaces that may use it and what they may do beyond credentials of
/// their own.
#[derive(Clone, CustomResource, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
#[kube(
    group = "pam-operator.dev",
    version = "v1alpha1",
    kind = "ClusterPamConnection",
    doc = "A connection to PAM Core that administrators share with the namespaces they allow.",
    status = "PamConnectionStatus",
    derive = "PartialEq",
    shortname = "cpamconn",
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
    printcolumn(name = "Allow", type_ = "string", json_path = ".spec.allow", priority = 1),
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
pub struct ClusterPamConnectionSpec {
    /// How to reach the PAM; the same fields as in a `PamConnection`.
    #[serde(flatten)]
    pub connection: PamConnectionSpec,

    /// Namespaces whose credentials may use this connection: those listed and those selected. Omitted: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<AllowedNamespaces>,

    /// What those namespaces may do beyond credentials of their own: `Adopt` existing credentials, set `DeviceFields`,
    /// name other credentials in `CredentialReferences`, set the `Owner`, or `All` of it. Omitted: nothing.
    #[schemars(length(max = 5))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allow: Option<Vec<Permission>>,
}

/// The namespaces that may use a connection: the union of both fields.
#[derive(Clone, Debug, Default, Deserialize, KubeSchema, PartialEq, Serialize)]
pub struct AllowedNamespaces {
    /// Names of namespaces. Omitted: none by name.
    #[schemars(length(max = 1024), inner(length(min = 1, max = 63)))]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub names: Option<Vec<String>>,

    /// Selects namespaces by their labels; an empty one is refused. Omitted: none by label.
    #[schemars(schema_with = "label_selector")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = selects_something())]
    pub selector: Option<LabelSelector>,
}

/// What users of a connection may do beyond credentials of their own.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd, Serialize)]
#[schemars(transform = described_by_field)]
pub enum Permission {
    /// Take over credentials that already exist (adoptionPolicy Adopt).
    Adopt,
    /// Set type, vendor, model, site, deviceDomain, deviceTags and connectivities, which change a device that others
    /// share.
    DeviceFields,
    /// Name other credentials: parentPassword and the parent, authentication and reconciliation fields.
    CredentialReferences,
    /// Set userCredentialOwner.
    Owner,
    /// All of these.
    All,
}

/// To Kubernetes an empty selector means everything, which nobody should say by accident.
fn selects_something() -> Rule {
    Rule::new("size(self.?matchLabels.orValue({})) + size(self.?matchExpressions.orValue([])) > 0").message(
        "an empty selector would allow every namespace: add matchLabels or matchExpressions, or remove the selector",
    )
}

/// The schema of a label selector: as Kubernetes has it, with the bounds that a rule over it needs.
fn label_selector(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "properties": {
            "matchLabels": {
                "type": "object",
                "description": "Labels that a namespace must have, each with its value. Omitted: none in particular.",
                "maxProperties": 32,
                "additionalProperties": { "type": "string", "maxLength": 63 },
            },
            "matchExpressions": {
                "type": "array",
                "description": "Conditions that a namespace's labels must meet, all of them. Omitted: none.",
                "maxItems": 32,
                "x-kubernetes-list-type": "atomic",
                "items": {
                    "type": "object",
                    "required": ["key", "operator"],
                    "properties": {
                        "key": {
                            "type": "string",
                            "description": "Key of the label.",
                            "minLength": 1,
                            "maxLength": 317,
                        },
                        "operator": {
                            "type": "string",
                            "description": "How the label's value and values relate.",
                            "enum": ["In", "NotIn", "Exists", "DoesNotExist"],
                        },
                        "values": {
                            "type": "array",
                            "description": "Values for In and NotIn. Omitted: for Exists and DoesNotExist only.",
                            "maxItems": 64,
                            "x-kubernetes-list-type": "set",
                            "items": { "type": "string", "maxLength": 63 },
                        },
                    },
                    "x-kubernetes-validations": [{
                        "rule": "(self.operator in ['In', 'NotIn']) == (size(self.?values.orValue([])) > 0)",
                        "message": "operators In and NotIn need values, Exists and DoesNotExist take none",
                    }],
                },
            },
        },
    })
}
