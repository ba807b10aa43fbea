//! The operator is killed between claim, POST and result, and started again.

use pam_operator::{
    api::PamCredential,
    simulator::{Hold, NewCredential, Operation, Point},
};
use serde_json::json;

use crate::{
    crash::rights,
    look::{accepted_after, applied, claim, content, mark, only, own, password, posts, requested, set_password},
    world::{DEADLINE, World, id, is},
};

/// What becomes of the request that a killed operator leaves behind.
#[derive(Clone, Copy)]
enum Fate {
    /// It is never executed.
    Lost,
    /// It is executed before the operator is started again.
    Early,
    /// It is executed after the operator that was started again is done.
    Late,
}

/// Kills the operator while the PAM holds its POST, and starts it again; returns the object as soon as it is Ready and
/// done.
async fn killed(world: &mut World, hold: Hold, fate: Fate, is_done: impl Fn(&PamCredential) -> bool) -> PamCredential {
    hold.held(DEADLINE).await.expect("the POST arrives");
    world.kill().await;
    let late = match fate {
        Fate::Lost => {
            hold.drop_connection();
            None
        }
        Fate::Early => {
            hold.release();
            None
        }
        Fate::Late => Some(hold),
    };
    if late.is_none() {
        posts(world).await;
    }
    world.run().await;
    let object = world
        .until("db", "done", |object| is(object, "True", None) && is_done(object))
        .await;
    drop(late);
    posts(world).await;
    object
}

/// The PAM has one credential, status tells of it, and the next password goes there too.
async fn assert_one(world: &World, object: &PamCredential, expected: &str) {
    let credential = own(world, object);
    assert_eq!(credential.id, only(world).id);
    assert_eq!(password(&credential), Some(expected));
    set_password(world, "db", "canary-next").await;
    let object = accepted_after(world, object).await;
    assert_eq!(id(&object), only(world).id);
    assert_eq!(password(&only(world)), Some("canary-next"));
}

/// A hold on the create of an object `db`.
async fn creating(world: &World, point: Point) -> Hold {
    set_password(world, "db", "canary-first").await;
    let hold = world.pam.faults().hold(Operation::Post, None, point);
    world.create("db", content("db")).await;
    hold
}

async fn killed_during_a_create(point: Point, fate: Fate, expected_posts: usize) {
    let mut world = World::start().await;
    let hold = creating(&world, point).await;
    let object = killed(&mut world, hold, fate, |_| true).await;
    assert_eq!(posts(&world).await.len(), expected_posts);
    assert_one(&world, &object, "canary-first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_create_that_is_never_executed() {
    killed_during_a_create(Point::Before, Fate::Lost, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_create_that_is_executed_after_the_operators_death() {
    killed_during_a_create(Point::Before, Fate::Early, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_create_that_is_executed_after_that_of_the_next_operator() {
    killed_during_a_create(Point::Before, Fate::Late, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_create_that_was_executed_and_not_answered() {
    killed_during_a_create(Point::After, Fate::Lost, 2).await;
}

/// The answer to a held POST arrives at an operator that may not write it down.
async fn answer_in_vain(world: &World, hold: Hold) {
    hold.held(DEADLINE).await.expect("the POST arrives");
    rights::withhold_status(world).await;
    let start = mark(world).await;
    hold.release();
    requested(world, start, "try to write the result", |request| {
        request.operation() == "patch pamcredentials/status" && request.code == 403
    })
    .await;
}

/// The same, and the operator dies of it and is started again.
async fn killed_after_the_answer(world: &mut World, hold: Hold) {
    answer_in_vain(world, hold).await;
    world.kill().await;
    rights::return_status(world).await;
    world.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_answer_of_a_create_and_before_its_result_is_written() {
    let mut world = World::start().await;
    let hold = creating(&world, Point::After).await;
    killed_after_the_answer(&mut world, hold).await;
    let object = world.ready("db").await;
    assert_eq!(posts(&world).await.len(), 2);
    assert_one(&world, &object, "canary-first").await;
}

/// Without a death the result is written as soon as it can be, and the POST is not repeated.
#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_could_not_be_written_is_written_later() {
    let world = World::start().await;
    let hold = creating(&world, Point::After).await;
    answer_in_vain(&world, hold).await;
    rights::return_status(&world).await;
    let object = world.ready("db").await;
    assert_eq!(posts(&world).await.len(), 1);
    assert_one(&world, &object, "canary-first").await;
}

/// A ready object `db`, and a hold on its change of password.
async fn changing(world: &World, point: Point) -> (PamCredential, Hold) {
    set_password(world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let before = world.ready("db").await;
    let hold = world.pam.faults().hold(Operation::Post, None, point);
    set_password(world, "db", "canary-second").await;
    (before, hold)
}

async fn killed_during_a_change_of_password(point: Point, fate: Fate) {
    let mut world = World::start().await;
    let (before, hold) = changing(&world, point).await;
    let changed = |object: &PamCredential| applied(object) != applied(&before);
    let object = killed(&mut world, hold, fate, changed).await;
    assert_eq!(posts(&world).await.len(), 3);
    assert_eq!(id(&object), id(&before));
    assert_one(&world, &object, "canary-second").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_answer_of_a_change_of_password_and_before_its_result_is_written() {
    let mut world = World::start().await;
    let (before, hold) = changing(&world, Point::After).await;
    killed_after_the_answer(&mut world, hold).await;
    let object = accepted_after(&world, &before).await;
    assert_eq!(id(&object), id(&before));
    assert_one(&world, &object, "canary-second").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_change_of_password_that_is_never_executed() {
    killed_during_a_change_of_password(Point::Before, Fate::Lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_change_of_password_that_is_executed_after_that_of_the_next_operator() {
    killed_during_a_change_of_password(Point::Before, Fate::Late).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_of_password_that_was_executed_and_not_answered() {
    killed_during_a_change_of_password(Point::After, Fate::Lost).await;
}

/// The id of a credential made by hand, and a hold on its adoption by an object `db`.
async fn adopting(world: &World, point: Point) -> (u64, Hold) {
    let existing = world.pam.add(NewCredential {
        identifier: Some("made-by-hand".to_owned()),
        ..NewCredential::new("db.example.com", "10.0.0.1", "db")
    });
    set_password(world, "db", "canary-first").await;
    let hold = world.pam.faults().hold(Operation::Post, None, point);
    let mut spec = content("db");
    spec["adoptionPolicy"] = json!("Adopt");
    world.create("db", spec).await;
    (existing, hold)
}

async fn killed_during_an_adoption(point: Point, fate: Fate) {
    let mut world = World::start().await;
    let (existing, hold) = adopting(&world, point).await;
    let object = killed(&mut world, hold, fate, |_| true).await;
    assert_eq!(
        (id(&object), claim(&object).identifier.as_str()),
        (existing, "made-by-hand")
    );
    assert_one(&world, &object, "canary-first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_answer_of_an_adoption_and_before_its_result_is_written() {
    let mut world = World::start().await;
    let (existing, hold) = adopting(&world, Point::After).await;
    killed_after_the_answer(&mut world, hold).await;
    let object = world.ready("db").await;
    assert_eq!(id(&object), existing);
    assert_one(&world, &object, "canary-first").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_adoption_that_is_never_executed() {
    killed_during_an_adoption(Point::Before, Fate::Lost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_an_adoption_that_is_executed_after_that_of_the_next_operator() {
    killed_during_an_adoption(Point::Before, Fate::Late).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_adoption_that_was_executed_and_not_answered() {
    killed_during_an_adoption(Point::After, Fate::Lost).await;
}
