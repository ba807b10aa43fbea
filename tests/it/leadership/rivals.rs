//! Several operators start at once, and nobody leads yet.

use std::collections::BTreeSet;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{Api, api::PostParams};
use testbed::{Operator, Request};

use super::{LEADS, LEASE, attempted_writes, declare, holder, metric, until};
use crate::{
    look::{only, posts, within_deadline},
    world::{Setting, World},
};

#[tokio::test(flavor = "multi_thread")]
async fn of_rivals_for_no_lease_one_creates_it() {
    one_wins(None, "create").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rivals_for_a_released_lease_one_takes_it() {
    let released = LeaseSpec {
        holder_identity: Some(String::new()),
        lease_transitions: Some(7),
        ..LeaseSpec::default()
    };
    one_wins(Some(released), "patch").await;
}

/// Starts rivals for a lease like this; one of them gets it, by this request.
async fn one_wins(found: Option<LeaseSpec>, verb: &str) {
    let setting = Setting {
        leader_election: true,
        started: false,
        ..Setting::default()
    };
    let world = World::with(setting).await;
    world.connection("vault", serde_json::json!({})).await;
    let transitions = found.as_ref().map_or(0, |_| 8);
    if let Some(spec) = found {
        let api: Api<Lease> = world.api();
        let mut lease = Lease {
            spec: Some(spec),
            ..Lease::default()
        };
        lease.metadata.name = Some(LEASE.to_owned());
        api.create(&PostParams::default(), &lease).await.expect("a lease");
    }
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
    let lease = until(&world, "held", |lease| !holder(lease).is_empty()).await;
    assert_eq!(lease.lease_transitions, Some(transitions));
    world.ready("db").await;
    assert_eq!(posts(&world).await.len(), 1);
    only(&world);

    let mut leaders = Vec::new();
    let mut winners = BTreeSet::new();
    for (user, operator) in &rivals {
        // Whoever has not won has looked and seen the winner.
        within_deadline("stand by or lead", async || {
            let output = operator.output();
            output.contains("standing by") || output.contains("this process leads")
        })
        .await;
        let leads = metric(operator, LEADS).await.expect("the metric");
        let writes = attempted_writes(&world, user, start).await;
        let wins = |request: &Request| request.operation() == format!("{verb} leases") && request.succeeded();
        if writes.iter().any(wins) {
            winners.insert(user.clone());
        }
        if leads == "1" {
            leaders.push(user.clone());
            continue;
        }
        // Who comes first makes the installation's Secret, and that need not be who leads.
        let allowed = |request: &Request| matches!(request.resource.as_str(), "leases" | "secrets");
        assert!(writes.iter().all(allowed), "{writes:?}");
    }
    assert_eq!(leaders, [holder(&lease)]);
    assert_eq!(winners, BTreeSet::from_iter(leaders));
}
