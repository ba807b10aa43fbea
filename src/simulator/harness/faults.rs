//! The faults and holds in force, and what they mean for a request that has just arrived.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::simulator::harness::{
    entry::Operation,
    fault::{Effect, Fault, Point, Times},
    hold::{Gate, Hold, Verdict},
};

/// The faults in force.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Rules>,
}

#[derive(Default)]
struct Rules {
    faults: Vec<Rule>,
    holds: Vec<HoldRule>,
    next_id: u64,
}

struct Rule {
    id: u64,
    fault: Fault,
    rng: Option<StdRng>,
    struck: u64,
}

struct HoldRule {
    operation: Operation,
    identifier: Option<String>,
    point: Point,
    gate: Weak<Gate>,
}

/// What awaits one request.
#[derive(Default)]
pub(crate) struct Plan {
    pub before: Vec<Pause>,
    pub effect: Option<Effect>,
    pub after: Vec<Pause>,
}

/// A wait of a request.
pub(crate) enum Pause {
    Sleep(Duration),
    Gate(Arc<Gate>),
}

impl Pause {
    pub(crate) async fn pass(&self) -> Verdict {
        match self {
            Self::Sleep(duration) => {
                tokio::time::sleep(*duration).await;
                Verdict::Proceed
            }
            Self::Gate(gate) => gate.pass().await,
        }
    }
}

impl Faults {
    /// Puts a fault in force; returns its number. Latencies add up; of the other effects the oldest fault decides.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut rules = self.lock();
        rules.next_id += 1;
        let id = rules.next_id;
        let rng = match fault.times {
            Times::Share { seed, .. } => Some(StdRng::seed_from_u64(seed)),
            _ => None,
        };
        rules.faults.push(Rule {
            id,
            fault,
            rng,
            struck: 0,
        });
        id
    }

    /// Holds the next request of `operation` (and `identifier`, when given) at `point`.
    #[must_use = "dropping the hold releases the request"]
    pub fn hold(&self, operation: Operation, identifier: Option<&str>, point: Point) -> Hold {
        let hold = Hold::new();
        self.lock().holds.push(HoldRule {
            operation,
            identifier: identifier.map(str::to_owned),
            point,
            gate: Arc::downgrade(hold.gate()),
        });
        hold
    }

    /// How many requests a fault has struck.
    #[must_use]
    pub fn struck(&self, id: u64) -> u64 {
        self.lock()
            .faults
            .iter()
            .find(|rule| rule.id == id)
            .map_or(0, |rule| rule.struck)
    }

    /// The faults in force: number, fault, requests struck. One that is used up stays until cleared.
    #[must_use]
    pub fn in_force(&self) -> Vec<(u64, Fault, u64)> {
        self.lock()
            .faults
            .iter()
            .map(|rule| (rule.id, rule.fault.clone(), rule.struck))
            .collect()
    }

    /// Ends one fault.
    pub fn remove(&self, id: u64) {
        self.lock().faults.retain(|rule| rule.id != id);
    }

    /// Ends all faults; holds stay with whoever has them.
    pub fn clear(&self) {
        self.lock().faults.clear();
    }

    /// What awaits a request that has just arrived.
    pub(crate) fn plan(&self, operation: Operation, identifier: Option<&str>) -> Plan {
        let mut rules = self.lock();
        let mut plan = Plan::default();
        for rule in rules
            .faults
            .iter_mut()
            .filter(|rule| rule.fault.matches(operation, identifier))
        {
            let latency = matches!(rule.fault.effect, Effect::Latency { .. });
            if (latency || plan.effect.is_none()) && rule.strikes() {
                plan.add(&rule.fault.effect);
            }
        }
        plan.hold(&mut rules.holds, operation, identifier);
        plan
    }

    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn strikes(&mut self) -> bool {
        let strikes = match self.fault.times {
            Times::Always => true,
            Times::Next(count) => self.struck < u64::from(count),
            Times::Share { of, .. } => self.rng.as_mut().is_some_and(|rng| rng.random_bool(of.clamp(0.0, 1.0))),
        };
        self.struck += u64::from(strikes);
        strikes
    }
}

impl Plan {
    fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::Latency { ms, point } => self.at(*point).push(Pause::Sleep(Duration::from_millis(*ms))),
            other => self.effect = Some(other.clone()),
        }
    }

    /// Takes the first hold that waits for this request; each hold takes one request.
    fn hold(&mut self, holds: &mut Vec<HoldRule>, operation: Operation, identifier: Option<&str>) {
        holds.retain(|hold| hold.gate.strong_count() > 0);
        let position = holds.iter().position(|hold| {
            hold.operation == operation
                && hold
                    .identifier
                    .as_deref()
                    .is_none_or(|wanted| identifier == Some(wanted))
        });
        let Some(position) = position else { return };
        let hold = holds.remove(position);
        if let Some(gate) = hold.gate.upgrade() {
            self.at(hold.point).push(Pause::Gate(gate));
        }
    }

    fn at(&mut self, point: Point) -> &mut Vec<Pause> {
        match point {
            Point::Before => &mut self.before,
            Point::After => &mut self.after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effects(faults: &Faults, requests: usize) -> Vec<bool> {
        (0..requests)
            .map(|_| faults.plan(Operation::Post, None).effect.is_some())
            .collect()
    }

    #[test]
    fn a_count_strikes_the_next_requests_only() {
        let faults = Faults::default();
        let id = faults.add(Fault::new(Effect::DropBefore).next(2));
        assert_eq!(effects(&faults, 4), [true, true, false, false]);
        assert_eq!(faults.struck(id), 2);
    }

    #[test]
    fn a_share_is_the_same_for_the_same_seed_and_about_as_large_as_asked() {
        let run = |seed| {
            let faults = Faults::default();
            faults.add(Fault::new(Effect::DropBefore).share(0.2, seed));
            effects(&faults, 1000)
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let struck = run(7).into_iter().filter(|struck| *struck).count();
        assert!((150..250).contains(&struck), "{struck} of 1000 at 20 %");
    }

    #[test]
    fn latencies_add_up_and_the_oldest_other_effect_decides() {
        let faults = Faults::default();
        faults.add(Fault::new(Effect::Latency {
            ms: 1,
            point: Point::Before,
        }));
        faults.add(Fault::new(Effect::NoRoute).next(1));
        let second = faults.add(Fault::new(Effect::DropAfter));
        faults.add(Fault::new(Effect::Latency {
            ms: 2,
            point: Point::Before,
        }));
        faults.add(Fault::new(Effect::Latency {
            ms: 3,
            point: Point::After,
        }));
        let plan = faults.plan(Operation::List, None);
        assert_eq!((plan.before.len(), plan.after.len()), (2, 1));
        assert!(matches!(plan.effect, Some(Effect::NoRoute)));
        assert_eq!(faults.struck(second), 0, "it struck nothing yet");
        assert!(matches!(
            faults.plan(Operation::List, None).effect,
            Some(Effect::DropAfter)
        ));
    }

    #[test]
    fn a_removed_fault_strikes_no_more() {
        let faults = Faults::default();
        let id = faults.add(Fault::new(Effect::DropBefore));
        faults.add(Fault::new(Effect::DropBefore).on(Operation::List));
        faults.remove(id);
        assert_eq!(effects(&faults, 1), [false]);
    }
}
