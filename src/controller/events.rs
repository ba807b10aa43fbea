//! Kubernetes events: one on each transition of an object, written beside the reconciles so that none waits for it.

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{Condition, MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use kube::Resource;
use tokio::sync::mpsc;

use crate::api::{
    Reason,
    condition::{self, DRIFTED, READY},
};
use crate::controller::effects::Effects;

/// Events that may wait to be written; more than that is a storm, in which conditions and logs say the same.
const MOST_WAITING: usize = 1024;

/// Longest note that the API server accepts, in bytes.
const LONGEST_NOTE: usize = 1024;

/// Writes events.
#[derive(Clone, Debug)]
pub struct Events {
    sender: mpsc::Sender<Event>,
}

impl Events {
    /// Starts the task that writes them.
    pub fn start(effects: Effects) -> Self {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        tokio::spawn(write(effects, receiver));
        Self { sender }
    }

    /// Publishes an event where the condition Ready got another status or reason, and where the PAM began to differ. That
    /// a POST is under way is no news, nor that it was accepted, unless there was trouble before: a thousand new objects
    /// would be a thousand requests more, to say what their status says. Returns whether there is trouble now.
    pub fn announce<K: Resource<DynamicType = ()>>(
        &self,
        object: &K,
        old: &[Condition],
        new: &[Condition],
        trouble: bool,
    ) -> bool {
        let Some(ready) = condition::find(new, READY) else {
            return trouble;
        };
        if let Some(drifted) = condition::find(new, DRIFTED)
            && drifted.reason != ready.reason
            && condition::find(old, DRIFTED).is_none_or(|before| before.reason != drifted.reason)
        {
            self.publish(object, &drifted.reason, true, &drifted.message);
        }
        if ready.reason == Reason::Progressing.as_str() {
            return trouble;
        }
        let (before, is_ready) = (condition::find(old, READY), ready.status == "True");
        let same = before.is_some_and(|before| before.status == ready.status && before.reason == ready.reason);
        let expected =
            is_ready && !trouble && before.is_some_and(|before| before.reason == Reason::Progressing.as_str());
        if !same && !expected {
            self.publish(object, &ready.reason, !is_ready, &ready.message);
        }
        !is_ready
    }

    /// Publishes an event about an object.
    pub fn publish<K: Resource<DynamicType = ()>>(&self, object: &K, reason: &str, warning: bool, note: &str) {
        let now = Timestamp::now();
        let regarding = object.object_ref(&());
        let name = regarding.name.clone().unwrap_or_default();
        let event = Event {
            metadata: ObjectMeta {
                // Events about objects without a namespace live in `default`, where kubectl looks for them.
                namespace: Some(regarding.namespace.clone().unwrap_or_else(|| "default".to_owned())),
                name: Some(format!(
                    "{}.{:x}",
                    name.chars().take(200).collect::<String>(),
                    now.as_nanosecond()
                )),
                ..ObjectMeta::default()
            },
            action: Some("Reconcile".to_owned()),
            event_time: Some(MicroTime(now)),
            note: Some(cut(note).to_owned()),
            reason: Some(reason.to_owned()),
            regarding: Some(ObjectReference {
                resource_version: None,
                ..regarding
            }),
            reporting_controller: Some("pam-operator.dev/controller".to_owned()),
            reporting_instance: Some("pam-operator".to_owned()),
            type_: Some(if warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        };
        if self.sender.try_send(event).is_err() {
            tracing::debug!(object = %name, reason, "too many events: one was left out");
        }
    }
}

async fn write(effects: Effects, mut receiver: mpsc::Receiver<Event>) {
    while let Some(event) = receiver.recv().await {
        if let Err(error) = effects.create_event(&event).await {
            tracing::debug!(%error, "an event could not be written");
        }
    }
}

/// The longest start of a note that the API server accepts.
fn cut(note: &str) -> &str {
    &note[..note.floor_char_boundary(LONGEST_NOTE)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_cut_between_characters() {
        assert_eq!(cut("short"), "short");
        let long = "ã".repeat(600);
        assert_eq!(cut(&long).len(), 1024);
        let odd = format!("x{long}");
        assert_eq!(cut(&odd).len(), 1023);
    }
}
