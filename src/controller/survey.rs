//! The objects as metrics show them: what their status says, in words of ours alone.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use crate::controller::{
    caches::Caches,
    connection::{kind::ConnectionResource, terms::LinkKey},
    ownership::identity::Name,
    packed::{Glance, Packed},
    shard::Shard,
    store::Store,
};
use crate::{
    api::{
        Reason,
        condition::{DRIFTED, READY, RECONCILING, STALLED, find},
    },
    metrics::{Shown, Subject},
};

/// All objects of ours as they are now.
pub fn survey(caches: &Caches, shard: &Shard) -> Vec<Subject> {
    let mut credentials = caches.credentials.objects();
    if !shard.is_everything() {
        credentials.retain(|(_, object)| shard.owns(&object.open()));
    }
    let credentials = credentials.into_iter();
    let credentials = credentials.map(|(name, object)| subject("PamCredential", &name, &object.glance()));
    credentials
        .chain(connections(&caches.connections, shard))
        .chain(connections(&caches.cluster_connections, shard))
        .collect()
}

fn connections<'a, K: ConnectionResource>(
    store: &Store<Packed<K>>,
    shard: &'a Shard,
) -> impl Iterator<Item = Subject> + use<'a, K> {
    let mut objects = store.objects();
    objects.retain(|(name, _)| shard.has(&LinkKey::named(K::KIND, name)));
    let objects = objects.into_iter();
    objects.map(|(name, object)| subject(K::KIND.as_str(), &name, &object.glance()))
}

fn subject(kind: &'static str, name: &Name, seen: &Glance) -> Subject {
    let ready = find(&seen.conditions, READY);
    Subject {
        kind,
        namespace: name.namespace().to_owned(),
        name: name.name().to_owned(),
        observed: ready.is_some_and(|ready| ready.observed_generation == seen.generation),
        conditions: seen.conditions.iter().filter_map(shown).collect(),
        deleted: seen.deleted,
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
    use crate::{
        api::PamCredential,
        controller::{packed::Arrival, store::Watched},
    };

    #[test]
    fn only_words_of_ours_become_labels() {
        let condition = |type_: &str, reason: &str| {
            json!({
                "type": type_, "status": "True", "reason": reason, "message": "any text", "observedGeneration": 2,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let object: Arrival<PamCredential> = serde_json::from_value(json!({
            "metadata": {
                "namespace": "orders", "name": "db", "generation": 2, "deletionTimestamp": "2026-01-01T00:00:00Z",
            },
            "spec": {},
            "status": {"conditions": [
                condition("Ready", "Synced"), condition("Drifted", "my-password"), condition("Other", "Synced"),
            ]},
        }))
        .expect("readable");
        let subject = subject("PamCredential", &Name::new("orders", "db"), &object.keep().glance());
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
