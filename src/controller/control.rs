//! The controllers themselves: from what is woken to the reconciles, so many at a time.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::FutureExt;
use kube::{
    Resource,
    core::object::{HasSpec, HasStatus},
};
use serde::de::DeserializeOwned;
use tokio_util::task::TaskTracker;

use crate::controller::{
    backoff::LONGEST_PAUSE,
    caches::Caches,
    connection,
    context::Context,
    credential,
    guarded::{Guarded, Labelled},
    ownership::identity::Name,
    packed::Packed,
    queue::{Action, Queue, Turn},
    store::Store,
    track,
};
use crate::metrics::{Outcome, Worker};

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
    pub async fn run(&self, caches: Caches) {
        let wake = &self.context.wake;
        caches.open(&self.context);
        tokio::join!(
            self.run_one(
                &wake.credentials,
                caches.credentials,
                |turn, object, context| credential::reconcile(turn.name.clone(), turn.woken, object, context),
                track::gone
            ),
            self.run_one(
                &wake.connections,
                caches.connections,
                |turn, object, context| connection::reconcile(turn.name.clone(), object, context),
                |_, _| {}
            ),
            self.run_one(
                &wake.cluster_connections,
                caches.cluster_connections,
                |turn, object, context| connection::reconcile(turn.name.clone(), object, context),
                |_, _| {}
            ),
        );
    }

    /// Runs one controller until the shutdown. Reconciles are tasks of their own, so that one that panics ends alone;
    /// `gone` hears of objects that do not exist any more, when no reconcile of them is under way.
    async fn run_one<K, F>(
        &self,
        queue: &Queue,
        store: Store<Packed<K>>,
        reconcile: impl Fn(&Turn, Guarded<K>, Arc<Context>) -> F,
        gone: impl Fn(&Context, &Name),
    ) where
        K: Labelled
            + Resource<DynamicType = ()>
            + HasSpec<Spec: DeserializeOwned>
            + HasStatus<Status: DeserializeOwned>
            + 'static,
        F: Future<Output = Result<Action, Failed>> + Send + 'static,
    {
        let kind = K::kind(&()).into_owned();
        self.context.metrics.controller(&kind, self.concurrency);
        let most = usize::from(self.concurrency.max(1));
        let running = TaskTracker::new();
        let mut shutdown = pin!(self.shutdown.clone());
        loop {
            let turn = tokio::select! {
                turn = queue.next(most) => turn,
                () = &mut shutdown => break,
            };
            let Some(object) = store.get(&turn.name) else {
                gone(&self.context, &turn.name);
                turn.end(Action::await_change());
                continue;
            };
            let worker = self.context.metrics.worker(&kind);
            // Boxed where it is made: it is too large to be moved about.
            let reconcile = Box::pin(reconcile(&turn, object.open(), self.context.clone()));
            running.spawn(work(turn, worker, reconcile));
        }
        running.close();
        running.wait().await;
    }
}

/// One reconcile.
async fn work(turn: Turn, worker: Worker, reconcile: impl Future<Output = Result<Action, Failed>>) {
    let result = AssertUnwindSafe(reconcile).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(object = %turn.name, "a reconcile ended by accident and is repeated");
        Err(Failed { pause: LONGEST_PAUSE })
    });
    worker.ended(result.as_ref().map_or(Outcome::Error, outcome));
    turn.end(result.unwrap_or_else(|failed| Action::requeue(failed.pause)));
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
