//! No single object opens the breaker, and none keeps it open.

use pam_operator::simulator::{Effect, Fault, Operation};
use serde_json::json;

use super::{all_ready, is_open, until_all, waiting};
use crate::{
    look::within_deadline,
    world::{World, is},
};

/// How many objects are well.
const WELL: usize = 8;

fn unavailable() -> Effect {
    Effect::Status {
        code: 503,
        executed: false,
        retry_after: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_the_pam_never_answers_neither_opens_nor_keeps_open() {
    let world = World::start().await;
    world
        .pam
        .faults()
        .add(Fault::new(unavailable()).on(Operation::Post).identifier("bad"));
    world.create("bad", json!({"identifier": "bad"})).await;
    // It fails three times while nobody else asks for anything.
    let failed = |times: usize| {
        let bad = |entry: &&pam_operator::simulator::Entry| entry.identifier.as_deref() == Some("bad");
        move |entries: &[pam_operator::simulator::Entry]| entries.iter().filter(bad).count() >= times
    };
    let journal = world.pam.journal();
    let three = journal.wait_for(crate::world::DEADLINE, failed(3));
    three.await.expect("it is tried again and again");
    for number in 0..WELL {
        world.create(&format!("well-{number}"), json!({})).await;
    }
    all_ready(&world, WELL).await;
    assert!(!is_open(&world, "vault").await);
    world.connection_is("vault", "True", "Synced").await;

    // Now it is the PAM: the breaker opens. All wait, the bad one among them.
    let down = world.pam.faults().add(Fault::new(unavailable()));
    for number in 0..WELL {
        world
            .change(&format!("well-{number}"), json!({"additional": "changed"}))
            .await;
    }
    within_deadline("open the breaker", async || is_open(&world, "vault").await).await;
    world.connection_is("vault", "False", "PamUnavailable").await;
    let attempts = world.pam.journal().posts().len();
    world.pam.faults().add(Fault::new(Effect::Latency {
        ms: 1,
        point: pam_operator::simulator::Point::Before,
    }));
    world.pam.faults().remove(down);
    let took = all_ready(&world, WELL).await;
    println!("after {attempts} POSTs the breaker was open; {WELL} objects were Ready {took:.2?} after the outage");
    within_deadline("close the breaker", async || !is_open(&world, "vault").await).await;
    world.connection_is("vault", "True", "Synced").await;
    until_all(&world, 1, "failing", |object| {
        is(object, "False", Some("PamUnavailable"))
    })
    .await;
    assert_eq!(waiting(&world, "vault").await, 0);
    for number in 0..WELL {
        let sent = crate::vaults::posts(&world.pam, &format!("well-{number}"));
        let accepted = sent.iter().filter(|post| post.executed).count();
        assert_eq!(accepted, 2, "a create and an update");
    }
}
