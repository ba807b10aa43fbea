//! Watches, as single changes and a store that follows them.

use std::future::ready;

use futures::{Stream, StreamExt, stream};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};

use crate::controller::{
    ownership::identity::Name,
    store::{Store, Watched},
};

/// How an object came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a list of all: nobody needs to have changed it.
    Listed,
    /// By itself, because it changed or went.
    Changed,
}

/// Who hears of changes.
pub trait Follower<V> {
    /// The object is so, or gone; the store has it as it was before.
    fn track(&self, name: &Name, object: Option<&V>);

    /// The same after the store has taken it over.
    fn wake(&self, name: &Name, object: Option<&V>, origin: Origin);
}

/// Watches one kind in one or more scopes (the cluster, or some namespaces) as if it were one watch, for as long as the
/// operator runs. A watch that fails is logged and comes back by itself; what was deleted meanwhile is told then.
pub async fn watch<K: Watched>(store: Store<K::Kept>, scopes: Vec<Api<K>>, follower: impl Follower<K::Kept>) {
    let mut merge = Merge::new(scopes.len(), store, follower);
    let watches = scopes
        .into_iter()
        .zip(0..)
        .map(|(api, scope)| events(api).map(move |event| (scope, event)).boxed());
    let mut events = stream::select_all(watches);
    while let Some((scope, event)) = events.next().await {
        match event {
            Ok(event) => merge.take::<K>(scope, event),
            Err(error) => tracing::warn!(kind = %K::kind(&()), %error, "a watch failed and is started anew"),
        }
    }
}

/// The events of one scope. Where a list may be old it is streamed, if the API server can do that: one object at a time,
/// so that neither side holds a page of them.
fn events<K: Watched>(api: Api<K>) -> impl Stream<Item = watcher::Result<Event<K>>> {
    let paged = watcher(api.clone(), watcher::Config::default()).default_backoff();
    let streamed = K::MAY_BE_OLD.then(|| watcher(api, watcher::Config::default().streaming_lists()).default_backoff());
    let streamed = stream::iter(streamed).flatten();
    streamed.take_while(|event| ready(!is_unsupported(event))).chain(paged)
}

/// Whether the API server does not know how to stream a list, or is told not to.
fn is_unsupported<K>(event: &watcher::Result<Event<K>>) -> bool {
    let Err(watcher::Error::WatchStartFailed(kube::Error::Api(status))) = event else {
        return false;
    };
    let refused = matches!(status.code, 400 | 422);
    if refused {
        tracing::info!(%status, "the API server does not stream lists: they come in pages");
    }
    refused
}

/// Makes one watch of several, and deletions of what a new list does not have any more.
struct Merge<V, F> {
    store: Store<V>,
    follower: F,
    scopes: Vec<Scope>,
}

/// What is known of one scope.
#[derive(Default)]
struct Scope {
    /// Counts its lists.
    list: u32,
    is_listing: bool,
}

impl Scope {
    fn is_complete(&self) -> bool {
        self.list > 0 && !self.is_listing
    }
}

impl<V: Clone, F: Follower<V>> Merge<V, F> {
    fn new(scopes: usize, store: Store<V>, follower: F) -> Self {
        Self {
            store,
            follower,
            scopes: (0..scopes).map(|_| Scope::default()).collect(),
        }
    }

    fn take<K: Watched<Kept = V>>(&mut self, scope: u32, event: Event<K>) {
        let at = scope as usize;
        match event {
            Event::Init => {
                self.scopes[at].list += 1;
                self.scopes[at].is_listing = true;
            }
            Event::InitApply(object) | Event::Apply(object) => self.apply(scope, &object),
            Event::Delete(object) => self.delete(&name(&object), Origin::Changed),
            Event::InitDone => {
                self.scopes[at].is_listing = false;
                for vanished in self.store.vanished(scope, self.scopes[at].list) {
                    self.delete(&vanished, Origin::Listed);
                }
                if self.scopes.iter().all(Scope::is_complete) {
                    self.store.complete();
                }
            }
        }
    }

    fn apply<K: Watched<Kept = V>>(&self, scope: u32, object: &K) {
        let Scope { list, is_listing, .. } = self.scopes[scope as usize];
        let (name, kept) = (self.store.shared(name(object)), object.keep());
        let origin = if is_listing { Origin::Listed } else { Origin::Changed };
        self.follower.track(&name, Some(&kept));
        self.store.insert(&name, kept.clone(), scope, list);
        self.follower.wake(&name, Some(&kept), origin);
    }

    /// After a broken watch a deletion may be seen twice: by the watch and by the next list.
    fn delete(&self, name: &Name, origin: Origin) {
        if self.store.get(name).is_none() {
            return;
        }
        self.follower.track(name, None);
        self.store.remove(name);
        self.follower.wake(name, None, origin);
    }
}

/// The name of an object; of one of the cluster, without a namespace.
pub fn name<K: Resource>(object: &K) -> Name {
    let meta = object.meta();
    Name::new(
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests;
