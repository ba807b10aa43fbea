//! A leader ends, well or not, and a standby goes on where it was.

use std::time::{Duration, Instant};

use pam_operator::simulator::{Operation, Point};
use testbed::Operator;

use super::{LEADS, attempted_writes, declare, held_by, led, metric, seconds, standby, until};
use crate::{
    look::{only, own, posts, set_password, within_deadline},
    world::{DEADLINE, World},
};

/// What a standby costs: watches, and looks at the lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_ready_and_does_nothing() {
    let world = led().await;
    let start = world.plane.audit().mark(&world.user).await.expect("an audit log");
    let second = standby(&world).await;
    declare(&world, "db").await;
    world.ready("db").await;
    // It has seen that object, and looked at the lease since.
    let looked = async || {
        let requests = world.plane.audit().since(start, &second.user).await;
        let looks = requests.expect("an audit log");
        looks
            .iter()
            .filter(|request| request.operation() == "get leases")
            .count()
            > 2
    };
    within_deadline("look at the lease", looked).await;
    assert_eq!(attempted_writes(&world, &second.user, start).await, []);
    let journal = world.pam.journal();
    assert_eq!((journal.count(Operation::Token), journal.posts().len()), (1, 1));
    let metrics = second.operator.get("/metrics").await.expect("metrics");
    assert!(!metrics.contains("operation="), "no call to the PAM:\n{metrics}");
    assert_eq!(metric(&second.operator, LEADS).await.as_deref(), Some("0"));
    let leader = world.operator.as_ref().expect("it runs");
    assert_eq!(metric(leader, LEADS).await.as_deref(), Some("1"));
    second.operator.stop().await.expect("a standby ends well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_replaced_within_20_s() {
    let mut world = led().await;
    let second = standby(&world).await;
    declare(&world, "db").await;
    let before = world.ready("db").await;
    // Deleted while the second one only looks on: it must not be in anybody's way later.
    world.create("gone", serde_json::json!({})).await;
    world.ready("gone").await;
    world.delete("gone").await;
    world.gone("gone").await;

    let start = world.plane.audit().mark(&second.user).await.expect("an audit log");
    let killed = Instant::now();
    world.kill().await;
    set_password(&world, "db", "canary-second").await;
    let same = serde_json::json!({"username": "gone", "adoptionPolicy": "Adopt"});
    world.create("again", same).await;
    held_by(&world, &second.user).await;
    let held = killed.elapsed();
    let object = crate::look::accepted_after(&world, &before).await;
    let done = killed.elapsed();
    println!(
        "leader killed: lease taken over after {}, pending change Ready after {}",
        seconds(held),
        seconds(done)
    );
    assert!(done < Duration::from_secs(20), "{done:?}");
    world.ready("again").await;

    // What the first leader wrote last may not be seen yet: the object is read again before its POST. Where a claim is
    // written first, that tells.
    let requests = world.plane.audit().since(start, &second.user).await;
    let mut requests = requests.expect("an audit log");
    requests.retain(|request| request.operation() == "get pamcredentials");
    let read: Vec<_> = requests.iter().map(|request| request.name.as_str()).collect();
    assert_eq!(read, ["db"]);
    let names: Vec<_> = posts(&world)
        .await
        .iter()
        .map(|post| post.body["username"].clone())
        .collect();
    assert_eq!(names.iter().filter(|name| *name == "db").count(), 2, "{names:?}");
    let credential = own(&world, &object);
    assert_eq!(crate::look::password(&credential), Some("canary-second"));
    assert_eq!(world.pam.credentials().len(), 2);
    second.operator.stop().await.expect("it ends well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_ends_is_replaced_within_3_s() {
    let mut world = led().await;
    let second = standby(&world).await;
    let ended = Instant::now();
    world.stop().await;
    declare(&world, "db").await;
    let lease = held_by(&world, &second.user).await;
    let held = ended.elapsed();
    assert_eq!(lease.lease_transitions, Some(1), "{lease:?}");
    world.ready("db").await;
    println!(
        "leader stopped: lease taken over after {}, new object Ready after {}",
        seconds(held),
        seconds(ended.elapsed())
    );
    assert!(held < Duration::from_secs(3), "{held:?}");
    assert_eq!(posts(&world).await.len(), 1);
    only(&world);
}

/// Ends the leader while the PAM holds its POST.
async fn ending(world: &mut World) -> Operator {
    let mut operator = world.operator.take().expect("it runs");
    operator.terminate().expect("a signal");
    within_deadline("begin to end", async || {
        operator.output().contains("what is under way is finished")
    })
    .await;
    operator
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_keeps_the_lease_until_its_work_is_done() {
    let mut world = led().await;
    let second = standby(&world).await;
    let hold = world.pam.faults().hold(Operation::Post, None, Point::Before);
    declare(&world, "db").await;
    hold.held(DEADLINE).await.expect("the POST arrives");

    let operator = ending(&mut world).await;
    let lease = held_by(&world, &world.user).await;
    until(&world, "renewed", |later| later.renew_time != lease.renew_time).await;
    held_by(&world, &world.user).await;
    hold.release();
    let (code, output) = operator.exit().await.expect("it ends");
    assert_eq!(code, Some(0), "{output}");

    held_by(&world, &second.user).await;
    // The next one has nothing left to do with it, and does not repeat the POST.
    declare(&world, "other").await;
    world.ready("other").await;
    let object = world.ready("db").await;
    own(&world, &object);
    assert_eq!(posts(&world).await.len(), 2);
}
