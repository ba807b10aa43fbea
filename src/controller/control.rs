//! The controllers themselves: from what is woken to the reconciles, so many at a time.

use std::{convert::Infallible, fmt::Debug, pin::pin, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, channel::mpsc::UnboundedReceiver};
use kube::{
    Resource,
    runtime::{
        applier,
        controller::{self, Action, Config, ReconcileRequest},
        reflector::{ObjectRef, Store},
    },
};

use crate::controller::{
    backoff::LONGEST_PAUSE,
    caches::Caches,
    connection,
    context::{Context, Wakes},
    credential,
    ownership::identity::Name,
    track,
};
use crate::metrics::Outcome;

/// A reconcile that could not do its work.
#[derive(Clone, Copy, Debug)]
pub struct Failed {
    /// When it is repeated.
    pub pause: Duration,
}

/// What the controllers have in common.
pub struct Control<S> {
    /// What they share.
    pub context: Arc<Context>,
    /// Reconciles of one controller at the same time.
    pub concurrency: u16,
    /// Ends them.
    pub shutdown: S,
}

impl<S: Future<Output = ()> + Clone + Send + 'static> Control<S> {
    /// Runs all controllers until the shutdown.
    pub async fn run(&self, caches: Caches, wakes: Wakes) {
        let (connections, cluster_connections) = (caches.connections, caches.cluster_connections);
        tokio::join!(
            self.run_one(
                caches.credentials,
                wakes.credentials,
                credential::reconcile,
                track::gone
            ),
            self.run_one(connections, wakes.connections, connection::reconcile, |_, _| {}),
            self.run_one(
                cluster_connections,
                wakes.cluster_connections,
                connection::reconcile,
                |_, _| {}
            ),
        );
    }

    /// Runs one controller until the shutdown. Reconciles are tasks of their own, so that one that panics ends alone;
    /// `gone` hears of objects that do not exist any more, when no reconcile of them is under way.
    async fn run_one<K, F>(
        &self,
        store: Store<K>,
        wakes: UnboundedReceiver<ObjectRef<K>>,
        reconcile: impl Fn(Arc<K>, Arc<Context>) -> F,
        gone: impl Fn(&Context, &Name),
    ) where
        K: Resource<DynamicType = ()> + Clone + Debug + Send + Sync + 'static,
        F: Future<Output = Result<Action, Failed>> + Send + 'static,
    {
        let kind = K::kind(&()).into_owned();
        self.context.metrics.controller(&kind, self.concurrency);
        let queue = wakes
            .map(|object| Ok::<_, Infallible>(ReconcileRequest::from(object)))
            .take_until(self.shutdown.clone());
        let run = |object, context: Arc<Context>| {
            let worker = context.metrics.worker(&kind);
            let task = tokio::spawn(reconcile(object, context));
            let kind = kind.clone();
            async move {
                let result = task.await.unwrap_or_else(|panic| {
                    tracing::error!(
                        kind,
                        panicked = panic.is_panic(),
                        "a reconcile ended by accident and is repeated"
                    );
                    Err(Failed { pause: LONGEST_PAUSE })
                });
                worker.ended(result.as_ref().map_or(Outcome::Error, outcome));
                Ok::<_, Infallible>(result.unwrap_or_else(|failed| Action::requeue(failed.pause)))
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

/// How a reconcile counts that did what it could.
fn outcome(action: &Action) -> Outcome {
    if *action == Action::await_change() {
        Outcome::Success
    } else if *action == Action::requeue(Duration::ZERO) {
        Outcome::Requeue
    } else {
        Outcome::RequeueAfter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reconcile_counts_by_when_it_comes_back() {
        for (action, expected) in [
            (Action::await_change(), Outcome::Success),
            (Action::requeue(Duration::ZERO), Outcome::Requeue),
            (Action::requeue(Duration::from_millis(1)), Outcome::RequeueAfter),
        ] {
            assert_eq!(outcome(&action), expected);
        }
    }
}
