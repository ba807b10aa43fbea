//! The objects as metrics show them: what their status says, in words of ours alone.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::object::{HasSpec, HasStatus};

use crate::controller::{caches::Caches, connection::key, guarded::Guarded, shard::Shard};
use crate::{
    api::{
        ConnectionKind, Reason,
        condition::{DRIFTED, READY, RECONCILING, STALLED, find},
    },
    metrics::{Shown, Subject},
};

/// All objects of ours as they are now.
pub fn survey(caches: &Caches, shard: &Shard) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for object in caches.credentials.state() {
        if !shard.owns(&object) {
            continue;
        }
        let conditions = object.status.as_ref().map(|status| status.conditions.as_slice());
        subjects.push(subject("PamCredential", &object, conditions));
    }
    for object in caches.connections.state() {
        if !shard.has(&key(&object)) {
            continue;
        }
        let conditions = object.status.as_ref().map(|status| status.conditions.as_slice());
        subjects.push(subject(ConnectionKind::PamConnection.as_str(), &object, conditions));
    }
    for object in caches.cluster_connections.state() {
        if !shard.has(&key(&object)) {
            continue;
        }
        let conditions = object.status.as_ref().map(|status| status.conditions.as_slice());
        subjects.push(subject(
            ConnectionKind::ClusterPamConnection.as_str(),
            &object,
            conditions,
        ));
    }
    subjects
}

fn subject<K: HasSpec + HasStatus>(
    kind: &'static str,
    object: &Guarded<K>,
    conditions: Option<&[Condition]>,
) -> Subject {
    let metadata = &object.metadata;
    let conditions = conditions.unwrap_or_default();
    let ready = find(conditions, READY);
    Subject {
        kind,
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: metadata.name.clone().unwrap_or_default(),
        observed: ready.is_some_and(|ready| ready.observed_generation == metadata.generation),
        conditions: conditions.iter().filter_map(shown).collect(),
        deleted: metadata.deletion_timestamp.as_ref().map(|time| time.0.as_second()),
    }
}

/// A condition, if it is one of ours: who may write status can write any text there, which must not become a label.
fn shown(condition: &Condition) -> Option<Shown> {
    let word = |words: &[&'static str], text: &str| words.iter().copied().find(|word| *word == text);
    Some(Shown {
        condition: word(&[READY, RECONCILING, STALLED, DRIFTED], &condition.type_)?,
        status: word(&["True", "False", "Unknown"], &condition.status)?,
        reason: Reason::parse(&condition.reason)?.as_str(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::PamCredential;

    #[test]
    fn only_words_of_ours_become_labels() {
        let condition = |type_: &str, reason: &str| {
            json!({
                "type": type_, "status": "True", "reason": reason, "message": "any text", "observedGeneration": 2,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let object: Guarded<PamCredential> = serde_json::from_value(json!({
            "metadata": {
                "namespace": "orders", "name": "db", "generation": 2, "deletionTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {},
            "status": {"conditions": [
                condition("Ready", "Synced"), condition("Drifted", "my-password"), condition("Other", "Synced"),
            ]},
        }))
        .expect("readable");
        let conditions = object.status.as_ref().map(|status| status.conditions.as_slice());
        let subject = subject("PamCredential", &object, conditions);
        assert!(subject.observed);
        assert_eq!(subject.deleted, Some(1_767_225_600));
        let shown: Vec<_> = subject
            .conditions
            .iter()
            .map(|shown| (shown.condition, shown.status, shown.reason))
            .collect();
        assert_eq!(shown, [("Ready", "True", "Synced")]);
    }
}
