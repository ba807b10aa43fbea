//! From a Secret, a ConfigMap or a connection to the objects that refer to it, so that its change reaches them at once.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{RwLock, RwLockReadGuard},
};

use crate::controller::{connection::terms::LinkKey, ownership::identity::Name};

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
    Connection(LinkKey),
}

/// All references.
#[derive(Debug, Default)]
pub struct Index(RwLock<Tables>);

#[derive(Debug, Default)]
struct Tables {
    forward: HashMap<Referrer, BTreeSet<Reference>>,
    backward: HashMap<Reference, BTreeSet<Referrer>>,
}

impl Index {
    /// This is all that the object refers to from now on; nothing when it is gone.
    pub fn set(&self, referrer: Referrer, references: BTreeSet<Reference>) {
        let mut tables = self.0.write().expect("no code panics while it holds this lock");
        let before = tables.forward.remove(&referrer).unwrap_or_default();
        for gone in before.difference(&references) {
            if let Some(referrers) = tables.backward.get_mut(gone) {
                referrers.remove(&referrer);
                if referrers.is_empty() {
                    tables.backward.remove(gone);
                }
            }
        }
        for new in references.difference(&before) {
            tables.backward.entry(new.clone()).or_default().insert(referrer.clone());
        }
        if !references.is_empty() {
            tables.forward.insert(referrer, references);
        }
    }

    /// Everybody who refers to this.
    pub fn referrers(&self, reference: &Reference) -> Vec<Referrer> {
        self.read()
            .backward
            .get(reference)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Whether any object uses the connection.
    pub fn has_users(&self, link: &LinkKey) -> bool {
        self.read().backward.contains_key(&Reference::Connection(link.clone()))
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.0.read().expect("no code panics while it holds this lock")
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
        index.set(db.clone(), [secret("a"), secret("b")].into());
        index.set(web.clone(), [secret("b")].into());
        assert_eq!(index.referrers(&secret("b")), [db.clone(), web.clone()]);
        index.set(db.clone(), [secret("c")].into());
        assert_eq!(index.referrers(&secret("b")), [web]);
        assert!(index.referrers(&secret("a")).is_empty());
        assert_eq!(index.referrers(&secret("c")), std::slice::from_ref(&db));
        index.set(db, BTreeSet::new());
        assert!(index.referrers(&secret("c")).is_empty());
    }
}
