//! The journal: every request that arrived, with its fate, for assertions. Secrets in it are fingerprints.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::simulator::{
    Timeout,
    harness::{
        entry::{Arrival, Entry, Fate, Operation},
        redact::redact,
    },
};

/// Entries kept; older ones are forgotten, the counts are not.
const CAPACITY: usize = 50_000;

/// All requests since the start, or since [`Journal::clear`].
pub struct Journal {
    pages: Mutex<Pages>,
    /// Bumped with every arrival and every fate.
    changes: watch::Sender<u64>,
}

struct Pages {
    entries: VecDeque<Entry>,
    counts: HashMap<Operation, u64>,
    next_seq: u64,
}

impl Journal {
    pub(crate) fn new() -> Self {
        let pages = Pages {
            entries: VecDeque::new(),
            counts: HashMap::new(),
            next_seq: 1,
        };
        Self {
            pages: Mutex::new(pages),
            changes: watch::Sender::new(0),
        }
    }

    /// All entries, oldest first (the newest 50,000).
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.lock().entries.iter().cloned().collect()
    }

    /// The entries of one operation.
    #[must_use]
    pub fn of(&self, operation: Operation) -> Vec<Entry> {
        self.lock()
            .entries
            .iter()
            .filter(|entry| entry.operation == operation)
            .cloned()
            .collect()
    }

    /// The POSTs of credentials.
    #[must_use]
    pub fn posts(&self) -> Vec<Entry> {
        self.of(Operation::Post)
    }

    /// How many requests of this operation arrived, executed or not.
    #[must_use]
    pub fn count(&self, operation: Operation) -> u64 {
        self.lock().counts.get(&operation).copied().unwrap_or(0)
    }

    /// The most requests of this operation that were under way at one time.
    #[must_use]
    pub fn peak_in_flight(&self, operation: Operation) -> usize {
        let entries = self.of(operation);
        let mut ends: Vec<Timestamp> = entries.iter().filter_map(|entry| entry.ended).collect();
        ends.sort_unstable();
        let ended_by = |time| ends.partition_point(|end| *end <= time);
        let under_way = entries
            .iter()
            .zip(1..)
            .map(|(entry, arrived): (_, usize)| arrived.saturating_sub(ended_by(entry.time)));
        under_way.max().unwrap_or(0)
    }

    /// Forgets everything; numbers go on.
    pub fn clear(&self) {
        let mut pages = self.lock();
        pages.entries.clear();
        pages.counts.clear();
    }

    /// Waits until `condition` holds for the entries, at most `deadline`.
    pub async fn wait_for(
        &self,
        deadline: Duration,
        mut condition: impl FnMut(&[Entry]) -> bool,
    ) -> Result<(), Timeout> {
        self.wait(deadline, |pages| condition(pages.entries.make_contiguous()))
            .await
    }

    /// Waits until at least `count` requests of this operation arrived, at most `deadline`.
    pub async fn wait_for_count(&self, operation: Operation, count: u64, deadline: Duration) -> Result<(), Timeout> {
        self.wait(deadline, |pages| {
            pages.counts.get(&operation).is_some_and(|seen| *seen >= count)
        })
        .await
    }

    async fn wait(&self, deadline: Duration, mut condition: impl FnMut(&mut Pages) -> bool) -> Result<(), Timeout> {
        let mut changes = self.changes.subscribe();
        let satisfied = async {
            while !condition(&mut self.lock()) {
                changes
                    .changed()
                    .await
                    .expect("the journal outlives the borrow that waits on it");
            }
        };
        tokio::time::timeout(deadline, satisfied)
            .await
            .map_err(|_| Timeout(deadline))
    }

    /// Records an arrival; returns its number.
    pub(crate) fn arrived(&self, arrival: Arrival<'_>) -> u64 {
        let body = redact(arrival.body);
        let mut pages = self.lock();
        let seq = pages.next_seq;
        pages.next_seq += 1;
        *pages.counts.entry(arrival.operation).or_default() += 1;
        if pages.entries.len() == CAPACITY {
            pages.entries.pop_front();
        }
        pages.entries.push_back(Entry {
            seq,
            time: Timestamp::now(),
            operation: arrival.operation,
            method: arrival.method.to_owned(),
            path: arrival.path.to_owned(),
            client: arrival.client,
            identifier: arrival.identifier,
            body,
            executed: false,
            status: None,
            code: None,
            id: None,
            ended: None,
        });
        drop(pages);
        self.changes.send_modify(|revision| *revision += 1);
        seq
    }

    /// Marks a request as carried out, before its answer is on the way.
    pub(crate) fn executed(&self, seq: u64) {
        self.update(seq, |entry| entry.executed = true);
    }

    /// Records what became of a request.
    pub(crate) fn finished(&self, seq: u64, fate: &Fate) {
        self.update(seq, |entry| {
            entry.executed = fate.executed;
            entry.status = fate.status;
            entry.code = fate.code;
            entry.id = fate.id;
            entry.ended = Some(Timestamp::now());
        });
    }

    fn update(&self, seq: u64, change: impl FnOnce(&mut Entry)) {
        let mut pages = self.lock();
        let first = pages.entries.front().map_or(seq + 1, |entry| entry.seq);
        let position = seq.checked_sub(first).and_then(|offset| usize::try_from(offset).ok());
        if let Some(entry) = position.and_then(|position| pages.entries.get_mut(position)) {
            change(entry);
        }
        drop(pages);
        self.changes.send_modify(|revision| *revision += 1);
    }

    /// A condition of [`Journal::wait_for`] that panics, as an assertion does, leaves the pages whole.
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn arrive(journal: &Journal) -> u64 {
        journal.arrived(Arrival {
            operation: Operation::Post,
            method: "POST",
            path: "/",
            client: None,
            identifier: None,
            body: &Value::Null,
        })
    }

    #[test]
    fn the_oldest_entries_give_way_and_late_fates_find_their_entry() {
        let journal = Journal::new();
        let first = arrive(&journal);
        let total = u64::try_from(CAPACITY).expect("small") + 1;
        let last = (1..total).map(|_| arrive(&journal)).last().expect("many");
        journal.finished(
            first,
            &Fate {
                status: Some(200),
                ..Fate::default()
            },
        );
        journal.finished(
            last,
            &Fate {
                status: Some(201),
                ..Fate::default()
            },
        );
        let entries = journal.entries();
        assert_eq!((entries.len(), journal.count(Operation::Post)), (CAPACITY, total));
        assert_eq!((entries[0].seq, entries[0].status), (2, None));
        assert_eq!(
            (entries[CAPACITY - 1].seq, entries[CAPACITY - 1].status),
            (last, Some(201))
        );
    }

    #[test]
    fn a_fate_after_clear_touches_nothing() {
        let journal = Journal::new();
        let before = arrive(&journal);
        journal.clear();
        journal.finished(
            before,
            &Fate {
                status: Some(200),
                ..Fate::default()
            },
        );
        assert!(journal.entries().is_empty());
        assert_eq!(arrive(&journal), before + 1, "numbers go on");
        journal.finished(
            before,
            &Fate {
                status: Some(200),
                ..Fate::default()
            },
        );
        assert_eq!(journal.entries()[0].status, None);
    }

    #[test]
    fn the_peak_counts_what_was_under_way_together() {
        let journal = Journal::new();
        assert_eq!(journal.peak_in_flight(Operation::Post), 0);
        let first = arrive(&journal);
        let second = arrive(&journal);
        journal.finished(first, &Fate::default());
        journal.finished(second, &Fate::default());
        assert_eq!(journal.peak_in_flight(Operation::Post), 2);
    }
}
