//! What the listing does not show may still be there: the PAM's answer is the last word on whose credential it was.

use pam_operator::{
    api::PamCredential,
    simulator::{Effect, Fault, NewCredential, Operation},
};
use serde_json::json;

use crate::ownership::{Foreign, foreign, posts};
use crate::world::{World, id, message};

/// A credential of somebody else that is inactive, and therefore not listed.
fn inactive(world: &World) -> Foreign {
    let credential = NewCredential {
        active: false,
        ..foreign("theirs", "db")
    };
    Foreign::add(&world.pam, credential)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_credential_is_touched_once_at_most_and_never_activated() {
    let mut world = World::start().await;
    let hidden = inactive(&world);
    world.create("db", json!({})).await;
    let object = world.fails("db", "UnexpectedAnswer").await;
    assert!(
        message(&object).contains(&format!("updated credential {}", hidden.id)),
        "{}",
        message(&object)
    );
    let claim = object.status.and_then(|status| status.claim).expect("the claim stays");
    assert_eq!(claim.id, None);

    // Neither a listing nor a restart provokes the same answer again.
    world.create("later", json!({})).await;
    world.ready("later").await;
    world.stop().await;
    world.run().await;
    world.create("after-restart", json!({})).await;
    world.ready("after-restart").await;
    world.fails("db", "UnexpectedAnswer").await;
    world.stop().await;
    assert_eq!(posts(&world.pam), 3);
    assert_eq!(world.pam.journal().count(Operation::Put), 0);
    assert!(!world.pam.credential(hidden.id).expect("it was there").active);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_credential_is_adopted_and_activated() {
    let world = World::start().await;
    let hidden = inactive(&world);
    world.create("db", json!({"adoptionPolicy": "Adopt"})).await;
    let object = world.ready("db").await;
    assert_eq!(id(&object), hidden.id);
    assert!(world.pam.credential(hidden.id).expect("it was there").active);
    assert_eq!((posts(&world.pam), world.pam.journal().count(Operation::Put)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_answer_is_accepted_when_adoption_is_permitted_later() {
    let world = World::start().await;
    let hidden = inactive(&world);
    world.create("db", json!({})).await;
    world.fails("db", "UnexpectedAnswer").await;
    world.change("db", json!({"adoptionPolicy": "Adopt"})).await;
    assert_eq!(id(&world.ready("db").await), hidden.id);
    assert!(world.pam.credential(hidden.id).expect("it was there").active);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_answered_with_another_id_is_no_success() {
    let world = World::start().await;
    world.create("db", json!({})).await;
    let own = world.ready("db").await;
    let answer = json!({"credential": {"id": "4711"}});
    world
        .pam
        .faults()
        .add(Fault::new(Effect::Amend(answer)).on(Operation::Post));
    world.change("db", json!({"tags": ["edited"]})).await;
    let object = world.fails("db", "UnexpectedAnswer").await;
    assert!(message(&object).contains("4711"), "{}", message(&object));
    let claim = |object: &PamCredential| object.status.as_ref().and_then(|status| status.claim.clone());
    assert_eq!(claim(&object), claim(&own));
}

/// What was hidden is listed now, and is somebody else's, to this process and to the next one.
#[tokio::test(flavor = "multi_thread")]
async fn what_answered_unexpectedly_is_not_taken_over_by_the_next_process() {
    let mut world = World::start().await;
    let hidden = Foreign::add(
        &world.pam,
        NewCredential {
            active: false,
            ..foreign("orders-db", "db")
        },
    );
    world.create("db", json!({"identifier": "orders-db"})).await;
    world.fails("db", "UnexpectedAnswer").await;
    world.pam.edit(hidden.id, |credential| credential.active = true);
    world.change("db", json!({"tags": ["edited"]})).await;
    world.fails("db", "AlreadyExists").await;
    world.stop().await;
    world.run().await;
    world.create("after-restart", json!({})).await;
    world.ready("after-restart").await;
    world.fails("db", "AlreadyExists").await;
    assert_eq!(posts(&world.pam), 2);
}

/// The activation that follows an adoption is repeated until it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_whose_activation_failed_is_activated_later() {
    let world = World::start().await;
    let hidden = inactive(&world);
    world
        .pam
        .faults()
        .add(Fault::new(Effect::DropBefore).on(Operation::Put).next(1));
    world.create("db", json!({"adoptionPolicy": "Adopt"})).await;
    world.ready("db").await;
    assert!(world.pam.credential(hidden.id).expect("it was there").active);
}
