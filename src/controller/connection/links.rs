//! The connections that are there for us: that exist, and are ours.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use crate::controller::{
    connection::{link::Link, terms::LinkKey},
    ownership::identity::Name,
};

/// All connections that exist and are ours.
#[derive(Debug, Default)]
pub struct Links(RwLock<HashMap<LinkKey, Arc<Link>>>);

impl Links {
    /// The connection, if it exists and is ours.
    pub fn get(&self, key: &LinkKey) -> Option<Arc<Link>> {
        self.0
            .read()
            .expect("no code panics while it holds this lock")
            .get(key)
            .cloned()
    }

    /// Whether this is a connection of ours still: neither gone nor another shard's.
    pub fn has(&self, link: &Arc<Link>) -> bool {
        self.get(&link.key).is_some_and(|current| Arc::ptr_eq(&current, link))
    }

    /// The connection, which exists and is ours from now on.
    pub fn ensure(&self, key: &LinkKey) -> Arc<Link> {
        let mut links = self.0.write().expect("no code panics while it holds this lock");
        links
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Link::new(key.clone())))
            .clone()
    }

    /// An object is gone: nobody keeps a turn for it. Whoever has a link's state may ask for links, so nobody asks for its
    /// state while this lock is held.
    pub fn forget(&self, object: &Name) {
        let links: Vec<_> = {
            let links = self.0.read().expect("no code panics while it holds this lock");
            links.values().cloned().collect()
        };
        for link in links {
            let turnstile = link.state().turnstile.clone();
            if let Some(turnstile) = turnstile {
                turnstile.forget(object);
            }
        }
    }

    /// Those of the cluster.
    pub fn of_cluster(&self) -> Vec<LinkKey> {
        let links = self.0.read().expect("no code panics while it holds this lock");
        links.keys().filter(|key| key.namespace.is_none()).cloned().collect()
    }

    /// The connection is gone, or another shard's.
    pub fn remove(&self, key: &LinkKey) -> Option<Arc<Link>> {
        self.0
            .write()
            .expect("no code panics while it holds this lock")
            .remove(key)
    }
}
