//! Watches, as a stream of single changes and a store that follows it.

use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt,
        reflector::{ObjectRef, Store, store::Writer},
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

/// Watches one kind in one or more scopes (the cluster, or some namespaces) as if it were one watch, into a store.
///
/// `prune` drops what need not be stored; `observe` sees every change before the store has it, deletions that were
/// missed while a watch was broken included. The stream yields each object that changed.
pub fn watch<K>(
    writer: Writer<K>,
    scopes: Vec<Api<K>>,
    prune: impl Fn(&mut K) + Clone + Send + 'static,
    observe: impl Fn(&Change<'_, K>) + Send + 'static,
) -> impl Stream<Item = Result<K, watcher::Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
{
    let mut merge = Merge::new(scopes.len(), writer.as_reader());
    let watches = scopes.into_iter().enumerate().map(|(scope, api)| {
        let prune = prune.clone();
        let events = watcher(api, watcher::Config::default()).default_backoff();
        events
            .modify(move |object| prune(object))
            .map_ok(move |event| (scope, event))
            .boxed()
    });
    stream::select_all(watches)
        .map_ok(move |(scope, event)| stream::iter(merge.next(scope, event)).map(Ok))
        .try_flatten()
        .inspect_ok(move |event| match event {
            Event::Apply(object) | Event::InitApply(object) => observe(&Change::Applied(object)),
            Event::Delete(object) => observe(&Change::Deleted(object)),
            Event::Init | Event::InitDone => {}
        })
        .inspect_err(|error| tracing::warn!(kind = %K::kind(&()), %error, "a watch failed and is started anew"))
        .reflect(writer)
        .touched_objects()
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
    complete: bool,
}

/// What is known of one scope.
struct Scope<K: Resource<DynamicType = ()>> {
    /// What it has, gathered until the lists of all scopes are complete: the store can take back nothing of a list that
    /// breaks off, or that is out of date before the others are there.
    gathered: HashMap<ObjectRef<K>, K>,
    known: HashSet<ObjectRef<K>>,
    listed: HashSet<ObjectRef<K>>,
    complete: bool,
}

impl<K: Resource<DynamicType = ()> + Clone + 'static> Merge<K> {
    fn new(scopes: usize, store: Store<K>) -> Self {
        let scope = || Scope {
            gathered: HashMap::new(),
            known: HashSet::new(),
            listed: HashSet::new(),
            complete: false,
        };
        Self {
            store,
            scopes: (0..scopes).map(|_| scope()).collect(),
            complete: false,
        }
    }

    fn next(&mut self, scope: usize, event: Event<K>) -> Vec<Event<K>> {
        if self.complete {
            return self.follow(scope, event);
        }
        self.scopes[scope].gather(event);
        self.complete = self.scopes.iter().all(|scope| scope.complete);
        if self.complete { self.begin() } else { Vec::new() }
    }

    /// One list of all that was gathered.
    fn begin(&mut self) -> Vec<Event<K>> {
        let mut events = vec![Event::Init];
        for scope in &mut self.scopes {
            scope.known = scope.gathered.keys().cloned().collect();
            let gathered = std::mem::take(&mut scope.gathered);
            events.extend(gathered.into_values().map(Event::InitApply));
        }
        events.push(Event::InitDone);
        events
    }

    /// A change after that.
    fn follow(&mut self, scope: usize, event: Event<K>) -> Vec<Event<K>> {
        let Scope { known, listed, .. } = &mut self.scopes[scope];
        match event {
            Event::Init => {
                listed.clear();
                Vec::new()
            }
            Event::InitApply(object) | Event::Apply(object) => {
                let reference = ObjectRef::from_obj(&object);
                listed.insert(reference.clone());
                known.insert(reference);
                vec![Event::Apply(object)]
            }
            Event::Delete(object) => {
                let reference = ObjectRef::from_obj(&object);
                listed.remove(&reference);
                let is_news = known.remove(&reference);
                is_news.then_some(Event::Delete(object)).into_iter().collect()
            }
            Event::InitDone => {
                let vanished: Vec<_> = known.extract_if(|reference| !listed.contains(reference)).collect();
                let objects = vanished.iter().filter_map(|reference| self.store.get(reference));
                objects.map(|object| Event::Delete(K::clone(&object))).collect()
            }
        }
    }
}

impl<K: Resource<DynamicType = ()>> Scope<K> {
    fn gather(&mut self, event: Event<K>) {
        match event {
            Event::Init => {
                self.gathered.clear();
                self.complete = false;
            }
            Event::InitApply(object) | Event::Apply(object) => {
                self.gathered.insert(ObjectRef::from_obj(&object), object);
            }
            Event::Delete(object) => {
                self.gathered.remove(&ObjectRef::from_obj(&object));
            }
            Event::InitDone => self.complete = true,
        }
    }
}

#[cfg(test)]
mod tests;
