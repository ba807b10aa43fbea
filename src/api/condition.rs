//! Conditions after the kstatus convention: `Ready` always, the others only while they are true.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::json;

use super::Reason;

/// True when the PAM accepted exactly this generation and Secret content.
pub const READY: &str = "Ready";
/// The operator is at work or waits for something that may come by itself.
pub const RECONCILING: &str = "Reconciling";
/// A person must act.
pub const STALLED: &str = "Stalled";
/// The PAM differs from what was applied.
pub const DRIFTED: &str = "Drifted";

/// Most characters that the API server takes in a condition's message.
const MESSAGE_LENGTH: usize = 32_768;

/// Sets a condition, in place when there is one of this type. `lastTransitionTime` becomes `now` only when the status
/// changes.
pub fn set(
    conditions: &mut Vec<Condition>,
    type_: &str,
    status: bool,
    reason: Reason,
    message: &str,
    generation: i64,
    now: Time,
) {
    let status = if status { "True" } else { "False" };
    let transition = find(conditions, type_)
        .filter(|old| old.status == status)
        .map_or(now, |old| old.last_transition_time.clone());
    let new = Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message: message.chars().take(MESSAGE_LENGTH).collect(),
        observed_generation: Some(generation),
        last_transition_time: transition,
    };
    match conditions.iter_mut().find(|old| old.type_ == type_) {
        Some(old) => *old = new,
        None => conditions.push(new),
    }
}

/// Removes the condition of this type, if there is one.
pub fn clear(conditions: &mut Vec<Condition>, type_: &str) {
    conditions.retain(|condition| condition.type_ != type_);
}

/// The condition of this type, if there is one.
#[must_use]
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

/// The schema of a list of conditions: that of meta/v1, with a bound on everything and merged by type.
pub(super) fn conditions_schema(_: &mut SchemaGenerator) -> Schema {
    let text =
        |description: &str, most: usize| json!({ "type": "string", "description": description, "maxLength": most });
    json_schema!({
        "type": "array",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": {
                "type": text("Ready, Reconciling, Stalled or Drifted.", 316),
                "status": {
                    "type": "string",
                    "enum": ["True", "False", "Unknown"],
                    "description": "Whether it holds.",
                },
                "reason": text("Why, in one word.", 1024),
                "message": text("Why, and what to do.", MESSAGE_LENGTH),
                "lastTransitionTime": {
                    "type": "string",
                    "format": "date-time",
                    "maxLength": 64,
                    "description": "When status changed last.",
                },
                "observedGeneration": {
                    "type": "integer",
                    "format": "int64",
                    "description": "Generation that it speaks of.",
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(second).expect("a second of 1970"))
    }

    #[test]
    fn keeps_the_transition_time_while_the_status_stays() {
        let mut conditions = Vec::new();
        set(
            &mut conditions,
            READY,
            false,
            Reason::Progressing,
            "creating",
            1,
            at(10),
        );
        set(
            &mut conditions,
            READY,
            false,
            Reason::PamUnavailable,
            "no answer",
            2,
            at(20),
        );
        let ready = find(&conditions, READY).expect("was set");
        assert_eq!(
            (ready.status.as_str(), ready.reason.as_str(), ready.message.as_str()),
            ("False", "PamUnavailable", "no answer")
        );
        assert_eq!(ready.observed_generation, Some(2));
        assert_eq!(ready.last_transition_time, at(10));
    }

    #[test]
    fn moves_the_transition_time_with_the_status() {
        let mut conditions = Vec::new();
        set(&mut conditions, READY, false, Reason::Progressing, "", 1, at(10));
        set(&mut conditions, READY, true, Reason::Synced, "", 1, at(20));
        assert_eq!(find(&conditions, READY).expect("was set").last_transition_time, at(20));
        assert_eq!(conditions.len(), 1);
    }

    #[test]
    fn keeps_the_order_and_the_others() {
        let mut conditions = Vec::new();
        set(&mut conditions, READY, false, Reason::Conflict, "", 1, at(10));
        set(&mut conditions, STALLED, true, Reason::Conflict, "", 1, at(10));
        set(&mut conditions, READY, true, Reason::Synced, "", 1, at(20));
        clear(&mut conditions, RECONCILING);
        assert_eq!(
            conditions.iter().map(|c| c.type_.as_str()).collect::<Vec<_>>(),
            [READY, STALLED]
        );
        clear(&mut conditions, STALLED);
        assert!(find(&conditions, STALLED).is_none());
        assert!(find(&conditions, READY).is_some());
    }

    #[test]
    fn cuts_a_message_that_the_api_server_would_refuse() {
        let mut conditions = Vec::new();
        set(
            &mut conditions,
            READY,
            false,
            Reason::Rejected,
            &"ä".repeat(MESSAGE_LENGTH + 1),
            1,
            at(10),
        );
        assert_eq!(conditions[0].message.chars().count(), MESSAGE_LENGTH);
    }
}
