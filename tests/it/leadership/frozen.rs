//! A leader that stands still until long after its lease is over, and goes on as if nothing had happened.

use std::time::Instant;

use pam_operator::simulator::{Operation, Point};

use super::{attempted_writes, declare, held_by, led, seconds, standby, unseated};
use crate::{
    look::{only, own, password, posts, set_password},
    world::{DEADLINE, id},
};

/// The answer to its POST, changed objects and a changed password wait for the frozen leader; when it is thawed, all of
/// that has been done by another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_thawed_leader_writes_nothing_more() {
    let mut world = led().await;
    let second = standby(&world).await;
    declare(&world, "known").await;
    let known = world.ready("known").await;
    let hold = world.pam.faults().hold(Operation::Post, None, Point::Before);
    declare(&world, "db").await;
    hold.held(DEADLINE).await.expect("the POST arrives");

    let mut first = world.operator.take().expect("it runs");
    first.freeze().await.expect("a signal");
    let frozen = Instant::now();
    set_password(&world, "known", "canary-second").await;
    declare(&world, "later").await;
    held_by(&world, &second.user).await;
    let taken = frozen.elapsed();
    let db = world.ready("db").await;
    let later = world.ready("later").await;
    let known = crate::look::accepted_after(&world, &known).await;
    println!(
        "leader frozen: lease taken over after {}, its work done by another one after {}",
        seconds(taken),
        seconds(frozen.elapsed())
    );
    hold.release();
    let before = posts(&world).await.len();
    let asked = world.pam.journal().count(Operation::Token);
    let start = world.plane.audit().mark(&world.user).await.expect("an audit log");

    first.thaw().expect("a signal");
    let output = unseated(first).await;
    assert_eq!(attempted_writes(&world, &world.user, start).await, [], "{output}");
    assert_eq!(posts(&world).await.len(), before, "{output}");
    assert_eq!(world.pam.journal().count(Operation::Token), asked, "{output}");

    // One credential each, as its object says, and the first one's late request changed nothing.
    assert_eq!(world.pam.credentials().len(), 3);
    for object in [&db, &later] {
        assert_eq!(password(&own(&world, object)), Some("canary-first"));
    }
    assert_eq!(password(&own(&world, &known)), Some("canary-second"));
    held_by(&world, &second.user).await;
    second.operator.stop().await.expect("it ends well");
}

/// A short standstill costs nothing: the lease is still good, and the work goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_thawed_in_time_goes_on() {
    let world = led().await;
    let hold = world.pam.faults().hold(Operation::Post, None, Point::Before);
    declare(&world, "db").await;
    hold.held(DEADLINE).await.expect("the POST arrives");
    let mut world = world;
    let mut first = world.operator.take().expect("it runs");
    first.freeze().await.expect("a signal");
    hold.release();
    assert_eq!(posts(&world).await.len(), 1);
    first.thaw().expect("a signal");
    let object = world.ready("db").await;
    assert_eq!(id(&object), only(&world).id);
    assert_eq!(posts(&world).await.len(), 1);
    first.stop().await.expect("it ends well");
}
