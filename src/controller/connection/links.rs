//! The connections that exist.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use crate::controller::{
    connection::{link::Link, terms::LinkKey},
    ownership::identity::Name,
};

/// All connections that exist.
#[derive(Debug, Default)]
pub struct Links(RwLock<HashMap<LinkKey, Arc<Link>>>);

impl Links {
    /// The connection, if it exists.
    pub fn get(&self, key: &LinkKey) -> Option<Arc<Link>> {
        self.0
            .read()
            .expect("no code panics while it holds this lock")
            .get(key)
            .cloned()
    }

    /// The connection, which exists from now on.
    pub fn ensure(&self, key: &LinkKey) -> Arc<Link> {
        let mut links = self.0.write().expect("no code panics while it holds this lock");
        links
            .entry(key.clone())
            .or_insert_with(|| Arc::new(Link::new(key.clone())))
            .clone()
    }

    /// An object is gone: nobody keeps a turn for it.
    pub fn forget(&self, object: &Name) {
        let links = self.0.read().expect("no code panics while it holds this lock");
        for link in links.values() {
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

    /// The connection is gone.
    pub fn remove(&self, key: &LinkKey) -> Option<Arc<Link>> {
        self.0
            .write()
            .expect("no code panics while it holds this lock")
            .remove(key)
    }
}
