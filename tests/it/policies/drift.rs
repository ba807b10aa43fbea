//! driftPolicy: somebody changed a credential's identity in the PAM.

use pam_operator::{
    api::Reason,
    simulator::{Credential, Effect, Fault, Operation},
};
use serde_json::{Value, json};

use super::{drifted, listings, ready, says, sent, watchful};
use crate::{
    look::{mark, only, own, password, writes},
    world::{World, id, is, message},
};

/// What an administrator may change.
type Edit = fn(&mut Credential);

const EDITS: [(&str, Edit); 4] = [
    ("username", |credential| credential.username = "renamed".into()),
    ("hostname", |credential| {
        credential.hostname = "moved.example.com".into();
    }),
    ("ip", |credential| credential.ip = "10.9.9.9".into()),
    ("identifier", |credential| {
        credential.identifier = Some("renamed".into());
    }),
];

fn undo(world: &World, before: &Credential) {
    world.pam.edit(before.id, |credential| {
        credential.username.clone_from(&before.username);
        credential.hostname.clone_from(&before.hostname);
        credential.ip.clone_from(&before.ip);
        credential.identifier.clone_from(&before.identifier);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn report_says_each_difference_while_it_lasts_and_sends_nothing() {
    let world = watchful().await;
    let object = ready(&world, json!({})).await;
    let before = own(&world, &object);
    for (field, edit) in EDITS {
        world.pam.edit(before.id, edit);
        let object = says(&world, Some(Reason::Drifted)).await;
        assert_eq!(
            message(&object),
            "Credential 1 is in sync",
            "{field}: what was asked for was accepted"
        );
        undo(&world, &before);
        says(&world, None).await;
    }
    assert_eq!(sent(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_costs_one_write_and_the_listings_after_it_none() {
    let world = watchful().await;
    let object = ready(&world, json!({})).await;
    let start = mark(&world).await;
    world.pam.edit(id(&object), EDITS[0].1);
    says(&world, Some(Reason::Drifted)).await;
    listings(&world, 2).await;
    let expected = [("patch pamcredentials/status".to_owned(), 1)];
    assert_eq!(writes(&world, start).await, expected.into());
}

#[tokio::test(flavor = "multi_thread")]
async fn report_holds_an_update_back_until_the_difference_is_undone() {
    let world = watchful().await;
    let object = ready(&world, json!({})).await;
    let before = own(&world, &object);
    world.pam.edit(before.id, EDITS[0].1);
    says(&world, Some(Reason::Drifted)).await;
    world.change("db", json!({"additional": "orders"})).await;
    let stalled = world.fails("db", "Drifted").await;
    assert_eq!(drifted(&stalled).as_deref(), Some("Drifted"));
    assert_eq!(sent(&world).await, 1);
    undo(&world, &before);
    let object = says(&world, None).await;
    assert_eq!(own(&world, &object).fields["additional"], "orders");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_spec_to_what_the_pam_has_ends_the_difference() {
    let world = watchful().await;
    let object = ready(&world, json!({})).await;
    world.pam.edit(id(&object), EDITS[0].1);
    says(&world, Some(Reason::Drifted)).await;
    world.change("db", json!({"username": "renamed"})).await;
    let after = says(&world, None).await;
    assert_eq!(own(&world, &after).id, id(&object));
    assert_eq!(only(&world).content_writes, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ignore_says_nothing_and_the_next_update_goes_through() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Ignore"})).await;
    world.pam.edit(id(&object), EDITS[0].1);
    listings(&world, 2).await;
    says(&world, None).await;
    assert_eq!(sent(&world).await, 1);
    world.change("db", json!({"additional": "orders"})).await;
    let object = says(&world, None).await;
    assert_eq!(own(&world, &object).username, "db");
}

/// Each edit is a difference of its own; the one that is made a second time is somebody's will.
#[tokio::test(flavor = "multi_thread")]
async fn correct_ends_each_difference_once_without_the_password_and_then_says_it() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    let before = own(&world, &object);
    for (number, (field, edit)) in EDITS.into_iter().enumerate() {
        world.pam.edit(before.id, edit);
        let posted = world
            .pam
            .journal()
            .wait_for_count(Operation::Post, number as u64 + 2, crate::world::DEADLINE);
        posted.await.unwrap_or_else(|_| panic!("{field} is corrected"));
        assert_eq!(sent(&world).await, number + 2);
        let after = only(&world);
        assert_eq!(
            (&after.username, &after.hostname, &after.ip),
            (&before.username, &before.hostname, &before.ip)
        );
        assert_eq!(
            (after.id, &after.identifier),
            (before.id, &before.identifier),
            "{field}"
        );
    }
    let after = only(&world);
    assert_eq!((after.content_writes, password(&after)), (1, Some("canary-first")));
    world.pam.edit(before.id, EDITS[0].1);
    says(&world, Some(Reason::Drifted)).await;
    listings(&world, 1).await;
    assert_eq!(sent(&world).await, 5);
    let metrics = world
        .operator
        .as_ref()
        .expect("it runs")
        .get("/metrics")
        .await
        .expect("metrics");
    assert!(
        metrics.contains(r#"pam_operator_corrections_total{reason="Drifted"} 4"#),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_pam_refuses_to_correct_leaves_the_object_ready_and_is_not_tried_again() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    let refuse = Effect::Refuse {
        code: 1011,
        message: "Device not found".to_owned(),
        status: 400,
    };
    world.pam.faults().add(Fault::new(refuse).on(Operation::Post));
    world.pam.edit(id(&object), EDITS[0].1);
    let object = says(&world, Some(Reason::Drifted)).await;
    let said = object.status.expect("a status").conditions;
    let text = &said
        .iter()
        .find(|condition| condition.type_ == "Drifted")
        .expect("it differs")
        .message;
    assert!(
        text.contains("could not be corrected") && text.contains("1011"),
        "{text}"
    );
    listings(&world, 2).await;
    assert_eq!(sent(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn correct_takes_nothing_over_and_creates_no_second_credential() {
    for (change, taken) in [
        (json!({"username": "renamed"}), true),
        (json!({"username": "renamed", "identifier": "renamed"}), false),
    ] {
        let world = watchful().await;
        let object = ready(&world, json!({"driftPolicy": "Correct", "adoptionPolicy": "Adopt"})).await;
        let edited = change.as_object().expect("an object");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        world.pam.edit(id(&object), |credential| {
            credential.username = text(&edited["username"]);
            if let Some(identifier) = edited.get("identifier") {
                credential.identifier = Some(text(identifier));
            }
        });
        if taken {
            world.pam.add(pam_operator::simulator::NewCredential::new(
                "db.example.com",
                "10.0.0.1",
                "db",
            ));
        }
        says(&world, Some(Reason::Drifted)).await;
        listings(&world, 1).await;
        assert_eq!(sent(&world).await, 1);
        assert_eq!(world.pam.credentials().len(), 1 + usize::from(taken));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_object_is_not_corrected_until_it_goes_on() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    world.change("db", json!({"suspend": true})).await;
    world
        .until("db", "suspended", |object| is(object, "True", Some("Suspended")))
        .await;
    world.pam.edit(id(&object), EDITS[0].1);
    says(&world, Some(Reason::Drifted)).await;
    assert_eq!(sent(&world).await, 1);
    world.change("db", json!({"suspend": false})).await;
    says(&world, None).await;
    assert_eq!((only(&world).username.as_str(), sent(&world).await), ("db", 2));
}

/// A Secret that is gone after it was sent has nothing to send: a correction that would need it is only not made.
#[tokio::test(flavor = "multi_thread")]
async fn a_difference_that_cannot_be_corrected_without_its_secret_is_said_once() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    let secrets = world.api::<k8s_openapi::api::core::v1::Secret>();
    secrets
        .delete("db", &kube::api::DeleteParams::default())
        .await
        .expect("the Secret is deleted");
    listings(&world, 1).await;
    let start = mark(&world).await;
    world.pam.edit(id(&object), EDITS[0].1);
    listings(&world, 3).await;
    let expected = [("patch pamcredentials/status".to_owned(), 1)];
    assert_eq!(writes(&world, start).await, expected.into());
}

/// The answer to a correction is about another credential: that is said, and the same difference is not corrected again.
#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_answer_to_a_correction_is_said_and_the_correction_not_repeated() {
    let world = watchful().await;
    let object = ready(&world, json!({"driftPolicy": "Correct"})).await;
    listings(&world, 1).await;
    let answer = json!({"credential": {"id": "4711"}});
    world
        .pam
        .faults()
        .add(Fault::new(Effect::Amend(answer)).on(Operation::Post));
    world.pam.edit(id(&object), EDITS[0].1);
    let stalled = world.fails("db", "UnexpectedAnswer").await;
    assert!(
        message(&stalled).contains("id 4711 instead of"),
        "{}",
        message(&stalled)
    );
    // The PAM did it all the same, and then the difference is there again.
    says(&world, None).await;
    world.pam.edit(id(&object), EDITS[0].1);
    says(&world, Some(Reason::Drifted)).await;
    listings(&world, 1).await;
    assert_eq!(sent(&world).await, 2);
}
