//! The way is free: what would the POST hit, and may it?

use crate::api::{Claim, DriftPolicy, Reason};
use crate::controller::{
    ownership::{
        Proof,
        identity::{Entry, Triple},
        register::Register,
    },
    plan::{
        Await, Dispatch, Expected, Finding, Stake, Step,
        drift::{Difference, moved, recreates},
        due::Change,
        facts::{FRESH, Facts, Unsure},
    },
};

/// The step towards the POST, judged by a listing that is fresh enough.
pub fn approach(facts: &Facts, register: &Register, target: &str, triple: &Triple, change: Change) -> Step {
    match judge(facts, register, target, triple, change) {
        // The same POST would get the same answer, and each one touches a credential that is not ours.
        Step::Send(dispatch) if was_unexpected(facts, target, &dispatch) => Step::Await(Await::NextListing),
        step => step,
    }
}

/// Whether this prediction was made before, for the same generation, and the answer was another. An entry that is listed
/// only now, for a claim without id, makes it a new one.
fn was_unexpected(facts: &Facts, target: &str, dispatch: &Dispatch) -> bool {
    let confirmed = facts.title(target).here().is_some_and(|claim| claim.id.is_some());
    facts.is_surprised()
        && facts.recall.unsure.is_none()
        && (confirmed || dispatch.expected == Expected::New)
        && !facts.wish.adopts
}

fn judge(facts: &Facts, register: &Register, target: &str, triple: &Triple, change: Change) -> Step {
    let title = facts.title(target);
    match (title.own(register), title.here()) {
        (Some((entry, Proof::Claimed)), Some(claim)) => update(facts, register, target, triple, change, claim, &entry),
        (Some((entry, Proof::Unanswered)), Some(claim)) if is_about(claim, &facts.identifier(target), triple) => {
            finish(register, claim, triple, entry)
        }
        (Some((entry, _)), _) => Step::Claim(as_listed(&entry, &facts.identifier(target), false)),
        (None, Some(claim)) if claim.id.is_some() => vanished(facts, register, target, triple, claim),
        (None, claim) => create(facts, register, target, triple, claim),
    }
}

/// Our own entry gets what changed.
fn update(
    facts: &Facts,
    register: &Register,
    target: &str,
    triple: &Triple,
    change: Change,
    claim: &Claim,
    entry: &Entry,
) -> Step {
    let identifier = facts.identifier(target);
    let renames = identifier != claim.identifier;
    let moves = *triple != Triple::from(claim);
    let drifted = moved(entry, claim, &identifier, triple);
    if drifted && facts.wish.drift == DriftPolicy::Report {
        return Finding::riding(
            Reason::Drifted,
            format!(
                "credential {} is {} in the PAM, and an update would change that",
                entry.id, entry.triple
            ),
        );
    }
    let listed = as_listed(entry, &claim.identifier, true);
    if drifted && (renames || moves) && !is_about(claim, &listed.identifier, &listed.triple) {
        return Step::Claim(listed);
    }
    // The PAM finds a credential by its identifier first, so the triple moves under the old one.
    let interim = renames && moves;
    let sent = if interim { claim.identifier.clone() } else { identifier };
    let hits = register.hits(&sent, triple);
    if let Some(other) = hits.iter().find(|hit| hit.id != entry.id) {
        return Finding::riding(
            Reason::AlreadyExists,
            format!(
                "this change would take over credential {} ({}) instead of updating credential {}",
                other.id, other.triple, entry.id
            ),
        );
    }
    if hits.is_empty() {
        return Finding::riding(
            Reason::Drifted,
            format!(
                "credential {} is {} in the PAM, so this update would create a second credential",
                entry.id, entry.triple
            ),
        );
    }
    // What was found again keeps its password, unless a request of ours that brought one was never answered.
    let brought = facts.recall.unsure.is_some_and(Unsure::may_have_brought_password);
    Step::Send(Dispatch {
        identifier: sent,
        with_content: change.content && (!change.first || brought),
        expected: Expected::Entry(entry.id.clone()),
        interim,
        reactivates: change.first && facts.wish.deactivates,
        corrects: None,
    })
}

/// An earlier POST of ours arrived, but not its answer: the same POST again says what became of it.
fn finish(register: &Register, claim: &Claim, triple: &Triple, entry: Entry) -> Step {
    let hits = register.hits(&claim.identifier, triple);
    if let Some(other) = hits.iter().find(|hit| hit.id != entry.id) {
        return taken(&[other.clone(), entry]);
    }
    Step::Send(Dispatch {
        identifier: claim.identifier.clone(),
        with_content: true,
        expected: Expected::Entry(entry.id),
        interim: false,
        reactivates: false,
        corrects: None,
    })
}

/// Our credential is not listed any more. Where another one has its place, that one is taken or to be adopted.
fn vanished(facts: &Facts, register: &Register, target: &str, triple: &Triple, claim: &Claim) -> Step {
    if !register.hits(&facts.identifier(target), triple).is_empty() {
        return create(facts, register, target, triple, None);
    }
    // What has our id and neither our identifier nor our account is somebody else's, and another credential beside it
    // would be a second one.
    let id = claim.id.as_deref().unwrap_or_default();
    let missing = register.by_id(id).is_none();
    if missing && register.has_entries() && !facts.recall.watch.vanished {
        return Step::Await(Await::Listing);
    }
    if missing && recreates(facts) {
        // What is updated needs no fresh listing; what is created does.
        return if register.age(facts.now) <= FRESH {
            create(facts, register, target, triple, None)
        } else {
            Step::Await(Await::Listing)
        };
    }
    let difference = Difference::vanished(id);
    Finding::riding(difference.reason, difference.message)
}

/// Nothing is ours yet.
fn create(facts: &Facts, register: &Register, target: &str, triple: &Triple, claim: Option<&Claim>) -> Step {
    let identifier = facts.identifier(target);
    let hits = register.hits(&identifier, triple);
    let (identifier, expected) = match hits.as_slice() {
        [] => (identifier, Expected::New),
        [entry] if facts.wish.adopts => {
            let kept = facts.wish.identifier.or(entry.identifier.as_deref());
            (
                kept.unwrap_or(facts.wish.generated).to_owned(),
                Expected::Entry(entry.id.clone()),
            )
        }
        others => return taken(others),
    };
    if !claim.is_some_and(|claim| is_about(claim, &identifier, triple)) {
        return Step::Claim(Stake {
            id: None,
            adopts: hits.first().map(|entry| entry.id.clone()),
            identifier,
            triple: triple.clone(),
            keeps_applied: false,
            resigns: false,
            corrects: None,
        });
    }
    Step::Send(Dispatch {
        identifier,
        with_content: true,
        expected,
        interim: false,
        reactivates: false,
        corrects: None,
    })
}

fn taken(entries: &[Entry]) -> Step {
    let listed: Vec<String> = entries
        .iter()
        .map(|entry| format!("{} ({})", entry.id, entry.triple))
        .collect();
    let message = match listed.as_slice() {
        [one] => format!("the PAM has this credential already: {one}"),
        several => format!(
            "identifier and account belong to several credentials of the PAM: {}",
            several.join(", ")
        ),
    };
    Finding::riding(Reason::AlreadyExists, message)
}

fn is_about(claim: &Claim, identifier: &str, triple: &Triple) -> bool {
    claim.identifier == identifier && Triple::from(claim) == *triple
}

/// A claim on an entry that is ours, as the listing shows it; one without identifier has the one that it should have.
fn as_listed(entry: &Entry, identifier: &str, keeps_applied: bool) -> Stake {
    Stake {
        id: Some(entry.id.clone()),
        adopts: None,
        identifier: entry.identifier.clone().unwrap_or_else(|| identifier.to_owned()),
        triple: entry.triple.clone(),
        keeps_applied,
        resigns: false,
        corrects: None,
    }
}
