//! Stale and missed observation: watches that break or are told that they come too late, a replica of the API server that
//! lags behind, and what happened to objects and Secrets while nobody looked.

mod behind;
mod broken;
mod down;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, api::DeleteParams};
use serde_json::json;
use testbed::tap::{Effect, LIST};

use crate::world::{DEADLINE, Setting, World};

/// The plural name of the objects.
const OBJECTS: &str = "pamcredentials";

/// A running operator behind a tap that lists its PAM all the time.
async fn tapped() -> World {
    let mut world = World::with(Setting {
        tapped: true,
        started: false,
        ..Setting::default()
    })
    .await;
    world.connection("vault", json!({"driftCheckInterval": "1s"})).await;
    world.run().await;
    world
}

/// Waits for two listings of the PAM that begin from now on: every object has been looked at since.
async fn looked_around(world: &World) {
    let from = world.tap().effects().len();
    let listed = |effects: &[Effect]| {
        let lists = effects[from..].iter().filter(|effect| effect.kind == LIST);
        lists.filter(|effect| effect.succeeded()).count() >= 3
    };
    world
        .tap()
        .wait_for("listed", DEADLINE, listed)
        .await
        .expect("the PAM is listed all the time");
}

/// Deletes a Secret.
async fn delete_secret(world: &World, name: &str) {
    let api: Api<Secret> = world.api();
    api.delete(name, &DeleteParams::default())
        .await
        .expect("the deletion is accepted");
}
