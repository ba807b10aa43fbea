//! What all controllers share.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store},
};

use crate::controller::{
    ClusterConnection, Connection, Credential,
    connection::{links::Links, terms::LinkKey},
    credential::memory::Memories,
    effects::Effects,
    events::Events,
    index::{Index, Reference, Referrer},
    namespaces::{Namespaces, News},
    ownership::{identity::Name, installation::Installation, reservations::Reservations},
    shard::Shard,
};
use crate::{
    api::{ConnectionKind, SecretVersion},
    metrics::Metrics,
    pam::AddressPolicy,
};

/// The rules that the operator's flags set.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Where the operator lives: ClusterPamConnections read Secrets and ConfigMaps there.
    pub namespace: String,
    /// Which PAMs may be talked to.
    pub addresses: AddressPolicy,
    /// When attempts to deactivate are given up.
    pub deletion_timeout: Duration,
}

/// What all controllers share.
pub struct Context {
    /// The way to the world.
    pub effects: Effects,
    /// Events about objects.
    pub events: Events,
    /// Counters.
    pub metrics: Metrics,
    /// The key of claims and fingerprints.
    pub installation: Installation,
    /// Why nothing may be sent by this installation at all.
    pub lockout: Option<String>,
    /// Claims whose key was lost are signed anew.
    pub resigns: bool,
    /// The rules that the operator's flags set.
    pub rules: Rules,
    /// The credentials.
    pub credentials: Store<Credential>,
    /// Which connections are ours, and so which credentials.
    pub shard: Arc<Shard>,
    /// The connections that are ours.
    pub links: Links,
    /// Who refers to what.
    pub index: Index,
    /// What is remembered of the objects.
    pub memories: Memories,
    /// Which object a credential belongs to.
    pub reservations: Mutex<Reservations>,
    /// Labels of namespaces.
    pub namespaces: Namespaces,
    /// Metadata of Secrets.
    pub secrets: Store<PartialObjectMeta<Secret>>,
    /// Metadata of ConfigMaps.
    pub config_maps: Store<PartialObjectMeta<ConfigMap>>,
    /// Wakes reconciles.
    pub wake: Wake,
}

impl Context {
    /// The version of a Secret's key, from metadata alone; none when the Secret does not exist.
    pub fn secret_version(&self, namespace: &str, name: &str, key: &str) -> Option<SecretVersion> {
        let secret = self.secrets.get(&ObjectRef::new(name).within(namespace))?;
        Some(SecretVersion {
            name: name.to_owned(),
            key: key.to_owned(),
            uid: secret.metadata.uid.clone()?,
            resource_version: secret.metadata.resource_version.clone()?,
        })
    }

    /// The version of a ConfigMap's key, from metadata alone; none when the ConfigMap does not exist.
    pub fn config_map_version(&self, namespace: &str, name: &str, key: &str) -> Option<SecretVersion> {
        let map = self.config_maps.get(&ObjectRef::new(name).within(namespace))?;
        Some(SecretVersion {
            name: name.to_owned(),
            key: key.to_owned(),
            uid: map.metadata.uid.clone()?,
            resource_version: map.metadata.resource_version.clone()?,
        })
    }

    /// Whether this process acts. Another one does otherwise, and this one only looks on.
    pub fn leads(&self) -> bool {
        self.effects.tenure().is_valid()
    }

    /// Wakes a credential, if it is ours or was until now. News of others' objects is worth no reconcile.
    pub fn wake_credential(&self, name: &Name) {
        if self.foreign(name).is_none() || self.memories.knows(name) {
            self.wake.credential(name);
        }
    }

    /// The credential as the watch showed it last, if it is another shard's.
    pub fn foreign(&self, name: &Name) -> Option<Arc<Credential>> {
        if self.shard.is_everything() {
            return None;
        }
        self.credential(name).filter(|object| !self.shard.owns(object))
    }

    /// The credential, as the watch showed it last.
    pub fn credential(&self, name: &Name) -> Option<Arc<Credential>> {
        let object = ObjectRef::new(&name.name).within(&name.namespace);
        self.credentials.get(&object)
    }

    /// Wakes everybody who refers to this.
    pub fn wake_referrers(&self, reference: &Reference) {
        for referrer in self.index.referrers(reference) {
            match referrer {
                Referrer::Credential(name) => self.wake_credential(&name),
                Referrer::Connection(key) => self.wake.connection(&key),
            }
        }
    }

    /// Wakes everybody whom news of namespaces concerns.
    pub fn wake_for_namespaces(&self, news: &News) {
        match news {
            News::One(name) => self.wake_referrers(&Reference::Namespace(name.clone())),
            // Which labels can be seen is for the connections to say, and for their users to follow.
            News::Any => {
                for key in self.links.of_cluster() {
                    self.wake.connection(&key);
                    self.wake_referrers(&Reference::Connection(key));
                }
            }
        }
    }

    /// The reservations; never held across an await.
    pub fn reservations(&self) -> MutexGuard<'_, Reservations> {
        self.reservations
            .lock()
            .expect("no code panics while it holds this lock")
    }
}

/// Wakes reconciles of objects, from wherever news of them comes.
#[derive(Clone, Debug)]
pub struct Wake {
    /// To the controller of credentials.
    pub credentials: UnboundedSender<ObjectRef<Credential>>,
    /// To the controller of PamConnections.
    pub connections: UnboundedSender<ObjectRef<Connection>>,
    /// To the controller of ClusterPamConnections.
    pub cluster_connections: UnboundedSender<ObjectRef<ClusterConnection>>,
}

/// Where the controllers hear what is woken.
pub struct Wakes {
    /// Credentials.
    pub credentials: UnboundedReceiver<ObjectRef<Credential>>,
    /// PamConnections.
    pub connections: UnboundedReceiver<ObjectRef<Connection>>,
    /// ClusterPamConnections.
    pub cluster_connections: UnboundedReceiver<ObjectRef<ClusterConnection>>,
}

impl Wake {
    /// Both ends.
    pub fn channels() -> (Self, Wakes) {
        let (credentials, credential_wakes) = unbounded();
        let (connections, connection_wakes) = unbounded();
        let (cluster_connections, cluster_connection_wakes) = unbounded();
        let wakes = Wakes {
            credentials: credential_wakes,
            connections: connection_wakes,
            cluster_connections: cluster_connection_wakes,
        };
        let wake = Self {
            credentials,
            connections,
            cluster_connections,
        };
        (wake, wakes)
    }

    /// Wakes a credential. While the operator shuts down nobody listens, and nobody needs to.
    fn credential(&self, name: &Name) {
        let object = ObjectRef::new(&name.name).within(&name.namespace);
        let _ = self.credentials.unbounded_send(object);
    }

    /// Wakes a connection.
    pub fn connection(&self, key: &LinkKey) {
        let namespace = key.namespace.as_deref().unwrap_or_default();
        let _ = match key.kind {
            ConnectionKind::PamConnection => self
                .connections
                .unbounded_send(ObjectRef::new(&key.name).within(namespace))
                .is_ok(),
            ConnectionKind::ClusterPamConnection => self
                .cluster_connections
                .unbounded_send(ObjectRef::new(&key.name))
                .is_ok(),
        };
    }
}
