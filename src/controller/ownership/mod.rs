//! Whose is it? What a POST would hit in the PAM, judged before it is sent.
//!
//! The PAM upserts: whoever sends an identifier or a triple that exists takes that credential over (contract 5.1).
//! So a POST goes out only when everything it could hit is our own entry, or when it hits nothing and we have none.

pub mod identity;
pub mod installation;
pub mod register;
pub mod reservations;

use crate::api::Claim;
use crate::controller::ownership::{
    identity::{Entry, Triple, fold},
    register::Register,
};

/// What proves that an entry is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The claim has its id, and its identifier or triple still fits.
    Claimed,
    /// A claim of this target without id (its answer never arrived) has its identifier and triple.
    Unanswered,
    /// It carries the identifier that only this installation can compute for this object, and the triple.
    Generated,
    /// A claim of another target has its id, identifier and triple exactly: the same PAM under another name.
    Renamed,
}

/// What an object could own.
#[derive(Clone, Copy, Debug)]
pub struct Title<'a> {
    /// The claim in status, when it verifies.
    pub claim: Option<&'a Claim>,
    /// Whether a POST of that claim may have arrived without its answer. Else a claim without id made nothing, and an
    /// entry that fits it is somebody else's.
    pub may_have_arrived: bool,
    /// The PAM that is asked.
    pub target: &'a str,
    /// The identifier that this installation generates for this object.
    pub generated: &'a str,
    /// The triple of the spec, where it is readable.
    pub triple: Option<&'a Triple>,
}

impl Title<'_> {
    /// The claim, if it is one of this target.
    pub fn here(&self) -> Option<&Claim> {
        self.claim.filter(|claim| claim.target == self.target)
    }

    /// The entry in the register that is ours, and why.
    pub fn own(&self, register: &Register) -> Option<(Entry, Proof)> {
        let here = self.here().filter(|claim| claim.id.is_some() || self.may_have_arrived);
        let claimed = here.and_then(|claim| claimed(register, claim));
        claimed
            .or_else(|| self.generated(register))
            .or_else(|| self.renamed(register))
    }

    fn generated(&self, register: &Register) -> Option<(Entry, Proof)> {
        let triple = self.triple?;
        let entry = with_exact_identifier(register, self.generated)?;
        entry.triple.resembles(triple).then_some((entry, Proof::Generated))
    }

    fn renamed(&self, register: &Register) -> Option<(Entry, Proof)> {
        let claim = self.claim.filter(|claim| claim.target != self.target)?;
        let entry = register.by_id(claim.id.as_deref()?)?;
        let same = entry.identifier.as_deref() == Some(claim.identifier.as_str()) && entry.triple == claim.into();
        same.then_some((entry, Proof::Renamed))
    }
}

fn claimed(register: &Register, claim: &Claim) -> Option<(Entry, Proof)> {
    let triple = Triple::from(claim);
    let Some(id) = &claim.id else {
        let entry = with_exact_identifier(register, &claim.identifier)?;
        return entry.triple.resembles(&triple).then_some((entry, Proof::Unanswered));
    };
    let entry = register.by_id(id)?;
    let same_identifier = entry.identifier.as_deref().map(fold) == Some(fold(&claim.identifier));
    (same_identifier || entry.triple.resembles(&triple)).then_some((entry, Proof::Claimed))
}

fn with_exact_identifier(register: &Register, identifier: &str) -> Option<Entry> {
    let mut entries = register.by_identifier(identifier).into_iter();
    entries.find(|entry| entry.identifier.as_deref() == Some(identifier))
}
