//! A PAM that is gone, slow, or silent after it did what was asked: nothing twice, nothing lost.

use pam_operator::simulator::{Effect, Fault, Operation, Point, fingerprint};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    errors::{assert_reconciling, conditions},
    vaults::posts,
    world::{DEADLINE, Setting, World, id, is},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_pam_that_is_gone_is_waited_for_and_who_needs_nothing_does_not_notice() {
    let mut world = World::start().await;
    for name in ["quiet", "changed"] {
        world.create(name, json!({})).await;
    }
    let quiet = world.ready("quiet").await;
    world.ready("changed").await;
    world.pam.down().await;
    world.change("changed", json!({"additional": "more"})).await;
    world.create("new", json!({})).await;
    for name in ["changed", "new"] {
        let object = world.fails(name, "PamUnavailable").await;
        assert_reconciling(conditions(&object), "PamUnavailable", "could not be reached");
    }
    let connection = world.connection_is("vault", "False", "PamUnavailable").await;
    assert_reconciling(
        &connection.status.expect("a status").conditions,
        "PamUnavailable",
        "no connection",
    );
    assert_eq!(world.ready("quiet").await.status, quiet.status);

    world.pam.up().expect("the address is still free");
    for name in ["changed", "new"] {
        let object = world.ready(name).await;
        let credential = world.pam.credential(id(&object)).expect("the PAM has it");
        assert_eq!(credential.username, name);
    }
    world.connection_is("vault", "True", "Synced").await;
    assert_eq!(world.ready("quiet").await.status, quiet.status);
    assert_eq!(world.pam.credentials().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_still_on_its_way_is_repeated_and_never_overtakes_a_newer_password() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    world.connection("vault", json!({"timeout": "3s"})).await;
    world.run().await;
    for name in ["db", "neighbour"] {
        world.secret(name, json!({"password": "canary-first"})).await;
    }
    let content = |name: &str| json!({"contentSecretRef": {"name": name, "key": "password"}});
    world.create("neighbour", content("neighbour")).await;
    world.ready("neighbour").await;

    let slow = world.pam.faults().hold(Operation::Post, None, Point::Before);
    world.create("db", content("db")).await;
    slow.held(DEADLINE).await.expect("the POST arrives");
    let object = world.fails("db", "PamUnavailable").await;
    assert_reconciling(conditions(&object), "PamUnavailable", "no answer in time");
    let object = world.ready("db").await;
    let sent = posts(&world.pam, "db");
    assert_eq!(sent[0].body, sent[1].body);

    // The first request could still arrive, and would bring the old password back: the new one waits, and says so.
    for name in ["db", "neighbour"] {
        world.secret(name, json!({"password": "canary-second"})).await;
    }
    let waiting = world.fails("db", "Progressing").await;
    assert_reconciling(conditions(&waiting), "Progressing", "may still arrive");
    let brought = |post: &pam_operator::simulator::Entry| {
        post.body["username"] == "neighbour" && post.body["content"] == fingerprint("canary-second")
    };
    let arrived = world
        .pam
        .journal()
        .wait_for(DEADLINE, |entries| entries.iter().any(brought));
    arrived.await.expect("the neighbour's password is sent at once");

    slow.release();
    let executed = |post: &pam_operator::simulator::Entry| post.seq == sent[0].seq && post.executed;
    let late = world
        .pam
        .journal()
        .wait_for(DEADLINE, |entries| entries.iter().any(executed));
    late.await.expect("the first request is carried out at last");
    assert_eq!(world.pam.credentials().len(), 2);
    let credential = world.pam.credential(id(&object)).expect("the PAM has it");
    assert_eq!(
        credential
            .content
            .map(|content| content.expose_secret().to_owned())
            .as_deref(),
        Some("canary-first")
    );
    assert!(
        posts(&world.pam, "db")
            .iter()
            .all(|post| post.body["content"] == fingerprint("canary-first"))
    );
    let object = world.until("db", "seen", |_| true).await;
    assert!(!is(&object, "True", None), "the new password was not sent yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_without_an_answer_is_repeated_until_it_has_one() {
    let world = World::start().await;
    let content = json!({"name": "db", "key": "password"});
    world.secret("db", json!({"password": "canary-first"})).await;
    world.create("db", json!({"contentSecretRef": content})).await;
    let before = world.ready("db").await;
    for effect in [Effect::DropAfter, Effect::TruncatedJson, Effect::DropBefore] {
        world.pam.faults().add(Fault::new(effect).on(Operation::Post).next(1));
    }
    world.secret("db", json!({"password": "canary-second"})).await;
    world.fails("db", "InvalidResponse").await;
    let after = world.ready("db").await;

    let sent = posts(&world.pam, "db");
    assert_eq!(sent.len(), 5, "the create, and four attempts of the update");
    assert!(sent[1..].iter().all(|post| post.body == sent[4].body));
    assert_eq!(sent[4].body["content"], fingerprint("canary-second"));
    assert_eq!(id(&after), id(&before));
    assert_eq!(world.pam.credentials().len(), 1);
}
