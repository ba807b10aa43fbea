//! Watches that break. What happened in the gap is caught up with, once.

use serde_json::json;
use testbed::tap::Expiry;

use crate::{
    look::{accepted_after, content, own, password, posts, set_password},
    stale::{OBJECTS, tapped},
    world::id,
};

/// In the gap a spec and a Secret change, an object comes, and one goes. That it is gone shows in who may have its
/// credential.
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_in_the_watches_is_caught_up_with_once() {
    let world = tapped().await;
    let ways = [None, Some(Expiry::InStream), Some(Expiry::AsStatus)];
    for (round, expiry) in ways.into_iter().enumerate() {
        let named = |name: &str| format!("{name}-{round}");
        let [spec, secret, new, gone, heir] = ["spec", "secret", "new", "gone", "heir"].map(named);
        set_password(&world, &secret, "canary-first").await;
        world.create(&spec, json!({})).await;
        world.create(&secret, content(&secret)).await;
        world.create(&gone, json!({})).await;
        world.ready(&spec).await;
        let before = world.ready(&secret).await;
        let left = world.ready(&gone).await;
        let posted = posts(&world).await.len();

        let gap = world.tap().blind(&[OBJECTS, "secrets"]);
        for resource in [OBJECTS, "secrets"] {
            if let Some(expiry) = expiry {
                world.tap().expire(resource, expiry);
            }
        }
        world.change(&spec, json!({"additional": "in the gap"})).await;
        set_password(&world, &secret, "canary-second").await;
        world.create(&new, json!({})).await;
        world.delete(&gone).await;
        drop(gap);

        let changed = world.ready(&spec).await;
        assert_eq!(own(&world, &changed).fields["additional"], "in the gap");
        let changed = accepted_after(&world, &before).await;
        assert_eq!(password(&own(&world, &changed)), Some("canary-second"));
        world.ready(&new).await;
        assert_eq!(posts(&world).await.len(), posted + 3, "{expiry:?}");
        assert!(!world.tap().is_expiring(OBJECTS) && !world.tap().is_expiring("secrets"));

        world
            .create(&heir, json!({"username": gone, "adoptionPolicy": "Adopt"}))
            .await;
        assert_eq!(id(&world.ready(&heir).await), id(&left), "{expiry:?}");
    }
}

/// A watch that only breaks goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn broken_watches_cost_nothing() {
    let world = tapped().await;
    world.create("db", json!({})).await;
    world.ready("db").await;
    let posted = posts(&world).await.len();
    for round in 0..3 {
        world.tap().cut_watches();
        world
            .change("db", json!({"additional": format!("round {round}")}))
            .await;
        world.ready("db").await;
    }
    assert_eq!(posts(&world).await.len(), posted + 3);
}
