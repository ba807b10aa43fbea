//! What is watched, by name: a map that the watches keep in step with the API server.
//!
//! A hundred thousand objects stand in it for as long as the operator runs, so it keeps of each no more than a kind asks
//! for ([`Watched`]), and no second list of their names.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use kube::Resource;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::controller::ownership::identity::Name;

/// A kind as it arrives, and what is kept of it.
pub trait Watched: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static {
    /// What the store keeps of an object; cheap to clone.
    type Kept: Clone + Send + Sync + 'static;

    /// A list may be older than what was known before. A list that is streamed may be (KEP-3157: with resourceVersion 0,
    /// which kube sends, any replica's cache will do), so that only kinds whose objects are read again before they count
    /// can have one.
    const MAY_BE_OLD: bool;

    /// Keeps what is needed.
    fn keep(&self) -> Self::Kept;
}

/// The objects of one kind.
#[derive(Clone)]
pub struct Store<V>(Arc<Shared<V>>);

struct Shared<V> {
    entries: RwLock<HashMap<Name, Entry<V>>>,
    complete: watch::Sender<bool>,
}

/// An object, and where and when it was seen.
struct Entry<V> {
    value: V,
    /// Which of the watches has it.
    scope: u32,
    /// In which of that watch's lists, or after it, it was seen last.
    list: u32,
}

impl<V> Default for Store<V> {
    fn default() -> Self {
        Self(Arc::new(Shared {
            entries: RwLock::default(),
            complete: watch::Sender::new(false),
        }))
    }
}

impl<V: Clone> Store<V> {
    /// The object of this name.
    pub fn get(&self, name: &Name) -> Option<V> {
        self.read().get(name).map(|entry| entry.value.clone())
    }

    /// The names of all objects.
    pub fn names(&self) -> Vec<Name> {
        self.read().keys().cloned().collect()
    }

    /// All objects.
    pub fn objects(&self) -> Vec<(Name, V)> {
        let entries = self.read();
        let objects = entries.iter().map(|(name, entry)| (name.clone(), entry.value.clone()));
        objects.collect()
    }

    /// Waits until all lists are complete.
    pub async fn completed(&self) {
        let complete = self.0.complete.subscribe().wait_for(|complete| *complete).await.is_ok();
        debug_assert!(complete, "the sender lives as long as the store");
    }

    /// All lists are complete.
    pub(super) fn complete(&self) {
        self.0.complete.send_replace(true);
    }

    /// The object is so from now on; it was seen in this list of this watch.
    pub(super) fn insert(&self, name: &Name, value: V, scope: u32, list: u32) {
        let entry = Entry { value, scope, list };
        self.write().insert(name.clone(), entry);
    }

    /// The name as all others that were given out have it, so that they share one text.
    pub(super) fn shared(&self, name: Name) -> Name {
        self.read()
            .get_key_value(&name)
            .map_or(name, |(shared, _)| shared.clone())
    }

    /// The object is gone.
    pub(super) fn remove(&self, name: &Name) {
        self.write().remove(name);
    }

    /// What a watch had before its last list, and not since.
    pub(super) fn vanished(&self, scope: u32, list: u32) -> Vec<Name> {
        let entries = self.read();
        let vanished = entries
            .iter()
            .filter(|(_, entry)| entry.scope == scope && entry.list != list);
        vanished.map(|(name, _)| name.clone()).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Name, Entry<V>>> {
        self.0.entries.read().expect("no code panics while it holds this lock")
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Name, Entry<V>>> {
        self.0.entries.write().expect("no code panics while it holds this lock")
    }
}
