//! Keeps index, links and reservations in step with the watches, before any reconcile sees the change.

use std::{collections::BTreeSet, time::Instant};

use crate::controller::{
    Credential,
    connection::{home, kind::ConnectionResource, settings, terms::LinkKey},
    context::Context,
    credential::{observe::held, render},
    guarded::Guarded,
    index::{Reference, Referrer},
    ownership::{identity::Name, reservations::Reservations},
    queue::Lane,
};

/// The connection that an object uses; that of its claim, where only status can be read.
pub fn link_key(object: &Credential, namespace: &str) -> Option<LinkKey> {
    if let Ok(spec) = &object.spec {
        return Some(LinkKey::of(&spec.connection_ref, namespace));
    }
    let used = object.status.as_ref()?.connection.as_ref()?;
    Some(LinkKey::new(used.kind, &used.name, namespace))
}

/// Follows a credential, which is so or gone.
pub fn credential(context: &Context, name: &Name, object: Option<&Credential>) {
    let referrer = Referrer::Credential(name.clone());
    let Some(object) = object else {
        context.index.set(&referrer, &BTreeSet::new());
        // Where reconciles run, the last one of the object ends first: see `gone`.
        if !context.leads() || !context.wake.credentials.is_open() {
            context.reservations().leave(name);
        }
        return;
    };
    context.index.set(&referrer, &references(object, name));
    // What an object wants is for its reconcile to say; what it has must be known before others reconcile. Where
    // somebody else reconciles, the leader or another shard, the claims that they write are followed.
    let is_ours = context.leads() && context.shard.owns(object);
    let mut reservations = context.reservations();
    if !is_ours || !reservations.knows(name) {
        stand_by_claim(context, &mut reservations, name, object);
    }
}

/// The object stands in line for what its claim holds, and for nothing else.
fn stand_by_claim(context: &Context, reservations: &mut Reservations, name: &Name, object: &Credential) {
    let claim = object.status.as_ref().and_then(|status| status.claim.as_ref());
    let claim = claim.filter(|claim| context.installation.verify(name, claim));
    let keys = claim.map(held).unwrap_or_default();
    for other in reservations.enter(name, object.created(), &keys) {
        context.wake_credential(&other, Lane::Reference);
    }
}

/// A credential is another shard's from now on, and no reconcile of it is under way here.
pub fn handed_over(context: &Context, name: &Name, object: &Credential) {
    context.memories.part(name, Instant::now());
    context.links.forget(name);
    stand_by_claim(context, &mut context.reservations(), name, object);
}

/// A credential is gone, and no reconcile of it is under way any more that could bring something back.
pub fn gone(context: &Context, name: &Name) {
    context.memories.forget(name, Instant::now());
    context.links.forget(name);
    for waiting in context.reservations().leave(name) {
        context.wake_credential(&waiting, Lane::Reference);
    }
}

/// Follows a connection, which is so or gone. To this process one that is another shard's is as one that does not exist,
/// but that nobody says so.
pub fn connection<K: ConnectionResource>(context: &Context, key: &LinkKey, object: Option<&Guarded<K>>) {
    let was_ours = context.shard.has(key);
    match object {
        Some(object) => context.shard.see(key, object.metadata.labels.as_ref()),
        None => context.shard.forget(key),
    }
    let is_ours = context.shard.has(key);
    let referrer = Referrer::Connection(Box::new(key.clone()));
    if let Some(object) = object.filter(|_| is_ours) {
        context.links.ensure(key);
        let references = match &object.spec {
            Ok(spec) => settings::references(K::connection(spec), home(context, key)),
            Err(_) => BTreeSet::new(),
        };
        context.index.set(&referrer, &references);
        return;
    }
    context.index.set(&referrer, &BTreeSet::new());
    if let Some(link) = context.links.remove(key) {
        link.state().reset();
        link.demand.notify_one();
    }
    if was_ours || is_ours {
        context.wake_referrers(&Reference::Connection(key.clone()), Lane::Resync);
    }
}

fn references(object: &Credential, name: &Name) -> BTreeSet<Reference> {
    let connection = link_key(object, name.namespace());
    let secrets = object.spec.iter().flat_map(|spec| render::references(spec, true));
    let secrets = secrets.map(|secret| Reference::Secret(name.namespace().to_owned(), secret.name.clone()));
    // Its labels may decide whether the connection can be used, and its end whether a deleted object can be let go.
    let namespace =
        connection.as_ref().is_some_and(|key| key.namespace.is_none()) || object.metadata.deletion_timestamp.is_some();
    let namespace = namespace.then(|| Reference::Namespace(name.namespace().to_owned()));
    secrets
        .chain(connection.map(Reference::Connection))
        .chain(namespace)
        .collect()
}
