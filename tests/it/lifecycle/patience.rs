//! What status says while the PAM takes its time.

use pam_operator::simulator::{Operation, Point};
use serde_json::json;

use crate::world::{DEADLINE, World, message};

#[tokio::test(flavor = "multi_thread")]
async fn a_long_wait_for_the_listing_is_said() {
    let world = World::start().await;
    let hold = world.pam.faults().hold(Operation::List, None, Point::Before);
    world.create("db", json!({})).await;
    hold.held(DEADLINE).await.expect("the operator lists before it creates");
    let waiting = world.fails("db", "Progressing").await;
    assert!(
        message(&waiting).starts_with("The PAM is being listed"),
        "{}",
        message(&waiting)
    );
    assert!(world.pam.journal().posts().is_empty());
    hold.release();
    world.ready("db").await;
}
