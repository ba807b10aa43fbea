//! Starts the watches and the controllers, and ends them.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    fmt::Debug,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{FutureExt, Stream, StreamExt, channel::mpsc::UnboundedReceiver, future};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::{
        NamespaceResourceScope, PartialObjectMeta,
        object::{HasSpec, HasStatus},
    },
    runtime::{
        applier,
        controller::{self, Action, Config, ReconcileRequest},
        reflector::{self, ObjectRef, Store, store::Writer},
        watcher,
    },
};
use serde::de::DeserializeOwned;

use crate::controller::{
    backoff::LONGEST_PAUSE,
    connection::{self, link::Links},
    context::{Context, Rules, Wake},
    credential::{self, memory::Memories},
    effects::Effects,
    events::Events,
    guarded::Guarded,
    index::{Index, Reference},
    ownership::identity::Name,
    setup::{self, SetupError},
    track,
    watch::{Change, watch},
};
use crate::{
    api::{ClusterPamConnection, PamConnection},
    metrics::Metrics,
};

/// What the operator's flags say about the controllers.
#[derive(Clone, Debug)]
pub struct Options {
    /// The rules for connections and deletions.
    pub rules: Rules,
    /// Namespaces to watch; all of them when empty.
    pub namespaces: Vec<String>,
    /// Reconciles at the same time.
    pub concurrency: u16,
    /// A copied installation becomes this cluster's.
    pub accept_cluster: bool,
    /// Claims that do not verify are signed anew where the PAM lists exactly what they say.
    pub resign_claims: bool,
}

/// Whether all caches were filled.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// True from the first complete lists on.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs the controllers until `shutdown` ends; what is under way then is finished.
pub async fn run(
    client: Client,
    options: Options,
    metrics: Metrics,
    readiness: Readiness,
    shutdown: impl Future<Output = ()> + Clone + Send + 'static,
) -> Result<(), SetupError> {
    let namespace = &options.rules.namespace;
    let setup = setup::load(&client, namespace, options.accept_cluster).await?;
    let (secrets, secret_events) = follow_versions::<Secret>(&client, &options);
    let (config_maps, config_map_events) = follow_versions::<ConfigMap>(&client, &options);
    let (wake, wakes) = Wake::channels();
    let (credentials, credential_writer) = reflector::store();
    let (connections, connection_writer) = reflector::store();
    let (cluster_connections, cluster_connection_writer) = reflector::store();
    let effects = Effects::new(client.clone(), metrics.clone());
    let context = Arc::new(Context {
        events: Events::start(effects.clone()),
        effects,
        metrics,
        installation: setup.installation,
        lockout: setup.copied.then(|| COPIED.to_owned()),
        resigns: options.resign_claims,
        rules: options.rules.clone(),
        credentials: credentials.clone(),
        links: Links::default(),
        index: Index::default(),
        memories: Memories::default(),
        reservations: Mutex::default(),
        secrets: secrets.clone(),
        config_maps: config_maps.clone(),
        wake,
    });

    follow(
        credential_writer,
        scopes(&client, &options.namespaces, &[]),
        &context,
        track::credential,
        |context, object| context.wake.credential(&track::name(object)),
    );
    follow::<PamConnection>(
        connection_writer,
        scopes(&client, &options.namespaces, &[]),
        &context,
        track::connection,
        |context, object| context.wake.connection(&connection::key(object)),
    );
    follow::<ClusterPamConnection>(
        cluster_connection_writer,
        vec![Api::all(client.clone())],
        &context,
        track::connection,
        |context, object| context.wake.connection(&connection::key(object)),
    );
    drain(secret_events, &context, |context, secret| {
        context.wake_referrers(&Reference::Secret(
            secret.namespace().unwrap_or_default(),
            secret.name_any(),
        ));
    });
    drain(config_map_events, &context, |context, map| {
        context.wake_referrers(&Reference::ConfigMap(
            map.namespace().unwrap_or_default(),
            map.name_any(),
        ));
    });

    // No plan is made before everything that it looks at is there: a missing connection must be one that does not
    // exist, and every claim must stand in line before the first object without one.
    let filled = future::join_all([
        secrets.wait_until_ready().boxed(),
        config_maps.wait_until_ready().boxed(),
        credentials.wait_until_ready().boxed(),
        connections.wait_until_ready().boxed(),
        cluster_connections.wait_until_ready().boxed(),
    ]);
    tokio::select! {
        _ = filled => {}
        () = shutdown.clone() => return Ok(()),
    }
    readiness.0.store(true, Ordering::Relaxed);
    tracing::info!("all caches are filled");
    let control = Control {
        context,
        concurrency: options.concurrency,
        shutdown,
    };
    tokio::join!(
        control.run(credentials, wakes.credentials, credential::reconcile, track::gone),
        control.run(connections, wakes.connections, connection::reconcile, |_, _| {}),
        control.run(
            cluster_connections,
            wakes.cluster_connections,
            connection::reconcile,
            |_, _| {}
        ),
    );
    Ok(())
}

/// Why a copied installation may not write.
const COPIED: &str = "the Secret pam-operator-installation was made in another cluster, whose objects own what its key signed; \
                      start the operator once with --accept-cluster if this cluster replaces that one";

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

/// Watches the metadata of Secrets or ConfigMaps, where the objects and the operator itself live.
fn follow_versions<K>(
    client: &Client,
    options: &Options,
) -> (
    Store<PartialObjectMeta<K>>,
    impl Stream<Item = Result<PartialObjectMeta<K>, watcher::Error>> + Send + use<K>,
)
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let own = [options.rules.namespace.clone()];
    let events = watch(writer, scopes(client, &options.namespaces, &own), keep_version, |_| {});
    (store, events)
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

/// What the controllers have in common.
struct Control<S> {
    context: Arc<Context>,
    concurrency: u16,
    shutdown: S,
}

impl<S: Future<Output = ()> + Clone + Send + 'static> Control<S> {
    /// Runs one controller until the shutdown. Reconciles are tasks of their own, so that one that panics ends alone;
    /// `gone` hears of objects that do not exist any more, when no reconcile of them is under way.
    async fn run<K, F>(
        &self,
        store: Store<K>,
        wakes: UnboundedReceiver<ObjectRef<K>>,
        reconcile: impl Fn(Arc<K>, Arc<Context>) -> F,
        gone: impl Fn(&Context, &Name),
    ) where
        K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
        F: Future<Output = Action> + Send + 'static,
    {
        let kind = K::kind(&()).into_owned();
        let queue = wakes
            .map(|object| Ok::<_, Infallible>(ReconcileRequest::from(object)))
            .take_until(self.shutdown.clone());
        let run = |object, context: Arc<Context>| {
            let task = tokio::spawn(reconcile(object, context.clone()));
            let kind = kind.clone();
            async move {
                let action = task.await.unwrap_or_else(|panic| {
                    tracing::error!(
                        kind,
                        panicked = panic.is_panic(),
                        "a reconcile ended by accident and is repeated"
                    );
                    Action::requeue(LONGEST_PAUSE)
                });
                context.metrics.reconciled(kind);
                Ok::<_, Infallible>(action)
            }
            .boxed()
        };
        let config = Config::default().concurrency(self.concurrency);
        let policy = |_, error: &Infallible, _| match *error {};
        let mut results = pin!(applier(run, policy, self.context.clone(), store, queue, config));
        while let Some(result) = results.next().await {
            match result {
                Ok(_) => {}
                Err(controller::Error::ObjectNotFound(object)) => {
                    gone(
                        &self.context,
                        &Name::new(object.namespace.unwrap_or_default(), object.name),
                    );
                }
                Err(error) => tracing::error!(kind, %error, "the controller stumbled"),
            }
        }
    }
}
