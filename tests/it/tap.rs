//! The tap itself: what the campaigns that break things on purpose rely on.

use pam_operator::simulator::Operation;
use serde_json::json;
use testbed::tap::{Blow, Effect, Fate, Refusal};

use crate::{
    look::{content, posts, set_password},
    world::{CLIENT_SECRET, DEADLINE, Setting, World},
};

const PASSWORD: &str = "canary-behind-the-tap";

async fn tapped() -> World {
    let world = World::with(Setting {
        tapped: true,
        ..Setting::default()
    })
    .await;
    set_password(&world, "db", PASSWORD).await;
    world
}

/// The effects that are about the object or its credential, without the events, which come beside them.
fn about_the_object(effects: &[Effect]) -> Vec<(&str, Fate)> {
    let kinds = ["pam post", "patch pamcredentials/status"];
    effects
        .iter()
        .filter(|effect| kinds.contains(&effect.kind.as_str()))
        .map(|effect| (effect.kind.as_str(), effect.fate))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_effect_is_numbered_and_nothing_secret_is_kept() {
    let world = tapped().await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    world
        .tap()
        .wait_for("an event", DEADLINE, |effects| {
            let events = effects.iter().filter(|effect| effect.kind == "create events");
            events.filter(|effect| effect.succeeded()).count() == 1
        })
        .await
        .expect("that of the connection; the object had no trouble");
    let effects = world.tap().effects();
    assert!(effects.iter().zip(1..).all(|(effect, number)| effect.number == number));
    let status = ("patch pamcredentials/status", Fate::Answered(200));
    assert_eq!(
        about_the_object(&effects),
        [status, ("pam post", Fate::Answered(201)), status]
    );
    let count = |kind: &str| effects.iter().filter(|effect| effect.kind == kind).count();
    assert_eq!((count("create secrets"), count("pam token")), (1, 1));
    let seen = format!("{:?} {effects:?}", world.tap());
    let token = world.pam.tokens();
    let token = secrecy::ExposeSecret::expose_secret(&token[0]);
    for secret in [PASSWORD, CLIENT_SECRET, token] {
        assert!(!seen.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_before_it_takes_effect_never_does_and_what_is_held_after_has() {
    for (blow, executed) in [(Blow::HOLD_BEFORE, 0), (Blow::HOLD_AFTER, 1)] {
        let mut world = tapped().await;
        let strike = world.tap().strike("pam post", 1, blow);
        world.create("db", content("db")).await;
        tokio::time::timeout(DEADLINE, strike.landed())
            .await
            .expect("the POST arrives");
        assert_eq!(world.pam.journal().count(Operation::Post), executed);
        world.kill().await;
        drop(strike);
        let cut = |effects: &[Effect]| effects.iter().any(|effect| effect.struck && effect.fate == Fate::Lost);
        world.tap().wait_for("cut", DEADLINE, cut).await.expect("it is over");
        assert_eq!(world.pam.journal().count(Operation::Post), executed);
        world.run().await;
        world.ready("db").await;
        assert_eq!(world.pam.journal().count(Operation::Post), executed + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_cuts_reach_the_operator_as_what_they_are() {
    let world = tapped().await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    let start = world.tap().effects().len();
    let conflict = world
        .tap()
        .strike("patch pamcredentials/status", 1, Blow::refuse(Refusal::Conflict));
    let cut = world.tap().strike("patch pamcredentials/status", 2, Blow::CUT_AFTER);
    world.change("db", json!({"additional": "changed"})).await;
    world.ready("db").await;
    let landed = async { tokio::join!(conflict.landed(), cut.landed()) };
    tokio::time::timeout(DEADLINE, landed).await.expect("both are written");
    world.change("db", json!({"additional": "once more"})).await;
    world.ready("db").await;
    let over = |effects: &[Effect]| effects.iter().all(|effect| effect.fate != Fate::UnderWay);
    world
        .tap()
        .wait_for("over", DEADLINE, over)
        .await
        .expect("every effect comes to an end");
    // What was cut had taken effect, so nothing of it is repeated.
    let status = |fate| ("patch pamcredentials/status", fate);
    let post = ("pam post", Fate::Answered(201));
    let effects = world.tap().effects();
    assert_eq!(
        about_the_object(&effects[start..]),
        [
            post,
            status(Fate::Answered(409)),
            status(Fate::Lost),
            post,
            status(Fate::Answered(200)),
        ]
    );
    assert_eq!(posts(&world).await.len(), 3);
}
