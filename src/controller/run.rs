//! Starts the watches and the controllers, and ends them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use futures::StreamExt;
use kube::{Client, core::Selector};

use crate::controller::{
    caches::Caches,
    connection::links::Links,
    context::{Context, Rules, Wake},
    control::Control,
    credential::memory::Memories,
    effects::Effects,
    events::Events,
    index::Index,
    namespaces::Namespaces,
    plan::Warning,
    setup::{self, SetupError},
    shard::Shard,
    survey::survey,
};
use crate::{
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
    /// Act only while holding the lease of this name.
    pub lease: Option<String>,
    /// The connections whose work this is, by their labels.
    pub selector: Selector,
    /// Each object has metrics of its own.
    pub object_metrics: bool,
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
    let lease = options.lease.as_ref();
    let election = lease.map(|lease| Election::new(client.clone(), namespace, lease));
    let effects = effects.under(election.as_ref().map_or_else(Tenure::unlimited, Election::tenure));
    let caches = Caches::default();
    let (namespaces, namespace_news) = Namespaces::watch(&client, &options.namespaces);
    let shard = Arc::new(Shard::new(options.selector));
    let context = Arc::new(Context {
        events: Events::start(effects.clone()),
        effects,
        metrics,
        installation: setup.installation,
        lockout: setup.copied.then(|| COPIED.to_owned()),
        resigns: options.resign_claims,
        rules: options.rules.clone(),
        credentials: caches.credentials.clone(),
        shard: shard.clone(),
        links: Links::default(),
        index: Index::default(),
        memories: Memories::default(),
        reservations: Mutex::default(),
        namespaces,
        secrets: caches.secrets.clone(),
        config_maps: caches.config_maps.clone(),
        wake: Wake::default(),
    });

    let (shown, seen, acts) = (caches.clone(), readiness.clone(), context.effects.tenure().clone());
    context.metrics.watch(options.object_metrics, move || {
        (seen.is_ready() && acts.is_valid()).then(|| survey(&shown, &shard))
    });
    for warning in [Warning::NotOurs, Warning::TimedOut, Warning::Orphaned] {
        context.metrics.may_release(warning.as_str());
    }
    caches.watch(&client, &options.namespaces, &context);
    let told = context.clone();
    tokio::spawn(namespace_news.for_each(move |news| {
        told.wake_for_namespaces(&news);
        std::future::ready(())
    }));

    tokio::select! {
        () = caches.filled() => {}
        () = shutdown.clone() => return Ok(()),
    }
    readiness.0.store(true, Ordering::Relaxed);
    tracing::info!("all caches are filled");
    let mut office = None;
    if let Some(election) = election {
        office = tokio::select! {
            office = election.win() => Some(office),
            () = shutdown.clone() => return Ok(()),
        };
    }
    let control = Control {
        context,
        concurrency: options.concurrency,
        shutdown,
    };
    hold(office, control.run(caches)).await
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

/// Why a copied installation may not write.
const COPIED: &str = "the Secret pam-operator-installation was made in another cluster, whose objects own what its key signed; \
                      start the operator once with --accept-cluster if this cluster replaces that one";
