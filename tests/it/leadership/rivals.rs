//! Several operators start at once, and nobody leads yet.

use testbed::Operator;

use super::{attempted_writes, declare, metric, until};
use crate::{
    look::{only, posts, within_deadline},
    world::{Setting, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn of_rivals_for_a_free_lease_one_wins() {
    let setting = Setting {
        leader_election: true,
        started: false,
        ..Setting::default()
    };
    let world = World::with(setting).await;
    world.connection("vault", serde_json::json!({})).await;
    let start = world.plane.audit().mark(&world.user).await.expect("an audit log");
    let mut rivals = Vec::new();
    for name in ["a", "b", "c"] {
        let user = world.replica(name).await;
        let operator = Operator::spawn(&world.config(&user)).expect("it starts");
        rivals.push((user, operator));
    }
    for (_, operator) in &mut rivals {
        operator.ready().await.expect("it becomes ready");
    }
    declare(&world, "db").await;
    let lease = until(&world, "held", |lease| lease.holder_identity.is_some()).await;
    assert_eq!(lease.lease_transitions, Some(0));
    world.ready("db").await;
    assert_eq!(posts(&world).await.len(), 1);
    only(&world);

    let mut leaders = 0;
    let mut leases = 0;
    for (user, operator) in &rivals {
        // Whoever has not won has looked and seen the winner.
        within_deadline("stand by or lead", async || {
            let output = operator.output();
            output.contains("standing by") || output.contains("this process leads")
        })
        .await;
        let leads = metric(operator, "pam_operator_leader").await.expect("the metric");
        leaders += usize::from(leads == "1");
        let writes = attempted_writes(&world, user, start).await;
        let created = |resource: &str| {
            writes
                .iter()
                .filter(|request| request.operation() == format!("create {resource}") && request.succeeded())
                .count()
        };
        leases += created("leases");
        if leads == "0" {
            assert_eq!(created("events"), 0, "{writes:?}");
            assert!(
                writes
                    .iter()
                    .all(|request| matches!(request.resource.as_str(), "leases" | "secrets")),
                "{writes:?}"
            );
        }
    }
    assert_eq!((leaders, leases), (1, 1));
}
