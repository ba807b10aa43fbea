//! One loop per connection that lists its PAM: on demand, and once per interval while objects use it.
//!
//! Listings are the only way to look, and they are expensive, so one serves all objects: they wait for it by event,
//! outside of their reconciles, and a pause between two listings keeps the load bounded however many objects wait.

use std::{sync::Arc, time::Duration};

use rand::RngExt;
use tokio::time::{Instant, sleep_until};

use crate::controller::{
    backoff::{REFUSED_PAUSE, backoff, jittered},
    connection::{
        link::{Call, Link, Problem},
        sweep::{Sweep, sweep},
        turnstile::{Pass, Turnstile},
    },
    context::Context,
    credential::reaction::connection_reaction,
    ownership::register::Register,
    queue::Lane,
};
use crate::pam::{Class, Client, Error, Listing};

/// Shortest pause between two listings.
const SHORTEST_PAUSE: Duration = Duration::from_secs(2);

/// A listing is followed by a pause of this many times its duration.
const PAUSE_FACTOR: u32 = 5;

/// Lists until the link has another client or is gone.
pub async fn run(link: Arc<Link>, client: Arc<Client>, turnstile: Arc<Turnstile>, context: Arc<Context>) {
    let mut failures = 0;
    let mut due = Instant::now();
    while let Some(pass) = wait_until_due(&link, &client, &turnstile, &context, &mut due).await {
        let began = Instant::now();
        let result = context.effects.list(&client, &pass).await;
        drop(pass);
        failures = if result.is_ok() { 0 } else { failures + 1 };
        let pause = match &result {
            Ok(_) => Duration::ZERO,
            Err(error) if connection_reaction(error).1 => jittered(REFUSED_PAUSE),
            // While nothing may be sent at all, the pause is the breaker's.
            Err(_) if turnstile.cause().is_some() => Duration::ZERO,
            Err(error) => backoff(failures).max(error.retry_after.unwrap_or_default()),
        };
        let pause = pause.max(SHORTEST_PAUSE).max(began.elapsed() * PAUSE_FACTOR);
        let success = result.is_ok();
        settle(&link, &client, &context, result, began).await;
        // Objects do not ask for a listing from a connection that is refused one: it comes back by itself.
        due = Instant::now() + if success { interval(&link) } else { pause };
        sleep_until(Instant::now() + pause).await;
    }
}

/// Waits until somebody needs a listing or the interval is over, and it may be made. None when this loop is no longer the
/// link's.
async fn wait_until_due(
    link: &Arc<Link>,
    client: &Arc<Client>,
    turnstile: &Arc<Turnstile>,
    context: &Context,
    due: &mut Instant,
) -> Option<Pass> {
    loop {
        {
            let mut state = link.state();
            if !context.links.has(link) || !state.leads_by(client) {
                return None;
            }
            let suspended = state.terms.as_ref().is_some_and(|terms| terms.suspended);
            let idle = suspended || !context.index.has_users(&link.key);
            // What may not be made now stays wanted: the usher tells when it may.
            if state.may_list()
                && state.wants_listing(Instant::now() >= *due && !idle)
                && let Some(pass) = turnstile.admit()
            {
                state.take_wanted();
                return Some(pass);
            }
        }
        if Instant::now() >= *due {
            *due = Instant::now() + interval(link);
        }
        tokio::select! {
            () = link.demand.notified() => {}
            () = sleep_until(*due) => {}
        }
    }
}

/// The interval of the connection, a tenth more or less: many operators must not list one PAM at the same moment.
fn interval(link: &Link) -> Duration {
    let interval = link
        .state()
        .terms
        .as_ref()
        .map_or(REFUSED_PAUSE, |terms| terms.interval);
    interval.mul_f64(rand::rng().random_range(0.9..1.1))
}

/// Indexes a listing and compares all objects with it: beside the tasks, because for a hundred thousand it takes as long as
/// hundreds of reconciles, and a change that somebody makes meanwhile must not wait.
async fn compare(
    link: &Arc<Link>,
    context: &Arc<Context>,
    listing: Listing,
    began: Instant,
    completed: Instant,
) -> (Register, Sweep) {
    let (link, context) = (link.clone(), context.clone());
    let comparing = tokio::task::spawn_blocking(move || {
        let register = Register::new(listing, began.into_std(), completed.into_std());
        let sweep = sweep(&context, &link, &register);
        (register, sweep)
    });
    comparing
        .await
        .unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}

/// Notes the result and wakes who waited for it.
async fn settle(
    link: &Arc<Link>,
    client: &Arc<Client>,
    context: &Arc<Context>,
    result: Result<Listing, Error>,
    began: Instant,
) {
    let completed = Instant::now();
    let listing = match result {
        Err(error) if error.class == Class::CredentialNotFound => Ok(Listing::default()),
        other => other,
    };
    let success = listing.is_ok();
    let news = match listing {
        Ok(listing) => {
            let (register, sweep) = compare(link, context, listing, began, completed).await;
            let news;
            {
                let mut state = link.state();
                if !state.leads_by(client) {
                    return;
                }
                news = std::mem::replace(&mut state.vanished, sweep.vanished) != sweep.vanished;
                state.concern(sweep.concerned);
                state.register = Some(match state.register.take() {
                    Some(before) => register.succeed(before),
                    None => register,
                });
            }
            link.succeeded(Call::Listing) || news
        }
        Err(_) if !link.state().leads_by(client) => return,
        Err(error) => {
            let (reason, stalled) = connection_reaction(&error);
            let problem = Problem {
                call: Call::Listing,
                reason,
                message: format!("the listing failed: {error}"),
                stalled,
            };
            link.failed(problem, completed.into_std())
        }
    };
    if news {
        context.wake.connection(&link.key);
    }
    let waiting = link.state().take_waiting();
    for object in waiting {
        context.wake_credential(&object, Lane::Reference);
    }
    if success {
        let riding = link.state().take_riding();
        for object in riding {
            context.wake_credential(&object, Lane::Resync);
        }
    }
}
