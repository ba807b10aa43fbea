//! What all controllers share.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use crate::controller::{
    Credential,
    connection::{links::Links, terms::LinkKey},
    credential::memory::Memories,
    effects::Effects,
    events::Events,
    index::{Index, Reference, Referrer},
    namespaces::{Namespaces, News},
    ownership::{identity::Name, installation::Installation, reservations::Reservations},
    packed::Packed,
    queue::{Lane, Queue},
    shard::Shard,
    store::Store,
    version::Version,
};
use crate::{
    api::{ConnectionKind, PamCredential, SecretVersion},
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
    pub credentials: Store<Packed<PamCredential>>,
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
    pub secrets: Store<Version>,
    /// Metadata of ConfigMaps.
    pub config_maps: Store<Version>,
    /// Wakes reconciles.
    pub wake: Wake,
}

impl Context {
    /// The version of a Secret's key, from metadata alone; none when the Secret does not exist.
    pub fn secret_version(&self, namespace: &str, name: &str, key: &str) -> Option<SecretVersion> {
        let version = self.secrets.get(&Name::new(namespace, name))?;
        Some(version.of_key(name, key))
    }

    /// The version of a ConfigMap's key, from metadata alone; none when the ConfigMap does not exist.
    pub fn config_map_version(&self, namespace: &str, name: &str, key: &str) -> Option<SecretVersion> {
        let version = self.config_maps.get(&Name::new(namespace, name))?;
        Some(version.of_key(name, key))
    }

    /// Whether this process acts. Another one does otherwise, and this one only looks on.
    pub fn leads(&self) -> bool {
        self.effects.tenure().is_valid()
    }

    /// Wakes a credential, if it is ours or was until now. News of others' objects is worth no reconcile.
    pub fn wake_credential(&self, name: &Name, lane: Lane) {
        if self.memories.knows(name) || self.foreign(name).is_none() {
            self.wake.credentials.push(name, lane);
        }
    }

    /// The credential as the watch showed it last, if it is another shard's.
    pub fn foreign(&self, name: &Name) -> Option<Credential> {
        if self.shard.is_everything() {
            return None;
        }
        self.credential(name).filter(|object| !self.shard.owns(object))
    }

    /// The credential, as the watch showed it last.
    pub fn credential(&self, name: &Name) -> Option<Credential> {
        self.credentials.get(name).map(|object| object.open())
    }

    /// Wakes everybody who refers to this.
    pub fn wake_referrers(&self, reference: &Reference, lane: Lane) {
        for referrer in self.index.referrers(reference) {
            match referrer {
                Referrer::Credential(name) => self.wake_credential(&name, lane),
                Referrer::Connection(key) => self.wake.connection(&key),
            }
        }
    }

    /// Wakes everybody whom news of namespaces concerns.
    pub fn wake_for_namespaces(&self, news: &News) {
        match news {
            News::One(name) => self.wake_referrers(&Reference::Namespace(name.clone()), Lane::Resync),
            // Which labels can be seen is for the connections to say, and for their users to follow.
            News::Any => {
                for key in self.links.of_cluster() {
                    self.wake.connection(&key);
                    self.wake_referrers(&Reference::Connection(key), Lane::Resync);
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
#[derive(Clone, Debug, Default)]
pub struct Wake {
    /// The credentials that wait for a reconcile.
    pub credentials: Queue,
    /// The `PamConnection`s.
    pub connections: Queue,
    /// The `ClusterPamConnection`s.
    pub cluster_connections: Queue,
}

impl Wake {
    /// Wakes a connection, which many objects wait for.
    pub fn connection(&self, key: &LinkKey) {
        let queue = match key.kind {
            ConnectionKind::PamConnection => &self.connections,
            ConnectionKind::ClusterPamConnection => &self.cluster_connections,
        };
        queue.push(&key.object(), Lane::Object);
    }
}
