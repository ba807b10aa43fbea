//! What the PAM's errors mean for objects and connections: reason, remedy, who must act, and when it is tried again.

mod connections;
mod decisions;
mod refusals;
mod transient;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use pam_operator::api::{
    PamCredential, Reason,
    condition::{READY, RECONCILING, STALLED, find},
};

/// The conditions of an object.
pub fn conditions(object: &PamCredential) -> &[Condition] {
    object
        .status
        .as_ref()
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default()
}

/// A person must act: the conditions say so, what was found (`says`), and what to do.
pub fn assert_stalled(conditions: &[Condition], reason: &str, says: &str) {
    assert_waits(conditions, reason, says);
    assert!(
        find(conditions, STALLED).is_some_and(|stalled| stalled.status == "True"),
        "{conditions:?}"
    );
    assert!(find(conditions, RECONCILING).is_none(), "{conditions:?}");
}

/// It goes on by itself: the conditions say so, what was found (`says`), and what a person can do meanwhile.
pub fn assert_reconciling(conditions: &[Condition], reason: &str, says: &str) {
    assert_waits(conditions, reason, says);
    assert!(
        find(conditions, RECONCILING).is_some_and(|reconciling| reconciling.status == "True"),
        "{conditions:?}"
    );
    assert!(find(conditions, STALLED).is_none(), "{conditions:?}");
}

fn assert_waits(conditions: &[Condition], reason: &str, says: &str) {
    let ready = find(conditions, READY).expect("Ready is always there");
    assert_eq!(
        (ready.status.as_str(), ready.reason.as_str()),
        ("False", reason),
        "{}",
        ready.message
    );
    // A sentence begins with a capital letter, whatever its first word.
    let said = ready.message.to_lowercase().contains(&says.to_lowercase());
    assert!(said, "{says:?} is not in: {}", ready.message);
    let remedy = Reason::parse(reason).expect("a reason").remedy();
    assert!(ready.message.ends_with(remedy), "{}", ready.message);
}
