//! The two kinds of connection: the same but for who owns them, and so for who may use them.

use std::fmt::Debug;

use kube::{
    Api, Client, Resource,
    core::object::{HasSpec, HasStatus},
};
use serde::de::DeserializeOwned;

use crate::api::{
    ClusterPamConnection, ClusterPamConnectionSpec, ConnectionKind, PamConnection, PamConnectionSpec,
    PamConnectionStatus, Permission,
};
use crate::controller::{
    connection::terms::Audience,
    guarded::{Guarded, Labelled},
};

/// A kind of connection.
pub trait ConnectionResource:
    Resource<DynamicType = ()>
    + HasSpec<Spec: DeserializeOwned + Debug + Clone + Send + Sync>
    + HasStatus<Status = PamConnectionStatus>
    + Labelled
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
    /// The kind.
    const KIND: ConnectionKind;

    /// The API that serves it, in a namespace where it has one.
    fn api(client: Client, namespace: Option<&str>) -> Api<Guarded<Self>>;

    /// How to reach the PAM.
    fn connection(spec: &Self::Spec) -> &PamConnectionSpec;

    /// Who may use it, and for what.
    fn audience(spec: &Self::Spec) -> Audience;
}

impl Labelled for PamConnection {
    const KEPT: bool = true;
}

impl Labelled for ClusterPamConnection {
    const KEPT: bool = true;
}

impl ConnectionResource for PamConnection {
    const KIND: ConnectionKind = ConnectionKind::PamConnection;

    fn api(client: Client, namespace: Option<&str>) -> Api<Guarded<Self>> {
        Api::namespaced(client, namespace.unwrap_or_default())
    }

    fn connection(spec: &PamConnectionSpec) -> &PamConnectionSpec {
        spec
    }

    fn audience(_: &PamConnectionSpec) -> Audience {
        Audience {
            namespaces: None,
            permissions: vec![Permission::All],
        }
    }
}

impl ConnectionResource for ClusterPamConnection {
    const KIND: ConnectionKind = ConnectionKind::ClusterPamConnection;

    fn api(client: Client, _: Option<&str>) -> Api<Guarded<Self>> {
        Api::all(client)
    }

    fn connection(spec: &ClusterPamConnectionSpec) -> &PamConnectionSpec {
        &spec.connection
    }

    fn audience(spec: &ClusterPamConnectionSpec) -> Audience {
        Audience {
            namespaces: Some(spec.allowed_namespaces.clone().unwrap_or_default()),
            permissions: spec.allow.clone().unwrap_or_default(),
        }
    }
}
