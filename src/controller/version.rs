//! Versions of Secrets and ConfigMaps: all that is kept of them.

use std::{fmt::Debug, sync::Arc};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Resource, core::PartialObjectMeta};

use crate::{api::SecretVersion, controller::store::Watched};

/// UID and resourceVersion of an object, as one text: neither has a blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(Arc<str>);

impl Version {
    /// The version of one key of the Secret or ConfigMap of this name.
    pub fn of_key(&self, name: &str, key: &str) -> SecretVersion {
        let (uid, resource_version) = self.0.split_once(' ').unwrap_or((&self.0, ""));
        SecretVersion {
            name: name.to_owned(),
            key: key.to_owned(),
            uid: uid.to_owned(),
            resource_version: resource_version.to_owned(),
        }
    }
}

/// A kind whose versions are followed.
pub trait Versioned: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static {}

impl Versioned for Secret {}
impl Versioned for ConfigMap {}

impl<K: Versioned> Watched for PartialObjectMeta<K> {
    type Kept = Version;

    /// Values are read from the API server itself.
    const MAY_BE_OLD: bool = true;

    fn keep(&self) -> Version {
        let uid = self.metadata.uid.as_deref().unwrap_or_default();
        let resource_version = self.metadata.resource_version.as_deref().unwrap_or_default();
        Version(format!("{uid} {resource_version}").into())
    }
}
