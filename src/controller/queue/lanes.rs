//! The lanes, and who is taken from which.

use crate::controller::{line::Line, ownership::identity::Name};

/// Why an object is to be reconciled. The first reason goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Somebody changed the object itself, or its turn at the PAM has come.
    Object,
    /// What it refers to changed, or what it waited for is there: a rotation or a listing may concern thousands at once.
    Reference,
    /// It is looked at again: after a start, for a retry, or because of news that concern many.
    Resync,
}

/// All of them, the first one first.
const LANES: [Lane; 3] = [Lane::Object, Lane::Reference, Lane::Resync];

/// Who waits, and how many were taken and have not ended.
#[derive(Debug, Default)]
pub struct Lanes {
    lines: [Line; 3],
    running: [usize; 3],
    /// Turns so far.
    turns: u64,
}

impl Lanes {
    /// Puts an object at the end of a lane.
    pub fn push(&mut self, name: &Name, lane: Lane) {
        self.lines[lane as usize].push(name);
    }

    /// Takes an object out of a lane.
    pub fn remove(&mut self, name: &Name, lane: Lane) {
        self.lines[lane as usize].remove(name);
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(Line::is_empty)
    }

    /// The next object, while fewer than `most` were taken and have not ended. A quarter of them, if that is at least one, is
    /// kept free for the first lane, so that a change finds a place however busy the others are; and while the first lane is
    /// at work the others have no more than a quarter, so that the API server answers it soon.
    pub fn pop(&mut self, most: usize) -> Option<(Name, Lane)> {
        let quarter = most / 4;
        let is_object_at_work =
            self.running[Lane::Object as usize] > 0 || !self.lines[Lane::Object as usize].is_empty();
        let others = self.running[Lane::Reference as usize] + self.running[Lane::Resync as usize];
        let places = if is_object_at_work { quarter } else { most - quarter };
        let is_free = others + self.running[Lane::Object as usize] < most;
        let may_run = |lane| is_free && (lane == Lane::Object || others < places.max(1));
        let mut lanes = order(self.turns).into_iter();
        let lane = lanes.find(|lane| !self.lines[*lane as usize].is_empty() && may_run(*lane))?;
        self.turns += 1;
        self.running[lane as usize] += 1;
        Some((self.lines[lane as usize].pop()?, lane))
    }

    /// One that was taken from this lane has ended.
    pub fn end(&mut self, lane: Lane) {
        self.running[lane as usize] -= 1;
    }
}

/// From which lane a turn is taken rather than from the next one. Of eight turns one belongs to the second lane and one to
/// the third, so that whoever waits there gets on.
fn order(turn: u64) -> [Lane; 3] {
    let mut order = LANES;
    match turn % 8 {
        3 => order.swap(0, 1),
        7 => order.reverse(),
        _ => {}
    }
    order
}
