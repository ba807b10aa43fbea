//! Conditions as kstatus reads them, in every state that the API server ever had; and the events on the way.

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::events::v1::Event;
use kube::{
    Api,
    api::{ListParams, WatchEvent, WatchParams},
};
use pam_operator::{
    api::{
        PamCredential,
        condition::{READY, RECONCILING, STALLED, find},
    },
    simulator::{Effect, Fault, Operation, Point},
};
use serde_json::json;

use crate::{
    look::{content, set_password},
    world::{DEADLINE, World},
};

/// The label that ends a record.
const END: &str = "end";

/// Every state of every PamCredential from `version` on, until one has the label `end`.
async fn record(world: &World, version: &str) -> Vec<PamCredential> {
    let api: Api<PamCredential> = world.api();
    let mut events = api
        .watch(&WatchParams::default(), version)
        .await
        .expect("a watch")
        .boxed();
    let mut states = Vec::new();
    let all = async {
        while let Some(event) = events.try_next().await.expect("the watch goes on") {
            if let WatchEvent::Added(object) | WatchEvent::Modified(object) = event {
                let ended = object.metadata.labels.iter().flatten().any(|(name, _)| name == END);
                states.push(object);
                if ended {
                    break;
                }
            }
        }
    };
    tokio::time::timeout(DEADLINE, all)
        .await
        .expect("the last state arrives");
    states
}

/// What kstatus and people rely on in any state.
fn assert_sound(object: &PamCredential) {
    let status = object.status.as_ref().expect("there is a status from the start");
    let has = |type_| find(&status.conditions, type_).is_some();
    let Some(ready) = find(&status.conditions, READY) else {
        assert_eq!(
            status.observed_generation,
            Some(-1),
            "only a new object has no conditions"
        );
        assert!(status.conditions.is_empty());
        return;
    };
    assert!(!(has(RECONCILING) && has(STALLED)), "{:?}", status.conditions);
    assert_ne!(
        ready.status == "True",
        has(RECONCILING) || has(STALLED),
        "{:?}",
        status.conditions
    );
    for condition in &status.conditions {
        assert_eq!(condition.observed_generation, status.observed_generation);
        assert!(condition.observed_generation <= object.metadata.generation);
        assert!(condition.type_ == READY || condition.status == "True");
        assert_eq!(condition.reason, ready.reason);
    }
    if ready.status == "True" {
        let applied = status.applied.as_ref().map(|applied| applied.generation);
        assert_eq!(applied, status.observed_generation, "Ready is about what was accepted");
    }
}

/// Reason of Ready, and which of the others is there.
fn summary(object: &PamCredential) -> (String, Option<&'static str>) {
    let conditions = &object.status.as_ref().expect("a status").conditions;
    let reason = find(conditions, READY).map_or("", |ready| ready.reason.as_str());
    let other = [RECONCILING, STALLED]
        .into_iter()
        .find(|type_| find(conditions, type_).is_some());
    (reason.to_owned(), other)
}

/// A new object, a missing Secret, a refusal; each is mended.
async fn story(world: &World) {
    set_password(world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;

    world.change("db", content("other")).await;
    world.fails("db", "SecretNotFound").await;
    set_password(world, "other", "canary-second").await;
    world.ready("db").await;

    let effect = Effect::Refuse {
        code: 1029,
        message: "Domain not found".to_owned(),
        status: 400,
    };
    world.pam.faults().add(Fault::new(effect).on(Operation::Post).next(1));
    world.change("db", json!({"domain": "lab"})).await;
    world.fails("db", "DomainNotFound").await;
    world
        .change("db", json!({"domain": null, "additional": "orders"}))
        .await;
    world.ready("db").await;
    world.patch("db", json!({"metadata": {"labels": {END: "true"}}})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_state_is_sound_and_every_trouble_and_its_end_is_one_event() {
    let world = World::start().await;
    let api: Api<PamCredential> = world.api();
    let list = api.list(&ListParams::default()).await.expect("a list");
    let version = list.metadata.resource_version.expect("a version");
    let (states, ()) = tokio::join!(record(&world, &version), story(&world));
    states.iter().for_each(assert_sound);
    let mut summaries: Vec<_> = states.iter().map(summary).collect();
    summaries.dedup();
    let expected = [
        ("", None),
        ("Progressing", Some(RECONCILING)),
        ("Synced", None),
        ("SecretNotFound", Some(RECONCILING)),
        ("Synced", None),
        ("DomainNotFound", Some(STALLED)),
        ("Synced", None),
    ];
    assert_eq!(summaries, expected.map(|(reason, other)| (reason.to_owned(), other)));

    // Events are written in their order, so that of a later object ends the list. That it became Ready is none.
    world.create("later", json!({})).await;
    world.ready("later").await;
    world.patch("later", json!({"spec": {"suspend": true}})).await;
    let events = events_until(&world, "later").await;
    let expected = [
        ("db", "Warning", "SecretNotFound"),
        ("db", "Normal", "Synced"),
        ("db", "Warning", "DomainNotFound"),
        ("db", "Normal", "Synced"),
        ("later", "Normal", "Suspended"),
    ];
    assert_eq!(
        events,
        expected.map(|(name, type_, reason)| [name, type_, reason].map(str::to_owned))
    );
}

/// All events about PamCredentials up to the first one about this object: whom they regard, their type and reason.
async fn events_until(world: &World, name: &str) -> Vec<[String; 3]> {
    let api: Api<Event> = world.api();
    let mut watch = api.watch(&WatchParams::default(), "0").await.expect("a watch").boxed();
    let mut events = Vec::new();
    let all = async {
        while let Some(event) = watch.try_next().await.expect("the watch goes on") {
            let WatchEvent::Added(event) = event else { continue };
            let regarding = event.regarding.unwrap_or_default();
            if regarding.kind.as_deref() != Some("PamCredential") {
                continue;
            }
            let about = regarding.name.unwrap_or_default();
            let last = about == name;
            events.push((
                event.event_time,
                [about, event.type_.unwrap_or_default(), event.reason.unwrap_or_default()],
            ));
            if last {
                break;
            }
        }
    };
    tokio::time::timeout(DEADLINE, all)
        .await
        .expect("the last event arrives");
    events.sort_by(|a, b| a.0.cmp(&b.0));
    events.into_iter().map(|(_, event)| event).collect()
}

/// Short updates go from Ready to Ready; one that takes long says that it is under way.
#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_takes_long_says_so() {
    let world = World::start().await;
    world.create("db", json!({})).await;
    world.ready("db").await;
    let hold = world.pam.faults().hold(Operation::Post, None, Point::Before);
    world.change("db", json!({"additional": "orders"})).await;
    let object = world.fails("db", "Progressing").await;
    assert_sound(&object);
    hold.release();
    assert_sound(&world.ready("db").await);
}
