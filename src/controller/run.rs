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

use futures::{
    FutureExt, Stream, StreamExt,
    channel::mpsc::{UnboundedReceiver, UnboundedSender},
    future,
};
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
    ClusterConnection, Connection, Credential,
    backoff::LONGEST_PAUSE,
    connection::{self, link::Links},
    context::{Context, Rules, Wake, Wakes},
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
    leader::{Election, Loss, Office, Tenure},
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
    /// Act only while holding the lease.
    pub leader_election: bool,
}

/// Why the controllers ended other than by a shutdown.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// They did not begin.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Another process may act now.
    #[error("the lease was lost: {0}")]
    Unseated(Loss),
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

/// Runs the controllers until `shutdown` ends; what is under way then is finished. With leader election they run only
/// while the lease is held: before that everything is watched, so that this process can take over at any moment.
pub async fn run(
    client: Client,
    options: Options,
    metrics: Metrics,
    readiness: Readiness,
    shutdown: impl Future<Output = ()> + Clone + Send + 'static,
) -> Result<(), RunError> {
    let namespace = &options.rules.namespace;
    let effects = Effects::new(client.clone(), metrics.clone());
    let setup = setup::load(&client, &effects, namespace, options.accept_cluster).await?;
    let election = options
        .leader_election
        .then(|| Election::new(client.clone(), namespace));
    let effects = effects.under(election.as_ref().map_or_else(Tenure::unlimited, Election::tenure));
    let (secrets, secret_events) = follow_versions::<Secret>(&client, &options);
    let (config_maps, config_map_events) = follow_versions::<ConfigMap>(&client, &options);
    let (credentials, credential_writer) = reflector::store();
    let (connections, connection_writer) = reflector::store();
    let (cluster_connections, cluster_connection_writer) = reflector::store();
    let (wake, mut wakes) = Wake::channels();
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
    let mut office = None;
    if let Some(election) = election {
        office = tokio::select! {
            office = stand_by(election, &mut wakes) => Some(office),
            () = shutdown.clone() => return Ok(()),
        };
        // What was woken meanwhile went by.
        wake_all(&credentials, &context.wake.credentials);
        wake_all(&connections, &context.wake.connections);
        wake_all(&cluster_connections, &context.wake.cluster_connections);
    }
    context.metrics.leads(true);
    let control = Control {
        context,
        concurrency: options.concurrency,
        shutdown,
    };
    hold(
        office,
        control.run_all(credentials, connections, cluster_connections, wakes),
    )
    .await
}

/// Lets the controllers work for as long as the lease is held. It is renewed until their last request is answered, and
/// released only then.
async fn hold(office: Option<Office>, controllers: impl Future<Output = ()>) -> Result<(), RunError> {
    let Some(mut office) = office else {
        controllers.await;
        return Ok(());
    };
    tokio::select! {
        () = controllers => {}
        loss = office.keep() => return Err(RunError::Unseated(loss)),
    }
    office.release().await;
    Ok(())
}

/// Waits for the lease. Nobody reconciles meanwhile, so what is woken goes by and does not pile up.
async fn stand_by(election: Election, wakes: &mut Wakes) -> Office {
    let mut winning = pin!(election.win());
    loop {
        tokio::select! {
            office = &mut winning => return office,
            _ = wakes.credentials.next() => {}
            _ = wakes.connections.next() => {}
            _ = wakes.cluster_connections.next() => {}
        }
    }
}

/// Wakes everything that a store has. What comes into it later is woken by its watch.
fn wake_all<K>(store: &Store<K>, wake: &UnboundedSender<ObjectRef<K>>)
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    for object in store.state() {
        // The receiver is as old as the sender and not given away yet.
        let _ = wake.unbounded_send(ObjectRef::from_obj(&*object));
    }
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
    /// Runs all controllers until the shutdown.
    async fn run_all(
        &self,
        credentials: Store<Credential>,
        connections: Store<Connection>,
        cluster_connections: Store<ClusterConnection>,
        wakes: Wakes,
    ) {
        tokio::join!(
            self.run(credentials, wakes.credentials, credential::reconcile, track::gone),
            self.run(connections, wakes.connections, connection::reconcile, |_, _| {}),
            self.run(
                cluster_connections,
                wakes.cluster_connections,
                connection::reconcile,
                |_, _| {}
            ),
        );
    }

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
