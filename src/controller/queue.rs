//! Whose reconcile is next.
//!
//! An object stands here once, and never while its reconcile runs. There are three lanes: what somebody changed goes ahead of
//! a rotation of thousands of Secrets, and that ahead of what is only looked at again. Within a lane namespaces take turns,
//! so that the storm of one tenant does not hold up another; and no lane starves.

mod lanes;

use std::{
    collections::{BTreeMap, HashMap, hash_map},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::sleep_until};

use crate::controller::{line::shrink, ownership::identity::Name, queue::lanes::Lanes};

pub use lanes::Lane;

/// When an object is reconciled again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action(Option<Duration>);

impl Action {
    /// When something changes.
    pub const fn await_change() -> Self {
        Self(None)
    }

    /// After this time at the latest.
    pub const fn requeue(after: Duration) -> Self {
        Self(Some(after))
    }
}

/// The objects of one kind that wait for a reconcile. Clones are the same queue.
#[derive(Clone, Debug, Default)]
pub struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Before that nobody reconciles, and what is woken goes by.
    is_open: bool,
    lanes: Lanes,
    places: HashMap<Name, Place>,
    timers: BTreeMap<(Instant, u64), Name>,
    tickets: u64,
}

/// Where one object stands.
#[derive(Debug, Default)]
struct Place {
    /// Its reconcile runs.
    is_running: bool,
    /// It waits in this lane, from the end of its reconcile on if one runs.
    lane: Option<Lane>,
    /// It comes back by itself.
    timer: Option<(Instant, u64)>,
    /// When it was woken last.
    woken: Option<Instant>,
}

/// The right to reconcile one object, until it is given back.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    queue: Queue,
    /// Whose turn it is.
    pub name: Name,
    /// When it was woken last: whatever there is to see of it was there by then.
    pub woken: Instant,
    lane: Lane,
}

impl Turn {
    /// The reconcile ended, and this is to come after it.
    pub fn end(self, next: Action) {
        self.queue.end(&self.name, self.lane, next);
    }
}

impl Queue {
    /// Lets objects in from now on.
    pub fn open(&self) {
        self.lock().is_open = true;
    }

    /// Puts an object into a lane; one that waits there, or in one before it, keeps its place.
    pub fn push(&self, name: &Name, lane: Lane) {
        let mut state = self.lock();
        if state.is_open {
            state.push(name, lane);
            self.0.news.notify_one();
        }
    }

    /// Whether objects are let in.
    pub fn is_open(&self) -> bool {
        self.lock().is_open
    }

    /// Whether objects wait for their turn.
    pub fn has_backlog(&self) -> bool {
        !self.lock().lanes.is_empty()
    }

    /// Waits for the next object, while fewer than `most` reconciles run.
    pub async fn next(&self, most: usize) -> Turn {
        loop {
            let timer = {
                let mut state = self.lock();
                let now = Instant::now();
                if let Some((name, lane)) = state.pop(now, most) {
                    let woken = state.places.get(&name).and_then(|place| place.woken).unwrap_or(now);
                    let queue = self.clone();
                    return Turn {
                        queue,
                        name,
                        woken,
                        lane,
                    };
                }
                state.timers.first_key_value().map(|((due, _), _)| *due)
            };
            let due = async {
                match timer {
                    Some(due) => sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.0.news.notified() => {}
                () = due => {}
            }
        }
    }

    fn end(&self, name: &Name, lane: Lane, next: Action) {
        self.lock().end(name, lane, next, Instant::now());
        self.0.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().expect("no code panics while it holds this lock")
    }
}

impl State {
    fn push(&mut self, name: &Name, lane: Lane) {
        let place = self.places.entry(name.clone()).or_default();
        place.woken = Some(Instant::now());
        if place.lane.is_some_and(|waits| waits <= lane) {
            return;
        }
        let before = place.lane.replace(lane);
        if !place.is_running {
            if let Some(before) = before {
                self.lanes.remove(name, before);
            }
            self.lanes.push(name, lane);
        }
    }

    fn pop(&mut self, now: Instant, most: usize) -> Option<(Name, Lane)> {
        while let Some(timer) = self.timers.first_entry().filter(|timer| timer.key().0 <= now) {
            let name = timer.remove();
            self.places.entry(name.clone()).or_default().timer = None;
            self.push(&name, Lane::Resync);
        }
        let (name, lane) = self.lanes.pop(most)?;
        let place = self.places.entry(name.clone()).or_default();
        place.is_running = true;
        place.lane = None;
        if let Some(timer) = place.timer.take() {
            self.timers.remove(&timer);
        }
        Some((name, lane))
    }

    fn end(&mut self, name: &Name, lane: Lane, next: Action, now: Instant) {
        self.lanes.end(lane);
        let hash_map::Entry::Occupied(mut entry) = self.places.entry(name.clone()) else {
            return;
        };
        let place = entry.get_mut();
        place.is_running = false;
        match (place.lane, next.0) {
            (Some(lane), _) => self.lanes.push(name, lane),
            (None, Some(after)) => {
                self.tickets += 1;
                let timer = (now + after, self.tickets);
                place.timer = Some(timer);
                self.timers.insert(timer, name.clone());
            }
            (None, None) => {
                entry.remove();
                shrink(&mut self.places);
            }
        }
    }
}

#[cfg(test)]
mod tests;
