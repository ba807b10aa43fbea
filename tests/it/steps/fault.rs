//! In which ways an effect fails, and what that may cost.

use std::fmt;

use testbed::tap::{Blow, Effect, LIST, Refusal, Then};

/// An effect of a scenario: the `nth` of its kind. Effects that are independent of each other change places from run to
/// run, so its number alone would not name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: String,
    pub nth: usize,
}

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The operator dies before the effect.
    DiesBefore,
    /// The operator dies after it, and before its answer.
    DiesAfter,
    /// It is refused and has no effect.
    Refused(Refusal),
    /// It takes effect, and something that stands between answers with an error of its own.
    Disguised,
    /// It takes effect, and there is no answer.
    Unanswered,
}

impl Step {
    /// The steps that some effects are.
    pub fn of(effects: &[Effect]) -> Vec<Self> {
        let mut steps: Vec<Self> = Vec::new();
        for effect in effects {
            let before = steps.iter().filter(|step| step.kind == effect.kind).count();
            steps.push(Self {
                kind: effect.kind.clone(),
                nth: before + 1,
            });
        }
        steps
    }

    /// The ways in which it can fail.
    pub fn faults(&self) -> Vec<Fault> {
        let refusals = [Refusal::Conflict, Refusal::TooMany, Refusal::Internal];
        let mut faults = vec![Fault::DiesBefore, Fault::DiesAfter, Fault::Unanswered];
        faults.extend(refusals.map(Fault::Refused));
        if self.is_pam() {
            faults.push(Fault::Disguised);
        }
        faults
    }

    /// What the tap does for this fault.
    pub fn blow(&self, fault: Fault) -> Blow {
        match fault {
            Fault::DiesBefore => Blow::HOLD_BEFORE,
            Fault::DiesAfter => Blow::HOLD_AFTER,
            Fault::Refused(refusal) => Blow::refuse(refusal),
            Fault::Disguised => Blow {
                executed: true,
                then: Then::Refuse(Refusal::Foreign),
            },
            // The PAM client gives up in time, but for the listing, which may take long.
            Fault::Unanswered if self.is_pam() && self.kind != LIST => Blow::HOLD_AFTER,
            Fault::Unanswered => Blow::CUT_AFTER,
        }
    }

    /// How many writes to the PAM may be repeated because of this fault: the operator cannot know what became of one
    /// that nobody answered, or whose answer died with it.
    pub fn repeats(&self, fault: Fault) -> usize {
        let writes = ["pam post", "pam deactivate", "pam reactivate"].contains(&self.kind.as_str());
        match fault {
            Fault::DiesBefore | Fault::DiesAfter => 1,
            Fault::Unanswered | Fault::Disguised => usize::from(writes),
            Fault::Refused(_) => 0,
        }
    }

    fn is_pam(&self) -> bool {
        self.kind.starts_with("pam ")
    }
}

impl Fault {
    pub fn kills(self) -> bool {
        matches!(self, Self::DiesBefore | Self::DiesAfter)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.kind, self.nth)
    }
}
