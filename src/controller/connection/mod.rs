//! One reconcile of a connection: is its configuration sound, and does the PAM give a token? What its listing and its
//! writes find out later arrives through its [`Link`].

pub mod kind;
pub mod link;
pub mod links;
mod listings;
pub mod settings;
mod statement;
mod sweep;
pub mod terms;
pub mod turnstile;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::api::{
    Reason,
    condition::{self, DRIFTED, READY},
};
use crate::controller::{
    backoff::backoff,
    connection::{
        kind::ConnectionResource,
        link::{Call, Health, Link, Problem, Source},
        sweep::Vanished,
        terms::LinkKey,
        turnstile::{Turnstile, usher},
    },
    context::Context,
    control::Failed,
    credential::{
        reaction::connection_reaction,
        report::{Stamp, patch, sentence, set_conditions},
    },
    guarded::Guarded,
    index::Reference,
    ownership::identity::Name,
    queue::{Action, Lane},
};

/// Longest duration of a reconcile beside the PAM's own time limit: some requests to the API server.
const DEADLINE: Duration = Duration::from_mins(1);

/// How long a token request waits at least for another probe to end.
const PROBE_PAUSE: Duration = Duration::from_secs(2);

/// The namespace whose Secrets and ConfigMaps a connection may read.
pub fn home<'a>(context: &'a Context, key: &'a LinkKey) -> &'a str {
    key.namespace.as_deref().unwrap_or(&context.rules.namespace)
}

/// Reconciles a connection and says when to come back.
pub async fn reconcile<K: ConnectionResource>(
    name: Name,
    object: Guarded<K>,
    context: Arc<Context>,
) -> Result<Action, Failed> {
    // It is there from the first event on; without it the connection was deleted since, or is another shard's.
    let key = LinkKey::named(K::KIND, &name);
    let Some(link) = context.links.get(&key) else {
        return Ok(Action::await_change());
    };
    let timeout = link
        .state()
        .terms
        .as_ref()
        .map_or(Duration::ZERO, |terms| terms.timeout);
    let error = match tokio::time::timeout(timeout + DEADLINE, drive(&object, &link, &context)).await {
        Ok(Ok(action)) => return Ok(action),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it did not end in time".to_owned(),
    };
    let pause = backoff(1);
    tracing::warn!(connection = %link.key, error, ?pause, "the reconcile is repeated");
    Err(Failed { pause })
}

async fn drive<K: ConnectionResource>(
    object: &Guarded<K>,
    link: &Arc<Link>,
    context: &Arc<Context>,
) -> kube::Result<Action> {
    let configured = configure(object, link, context).await;
    check(link, context).await;
    if link.open_probe(Instant::now()) || link.state().tells_news() {
        context.wake_referrers(&Reference::Connection(link.key.clone()), Lane::Resync);
    }
    if !context.links.has(link) {
        return Ok(Action::await_change());
    }
    let unsaid = report(object, link, context).await?;
    configured.map(|()| unsaid.map_or_else(|| next(link), Action::requeue))
}

/// Brings terms and client to what the spec and its Secrets say now.
async fn configure<K: ConnectionResource>(
    object: &Guarded<K>,
    link: &Arc<Link>,
    context: &Arc<Context>,
) -> kube::Result<()> {
    let refuse = |problem: Problem| {
        let health = Health::Unusable(problem);
        let mut state = link.state();
        if state.health != health {
            state.reset();
            state.health = health;
            link.demand.notify_one();
        }
    };
    if let Some(lockout) = &context.lockout {
        refuse(Problem {
            reason: Reason::NotPermitted,
            ..settings::invalid(lockout)
        });
        return Ok(());
    }
    let spec = match &object.spec {
        Ok(spec) => spec,
        Err(unreadable) => {
            refuse(settings::invalid(format!(
                "the spec cannot be read: {}",
                unreadable.message
            )));
            return Ok(());
        }
    };
    let connection = K::connection(spec);
    let terms = match settings::terms(connection, K::audience(spec)) {
        Ok(terms) => Arc::new(terms),
        Err(problem) => {
            refuse(problem);
            return Ok(());
        }
    };
    let namespace = home(context, &link.key);
    let source = Source {
        generation: object.generation(),
        uid: object.uid().to_owned(),
        inputs: settings::versions(context, &settings::references(connection, namespace)),
    };
    if link.state().source.as_ref() == Some(&source) {
        return Ok(());
    }
    {
        // From here on nobody uses the former client and listing: new terms with them would be another PAM's.
        let mut state = link.state();
        state.reset();
        state.terms = Some(terms.clone());
    }
    link.demand.notify_one();
    let client = settings::client(context, connection, namespace)
        .await
        .inspect_err(|error| {
            refuse(Problem {
                stalled: false,
                ..settings::invalid(format!("what it refers to cannot be read: {error}"))
            });
        })?;
    match client {
        Ok(client) => {
            let client = Arc::new(client);
            let turnstile = Turnstile::new(terms.limits);
            {
                let mut state = link.state();
                if !context.links.has(link) {
                    // Nobody would end what is started for it now.
                    return Ok(());
                }
                state.client = Some(client.clone());
                state.turnstile = Some(turnstile.clone());
                state.source = Some(source);
            }
            tokio::spawn(usher::run(link.clone(), turnstile.clone(), context.clone()));
            tokio::spawn(listings::run(link.clone(), client, turnstile, context.clone()));
        }
        Err(problem) => {
            refuse(problem);
            link.state().source = Some(source);
        }
    }
    Ok(())
}

/// Asks for a token where none was seen yet, or where the last one was refused.
async fn check(link: &Link, context: &Context) {
    let client = {
        let state = link.state();
        let suspended = state.terms.as_ref().is_some_and(|terms| terms.suspended);
        let due = match &state.health {
            Health::Unknown => true,
            Health::Ready => state.outage.as_ref().is_some_and(|outage| outage.call == Call::Token),
            Health::Unusable(problem) => problem.call == Call::Token,
        };
        let held = state.token_from.is_some_and(|from| from > Instant::now());
        let way = state.client.clone().zip(state.turnstile.clone());
        way.filter(|_| due && !suspended && !held)
    };
    let Some((client, turnstile)) = client else { return };
    let Some(pass) = turnstile.admit() else { return };
    match context.effects.authenticate(&client, &pass).await {
        Ok(()) => {
            link.succeeded(Call::Token);
        }
        Err(error) => {
            let (reason, stalled) = connection_reaction(&error);
            let problem = Problem {
                call: Call::Token,
                reason,
                message: format!("the token request failed: {error}"),
                stalled,
            };
            link.failed(problem, Instant::now());
        }
    }
    {
        let mut state = link.state();
        if state.health == Health::Unknown {
            // After a failure that may pass, objects find out themselves: by their listing, which fails too.
            state.health = Health::Ready;
        }
    }
    link.demand.notify_one();
}

/// Writes the connection's own status; when it has to wait, says how long. Where somebody else wrote meanwhile the watch
/// brings what they wrote, and with it the next reconcile, which must not depend on that alone.
async fn report<K: ConnectionResource>(
    object: &Guarded<K>,
    link: &Link,
    context: &Context,
) -> kube::Result<Option<Duration>> {
    let stamp = Stamp::new(object.generation(), None);
    let old = object.status.as_deref();
    let mut new = old.cloned().unwrap_or_default();
    new.observed_generation = Some(stamp.generation);
    {
        let state = link.state();
        let problem = match (&state.health, &state.outage) {
            (Health::Unusable(problem), _) | (_, Some(problem)) => Some(problem.clone()),
            _ => None,
        };
        let suspended = state.terms.as_ref().is_some_and(|terms| terms.suspended);
        match problem {
            Some(problem) => {
                let text = sentence(&problem.message, problem.reason);
                set_conditions(
                    &mut new.conditions,
                    &stamp,
                    false,
                    problem.reason,
                    &text,
                    problem.stalled,
                );
            }
            None if suspended => {
                let text = sentence("no calls are made but for deletions", Reason::Suspended);
                // Nothing is asked of the PAM now, so what was known before stands.
                let was_ready = || condition::find(&new.conditions, READY).is_some_and(|ready| ready.status == "True");
                let ready = state.health == Health::Ready || (state.health == Health::Unknown && was_ready());
                set_conditions(&mut new.conditions, &stamp, ready, Reason::Suspended, &text, false);
            }
            None => {
                let selects = state.terms.as_ref().is_some_and(|terms| terms.selects());
                let text = match context.namespaces.forbidden().filter(|_| selects) {
                    Some(forbidden) => format!(
                        "The PAM accepts the client; spec.allowedNamespaces.selector selects nothing where the operator has no \
                         right to list and watch {forbidden}"
                    ),
                    None => "The PAM accepts the client".to_owned(),
                };
                set_conditions(&mut new.conditions, &stamp, true, Reason::Synced, &text, false);
            }
        }
        match state.vanished {
            Some(Vanished { missing, owned }) => {
                let text = format!(
                    "{missing} of {owned} credentials of this connection's objects are not listed by the PAM. Nothing is \
                     corrected by itself until that is mended: check whether the PAM was restored from a backup, or what \
                     the client's authorization includes"
                );
                let now = stamp.now.clone();
                condition::set(
                    &mut new.conditions,
                    DRIFTED,
                    true,
                    Reason::NotFoundInPam,
                    &text,
                    stamp.generation,
                    now,
                );
            }
            None => condition::clear(&mut new.conditions, DRIFTED),
        }
    }
    let Some(patch) = patch(old, &new) else {
        return Ok(None);
    };
    if let Some(pause) = link.statement().pause(object.uid(), &new.conditions, Instant::now()) {
        return Ok(Some(pause));
    }
    match context
        .effects
        .patch_connection_status::<K>(&link.key, object.version(), patch)
        .await
    {
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(kube::Error::Api(status)) if status.is_conflict() => Ok(Some(backoff(1))),
        Err(error) => Err(error),
        Ok(()) => {
            let before = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
            context.events.announce(object, before, &new.conditions, true);
            link.statement().said(object.uid(), &new.conditions, Instant::now());
            Ok(None)
        }
    }
}

/// When to come back without an event: a refused or failed token request, or a refused write, is tried again; the
/// listing comes back by itself.
fn next(link: &Link) -> Action {
    let state = link.state();
    let call = match (&state.health, &state.outage) {
        (Health::Unusable(problem), _) | (_, Some(problem)) => problem.call,
        _ => return Action::await_change(),
    };
    let moment = match call {
        // While nothing may be sent at all, the pause is the breaker's.
        Call::Token => {
            let open = state.turnstile.as_ref().and_then(|turnstile| turnstile.until());
            state
                .token_from
                .max(open.map(|open| open.max(Instant::now() + PROBE_PAUSE)))
        }
        Call::Write => link.probe_from(),
        Call::Configuration | Call::Listing => None,
    };
    moment.map_or_else(Action::await_change, |moment| {
        Action::requeue(moment.saturating_duration_since(Instant::now()))
    })
}
