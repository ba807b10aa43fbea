//! The stored credentials with their indexes. No request scans them, the listing excepted.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    sync::Arc,
};

use secrecy::ExposeSecret;

use crate::simulator::{
    Error,
    data::{Data, NewCredential},
    switches::{Behaviour, InactiveOnPost},
    vault::{clock::Clock, credential::Credential, registry::Registry},
};

/// The PAM's state. Credentials are shared pointers, so that a listing copies pointers under the lock and renders without it.
pub(crate) struct Store {
    pub behaviour: Behaviour,
    pub registry: Registry,
    clock: Clock,
    credentials: BTreeMap<u64, Arc<Credential>>,
    by_identifier: Index<String>,
    by_triple: Index<[String; 3]>,
    next_id: u64,
}

/// The ids that have a key, ascending: the credential that was registered first wins.
type Index<K> = HashMap<K, Vec<u64>>;

impl Store {
    pub(crate) fn new(data: &Data, behaviour: Behaviour) -> Result<Self, Error> {
        let mut store = Self {
            registry: Registry::new(data, behaviour.matching),
            behaviour,
            clock: Clock::default(),
            credentials: BTreeMap::new(),
            by_identifier: HashMap::new(),
            by_triple: HashMap::new(),
            next_id: 1,
        };
        for credential in &data.credentials {
            if credential.id.is_some_and(|id| store.credentials.contains_key(&id)) {
                return Err(Error::Data(format!(
                    "two credentials have the id {}",
                    credential.id.unwrap_or_default()
                )));
            }
            if !store.registry.has_device(&credential.hostname, &credential.ip) {
                let NewCredential {
                    hostname, ip, username, ..
                } = credential;
                return Err(Error::Data(format!(
                    "credential {username}: its device {hostname} ({ip}) is not registered"
                )));
            }
            store.register(credential.clone());
        }
        Ok(store)
    }

    /// Registers a credential as an administrator would; returns its id.
    pub(crate) fn register(&mut self, new: NewCredential) -> u64 {
        let mut credential = self.blank(&new);
        credential.fields = new.fields;
        if new.content.is_some() {
            credential.write_content(new.content, &mut self.clock);
        }
        self.registry
            .learn(&credential.hostname, &credential.ip, &credential.fields);
        self.insert(credential)
    }

    fn blank(&self, new: &NewCredential) -> Credential {
        Credential {
            id: new.id.unwrap_or(self.next_id),
            identifier: new.identifier.clone(),
            username: new.username.clone(),
            hostname: new.hostname.clone(),
            ip: new.ip.clone(),
            active: new.active,
            content: None,
            content_writes: 0,
            change: None,
            view: None,
            custody: None,
            created_by: new.created_by.clone(),
            fields: serde_json::Map::new(),
        }
    }

    fn insert(&mut self, credential: Credential) -> u64 {
        let id = credential.id;
        self.next_id = self.next_id.max(id + 1);
        self.index(&credential);
        self.credentials.insert(id, Arc::new(credential));
        id
    }

    /// All credentials, by id.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.credentials.values()
    }

    /// The credential with this id.
    pub(crate) fn get(&self, id: u64) -> Option<&Arc<Credential>> {
        self.credentials.get(&id)
    }

    /// The first credential that a POST with this identifier means.
    pub(crate) fn with_identifier(&self, identifier: &str) -> Option<&Arc<Credential>> {
        self.first(self.by_identifier.get(&self.behaviour.matching.key(identifier))?)
    }

    /// The first credential that a POST with this triple means.
    pub(crate) fn with_triple(&self, hostname: &str, ip: &str, username: &str) -> Option<&Arc<Credential>> {
        self.first(
            self.by_triple
                .get(&self.behaviour.matching.keys([hostname, ip, username]))?,
        )
    }

    fn first(&self, ids: &[u64]) -> Option<&Arc<Credential>> {
        let sees_inactive = self.behaviour.inactive_on_post != InactiveOnPost::Duplicate;
        ids.iter()
            .filter_map(|id| self.get(*id))
            .find(|credential| credential.active || sees_inactive)
    }

    /// Changes a credential as an administrator would: when its password is another one afterwards, the time of the change
    /// is set. False when there is no such credential.
    pub(crate) fn edit(&mut self, id: u64, change: impl FnOnce(&mut Credential)) -> bool {
        self.modify(id, |credential, clock| {
            let before = credential.content.clone();
            change(credential);
            let after = credential.content.clone();
            if before.as_ref().map(ExposeSecret::expose_secret) != after.as_ref().map(ExposeSecret::expose_secret) {
                credential.write_content(after, clock);
            }
        })
    }

    /// Changes a credential and keeps the indexes right.
    pub(crate) fn modify(&mut self, id: u64, change: impl FnOnce(&mut Credential, &mut Clock)) -> bool {
        let Some(mut stored) = self.credentials.remove(&id) else {
            return false;
        };
        self.unindex(&stored);
        let credential = Arc::make_mut(&mut stored);
        change(credential, &mut self.clock);
        credential.id = id;
        self.index(&stored);
        self.credentials.insert(id, stored);
        true
    }

    /// Removes a credential without a trace, which the API cannot.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let Some(credential) = self.credentials.remove(&id) else {
            return false;
        };
        self.unindex(&credential);
        true
    }

    /// SSH keys are other items: a POST of a credential does not see them.
    fn index(&mut self, credential: &Credential) {
        if credential.is_ssh_key() {
            return;
        }
        let keys = self.keys(credential);
        if let Some(identifier) = keys.0 {
            add(&mut self.by_identifier, identifier, credential.id);
        }
        add(&mut self.by_triple, keys.1, credential.id);
    }

    fn unindex(&mut self, credential: &Credential) {
        let keys = self.keys(credential);
        if let Some(identifier) = keys.0 {
            take(&mut self.by_identifier, &identifier, credential.id);
        }
        take(&mut self.by_triple, &keys.1, credential.id);
    }

    fn keys(&self, credential: &Credential) -> (Option<String>, [String; 3]) {
        let matching = self.behaviour.matching;
        let triple = matching.keys([&credential.hostname, &credential.ip, &credential.username]);
        (
            credential
                .identifier
                .as_deref()
                .map(|identifier| matching.key(identifier)),
            triple,
        )
    }
}

fn add<K: Eq + Hash>(index: &mut Index<K>, key: K, id: u64) {
    let ids = index.entry(key).or_default();
    if let Err(position) = ids.binary_search(&id) {
        ids.insert(position, id);
    }
}

fn take<K: Eq + Hash>(index: &mut Index<K>, key: &K, id: u64) {
    let Some(ids) = index.get_mut(key) else { return };
    ids.retain(|other| *other != id);
    if ids.is_empty() {
        index.remove(key);
    }
}
