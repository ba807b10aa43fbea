//! Nothing of the object's own has to be sent: what did others change in the PAM since its last answer, and what is to
//! be done about it?
//!
//! A difference is judged only by a listing that began after the last answer (design 3, "The listing"). It is corrected
//! once, then reported, so that two who disagree do not fight for ever.

use std::hash::Hash;

use crate::api::{Claim, DriftPolicy, Reason};
use crate::controller::{
    ownership::{
        identity::{Entry, Triple, fold},
        register::Register,
    },
    plan::{
        Await, Expected, Finding, Stake, Step,
        due::Change,
        facts::{Facts, LinkState},
        in_turn, send,
    },
    print::print,
};

/// What others changed in the PAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `Drifted`, `PasswordChangedInPam` or `NotFoundInPam`.
    pub reason: Reason,
    /// What differs, without the remedy, which belongs to the reason.
    pub message: String,
    /// Tells this difference from others of the same object.
    pub mark: u64,
}

impl Difference {
    fn new(reason: Reason, message: String, of: impl Hash) -> Self {
        Self {
            reason,
            message,
            mark: print((reason, of)),
        }
    }

    /// The credential with this id is missing.
    pub fn vanished(id: &str) -> Self {
        let message = format!("credential {id} is not listed by the PAM any more (deleted, inactive or invisible)");
        Self::new(Reason::NotFoundInPam, message, id)
    }

    fn moved(entry: &Entry) -> Self {
        let identifier = entry.identifier.as_deref().unwrap_or("none");
        let message = format!(
            "credential {} is {} with identifier {identifier} in the PAM",
            entry.id, entry.triple
        );
        Self::new(Reason::Drifted, message, (identifier, entry.triple.folded()))
    }

    fn rotated(entry: &Entry) -> Self {
        let message = format!(
            "the password of credential {} was changed in the PAM after it was sent",
            entry.id
        );
        Self::new(Reason::PasswordChangedInPam, message, &entry.change)
    }
}

/// Whether somebody changed the identity of an entry that is ours: it is neither what the claim says nor what the spec
/// asks for. Compared loosely, because the PAM may normalise what it is sent.
pub fn moved(entry: &Entry, claim: &Claim, identifier: &str, triple: &Triple) -> bool {
    let own = entry.identifier.as_deref().map(fold);
    let is_named = |text: &str| own.as_deref() == Some(fold(text).as_str());
    let same_identifier = is_named(&claim.identifier) || is_named(identifier);
    let same_triple = entry.triple.resembles(&Triple::from(claim)) || entry.triple.resembles(triple);
    !(same_identifier && same_triple)
}

/// Whether a credential that vanished may be created again without being asked for.
pub fn recreates(facts: &Facts) -> bool {
    facts.wish.drift == DriftPolicy::Correct && facts.recall.watch.vanished && !facts.link.many_vanished
}

/// Whether the answer to a correction was about another credential. That stands for as long as the difference does, and
/// is not asked for again.
pub fn stays_surprised(facts: &Facts) -> bool {
    facts.is_surprised() && sight(facts).is_none_or(|(entry, claim)| difference(facts, entry.as_ref(), claim).is_some())
}

/// The next step of an object of which nothing has to be sent.
pub fn settled(facts: &Facts) -> Step {
    let Some((entry, claim)) = sight(facts) else {
        return Step::Nothing;
    };
    match difference(facts, entry.as_ref(), claim) {
        Some(difference) => answer(facts, difference),
        None if facts.record.drifted.is_some() => Step::Note(None),
        None => baseline(facts, entry.as_ref()),
    }
}

/// What others changed, as far as it is to be said or to be ended.
fn difference(facts: &Facts, entry: Option<&Entry>, claim: &Claim) -> Option<Difference> {
    let (ignores, watch) = (facts.wish.drift == DriftPolicy::Ignore, &facts.recall.watch);
    let rotated = entry.filter(|_| watch.rotated);
    match (entry, facts.wish.triple) {
        (None, _) if ignores => None,
        (None, _) => Some(Difference::vanished(claim.id.as_deref().unwrap_or_default())),
        (Some(entry), Some(triple)) if !ignores && moved(entry, claim, &facts.identifier(&claim.target), triple) => {
            Some(Difference::moved(entry))
        }
        (Some(_), _) => rotated
            .filter(|_| !ignores || facts.wish.enforces)
            .map(Difference::rotated),
    }
}

/// What the PAM has under our id now; none while nothing newer than its last answer is known. A credential that is
/// missing counts only when it was missing twice.
fn sight<'a>(facts: &Facts<'a>) -> Option<(Option<Entry>, &'a Claim)> {
    let claim = facts.record.proven_claim()?;
    let target = facts.link.target?;
    let id = claim.id.as_deref().filter(|_| claim.target == target)?;
    let register = facts
        .register
        .filter(|register| register.began >= facts.recall.watch.answered)?;
    let entry = register.by_id(id);
    (entry.is_some() || facts.recall.watch.vanished).then_some((entry, claim))
}

/// Ends a difference where that is wanted and was not tried before; else says it.
fn answer(facts: &Facts, difference: Difference) -> Step {
    let watch = &facts.recall.watch;
    let rotated = difference.reason == Reason::PasswordChangedInPam;
    let wanted = if rotated {
        facts.wish.enforces
    } else {
        facts.wish.drift == DriftPolicy::Correct && !facts.link.many_vanished
    };
    let possible = wanted && !facts.wish.suspended && facts.link.state == LinkState::Ready;
    let tried = !rotated && (watch.corrected.contains(&difference.mark) || !watch.may_correct);
    if !possible || tried || facts.is_surprised() {
        return note(facts, difference);
    }
    if let Some(from) = watch.enforce_from.filter(|from| rotated && *from > facts.now) {
        return note_and_wait(facts, difference, Await::Until(from));
    }
    correct(facts, difference)
}

/// The way to the POST is the same as for a change of the object, but what is in its way does not make the object less
/// ready than it was.
fn correct(facts: &Facts, difference: Difference) -> Step {
    // Where the identity differs too, a password that is enforced goes along.
    let content = facts.wish.enforces && facts.recall.watch.rotated;
    match in_turn(facts, send(facts, Change { first: false, content })) {
        Step::Send(mut dispatch) if matches!(dispatch.expected, Expected::Entry(_)) => {
            dispatch.corrects = Some(difference);
            Step::Send(dispatch)
        }
        Step::Claim(stake) => Step::Claim(Stake {
            corrects: Some(difference),
            ..stake
        }),
        step @ (Step::ReadSecrets | Step::Await(_)) => step,
        // It is a matter of time, and an object that is in sync is not less so while it waits.
        Step::Report(Finding { until: Some(until), .. }) if until == Await::Turn => Step::Await(until),
        Step::Report(Finding {
            reason: Reason::Progressing,
            until: Some(until),
            ..
        }) => note_and_wait(facts, difference, until),
        _ => note(facts, difference),
    }
}

fn note_and_wait(facts: &Facts, difference: Difference, until: Await) -> Step {
    match note(facts, difference) {
        Step::Nothing => Step::Await(until),
        step => step,
    }
}

/// Says a difference in status, unless it stands there.
fn note(facts: &Facts, difference: Difference) -> Step {
    let said = facts.record.drifted.is_some_and(|shown| {
        shown.reason == difference.reason.as_str()
            && shown.observed_generation == Some(facts.wish.generation)
            && shown
                .message
                .to_lowercase()
                .starts_with(&difference.message.to_lowercase())
    });
    if said {
        Step::Nothing
    } else {
        Step::Note(Some(difference))
    }
}

/// Whoever enforces a password keeps in status by which text a change of it is recognised.
fn baseline(facts: &Facts, entry: Option<&Entry>) -> Step {
    let unknown = facts
        .record
        .applied
        .is_some_and(|applied| applied.content.is_some() && applied.change_seen.is_none());
    match entry.and_then(|entry| entry.change.clone()) {
        Some(change) if unknown && facts.wish.enforces => Step::Baseline(change),
        _ => Step::Nothing,
    }
}

/// After the loss of the installation's key: a claim that does not verify is signed anew where id, identifier and triple
/// are all as the PAM lists them, and an administrator asked for it.
pub fn resign(facts: &Facts) -> Option<Step> {
    let record = &facts.record;
    let target = facts.link.target?;
    let claim = record.claim.filter(|claim| claim.target == target && !record.proven)?;
    let id = claim.id.clone().filter(|_| facts.recall.resigns)?;
    if facts.link.state != LinkState::Ready {
        return None;
    }
    let Some(register) = facts.register else {
        return Some(Step::Await(Await::Listing));
    };
    is_exactly(register, &id, claim).then(|| {
        Step::Claim(Stake {
            id: Some(id),
            adopts: None,
            identifier: claim.identifier.clone(),
            triple: Triple::from(claim),
            keeps_applied: true,
            resigns: true,
            corrects: None,
        })
    })
}

fn is_exactly(register: &Register, id: &str, claim: &Claim) -> bool {
    register.by_id(id).is_some_and(|entry| {
        entry.identifier.as_deref() == Some(claim.identifier.as_str()) && entry.triple == Triple::from(claim)
    })
}
