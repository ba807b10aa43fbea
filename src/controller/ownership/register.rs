//! The register: what the PAM holds as far as this process knows, made of the last complete listing and of the
//! answers that came since.
//!
//! It is the only way to look before a write. `GET credential/{id}` would disclose the password and take custody.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::controller::{
    few::{self, Few},
    ownership::identity::{Entry, Triple, fold},
    print::print,
};
use crate::pam::Listing;

/// A complete listing, indexed, and what was learnt after it began.
#[derive(Debug)]
pub struct Register {
    /// When the request for the listing was sent: whatever the PAM did before that is in it.
    pub began: Instant,
    /// When the listing was complete.
    pub completed: Instant,
    listing: Listing,
    listed: Index,
    learnt: Learnt,
    /// Its end was told.
    ended: bool,
}

impl Register {
    /// Indexes a complete listing.
    pub fn new(listing: Listing, began: Instant, completed: Instant) -> Self {
        let keys = (0..listing.len()).flat_map(|at| keys(&Entry::from(listing.get(at))).map(move |key| (key, at)));
        Self {
            listed: Index::new(keys),
            listing,
            began,
            completed,
            learnt: Learnt::default(),
            ended: false,
        }
    }

    /// Takes over what the register before this one learnt after this listing began.
    #[must_use]
    pub fn succeed(mut self, before: Register) -> Self {
        for (entry, at) in before.learnt.entries.into_values() {
            if at >= self.began {
                self.learnt.add(entry, at);
            }
        }
        self
    }

    /// Notes what the PAM answered to a write that was accepted at `at`.
    pub fn learn(&mut self, entry: Entry, at: Instant) {
        self.learnt.remove(&entry.id);
        self.learnt.add(entry, at);
    }

    /// Drops what an earlier answer said about a credential that was deactivated since.
    pub fn forget(&mut self, id: &str) {
        self.learnt.remove(id);
    }

    /// Whether the PAM listed anything: a listing without entries never proves that something vanished.
    pub fn has_entries(&self) -> bool {
        self.listing.complete_with_entries()
    }

    /// How old the listing is.
    pub fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.completed)
    }

    /// Whether it is older than this; told once, to the one who asks first.
    pub fn ends(&mut self, age: Duration, now: Instant) -> bool {
        let ends = !self.ended && self.age(now) > age;
        self.ended |= ends;
        ends
    }

    /// The credential with this id.
    pub fn by_id(&self, id: &str) -> Option<Entry> {
        self.matching(Self::key(id), |entry| entry.id == id).pop()
    }

    /// Under which a credential with this id is found.
    pub fn key(id: &str) -> u64 {
        print(("id", id))
    }

    /// A number for all that is listed of a credential of this target; none where it is not listed, or answers told of it
    /// since.
    pub fn mark(&self, key: u64, target: &str) -> Option<u64> {
        let at = self.listed.positions(key).last()?;
        (!self.learnt.ids.contains_key(&key)).then(|| print((target, self.listing.get(at))))
    }

    /// All credentials whose identifier could be this one.
    pub fn by_identifier(&self, identifier: &str) -> Vec<Entry> {
        let wanted = fold(identifier);
        self.matching(print(("identifier", &wanted)), |entry| {
            entry.identifier.as_deref().is_some_and(|own| fold(own) == wanted)
        })
    }

    /// All credentials that could be this account.
    pub fn by_triple(&self, triple: &Triple) -> Vec<Entry> {
        self.matching(print(("triple", triple.folded())), |entry| {
            entry.triple.resembles(triple)
        })
    }

    /// Every credential that a POST with this identifier and triple could hit (contract 5.1).
    pub fn hits(&self, identifier: &str, triple: &Triple) -> Vec<Entry> {
        let mut hits = self.by_identifier(identifier);
        for entry in self.by_triple(triple) {
            if hits.iter().all(|hit| hit.id != entry.id) {
                hits.push(entry);
            }
        }
        hits
    }

    fn matching(&self, key: u64, fits: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let listed = self
            .listed
            .positions(key)
            .map(|at| Entry::from(self.listing.get(at)))
            .filter(|entry| !self.learnt.entries.contains_key(entry.id.as_str()));
        listed.chain(self.learnt.matching(key)).filter(fits).collect()
    }
}

/// What answers said since the listing began, findable by the same keys.
#[derive(Debug, Default)]
struct Learnt {
    entries: HashMap<Arc<str>, (Entry, Instant)>,
    ids: HashMap<u64, Few<Arc<str>>>,
}

impl Learnt {
    fn add(&mut self, entry: Entry, at: Instant) {
        let id: Arc<str> = entry.id.as_str().into();
        for key in keys(&entry) {
            few::add(&mut self.ids, key, id.clone());
        }
        self.entries.insert(id, (entry, at));
    }

    fn remove(&mut self, id: &str) {
        let Some((id, (entry, _))) = self.entries.remove_entry(id) else {
            return;
        };
        for key in keys(&entry) {
            few::drop(&mut self.ids, key, &id);
        }
    }

    fn matching(&self, key: u64) -> impl Iterator<Item = Entry> {
        let ids = self.ids.get(&key).into_iter().flat_map(Few::iter);
        ids.filter_map(|id| self.entries.get(id))
            .map(|(entry, _)| entry.clone())
    }
}

/// Positions of entries by their keys, as one sorted list: a fraction of the memory of a map of texts.
#[derive(Debug)]
struct Index(Box<[(u64, u32)]>);

impl Index {
    fn new(keys: impl Iterator<Item = (u64, usize)>) -> Self {
        let mut keys: Vec<_> = keys
            .map(|(key, at)| {
                (
                    key,
                    u32::try_from(at).expect("a listing is bounded far below 2^32 entries"),
                )
            })
            .collect();
        keys.sort_unstable();
        Self(keys.into())
    }

    fn positions(&self, key: u64) -> impl Iterator<Item = usize> {
        let start = self.0.partition_point(|(hash, _)| *hash < key);
        self.0[start..]
            .iter()
            .take_while(move |(hash, _)| *hash == key)
            .map(|(_, at)| *at as usize)
    }
}

/// The keys under which an entry is found; texts are compared again at the hit, so a collision does no harm.
fn keys(entry: &Entry) -> impl Iterator<Item = u64> + use<> {
    let identifier = entry
        .identifier
        .as_deref()
        .map(|text| print(("identifier", fold(text))));
    [Register::key(&entry.id), print(("triple", entry.triple.folded()))]
        .into_iter()
        .chain(identifier)
}

#[cfg(test)]
mod tests;
