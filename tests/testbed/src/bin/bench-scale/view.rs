//! What the API server says of the objects, followed by a watch that decodes only what is asked.

use std::{collections::HashMap, time::Duration};

use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use kube::{
    Api, Client, ResourceExt,
    api::ApiResource,
    core::Object,
    runtime::watcher::{self, Event},
};
use pam_operator::api::PamCredential;
use serde::{Deserialize, de::IgnoredAny};
use testbed::Error;

type Seen = Object<IgnoredAny, Status>;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    observed_generation: Option<i64>,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

/// All objects, and how many of them are Ready in their present generation.
#[derive(Default)]
pub struct View {
    objects: HashMap<(String, String), bool>,
    ready: u32,
}

impl View {
    /// How many are Ready.
    pub fn ready(&self) -> u32 {
        self.ready
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    fn take(&mut self, event: Event<Seen>) {
        match event {
            Event::Init => *self = Self::default(),
            Event::InitApply(object) | Event::Apply(object) => {
                let is_ready = is_ready(&object);
                let before = self.objects.insert(key(&object), is_ready);
                self.ready += u32::from(is_ready);
                self.ready -= u32::from(before == Some(true));
            }
            Event::Delete(object) => {
                let before = self.objects.remove(&key(&object));
                self.ready -= u32::from(before == Some(true));
            }
            Event::InitDone => {}
        }
    }
}

/// Follows all objects.
pub struct Follower {
    events: BoxStream<'static, watcher::Result<Event<Seen>>>,
    view: View,
}

impl Follower {
    /// Begins with the list of all objects, which is complete when this returns.
    pub async fn begin(client: &Client) -> Result<Self, Error> {
        let resource = ApiResource::erase::<PamCredential>(&());
        let api = Api::<Seen>::all_with(client.clone(), &resource);
        let events = watcher::watcher(api, watcher::Config::default());
        let mut follower = Self {
            events: events.boxed(),
            view: View::default(),
        };
        while !matches!(follower.next().await?, Step::ListComplete) {}
        Ok(follower)
    }

    /// Goes on until the objects are as described.
    pub async fn until(
        mut self,
        described: &str,
        deadline: Duration,
        is_so: impl Fn(&View) -> bool,
    ) -> Result<(), Error> {
        let following = async {
            let mut is_complete = true;
            while !(is_complete && is_so(&self.view)) {
                match self.next().await? {
                    Step::ListBegins => is_complete = false,
                    Step::ListComplete => is_complete = true,
                    Step::Object => {}
                }
            }
            Ok(())
        };
        let outcome = tokio::time::timeout(deadline, following).await;
        outcome.unwrap_or_else(|_| {
            let (count, ready) = (self.view.objects.len(), self.view.ready);
            Err(Error::Timeout(format!(
                "not {described} after {deadline:?}: {ready} of {count} objects are Ready"
            )))
        })
    }

    async fn next(&mut self) -> Result<Step, Error> {
        let event = self.events.try_next().await;
        let event = event.map_err(|error| Error::Manifest(format!("cannot watch: {error}")))?;
        let event = event.expect("a watch does not end");
        let step = match &event {
            Event::Init => Step::ListBegins,
            Event::InitDone => Step::ListComplete,
            _ => Step::Object,
        };
        self.view.take(event);
        Ok(step)
    }
}

/// What an event was about.
enum Step {
    ListBegins,
    ListComplete,
    Object,
}

fn is_ready(object: &Seen) -> bool {
    let Some(status) = &object.status else { return false };
    let mut conditions = status.conditions.iter();
    let ready = conditions.any(|condition| condition.kind == "Ready" && condition.status == "True");
    ready && status.observed_generation == object.metadata.generation
}

fn key(object: &Seen) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(name: &str, generation: i64, status: &Value) -> Seen {
        let object = json!({
            "apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential",
            "metadata": {"name": name, "namespace": "a", "generation": generation}, "spec": {}, "status": status,
        });
        serde_json::from_value(object).expect("the literal has the form of an object")
    }

    #[test]
    fn an_object_counts_while_it_is_ready_in_its_present_generation() {
        let ready = json!({"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]});
        let mut view = View::default();
        let mut counts = Vec::new();
        for event in [
            Event::InitApply(object("one", 1, &json!({"observedGeneration": -1}))),
            Event::Apply(object("one", 1, &ready)),
            Event::Apply(object("two", 1, &ready)),
            Event::Apply(object("two", 2, &ready)),
            Event::Delete(object("one", 1, &ready)),
            Event::Delete(object("two", 2, &ready)),
        ] {
            view.take(event);
            counts.push(view.ready());
        }
        assert_eq!(counts, [0, 1, 2, 1, 0, 0]);
        assert!(view.is_empty());
    }
}
