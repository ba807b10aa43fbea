//! The one order of all effects, and the faults that wait for some of them.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    blow::Blow,
    effect::{Effect, Fate},
};
use crate::Error;

/// All effects so far.
#[derive(Default)]
pub(super) struct Ledger {
    pages: Mutex<Pages>,
    /// Bumped with every change.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Pages {
    effects: Vec<Effect>,
    armed: Vec<Armed>,
}

/// A fault that waits for its effect.
struct Armed {
    kind: String,
    /// How many effects of this kind pass before it.
    spared: usize,
    blow: Blow,
    gate: Arc<Gate>,
}

/// Where a struck effect and its test meet.
#[derive(Default)]
pub(super) struct Gate {
    landed: watch::Sender<bool>,
    healed: watch::Sender<bool>,
}

impl Gate {
    pub(super) fn land(&self) {
        self.landed.send_replace(true);
    }

    pub(super) async fn healed(&self) {
        let mut healed = self.healed.subscribe();
        healed
            .wait_for(|healed| *healed)
            .await
            .expect("the gate outlives the request that waits at it");
    }
}

/// A fault in the hands of a test. Dropping it heals it.
pub struct Strike {
    gate: Arc<Gate>,
}

impl Strike {
    /// Waits until it struck: what is held is held, what is cut is cut.
    pub async fn landed(&self) {
        let mut landed = self.gate.landed.subscribe();
        landed
            .wait_for(|landed| *landed)
            .await
            .expect("the gate outlives its strike");
    }

    /// Whether it struck.
    #[must_use]
    pub fn has_landed(&self) -> bool {
        *self.gate.landed.borrow()
    }

    /// Lets go what it holds.
    pub fn heal(&self) {
        self.gate.healed.send_replace(true);
    }
}

impl Drop for Strike {
    fn drop(&mut self) {
        self.heal();
    }
}

/// An effect under way; when it is dropped without an answer, there was none.
pub(super) struct Ticket {
    ledger: Arc<Ledger>,
    number: usize,
    pub(super) strike: Option<(Blow, Arc<Gate>)>,
}

impl Ticket {
    /// The operator is answered with this status.
    pub(super) fn answered(self, status: u16) {
        self.ledger.settle(self.number, Fate::Answered(status));
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.ledger.settle(self.number, Fate::Lost);
    }
}

impl Ledger {
    /// Gives an effect its number, and the fault that waited for it.
    pub(super) fn begin(self: &Arc<Self>, kind: String, path: &str) -> Ticket {
        let mut pages = self.lock();
        let mut met = None;
        for (index, armed) in pages.armed.iter_mut().enumerate() {
            if armed.kind != kind {
                continue;
            }
            match armed.spared.checked_sub(1) {
                Some(left) => armed.spared = left,
                None => met = met.or(Some(index)),
            }
        }
        let strike = met.map(|index| {
            let armed = pages.armed.remove(index);
            (armed.blow, armed.gate)
        });
        let number = pages.effects.len() + 1;
        pages.effects.push(Effect {
            number,
            kind,
            path: path.to_owned(),
            fate: Fate::UnderWay,
            struck: strike.is_some(),
        });
        drop(pages);
        self.changed();
        Ticket {
            ledger: self.clone(),
            number,
            strike,
        }
    }

    /// Lets the `nth` effect of this kind from now on, counted from 1, meet a fault.
    pub(super) fn arm(&self, kind: &str, nth: usize, blow: Blow) -> Strike {
        let gate = Arc::<Gate>::default();
        self.lock().armed.push(Armed {
            kind: kind.to_owned(),
            spared: nth.checked_sub(1).expect("effects are counted from 1"),
            blow,
            gate: gate.clone(),
        });
        Strike { gate }
    }

    pub(super) fn effects(&self) -> Vec<Effect> {
        self.lock().effects.clone()
    }

    /// Waits until the effects are as described.
    pub(super) async fn wait_for(
        &self,
        described: &str,
        deadline: Duration,
        is_so: impl Fn(&[Effect]) -> bool,
    ) -> Result<(), Error> {
        let mut changes = self.changes.subscribe();
        let wait = async {
            while !is_so(&self.lock().effects) {
                changes.changed().await.expect("the ledger outlives the wait");
            }
        };
        tokio::time::timeout(deadline, wait).await.map_err(|_| {
            let effects = self.effects();
            let last: Vec<_> = effects[effects.len().saturating_sub(20)..]
                .iter()
                .map(|effect| format!("{} {} {} {:?}", effect.number, effect.kind, effect.path, effect.fate))
                .collect();
            Error::Timeout(format!(
                "not {described} after {deadline:?}; the last effects:\n{}",
                last.join("\n")
            ))
        })
    }

    fn settle(&self, number: usize, fate: Fate) {
        let mut pages = self.lock();
        let effect = &mut pages.effects[number - 1];
        if effect.fate == Fate::UnderWay {
            effect.fate = fate;
            drop(pages);
            self.changed();
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_strikes_the_nth_effect_of_its_kind_from_then_on_and_no_other() {
        let ledger = Arc::<Ledger>::default();
        ledger.begin("pam post".to_owned(), "/a").answered(201);
        let strike = ledger.arm("pam post", 2, Blow::HOLD_BEFORE);
        let later = ledger.arm("pam post", 3, Blow::CUT_AFTER);
        assert!(ledger.begin("pam post".to_owned(), "/b").strike.is_none());
        assert!(ledger.begin("pam list".to_owned(), "/c").strike.is_none());
        let ticket = ledger.begin("pam post".to_owned(), "/d");
        let (blow, gate) = ticket.strike.as_ref().expect("its turn");
        assert_eq!((*blow, strike.has_landed()), (Blow::HOLD_BEFORE, false));
        gate.land();
        strike.landed().await;
        drop(strike);
        gate.healed().await;
        drop(ticket);
        let ticket = ledger.begin("pam post".to_owned(), "/e");
        assert_eq!(ticket.strike.as_ref().expect("the next turn").0, Blow::CUT_AFTER);
        assert!(!later.has_landed());
        drop(ticket);
        let seen: Vec<_> = ledger.effects().iter().map(|e| (e.number, e.fate, e.struck)).collect();
        let lost = |number, struck| (number, Fate::Lost, struck);
        let expected = [
            (1, Fate::Answered(201), false),
            lost(2, false),
            lost(3, false),
            lost(4, true),
            lost(5, true),
        ];
        assert_eq!(seen, expected);
    }

    #[tokio::test]
    async fn waiting_in_vain_tells_what_happened() {
        let ledger = Arc::<Ledger>::default();
        ledger.begin("pam list".to_owned(), "/a").answered(500);
        let wait = ledger.wait_for("posted", Duration::from_millis(10), |effects| effects.len() > 1);
        let error = wait.await.expect_err("nothing was posted").to_string();
        assert!(
            error.starts_with("not posted after 10ms") && error.ends_with("1 pam list /a Answered(500)"),
            "{error}"
        );
    }
}
