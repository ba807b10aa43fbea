//! The task that hands out the turns of a turnstile, and says on the connection when its breaker opens and closes.

use std::{sync::Arc, time::Instant};

use tokio::time::sleep_until;

use crate::controller::{
    connection::{
        link::{Call, Link, Problem},
        turnstile::{Failure, Moves, Turnstile},
    },
    context::Context,
    queue::Lane,
};
use crate::metrics::ConnectionLabels;

/// Serves until the link has another turnstile or is gone.
pub async fn run(link: Arc<Link>, turnstile: Arc<Turnstile>, context: Arc<Context>) {
    let labels = ConnectionLabels {
        kind: link.key.kind.as_str(),
        namespace: link.key.namespace.clone().unwrap_or_default(),
        name: link.key.name.clone(),
    };
    let mut open = false;
    while let Some(may_list) = may_list(&link, &turnstile, &context) {
        let (moves, cause, waiting) = {
            let mut gate = turnstile.gate();
            let moves = gate.advance(Instant::now(), may_list);
            (moves, gate.cause().cloned(), gate.waiting())
        };
        if open != cause.is_some() {
            open = cause.is_some();
            switch(&link, &turnstile, cause, &context);
        }
        context.metrics.turnstile(&labels, open, waiting);
        let Moves { wake, list, next } = moves;
        for name in wake {
            context.wake_credential(&name, Lane::Object);
        }
        if list {
            link.want_listing();
        }
        let due = async {
            match next {
                Some(moment) => sleep_until(moment.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = turnstile.news.notified() => {}
            () = due => {}
        }
    }
    let replaced = context
        .links
        .get(&link.key)
        .is_some_and(|current| current.state().turnstile.is_some());
    if !replaced {
        context.metrics.forget_turnstile(&labels);
    }
}

/// Whether a listing can be asked for; none when this is not the link's turnstile any more.
fn may_list(link: &Link, turnstile: &Arc<Turnstile>, context: &Context) -> Option<bool> {
    let mut state = link.state();
    let current = state.turnstile.as_ref()?;
    if !Arc::ptr_eq(current, turnstile) {
        return None;
    }
    let suspended = state.terms.as_ref().is_some_and(|terms| terms.suspended);
    let used = !suspended && context.index.has_users(&link.key);
    Some(state.may_list() && (used || state.wants_listing(false)))
}

/// The breaker opened, or closed: the connection says so, in the place of all its objects.
fn switch(link: &Link, turnstile: &Arc<Turnstile>, cause: Option<Failure>, context: &Context) {
    let problem = cause.map(|cause| Problem {
        call: Call::Write,
        reason: cause.reason,
        message: format!("no request is sent for now: {}", cause.message),
        stalled: false,
    });
    tracing::info!(connection = %link.key, open = problem.is_some(), why = problem.as_ref().map(|problem| problem.message.as_str()), "breaker");
    if link.stopped(turnstile, problem) {
        context.wake.connection(&link.key);
    }
    // What waits for a listing can have one again.
    link.demand.notify_one();
}
