//! driftPolicy: a credential vanished from the PAM's list.

use pam_operator::{
    api::{
        Reason,
        condition::{DRIFTED, find},
    },
    simulator::{Effect, Fault, NewCredential, Operation},
};
use serde_json::json;

use super::{listings, ready, says, sent, watchful};
use crate::{
    look::{only, own, password, within_deadline},
    world::{World, id},
};

/// Something else that the PAM lists: a list without entries never proves that anything vanished.
fn bystander(world: &World) {
    world
        .pam
        .add(NewCredential::new("other.example.com", "10.0.0.2", "other"));
}

#[tokio::test(flavor = "multi_thread")]
async fn report_says_it_after_two_listings_and_takes_it_back_when_it_returns() {
    let world = watchful().await;
    bystander(&world);
    let object = ready(&world, json!({})).await;
    world.pam.edit(id(&object), |credential| credential.active = false);
    says(&world, Some(Reason::NotFoundInPam)).await;
    world.pam.edit(id(&object), |credential| credential.active = true);
    says(&world, None).await;
    assert_eq!(sent(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_listing_without_it_or_an_empty_one_is_no_proof() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    let own_id = id(&object);
    // Nothing else is there, so the list is empty now.
    world.pam.edit(own_id, |credential| credential.active = false);
    listings(&world, 3).await;
    says(&world, None).await;
    world.pam.edit(own_id, |credential| credential.active = true);
    bystander(&world);
    listings(&world, 1).await;
    let without = Effect::Amend(json!({"credentials": [{
        "id": "99", "identifier": "other", "username": "other", "hostname": "other.example.com", "management_ip": "10.0.0.2",
    }]}));
    world.pam.faults().add(Fault::new(without).on(Operation::List).next(1));
    listings(&world, 2).await;
    says(&world, None).await;
    assert_eq!(sent(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn correct_creates_it_again_with_its_identifier_and_password() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    let before = own(&world, &object);
    world.pam.remove(before.id);
    bystander(&world);
    let again = world
        .until("db", "created again", |object| {
            crate::world::is(object, "True", Some("Synced")) && id(object) != before.id
        })
        .await;
    let after = own(&world, &again);
    assert_eq!(after.identifier, before.identifier);
    assert_eq!(password(&after), Some("canary-first"));
    assert_eq!((sent(&world).await, world.pam.credentials().len()), (2, 2));
    listings(&world, 2).await;
    assert_eq!(sent(&world).await, 2);
}

/// What is inactive is not listed; a POST would find it, and its activation is for a person to decide.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_person_deactivated_is_not_activated_again() {
    let world = watchful().await;
    bystander(&world);
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    world.pam.edit(id(&object), |credential| credential.active = false);
    world.fails("db", "UnexpectedAnswer").await;
    listings(&world, 2).await;
    let credential = world.pam.credential(id(&object)).expect("it is there");
    assert!(!credential.active);
    assert_eq!(world.pam.journal().count(Operation::Put), 0);
    assert_eq!(sent(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_corrected_when_many_vanish_at_once() {
    const MANY: usize = 12;
    let world = watchful().await;
    bystander(&world);
    for number in 0..MANY {
        world
            .create(&format!("db-{number}"), json!({"driftPolicy": "Correct"}))
            .await;
    }
    let mut before = Vec::new();
    for number in 0..MANY {
        before.push(world.ready(&format!("db-{number}")).await);
    }
    let removed: Vec<_> = before
        .iter()
        .map(|object| world.pam.credential(id(object)).expect("it is there"))
        .collect();
    for credential in &removed {
        world.pam.remove(credential.id);
    }
    for number in 0..MANY {
        let name = format!("db-{number}");
        world
            .until(&name, "told of its loss", |object| {
                super::drifted(object).as_deref() == Some("NotFoundInPam")
            })
            .await;
    }
    within_deadline("say so on the connection", async || {
        let connection = world.api::<pam_operator::api::PamConnection>().get("vault").await;
        let status = connection.expect("it is there").status.expect("a status");
        find(&status.conditions, DRIFTED).is_some_and(|drifted| {
            drifted.reason == "NotFoundInPam" && drifted.message.starts_with("12 of 12 credentials")
        })
    })
    .await;
    assert_eq!(sent(&world).await, MANY);

    // Most come back; the few that do not are corrected.
    for credential in &removed[2..] {
        world.pam.add(NewCredential {
            id: Some(credential.id),
            identifier: credential.identifier.clone(),
            ..NewCredential::new(&credential.hostname, &credential.ip, &credential.username)
        });
    }
    for number in 0..MANY {
        let name = format!("db-{number}");
        world
            .until(&name, "in sync again", |object| {
                crate::world::is(object, "True", Some("Synced")) && super::has_no_difference(object)
            })
            .await;
    }
    assert_eq!(sent(&world).await, MANY + 2);
    assert_eq!(world.pam.credentials().len(), MANY + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_what_vanished_is_stalled_and_creates_nothing() {
    let world = watchful().await;
    bystander(&world);
    let object = ready(&world, json!({})).await;
    world.pam.remove(id(&object));
    says(&world, Some(Reason::NotFoundInPam)).await;
    world.change("db", json!({"additional": "orders"})).await;
    world.fails("db", "NotFoundInPam").await;
    listings(&world, 2).await;
    assert_eq!((sent(&world).await, only(&world).username.as_str()), (1, "other"));
}
