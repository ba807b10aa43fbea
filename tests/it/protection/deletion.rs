//! Deletions pass the same turnstile, and an outage does not hold them up for ever.

use pam_operator::simulator::{Effect, Fault, Operation};
use serde_json::json;

use super::{all_ready, is_open};
use crate::{
    look::within_deadline,
    world::{Setting, World, id},
};

/// As many as it takes to open the breaker, and one more.
const OBJECTS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_in_an_outage_goes_after_the_deletion_timeout_and_after_it_is_deactivated() {
    let world = World::with(Setting {
        args: vec!["--deletion-timeout".into(), "6s".into()],
        ..Setting::default()
    })
    .await;
    for number in 0..OBJECTS {
        world
            .create(&format!("db-{number}"), json!({"deletionPolicy": "Deactivate"}))
            .await;
    }
    all_ready(&world, OBJECTS).await;
    let [first, second] = [id(&world.ready("db-0").await), id(&world.ready("db-1").await)];
    let unavailable = Effect::Status {
        code: 503,
        executed: false,
        retry_after: None,
    };
    world.pam.faults().add(Fault::new(unavailable));
    for number in 0..OBJECTS {
        world
            .change(&format!("db-{number}"), json!({"additional": "changed"}))
            .await;
    }
    within_deadline("open the breaker", async || is_open(&world, "vault").await).await;
    // Its turn does not come, and that it had one before is no reason to wait for ever.
    world.delete("db-0").await;
    world.gone("db-0").await;
    let deletions = world.pam.journal().of(Operation::Delete);
    assert!(deletions.iter().all(|deletion| !deletion.executed), "{deletions:?}");
    assert!(world.pam.credential(first).expect("the PAM has it").active);

    world.pam.faults().clear();
    all_ready(&world, OBJECTS - 1).await;
    world.delete("db-1").await;
    world.gone("db-1").await;
    assert!(!world.pam.credential(second).expect("the PAM has it").active);
}
