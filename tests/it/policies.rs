//! What each policy does when others change the PAM.

mod drift;
mod enforce;
mod examples;
mod reclaim;
mod vanished;

use pam_operator::{
    api::{
        PamCredential, Reason,
        condition::{DRIFTED, find},
    },
    simulator::Operation,
};
use serde_json::{Value, json};

use crate::{
    look::{content, posts, set_password},
    world::{DEADLINE, Setting, World, is},
};

/// A world whose PAM is listed as often as the operator lists at all.
async fn watchful() -> World {
    watchful_with(Setting::default()).await
}

async fn watchful_with(setting: Setting) -> World {
    let setting = Setting {
        started: false,
        ..setting
    };
    let mut world = World::with(setting).await;
    world.connection("vault", json!({"driftCheckInterval": "1s"})).await;
    world.run().await;
    world
}

/// An object `db` with a password and these policies, ready.
async fn ready(world: &World, policies: Value) -> PamCredential {
    set_password(world, "db", "canary-first").await;
    let mut spec = content("db");
    crate::world::merge(&mut spec, policies);
    world.create("db", spec).await;
    world.ready("db").await
}

/// Waits until the PAM has been listed completely so many times from now on, so that the operator has seen what it holds.
async fn listings(world: &World, count: usize) {
    let ended = |entries: &[pam_operator::simulator::Entry]| {
        let listings = entries.iter().filter(|entry| entry.operation == Operation::List);
        listings.filter(|entry| entry.ended.is_some()).count()
    };
    let journal = world.pam.journal();
    // One that is under way may have looked already.
    let wanted = ended(&journal.entries()) + count + 1;
    let listed = journal.wait_for(DEADLINE, |entries| ended(entries) >= wanted);
    listed.await.expect("the PAM is listed");
}

/// The reason of the condition Drifted, while it is true of the present generation.
fn drifted(object: &PamCredential) -> Option<String> {
    let status = object.status.as_ref()?;
    let condition = find(&status.conditions, DRIFTED)?;
    assert_eq!(condition.status, "True");
    (condition.observed_generation == object.metadata.generation).then(|| condition.reason.clone())
}

fn has_no_difference(object: &PamCredential) -> bool {
    object
        .status
        .as_ref()
        .is_some_and(|status| find(&status.conditions, DRIFTED).is_none())
}

/// Waits until the object is ready and says this of the PAM.
async fn says(world: &World, reason: Option<Reason>) -> PamCredential {
    let described = reason.map_or("without a difference", Reason::as_str);
    let says_so = |object: &PamCredential| match reason {
        Some(reason) => drifted(object).as_deref() == Some(reason.as_str()),
        None => has_no_difference(object),
    };
    world
        .until("db", described, |object| is(object, "True", None) && says_so(object))
        .await
}

/// How many POSTs arrived, once all of them are answered.
async fn sent(world: &World) -> usize {
    posts(world).await.len()
}
