//! The PAM breaks off before or after executing, and the operator lives.

use pam_operator::simulator::{Effect, Fault, Operation, Point};
use serde_json::json;

use crate::{
    look::{accepted_after, content, only, own, password, posts, set_password},
    world::{Setting, World, message},
};

/// The next POST breaks off.
fn break_off(world: &World, effect: Effect) {
    world.pam.faults().add(Fault::new(effect).on(Operation::Post).next(1));
}

async fn create_that_breaks_off(effect: Effect) {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    break_off(&world, effect);
    world.create("db", content("db")).await;
    world.fails("db", "PamUnavailable").await;
    let object = world.ready("db").await;
    assert_eq!(own(&world, &object).id, only(&world).id);
    assert_eq!(password(&only(&world)), Some("canary-first"));
    assert_eq!(posts(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_breaks_off_before_it_is_executed_is_repeated() {
    create_that_breaks_off(Effect::DropBefore).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_that_breaks_off_after_it_is_executed_is_repeated_and_finds_its_own() {
    create_that_breaks_off(Effect::DropAfter).await;
}

async fn change_of_password_that_breaks_off(effect: Effect) {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let before = world.ready("db").await;
    break_off(&world, effect);
    set_password(&world, "db", "canary-second").await;
    world.fails("db", "PamUnavailable").await;
    let object = accepted_after(&world, &before).await;
    assert_eq!(own(&world, &object).id, only(&world).id);
    assert_eq!(password(&only(&world)), Some("canary-second"));
    assert_eq!(posts(&world).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_password_that_breaks_off_before_it_is_executed_is_repeated() {
    change_of_password_that_breaks_off(Effect::DropBefore).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_password_that_breaks_off_after_it_is_executed_is_repeated() {
    change_of_password_that_breaks_off(Effect::DropAfter).await;
}

/// The request that timed out is still under way when its repetition succeeds. A newer password that was sent now could
/// be overwritten by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_password_waits_while_an_earlier_request_may_still_arrive() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    world.connection("vault", json!({"timeout": "1s"})).await;
    world.run().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let before = world.ready("db").await;
    let hold = world.pam.faults().hold(Operation::Post, None, Point::Before);
    set_password(&world, "db", "canary-second").await;
    world.fails("db", "PamUnavailable").await;
    accepted_after(&world, &before).await;
    set_password(&world, "db", "canary-third").await;
    let object = world.fails("db", "Progressing").await;
    assert!(message(&object).contains("may still arrive"), "{}", message(&object));
    assert_eq!(world.pam.journal().count(Operation::Post), 3);
    hold.release();
    assert_eq!(posts(&world).await.len(), 3);
    assert_eq!(password(&only(&world)), Some("canary-second"));
}
