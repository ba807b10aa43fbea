//! Watches, as a stream of single changes and a store that follows it.

use std::{collections::HashSet, fmt::Debug};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        reflector::{self, ObjectRef, Store},
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

/// Watches one kind in one or more scopes (the cluster, or some namespaces) as if it were one watch.
///
/// `prune` drops what need not be stored; `observe` sees every change before the store has it, deletions that were
/// missed while a watch was broken included. The stream yields each object that changed.
pub fn watch<K>(
    scopes: Vec<Api<K>>,
    prune: impl Fn(&mut K) + Clone + Send + 'static,
    observe: impl Fn(&Change<'_, K>) + Send + 'static,
) -> (Store<K>, impl Stream<Item = Result<K, watcher::Error>> + Send)
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let mut merge = Merge::new(scopes.len(), store.clone());
    let watches = scopes.into_iter().enumerate().map(|(scope, api)| {
        let prune = prune.clone();
        let events = watcher(api, watcher::Config::default()).default_backoff();
        events
            .modify(move |object| prune(object))
            .map_ok(move |event| (scope, event))
            .boxed()
    });
    let events = stream::select_all(watches)
        .map_ok(move |(scope, event)| stream::iter(merge.next(scope, event)).map(Ok))
        .try_flatten()
        .inspect_ok(move |event| match event {
            Event::Apply(object) | Event::InitApply(object) => observe(&Change::Applied(object)),
            Event::Delete(object) => observe(&Change::Deleted(object)),
            Event::Init | Event::InitDone => {}
        })
        .inspect_err(|error| tracing::warn!(kind = %K::kind(&()), %error, "a watch failed and is started anew"))
        .reflect(writer)
        .touched_objects();
    (store, events)
}

/// One change.
pub enum Change<'a, K> {
    /// The object is there, as given.
    Applied(&'a K),
    /// The object is gone; this is how it was last seen.
    Deleted(&'a K),
}

/// Makes one watch of several, and deletions of what a new list does not have any more.
struct Merge<K: Resource<DynamicType = ()> + Clone + 'static> {
    store: Store<K>,
    scopes: Vec<Scope<K>>,
    began: bool,
    complete: bool,
}

/// What is known of one scope.
struct Scope<K: Resource<DynamicType = ()>> {
    known: HashSet<ObjectRef<K>>,
    listed: HashSet<ObjectRef<K>>,
    complete: bool,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Merge<K> {
    fn new(scopes: usize, store: Store<K>) -> Self {
        let scope = || Scope {
            known: HashSet::new(),
            listed: HashSet::new(),
            complete: false,
        };
        Self {
            store,
            scopes: (0..scopes).map(|_| scope()).collect(),
            began: false,
            complete: false,
        }
    }

    fn next(&mut self, scope: usize, event: Event<K>) -> Vec<Event<K>> {
        let mut events = Vec::new();
        if !std::mem::replace(&mut self.began, true) {
            events.push(Event::Init);
        }
        let current = &mut self.scopes[scope];
        match event {
            Event::Init => current.listed.clear(),
            Event::InitApply(object) | Event::Apply(object) => {
                let reference = ObjectRef::from_obj(&object);
                current.listed.insert(reference.clone());
                current.known.insert(reference);
                events.push(if self.complete {
                    Event::Apply(object)
                } else {
                    Event::InitApply(object)
                });
            }
            Event::Delete(object) => {
                let reference = ObjectRef::from_obj(&object);
                current.listed.remove(&reference);
                // Before the first list of all scopes is complete the store takes no deletions.
                if self.complete && current.known.remove(&reference) {
                    events.push(Event::Delete(object));
                }
            }
            Event::InitDone => {
                current.complete = true;
                if !self.complete && self.scopes.iter().all(|scope| scope.complete) {
                    self.complete = true;
                    events.push(Event::InitDone);
                }
                if self.complete {
                    self.forget_unlisted(&mut events);
                }
            }
        }
        events
    }

    fn forget_unlisted(&mut self, events: &mut Vec<Event<K>>) {
        for scope in &mut self.scopes {
            let vanished: Vec<_> = scope.known.difference(&scope.listed).cloned().collect();
            for reference in vanished {
                scope.known.remove(&reference);
                if let Some(object) = self.store.get(&reference) {
                    events.push(Event::Delete(K::clone(&object)));
                }
            }
        }
    }
}
