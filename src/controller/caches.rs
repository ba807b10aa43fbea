//! Everything that is watched, as stores that fill and follow.

use std::{collections::BTreeSet, marker::PhantomData, sync::Arc};

use futures::{FutureExt, future};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, Client, Resource,
    core::{NamespaceResourceScope, PartialObjectMeta},
};

use crate::api::{ClusterPamConnection, PamConnection, PamCredential};
use crate::controller::{
    connection::{kind::ConnectionResource, terms::LinkKey},
    context::Context,
    index::Reference,
    ownership::identity::Name,
    packed::{Arrival, Packed},
    queue::Lane,
    store::Store,
    track,
    version::Version,
    watch::{Follower, Origin, watch},
};

/// The stores. Clones are the same.
#[derive(Clone, Default)]
pub struct Caches {
    /// The credentials.
    pub credentials: Store<Packed<PamCredential>>,
    /// The `PamConnection`s.
    pub connections: Store<Packed<PamConnection>>,
    /// The `ClusterPamConnection`s.
    pub cluster_connections: Store<Packed<ClusterPamConnection>>,
    /// Versions of Secrets.
    pub secrets: Store<Version>,
    /// Versions of `ConfigMap`s.
    pub config_maps: Store<Version>,
}

impl Caches {
    /// Waits until all of them are complete. No plan is made before: a missing connection must be one that does not exist,
    /// and every claim must stand in line before the first object without one.
    pub async fn filled(&self) {
        future::join_all([
            self.secrets.completed().boxed(),
            self.config_maps.completed().boxed(),
            self.credentials.completed().boxed(),
            self.connections.completed().boxed(),
            self.cluster_connections.completed().boxed(),
        ])
        .await;
    }

    /// Opens the queues of everything that has a reconcile, and wakes what is there already.
    pub fn open(&self, context: &Context) {
        let wake = &context.wake;
        for queue in [&wake.credentials, &wake.connections, &wake.cluster_connections] {
            queue.open();
        }
        for (name, object) in self.credentials.objects() {
            if !context.shard.is_everything() {
                // Whose it is can be told only now that all connections are known.
                track::credential(context, &name, Some(&object.open()));
            }
            context.wake_credential(&name, Lane::Resync);
        }
        for name in self.connections.names() {
            wake.connection(&LinkKey::named(PamConnection::KIND, &name));
        }
        for name in self.cluster_connections.names() {
            wake.connection(&LinkKey::named(ClusterPamConnection::KIND, &name));
        }
    }

    /// Starts all watches, of these namespaces or, when there are none, of the cluster.
    pub fn watch(&self, client: &Client, namespaces: &[String], context: &Arc<Context>) {
        let own = [context.rules.namespace.clone()];
        let follow = Credentials(context.clone());
        let credentials = scopes::<Arrival<PamCredential>>(client, namespaces, &[]);
        tokio::spawn(watch(self.credentials.clone(), credentials, follow));

        let follow = Connections::<PamConnection>(context.clone(), PhantomData);
        let connections = scopes::<Arrival<PamConnection>>(client, namespaces, &[]);
        tokio::spawn(watch(self.connections.clone(), connections, follow));

        let follow = Connections::<ClusterPamConnection>(context.clone(), PhantomData);
        let connections = vec![Api::<Arrival<ClusterPamConnection>>::all(client.clone())];
        tokio::spawn(watch(self.cluster_connections.clone(), connections, follow));

        let follow = Referred(context.clone(), Reference::Secret);
        let secrets = scopes::<PartialObjectMeta<Secret>>(client, namespaces, &own);
        tokio::spawn(watch(self.secrets.clone(), secrets, follow));

        let follow = Referred(context.clone(), Reference::ConfigMap);
        let maps = scopes::<PartialObjectMeta<ConfigMap>>(client, namespaces, &own);
        tokio::spawn(watch(self.config_maps.clone(), maps, follow));
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

/// What came in a list is no news, and is looked at when there is time.
fn lane(origin: Origin, changed: Lane) -> Lane {
    match origin {
        Origin::Changed => changed,
        Origin::Listed => Lane::Resync,
    }
}

/// Follows the credentials.
struct Credentials(Arc<Context>);

impl Follower<Packed<PamCredential>> for Credentials {
    fn track(&self, name: &Name, object: Option<&Packed<PamCredential>>) {
        track::credential(&self.0, name, object.map(Packed::open).as_ref());
    }

    fn wake(&self, name: &Name, object: Option<&Packed<PamCredential>>, origin: Origin) {
        let is_known = object.is_some_and(|object| self.0.memories.saw(name, || object.version()));
        if !is_known {
            self.0.wake_credential(name, lane(origin, Lane::Object));
        }
    }
}

/// Follows the connections of one kind.
struct Connections<K>(Arc<Context>, PhantomData<fn() -> K>);

impl<K: ConnectionResource> Follower<Packed<K>> for Connections<K> {
    fn track(&self, name: &Name, object: Option<&Packed<K>>) {
        let key = LinkKey::named(K::KIND, name);
        track::connection(&self.0, &key, object.map(Packed::open).as_ref());
    }

    fn wake(&self, name: &Name, _: Option<&Packed<K>>, _: Origin) {
        self.0.wake.connection(&LinkKey::named(K::KIND, name));
    }
}

/// Follows what others refer to.
struct Referred(Arc<Context>, fn(String, String) -> Reference);

impl Follower<Version> for Referred {
    fn track(&self, _: &Name, _: Option<&Version>) {}

    fn wake(&self, name: &Name, _: Option<&Version>, origin: Origin) {
        let reference = (self.1)(name.namespace().to_owned(), name.name().to_owned());
        self.0.wake_referrers(&reference, lane(origin, Lane::Reference));
    }
}
