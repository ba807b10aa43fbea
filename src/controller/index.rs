//! From a Secret, a ConfigMap or a connection to the objects that refer to it, so that its change reaches them at once.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasher, RandomState},
    sync::{RwLock, RwLockReadGuard},
};

use crate::controller::{
    connection::terms::LinkKey,
    few::{self, Few},
    ownership::identity::Name,
};

/// What is referred to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// A Secret, by namespace and name.
    Secret(String, String),
    /// A ConfigMap, by namespace and name.
    ConfigMap(String, String),
    /// A connection.
    Connection(LinkKey),
    /// A namespace, by its labels or its end.
    Namespace(String),
}

/// Who refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Referrer {
    /// A credential.
    Credential(Name),
    /// A connection.
    Connection(Box<LinkKey>),
}

/// All references.
///
/// What is referred to is kept as a hash alone. Two that meet in one would cost a reconcile or a listing that finds nothing
/// to do.
#[derive(Debug, Default)]
pub struct Index {
    tables: RwLock<Tables>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Tables {
    forward: HashMap<Referrer, Box<[u64]>>,
    backward: HashMap<u64, Few<Referrer>>,
}

impl Index {
    /// This is all that the object refers to from now on; nothing when it is gone.
    pub fn set(&self, referrer: &Referrer, references: &BTreeSet<Reference>) {
        let references: Box<[u64]> = references.iter().map(|reference| self.hash(reference)).collect();
        let mut tables = self.tables.write().expect("no code panics while it holds this lock");
        let before = tables.forward.remove(referrer).unwrap_or_default();
        for gone in before.iter().filter(|hash| !references.contains(hash)) {
            few::drop(&mut tables.backward, *gone, referrer);
        }
        for new in references.iter().filter(|hash| !before.contains(hash)) {
            few::add(&mut tables.backward, *new, referrer.clone());
        }
        if !references.is_empty() {
            tables.forward.insert(referrer.clone(), references);
        }
    }

    /// Everybody who refers to this.
    pub fn referrers(&self, reference: &Reference) -> Vec<Referrer> {
        let tables = self.read();
        let referrers = tables.backward.get(&self.hash(reference));
        referrers.map(|few| few.iter().cloned().collect()).unwrap_or_default()
    }

    /// Whether any object uses the connection.
    pub fn has_users(&self, link: &LinkKey) -> bool {
        let hash = self.hash(&Reference::Connection(link.clone()));
        self.read().backward.contains_key(&hash)
    }

    fn hash(&self, reference: &Reference) -> u64 {
        self.hasher.hash_one(reference)
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str) -> Reference {
        Reference::Secret("ns".into(), name.into())
    }

    #[test]
    fn follows_what_an_object_refers_to() {
        let index = Index::default();
        let db = Referrer::Credential(Name::new("ns", "db"));
        let web = Referrer::Credential(Name::new("ns", "web"));
        index.set(&db, &[secret("a"), secret("b")].into());
        index.set(&web, &[secret("b")].into());
        assert_eq!(index.referrers(&secret("b")), [db.clone(), web.clone()]);
        index.set(&db, &[secret("c")].into());
        assert_eq!(index.referrers(&secret("b")), [web]);
        assert!(index.referrers(&secret("a")).is_empty());
        assert_eq!(index.referrers(&secret("c")), std::slice::from_ref(&db));
        index.set(&db, &BTreeSet::new());
        assert!(index.referrers(&secret("c")).is_empty());
    }
}
