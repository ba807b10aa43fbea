//! kstatus, the convention by which Flux, Helm and kubectl judge custom resources, after its published rules.

use serde_json::Value;

/// What kstatus says of an object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    Terminating,
    InProgress,
    Failed,
    Current,
}

/// Judges an object: deletion first, then generations, then Reconciling, Stalled and Ready. Whoever has none of these counts
/// as finished, which is why the schema gives a new object an observedGeneration of -1.
pub fn status(object: &Value) -> Status {
    let metadata = &object["metadata"];
    if metadata["deletionTimestamp"].is_string() {
        return Status::Terminating;
    }
    let observed = &object["status"]["observedGeneration"];
    if !observed.is_null() && *observed != metadata["generation"] {
        return Status::InProgress;
    }
    match (
        condition(object, "Reconciling"),
        condition(object, "Stalled"),
        condition(object, "Ready"),
    ) {
        (Some("True"), _, _) => Status::InProgress,
        (_, Some("True"), _) => Status::Failed,
        (_, _, Some("True") | None) => Status::Current,
        (_, _, Some(_)) => Status::InProgress,
    }
}

/// The status of a condition.
pub fn condition<'a>(object: &'a Value, type_: &str) -> Option<&'a str> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == type_)?;
    found["status"].as_str()
}
