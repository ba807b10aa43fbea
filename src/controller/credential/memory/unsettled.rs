//! What is not settled about an object: pauses, requests without an answer, results that are not recorded. Most objects
//! have nothing of the kind, and a hundred thousand of them keep no place for it.

use std::{
    ops::{Deref, DerefMut},
    sync::LazyLock,
    time::Instant,
};

use crate::controller::{
    credential::memory::StatusChange,
    ownership::identity::Triple,
    plan::{Warning, facts::Unsure},
};

/// What is not settled.
#[derive(Debug, Default, PartialEq)]
pub struct Unsettled {
    /// Not to be tried again before.
    pub held_until: Option<Instant>,
    /// The PAM refused these inputs.
    pub refused: bool,
    /// Failures of the PAM in a row.
    pub failures: u32,
    /// Failures of anything else in a row.
    pub troubles: u32,
    /// A request that may have been executed, now or later.
    pub unsure: Option<Unsure>,
    /// Identifiers and accounts that were sent since the last success: the PAM may have any of them, and through us.
    pub unconfirmed: Vec<(String, Triple)>,
    /// Internal errors of the PAM in a row, to this body.
    pub internal_errors: u32,
    /// A result that could not be written to status yet; it is written before anything else happens to the object.
    pub unrecorded: Option<StatusChange>,
    /// The credential that the PAM has deactivated for this object: what is left is to let the object go.
    pub deactivated: Option<String>,
    /// What was told already of the object that is let go, which a conflict only delays.
    pub told: Option<Warning>,
    /// When this process failed to deactivate for the first time.
    pub first_failed: Option<Instant>,
}

/// Nothing is.
static SETTLED: LazyLock<Unsettled> = LazyLock::new(Unsettled::default);

/// An [`Unsettled`] that takes no place while it is settled.
#[derive(Debug, Default)]
pub struct Rarely(Option<Box<Unsettled>>);

impl Rarely {
    /// Gives the place back, if nothing is unsettled any more.
    pub fn tidy(&mut self) {
        self.0.take_if(|unsettled| **unsettled == *SETTLED);
    }
}

impl Deref for Rarely {
    type Target = Unsettled;

    fn deref(&self) -> &Unsettled {
        self.0.as_deref().unwrap_or(&SETTLED)
    }
}

impl DerefMut for Rarely {
    fn deref_mut(&mut self) -> &mut Unsettled {
        self.0.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_takes_no_place() {
        let mut rarely = Rarely::default();
        assert!(*rarely == *SETTLED && rarely.unsure.is_none());
        rarely.failures += 1;
        rarely.tidy();
        assert_eq!(rarely.failures, 1, "what is not settled is kept");
        rarely.failures = 0;
        rarely.unconfirmed = vec![];
        rarely.tidy();
        assert!(rarely.0.is_none());
    }
}
