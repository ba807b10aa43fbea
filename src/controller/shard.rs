//! Which part of the cluster's work is this process's own.
//!
//! Several installations of the operator (shards) can share a cluster, each with a lease of its own. What they share out
//! are connections, by their labels; a credential belongs to whoever has its connection. So all objects that may come to
//! the same credential in a PAM stand in line in one process ([`reservations`](crate::controller::ownership::reservations)),
//! as long as all connections to that PAM are one shard's, which is for the administrator to see to; and the limits of a connection are kept in one place.
//!
//! A connection that does not exist counts as one without labels: objects that name it are the work of the one shard that
//! selects connections without labels. All connections are watched, since one that is not selected could not be told from
//! one that does not exist otherwise.

use std::{
    collections::{BTreeMap, HashMap},
    sync::RwLock,
};

use kube::core::{Selector, SelectorExt};

use crate::controller::{Credential, connection::terms::LinkKey, track};

/// This process's part of the work.
#[derive(Debug)]
pub struct Shard {
    selector: Selector,
    /// Connections without labels are selected, and so those that do not exist.
    has_unlabelled: bool,
    /// The connections that exist, and whether they are selected.
    connections: RwLock<HashMap<LinkKey, bool>>,
}

impl Shard {
    /// The part that this selector selects.
    pub fn new(selector: Selector) -> Self {
        Self {
            has_unlabelled: selector.matches(&BTreeMap::new()),
            selector,
            connections: RwLock::default(),
        }
    }

    /// Whether there are no other shards.
    pub fn is_everything(&self) -> bool {
        self.selector.selects_all()
    }

    /// The connection has these labels.
    pub fn see(&self, key: &LinkKey, labels: Option<&BTreeMap<String, String>>) {
        let selected = labels.map_or(self.has_unlabelled, |labels| self.selector.matches(labels));
        self.connections
            .write()
            .expect("no code panics while it holds this lock")
            .insert(key.clone(), selected);
    }

    /// The connection does not exist any more.
    pub fn forget(&self, key: &LinkKey) {
        self.connections
            .write()
            .expect("no code panics while it holds this lock")
            .remove(key);
    }

    /// Whether the connection is ours, existing or not.
    pub fn has(&self, key: &LinkKey) -> bool {
        let connections = self
            .connections
            .read()
            .expect("no code panics while it holds this lock");
        connections.get(key).copied().unwrap_or(self.has_unlabelled)
    }

    /// Whether the credential is ours. One of which no connection is known is that of one which does not exist.
    pub fn owns(&self, object: &Credential) -> bool {
        if self.is_everything() {
            return true;
        }
        let namespace = object.metadata.namespace.as_deref().unwrap_or_default();
        match track::link_key(object, namespace) {
            Some(key) => self.has(&key),
            None => self.has_unlabelled,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{api::ConnectionKind, selector::parse};

    fn shard(selector: &str) -> Shard {
        Shard::new(parse(selector).expect("a selector"))
    }

    fn key(name: &str) -> LinkKey {
        LinkKey::new(ConnectionKind::PamConnection, name, "orders")
    }

    fn labelled(shard: &str) -> BTreeMap<String, String> {
        [("pam-operator.dev/shard".to_owned(), shard.to_owned())].into()
    }

    fn credential(spec: &Value, status: &Value) -> Credential {
        let object = json!({"metadata": {"namespace": "orders", "name": "db"}, "spec": spec, "status": status});
        serde_json::from_value(object).expect("readable")
    }

    fn of(connection: &str) -> Credential {
        let spec = json!({
            "connectionRef": {"name": connection}, "username": "app", "hostname": "db", "ip": "10.0.0.1",
        });
        credential(&spec, &Value::Null)
    }

    #[test]
    fn each_connection_is_that_of_the_shard_that_selects_it() {
        let shards = ["!pam-operator.dev/shard", "pam-operator.dev/shard=b"].map(shard);
        for shard in &shards {
            shard.see(&key("plain"), None);
            shard.see(&key("labelled"), Some(&labelled("b")));
            shard.see(&key("elsewhere"), Some(&labelled("c")));
        }
        for (name, expected) in [
            ("plain", [true, false]),
            ("labelled", [false, true]),
            ("elsewhere", [false, false]),
            ("absent", [true, false]),
        ] {
            assert_eq!([0, 1].map(|at: usize| shards[at].has(&key(name))), expected, "{name}");
            assert_eq!([0, 1].map(|at: usize| shards[at].owns(&of(name))), expected, "{name}");
        }
    }

    #[test]
    fn a_connection_changes_hands_with_its_labels_and_with_its_end() {
        let shard = shard("pam-operator.dev/shard=b");
        shard.see(&key("vault"), Some(&labelled("a")));
        assert!(!shard.has(&key("vault")));
        shard.see(&key("vault"), Some(&labelled("b")));
        assert!(shard.has(&key("vault")));
        shard.forget(&key("vault"));
        assert!(!shard.has(&key("vault")));
    }

    #[test]
    fn an_unreadable_object_belongs_to_the_connection_of_its_status() {
        let shards = ["!pam-operator.dev/shard", "pam-operator.dev/shard=b"].map(shard);
        for shard in &shards {
            shard.see(&key("vault"), Some(&labelled("b")));
        }
        let spec = json!({"hostname": 7});
        let used = json!({"connection": {"kind": "PamConnection", "name": "vault"}});
        for (status, expected) in [(used, [false, true]), (Value::Null, [true, false])] {
            let object = credential(&spec, &status);
            assert!(object.spec.is_err());
            assert_eq!([0, 1].map(|at: usize| shards[at].owns(&object)), expected);
        }
    }

    #[test]
    fn without_a_selector_everything_is_ours() {
        let shard = shard("");
        shard.see(&key("vault"), Some(&labelled("b")));
        assert!(
            shard.is_everything() && shard.has(&key("vault")) && shard.owns(&of("vault")) && shard.owns(&of("none"))
        );
    }
}
