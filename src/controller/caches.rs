//! Everything that is watched, as stores that fill and follow.

use std::{collections::BTreeSet, fmt::Debug, sync::Arc};

use futures::{FutureExt, Stream, StreamExt, channel::mpsc::UnboundedSender, future};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::{
        NamespaceResourceScope, PartialObjectMeta,
        object::{HasSpec, HasStatus},
    },
    runtime::{
        reflector::{self, ObjectRef, Store, store::Writer},
        watcher,
    },
};
use serde::de::DeserializeOwned;

use crate::controller::{
    ClusterConnection, Connection, Credential, connection,
    context::Context,
    guarded::Guarded,
    index::Reference,
    track,
    watch::{Change, watch},
};

/// The stores.
#[derive(Clone)]
pub struct Caches {
    /// The credentials.
    pub credentials: Store<Credential>,
    /// The PamConnections.
    pub connections: Store<Connection>,
    /// The ClusterPamConnections.
    pub cluster_connections: Store<ClusterConnection>,
    /// Versions of Secrets.
    pub secrets: Store<PartialObjectMeta<Secret>>,
    /// Versions of ConfigMaps.
    pub config_maps: Store<PartialObjectMeta<ConfigMap>>,
}

/// The other ends of the stores, until the watches have them.
pub struct Writers {
    credentials: Writer<Credential>,
    connections: Writer<Connection>,
    cluster_connections: Writer<ClusterConnection>,
    secrets: Writer<PartialObjectMeta<Secret>>,
    config_maps: Writer<PartialObjectMeta<ConfigMap>>,
}

impl Caches {
    /// Empty stores, and what will fill them.
    pub fn new() -> (Self, Writers) {
        let (credentials, credential_writer) = reflector::store();
        let (connections, connection_writer) = reflector::store();
        let (cluster_connections, cluster_connection_writer) = reflector::store();
        let (secrets, secret_writer) = reflector::store();
        let (config_maps, config_map_writer) = reflector::store();
        let caches = Self {
            credentials,
            connections,
            cluster_connections,
            secrets,
            config_maps,
        };
        let writers = Writers {
            credentials: credential_writer,
            connections: connection_writer,
            cluster_connections: cluster_connection_writer,
            secrets: secret_writer,
            config_maps: config_map_writer,
        };
        (caches, writers)
    }

    /// Waits until all of them are complete. No plan is made before: a missing connection must be one that does not exist,
    /// and every claim must stand in line before the first object without one.
    pub async fn filled(&self) {
        future::join_all([
            self.secrets.wait_until_ready().boxed(),
            self.config_maps.wait_until_ready().boxed(),
            self.credentials.wait_until_ready().boxed(),
            self.connections.wait_until_ready().boxed(),
            self.cluster_connections.wait_until_ready().boxed(),
        ])
        .await;
    }

    /// Wakes everything of ours that has a reconcile.
    pub fn wake(&self, context: &Context) {
        let Context { shard, wake, .. } = context;
        wake_all(&self.credentials, &wake.credentials, |object| shard.owns(object));
        wake_all(&self.connections, &wake.connections, |object| {
            shard.has(&connection::key(object))
        });
        wake_all(&self.cluster_connections, &wake.cluster_connections, |object| {
            shard.has(&connection::key(object))
        });
    }
}

impl Writers {
    /// Starts all watches, of these namespaces or, when there are none, of the cluster.
    pub fn watch(self, client: &Client, namespaces: &[String], context: &Arc<Context>) {
        let own = [context.rules.namespace.clone()];
        follow(
            self.credentials,
            scopes(client, namespaces, &[]),
            context,
            track::credential,
            |context, object| context.wake_credential(&track::name(object)),
        );
        follow(
            self.connections,
            scopes(client, namespaces, &[]),
            context,
            track::connection,
            |context, object| context.wake.connection(&connection::key(object)),
        );
        follow(
            self.cluster_connections,
            vec![Api::all(client.clone())],
            context,
            track::connection,
            |context, object| context.wake.connection(&connection::key(object)),
        );
        let secrets = watch(self.secrets, scopes(client, namespaces, &own), keep_version, |_| {});
        drain(secrets, context, |context, secret| {
            let (namespace, name) = (secret.namespace().unwrap_or_default(), secret.name_any());
            context.wake_referrers(&Reference::Secret(namespace, name));
        });
        let config_maps = watch(self.config_maps, scopes(client, namespaces, &own), keep_version, |_| {});
        drain(config_maps, context, |context, map| {
            let (namespace, name) = (map.namespace().unwrap_or_default(), map.name_any());
            context.wake_referrers(&Reference::ConfigMap(namespace, name));
        });
    }
}

/// Wakes everything of ours that a store has. What comes into it later is woken by its watch.
fn wake_all<K>(store: &Store<K>, wake: &UnboundedSender<ObjectRef<K>>, is_ours: impl Fn(&K) -> bool)
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    for object in store.state().iter().filter(|object| is_ours(object)) {
        // The receiver is as old as the sender and not given away yet.
        let _ = wake.unbounded_send(ObjectRef::from_obj(&**object));
    }
}

/// The cluster, or the namespaces that are watched and some more.
fn scopes<K>(client: &Client, namespaces: &[String], more: &[String]) -> Vec<Api<K>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
{
    if namespaces.is_empty() {
        return vec![Api::all(client.clone())];
    }
    let namespaces: BTreeSet<_> = namespaces.iter().chain(more).collect();
    namespaces
        .into_iter()
        .map(|namespace| Api::namespaced(client.clone(), namespace))
        .collect()
}

/// Of a Secret or ConfigMap only its version matters.
fn keep_version<K>(object: &mut PartialObjectMeta<K>) {
    let metadata = std::mem::take(&mut object.metadata);
    object.metadata.name = metadata.name;
    object.metadata.namespace = metadata.namespace;
    object.metadata.uid = metadata.uid;
    object.metadata.resource_version = metadata.resource_version;
}

/// Watches one of our own kinds: `track` sees each change before the store has it, `wake` after.
fn follow<K>(
    writer: Writer<Guarded<K>>,
    scopes: Vec<Api<Guarded<K>>>,
    context: &Arc<Context>,
    track: impl Fn(&Context, &Change<'_, Guarded<K>>) + Send + 'static,
    wake: impl Fn(&Context, &Guarded<K>) + Send + 'static,
) where
    K: Resource<DynamicType = ()> + HasSpec + HasStatus + Clone + 'static,
    Guarded<K>: DeserializeOwned + Debug + Send + Sync,
{
    let tracked = context.clone();
    let events = watch(writer, scopes, |_| {}, move |change| track(&tracked, change));
    drain(events, context, wake);
}

/// Follows a watch for as long as the operator runs; a failed one was logged and comes back by itself.
fn drain<K: Send + 'static>(
    events: impl Stream<Item = Result<K, watcher::Error>> + Send + 'static,
    context: &Arc<Context>,
    wake: impl Fn(&Context, &K) + Send + 'static,
) {
    let context = context.clone();
    tokio::spawn(events.for_each(move |event| {
        if let Ok(object) = event {
            wake(&context, &object);
        }
        std::future::ready(())
    }));
}
