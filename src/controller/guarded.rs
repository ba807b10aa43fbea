//! Objects as they arrive from the API server: one that cannot be read must not stop the others.
//!
//! A list or watch of typed objects fails as a whole when a single object does not deserialise (a schema relaxed by
//! hand, an older CRD). [`Guarded`] keeps such an object, with the reason, so that its status can say so and its
//! deletion still works: deletion needs only metadata and status.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{
    Resource,
    api::ObjectMeta,
    core::object::{HasSpec, HasStatus},
};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};

use crate::api::RECONCILE_REQUESTED_AT;

/// An object of kind `K` whose spec may be unreadable.
#[derive(Debug)]
pub struct Guarded<K: HasSpec + HasStatus> {
    /// The object's metadata.
    pub metadata: ObjectMeta,
    /// The spec, or why it cannot be read.
    pub spec: Result<Arc<K::Spec>, Unreadable>,
    /// The status; an unreadable one counts as absent and is written anew.
    pub status: Option<Arc<K::Status>>,
}

/// Kinds whose labels decide something: those of the others are not kept.
pub trait Labelled {
    /// Whether they are kept.
    const KEPT: bool;
}

/// A spec that does not fit its Rust type.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// What does not fit, in serde's words; they name a field and its type, never a secret (no field holds one).
    pub message: String,
    raw: Value,
}

impl Unreadable {
    /// A text field of the raw spec, for the few decisions that an unreadable object still needs.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.raw.get(field)?.as_str()
    }
}

impl<K: HasSpec + HasStatus> Guarded<K> {
    /// Generation of the spec, zero where the API server gave none.
    pub fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    /// The object's UID, empty where the API server gave none.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The object's resourceVersion, empty where the API server gave none.
    pub fn version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// Value of the annotation that asks for a reconcile.
    pub fn requested(&self) -> Option<&str> {
        let annotations = self.metadata.annotations.as_ref()?;
        annotations.get(RECONCILE_REQUESTED_AT).map(String::as_str)
    }

    /// When the object was created, in seconds since the epoch.
    pub fn created(&self) -> i64 {
        self.metadata
            .creation_timestamp
            .as_ref()
            .map_or(0, |time| time.0.as_second())
    }
}

/// The metadata that the operator looks at. The rest (managedFields above all) makes most of an object as it arrives,
/// and is passed over unread.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    creation_timestamp: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finalizers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    annotations: Annotations,
}

/// The one annotation that the operator looks at.
#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "pam-operator.dev/reconcile-requested-at")]
    requested: Option<String>,
}

impl Annotations {
    fn is_empty(&self) -> bool {
        self.requested.is_none()
    }
}

impl From<Metadata> for ObjectMeta {
    fn from(metadata: Metadata) -> Self {
        let requested = metadata.annotations.requested;
        Self {
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            generation: metadata.generation,
            creation_timestamp: metadata.creation_timestamp,
            deletion_timestamp: metadata.deletion_timestamp,
            finalizers: metadata.finalizers,
            labels: metadata.labels,
            annotations: requested.map(|at| [(RECONCILE_REQUESTED_AT.to_owned(), at)].into()),
            ..Self::default()
        }
    }
}

/// Whether resourceVersion `a` is older than `b`; versions of one resource are ordered numbers (KEP-5504). Where
/// they are not numbers nothing is older.
pub fn is_older(a: &str, b: &str) -> bool {
    matches!((a.parse::<u128>(), b.parse::<u128>()), (Ok(a), Ok(b)) if a < b)
}

impl<K: HasSpec + HasStatus> Clone for Guarded<K> {
    fn clone(&self) -> Self {
        Self {
            metadata: self.metadata.clone(),
            spec: self.spec.clone(),
            status: self.status.clone(),
        }
    }
}

/// The parts of an object, with spec and status as they are written.
#[derive(Clone, Deserialize, Serialize)]
pub struct Parts {
    /// What the operator looks at.
    #[serde(default)]
    pub metadata: Metadata,
    #[serde(default = "null")]
    spec: Box<RawValue>,
    /// The status, or null.
    #[serde(default = "null")]
    pub status: Box<RawValue>,
}

impl Parts {
    /// Drops what a kind has no use for.
    pub fn prune<K: Labelled>(mut self) -> Self {
        self.metadata.labels = self.metadata.labels.filter(|_| K::KEPT);
        self
    }
}

fn null() -> Box<RawValue> {
    RawValue::NULL.to_owned()
}

impl<'de, K> Deserialize<'de> for Guarded<K>
where
    K: Labelled + HasSpec<Spec: DeserializeOwned> + HasStatus<Status: DeserializeOwned>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = Parts::deserialize(deserializer)?.prune::<K>();
        Ok(Self {
            metadata: parts.metadata.into(),
            spec: serde_json::from_str(parts.spec.get())
                .map(Arc::new)
                .or_else(|_| unreadable::<K::Spec>(&parts.spec).map(Arc::new)),
            status: serde_json::from_str(parts.status.get()).ok().map(Arc::new),
        })
    }
}

/// Why a spec cannot be read, told without a place in the text, which would change with every other field.
fn unreadable<S: DeserializeOwned>(spec: &RawValue) -> Result<S, Unreadable> {
    let raw: Value = serde_json::from_str(spec.get()).unwrap_or_default();
    S::deserialize(&raw).map_err(|error| Unreadable {
        message: error.to_string(),
        raw,
    })
}

/// Makes a type with `metadata` a resource as its kind `K` is.
macro_rules! resource_of_its_kind {
    ($type:ident) => {
        impl<K: Resource<DynamicType = ()> + HasSpec + HasStatus> Resource for $type<K> {
            type DynamicType = ();
            type Scope = K::Scope;

            fn kind((): &()) -> Cow<'_, str> {
                K::kind(&())
            }

            fn group((): &()) -> Cow<'_, str> {
                K::group(&())
            }

            fn version((): &()) -> Cow<'_, str> {
                K::version(&())
            }

            fn plural((): &()) -> Cow<'_, str> {
                K::plural(&())
            }

            fn meta(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

pub(super) use resource_of_its_kind;

resource_of_its_kind!(Guarded);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{ClusterPamConnection, PamConnection, PamCredential};

    #[test]
    fn an_unreadable_spec_leaves_metadata_status_and_its_texts() {
        let object: Guarded<PamCredential> = serde_json::from_value(json!({
            "metadata": {"name": "db", "namespace": "orders", "generation": 3, "uid": "u"},
            "spec": {"hostname": 7, "deletionPolicy": "Deactivate"},
            "status": {"id": "115"},
        }))
        .expect("the object itself is readable");
        let unreadable = object.spec.expect_err("the spec is not");
        assert!(unreadable.message.contains("string"), "{}", unreadable.message);
        assert_eq!(unreadable.text("deletionPolicy"), Some("Deactivate"));
        assert_eq!(object.status.expect("a status").id.as_deref(), Some("115"));
    }

    #[test]
    fn metadata_that_nobody_looks_at_is_passed_over() {
        let object: Guarded<PamCredential> = serde_json::from_value(json!({
            "metadata": {
                "name": "db", "labels": {"a": "b"}, "managedFields": [{"fieldsV1": {"f:spec": {}}}],
                "annotations": {RECONCILE_REQUESTED_AT: "now", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "finalizers": ["f"], "creationTimestamp": "2026-01-01T00:00:00Z",
            },
        }))
        .expect("readable");
        assert_eq!(object.requested(), Some("now"));
        assert_eq!(
            object
                .metadata
                .annotations
                .as_ref()
                .map(std::collections::BTreeMap::len),
            Some(1)
        );
        assert_eq!((object.metadata.managed_fields, object.metadata.labels), (None, None));
        assert_eq!(object.metadata.finalizers.as_deref(), Some(&["f".to_owned()][..]));
        assert!(object.metadata.creation_timestamp.is_some());
    }

    #[test]
    fn labels_of_connections_are_kept() {
        let labelled = json!({"metadata": {"name": "vault", "labels": {"a": "b"}}});
        let kept = Some([("a".to_owned(), "b".to_owned())].into());
        let object: Guarded<PamConnection> = serde_json::from_value(labelled.clone()).expect("readable");
        assert_eq!(object.metadata.labels, kept);
        let object: Guarded<ClusterPamConnection> = serde_json::from_value(labelled).expect("readable");
        assert_eq!(object.metadata.labels, kept);
    }

    #[test]
    fn versions_are_ordered_as_numbers() {
        assert!(is_older("9", "10"));
        assert!(!is_older("10", "10"));
        assert!(!is_older("x", "10"));
    }
}
