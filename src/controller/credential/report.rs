//! What status says after each step: pure functions from the old status to the new one, and the patch between them.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::{
    Applied, Claim, ConnectionRefStatus, PamCredentialStatus, Reason,
    condition::{self, DRIFTED, READY, RECONCILING, STALLED},
};
use crate::controller::plan::facts::Prints;

/// What a status is about: the generation that was looked at, the moment, and the request that it answers.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// Generation of the spec.
    pub generation: i64,
    /// The moment, in whole seconds as the API server keeps it.
    pub now: Time,
    /// Value of the annotation `reconcile-requested-at`.
    pub requested: Option<String>,
}

impl Stamp {
    /// A stamp of this moment.
    pub fn new(generation: i64, requested: Option<String>) -> Self {
        let second = Timestamp::now().as_second();
        Self {
            generation,
            now: Time(Timestamp::from_second(second).expect("the present is a valid time")),
            requested,
        }
    }
}

/// Why nothing is sent, or why the PAM did not take it.
pub fn finding(mut status: PamCredentialStatus, stamp: &Stamp, reason: Reason, message: &str) -> PamCredentialStatus {
    status.observed_generation = Some(stamp.generation);
    if !reason.is_reconciling() {
        // What goes on by itself is not answered yet.
        status.last_handled_reconcile_at.clone_from(&stamp.requested);
    }
    // What answered unexpectedly is somebody else's, also to a process that does not know of that answer any more.
    let surprised = status.reason() == Some(Reason::UnexpectedAnswer) && reason != Reason::UnexpectedAnswer;
    give_up_claim(&mut status, surprised);
    let text = sentence(message, reason);
    // An update that a difference in the PAM holds back goes on only when a person decides.
    let stalled = reason.is_stalled() || matches!(reason, Reason::Drifted | Reason::NotFoundInPam);
    set_conditions(&mut status.conditions, stamp, false, reason, &text, stalled);
    if matches!(reason, Reason::Drifted | Reason::NotFoundInPam) {
        return noted(status, stamp, Some((reason, message)));
    }
    status
}

/// What others changed in the PAM since the last answer, or nothing.
pub fn noted(mut status: PamCredentialStatus, stamp: &Stamp, shown: Option<(Reason, &str)>) -> PamCredentialStatus {
    let Some((reason, message)) = shown else {
        condition::clear(&mut status.conditions, DRIFTED);
        return status;
    };
    let text = sentence(message, reason);
    condition::set(
        &mut status.conditions,
        DRIFTED,
        true,
        reason,
        &text,
        stamp.generation,
        stamp.now.clone(),
    );
    status
}

/// The claim is written before the POST that makes it true. After a refusal the conditions stay: the next attempt is
/// no news until the PAM answers otherwise. An unexpected answer is about the claim that it left behind, not this one.
pub fn claimed(
    mut status: PamCredentialStatus,
    stamp: &Stamp,
    claim: Claim,
    connection: ConnectionRefStatus,
    keeps_applied: bool,
) -> PamCredentialStatus {
    if !keeps_applied {
        status.applied = None;
        status.id = None;
    }
    status.identifier = Some(claim.identifier.clone());
    status.claim = Some(claim);
    status.connection = Some(connection);
    if !keeps_applied {
        condition::clear(&mut status.conditions, DRIFTED);
    }
    let refused = condition::find(&status.conditions, STALLED).is_some_and(|stalled| {
        stalled.observed_generation == Some(stamp.generation) && stalled.reason != Reason::UnexpectedAnswer.as_str()
    });
    if refused { status } else { progressing(status, stamp) }
}

/// The claim is signed under another key than before, and nothing else is new.
pub fn resigned(mut status: PamCredentialStatus, claim: Claim) -> PamCredentialStatus {
    status.claim = Some(claim);
    status
}

/// A POST is under way.
pub fn progressing(mut status: PamCredentialStatus, stamp: &Stamp) -> PamCredentialStatus {
    status.observed_generation = Some(stamp.generation);
    let message = sentence("the credential is being sent to the PAM", Reason::Progressing);
    set_conditions(
        &mut status.conditions,
        stamp,
        false,
        Reason::Progressing,
        &message,
        false,
    );
    status
}

/// The PAM accepted the body.
pub fn accepted(
    mut status: PamCredentialStatus,
    stamp: &Stamp,
    claim: Claim,
    connection: ConnectionRefStatus,
    prints: &Prints,
    with_content: bool,
    interim: bool,
) -> PamCredentialStatus {
    let kept = status.applied.take().filter(|_| !with_content);
    status.id.clone_from(&claim.id);
    status.identifier = Some(claim.identifier.clone());
    status.claim = Some(claim);
    status.connection = Some(connection);
    status.applied = Some(Applied {
        generation: stamp.generation,
        time: stamp.now.clone(),
        body: prints.body.clone(),
        content: if with_content {
            prints.content.clone()
        } else {
            kept.and_then(|applied| kept_content(applied, prints))
        },
        key: prints.key.clone(),
        change_seen: None,
        secrets: prints.secrets.clone(),
    });
    // A password that the PAM changed is still another one until ours is sent again.
    let stays = condition::find(&status.conditions, DRIFTED)
        .is_some_and(|shown| shown.reason == Reason::PasswordChangedInPam.as_str() && !with_content);
    if !stays {
        condition::clear(&mut status.conditions, DRIFTED);
    }
    if interim {
        progressing(status, stamp)
    } else {
        synced(status, stamp, prints.content.is_some(), false)
    }
}

/// The fingerprint of the password that the PAM keeps. After the key was lost it is made anew where the password still
/// comes from the same version of its Secret: what was sent was sent, under whatever key.
fn kept_content(applied: Applied, prints: &Prints) -> Option<String> {
    let content = applied.content?;
    if applied.key == prints.key {
        return Some(content);
    }
    let same = prints
        .content_source
        .as_ref()
        .is_some_and(|source| applied.secrets.contains(source));
    prints.content.clone().filter(|_| same)
}

/// The PAM refused the body. A claim that has nothing to show is given up with it.
pub fn refused(
    mut status: PamCredentialStatus,
    stamp: &Stamp,
    reason: Reason,
    message: &str,
    gives_up_claim: bool,
) -> PamCredentialStatus {
    give_up_claim(&mut status, gives_up_claim);
    finding(status, stamp, reason, message)
}

/// A claim that has no id made nothing.
fn give_up_claim(status: &mut PamCredentialStatus, condition: bool) {
    if condition && status.claim.as_ref().is_some_and(|claim| claim.id.is_none()) {
        status.claim = None;
        status.identifier = None;
    }
}

/// Nothing has to be sent: what the PAM accepted before is what this generation says.
pub fn synced(
    mut status: PamCredentialStatus,
    stamp: &Stamp,
    wants_content: bool,
    suspended: bool,
) -> PamCredentialStatus {
    let Some(applied) = &mut status.applied else {
        return status;
    };
    applied.generation = stamp.generation;
    let left = wants_content && applied.content.is_none();
    let id = status.id.as_deref().unwrap_or_default();
    let password = if left { "; its password was left as it is" } else { "" };
    let (reason, state) = if suspended {
        (
            Reason::Suspended,
            "is as the last change left it, and the object is suspended",
        )
    } else {
        (Reason::Synced, "is in sync")
    };
    let message = format!("Credential {id} {state}{password}");
    status.observed_generation = Some(stamp.generation);
    status.last_handled_reconcile_at.clone_from(&stamp.requested);
    set_conditions(&mut status.conditions, stamp, true, reason, &message, false);
    status
}

/// Sets Ready, and the others only while they are true.
pub fn set_conditions(
    conditions: &mut Vec<Condition>,
    stamp: &Stamp,
    ready: bool,
    reason: Reason,
    message: &str,
    stalled: bool,
) {
    let reconciling = reason.is_reconciling() && !stalled;
    condition::set(
        conditions,
        READY,
        ready,
        reason,
        message,
        stamp.generation,
        stamp.now.clone(),
    );
    for (type_, holds) in [(RECONCILING, reconciling), (STALLED, stalled)] {
        if holds {
            condition::set(
                conditions,
                type_,
                true,
                reason,
                message,
                stamp.generation,
                stamp.now.clone(),
            );
        } else {
            condition::clear(conditions, type_);
        }
    }
}

/// What was found, and what to do about it.
pub fn sentence(found: &str, reason: Reason) -> String {
    let mut letters = found.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}. {}", letters.as_str().trim_end_matches('.'), reason.remedy())
}

/// The merge patch (RFC 7386) that turns the old status into the new one; none when they are equal. Fields that did
/// not change are not in it, lists are replaced as a whole.
pub fn patch<T: Serialize>(old: Option<&T>, new: &T) -> Option<Value> {
    let value = |status| serde_json::to_value(status).expect("a status is plain data");
    let old = old.map_or(Value::Null, &value);
    difference(&old, &value(new))
}

fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let removed = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(|key| (key.clone(), Value::Null));
    let changed = after
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), difference(before.get(key).unwrap_or(&Value::Null), value)?)));
    let patch: Map<String, Value> = removed.chain(changed).collect();
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests;
