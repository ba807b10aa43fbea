//! The two lanes, and who is taken from which.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use crate::controller::ownership::identity::Name;

/// Of so many turns one goes to the second lane, when somebody waits there.
const SHARE: u64 = 8;

/// Of so many turns in the first lane one goes to the oldest change.
const AGEING: u64 = 4;

/// Why an object is to be reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Somebody changed it, or what it refers to; or it waited for what has come.
    Change,
    /// It is looked at again: after a start, for a retry, or because of news that concern many.
    Resync,
}

/// Who waits, and how many were taken and have not ended.
#[derive(Debug, Default)]
pub struct Lanes {
    changes: Line,
    resyncs: Line,
    running: usize,
    running_resyncs: usize,
    /// Turns so far.
    taken: u64,
}

/// A line in the order of arrival, which can be left anywhere.
#[derive(Debug, Default)]
struct Line {
    names: BTreeMap<u64, Name>,
    tickets: HashMap<Name, u64>,
    arrivals: u64,
}

impl Lanes {
    /// Puts an object at the end of a lane.
    pub fn push(&mut self, name: &Name, lane: Lane) {
        self.line(lane).push(name);
    }

    /// Takes an object out of a lane.
    pub fn remove(&mut self, name: &Name, lane: Lane) {
        self.line(lane).remove(name);
    }

    /// The next object, while fewer than `most` were taken and have not ended. A quarter of them is kept free for changes.
    pub fn pop(&mut self, most: usize) -> Option<(Name, Lane)> {
        if self.running >= most {
            return None;
        }
        let may_resync = self.running_resyncs < (most - most / 4).max(1) && !self.resyncs.is_empty();
        let lane = match (self.changes.is_empty(), may_resync) {
            (true, false) => return None,
            (true, true) => Lane::Resync,
            (false, true) if self.taken % SHARE == SHARE - 1 => Lane::Resync,
            (false, _) => Lane::Change,
        };
        let ages = self.taken.is_multiple_of(AGEING);
        self.taken += 1;
        self.running += 1;
        let name = match lane {
            Lane::Change if ages => self.changes.oldest(),
            Lane::Change => self.changes.newest(),
            Lane::Resync => {
                self.running_resyncs += 1;
                self.resyncs.oldest()
            }
        };
        name.map(|name| (name, lane))
    }

    /// One that was taken from this lane has ended.
    pub fn end(&mut self, lane: Lane) {
        self.running -= 1;
        self.running_resyncs -= usize::from(lane == Lane::Resync);
    }

    fn line(&mut self, lane: Lane) -> &mut Line {
        match lane {
            Lane::Change => &mut self.changes,
            Lane::Resync => &mut self.resyncs,
        }
    }
}

impl Line {
    fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn push(&mut self, name: &Name) {
        self.arrivals += 1;
        self.names.insert(self.arrivals, name.clone());
        self.tickets.insert(name.clone(), self.arrivals);
    }

    fn remove(&mut self, name: &Name) {
        if let Some(ticket) = self.tickets.remove(name) {
            self.names.remove(&ticket);
        }
    }

    fn oldest(&mut self) -> Option<Name> {
        let (_, name) = self.names.pop_first()?;
        self.tickets.remove(&name);
        shrink(&mut self.tickets);
        Some(name)
    }

    fn newest(&mut self) -> Option<Name> {
        let (_, name) = self.names.pop_last()?;
        self.tickets.remove(&name);
        shrink(&mut self.tickets);
        Some(name)
    }
}

/// Gives back what many took: after a start over all objects a map would keep its greatest size.
pub fn shrink<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if map.capacity() > 8 * map.len().max(128) {
        map.shrink_to_fit();
    }
}
