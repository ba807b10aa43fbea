//! A replica of the API server that lags behind: an operator that starts sees its objects as they were. It must neither
//! create anew what its predecessor created, nor send again what is older than what the PAM has.

use pam_operator::{
    api::PamCredential,
    simulator::{Operation, Point},
};
use serde_json::json;
use testbed::tap::{Fate, Photograph};

use crate::{
    look::{accepted_after, content, only, own, password, posts, set_password},
    stale::{OBJECTS, looked_around, tapped},
    world::{DEADLINE, World, merge},
};

fn path(world: &World) -> String {
    format!(
        "/apis/pam-operator.dev/v1alpha1/namespaces/{}/{OBJECTS}",
        world.namespace
    )
}

/// The objects as they are now.
async fn photograph(world: &World) -> Photograph {
    let photograph = world.tap().photograph(&path(world)).await;
    photograph.expect("the objects can be listed")
}

/// Starts the operator again on an old list of its objects, until it has looked at all of them; then the truth arrives.
/// Returns what became of its writes to the object's status meanwhile.
async fn restart_behind(world: &mut World, old: Photograph) -> Vec<Fate> {
    world.stop().await;
    let from = world.tap().effects().len();
    world.tap().show(old);
    let operator = {
        let _lag = world.tap().blind(&[OBJECTS]);
        let mut operator = world.launch();
        operator.ready().await.expect("an old list is a list");
        assert!(world.tap().is_shown(&path(world)), "the old list was asked for");
        looked_around(world).await;
        operator
    };
    world.operator = Some(operator);
    let effects = world.tap().effects();
    let writes = effects[from..].iter();
    writes
        .filter(|effect| effect.kind == "patch pamcredentials/status")
        .map(|effect| effect.fate)
        .collect()
}

/// Status is as it was, and the next password goes where it should.
async fn assert_unharmed(world: &World, before: &PamCredential) {
    let object = world.ready("db").await;
    assert_eq!(object.status, before.status);
    set_password(world, "db", "canary-next").await;
    let object = accepted_after(world, before).await;
    assert_eq!(own(world, &object).id, only(world).id);
    assert_eq!(password(&only(world)), Some("canary-next"));
}

/// With a generated identifier the credential is recognised and claimed, with another it is taken for somebody else's: both
/// must be stopped by the object's version.
#[tokio::test(flavor = "multi_thread")]
async fn from_before_the_claim() {
    for identifier in [json!({}), json!({"identifier": "orders-db"})] {
        let mut world = tapped().await;
        world.stop().await;
        set_password(&world, "db", "canary-first").await;
        let mut spec = content("db");
        merge(&mut spec, identifier);
        world.create("db", spec).await;
        let old = photograph(&world).await;
        world.run().await;
        let before = world.ready("db").await;
        let written = restart_behind(&mut world, old).await;
        assert_eq!(written, [Fate::Answered(409)]);
        assert_eq!(posts(&world).await.len(), 1);
        assert_unharmed(&world, &before).await;
    }
}

/// The predecessor's POST was answered, and its result written, since then; and the spec changed after that.
#[tokio::test(flavor = "multi_thread")]
async fn from_between_claim_and_result() {
    let mut world = tapped().await;
    set_password(&world, "db", "canary-first").await;
    let hold = world.pam.faults().hold(Operation::Post, None, Point::After);
    world.create("db", content("db")).await;
    hold.held(DEADLINE).await.expect("the POST arrives");
    let old = photograph(&world).await;
    hold.release();
    world.ready("db").await;
    world.change("db", json!({"additional": "newer"})).await;
    let before = world.ready("db").await;
    restart_behind(&mut world, old).await;
    assert_eq!(posts(&world).await.len(), 2);
    assert_eq!(only(&world).fields["additional"], "newer");
    assert_unharmed(&world, &before).await;
}

/// A change that the old list asks for was made by the predecessor, and another one after it.
#[tokio::test(flavor = "multi_thread")]
async fn from_before_a_change() {
    let mut world = tapped().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    world.stop().await;
    world.change("db", json!({"additional": "old"})).await;
    let old = photograph(&world).await;
    world.run().await;
    world.ready("db").await;
    world.change("db", json!({"additional": "newer"})).await;
    let before = world.ready("db").await;
    restart_behind(&mut world, old).await;
    assert_eq!(posts(&world).await.len(), 3);
    assert_eq!(only(&world).fields["additional"], "newer");
    assert_unharmed(&world, &before).await;
}

/// The object was deleted and created anew since then.
#[tokio::test(flavor = "multi_thread")]
async fn from_before_another_object_took_the_name() {
    let mut world = tapped().await;
    world.create("db", json!({})).await;
    world.ready("db").await;
    world.stop().await;
    world.change("db", json!({"additional": "of the first object"})).await;
    let old = photograph(&world).await;
    world.delete("db").await;
    world.gone("db").await;
    world.create("db", json!({"additional": "of the second object"})).await;
    world.run().await;
    let before = world.ready("db").await;
    restart_behind(&mut world, old).await;
    assert_eq!(posts(&world).await.len(), 2);
    assert_eq!(only(&world).fields["additional"], "of the second object");
    assert_eq!(world.ready("db").await.status, before.status);
}
