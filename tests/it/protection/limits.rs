//! `rateLimit` holds, and a namespace with many waiting objects does not hold up another one.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use pam_operator::{
    api::PamCredential,
    simulator::{Effect, Entry, Fault, Operation, Point, Profile},
};
use serde_json::json;
use testbed::wait_for;

use super::{all_ready, waiting};
use crate::{
    look::within_deadline,
    vaults::posts,
    world::{DEADLINE, Setting, World, data, is},
};

/// How many objects each limited connection has.
const OBJECTS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn neither_the_rate_nor_the_number_under_way_is_ever_exceeded() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    let limit = |rate, burst, in_flight| json!({"rateLimit": {"requestsPerSecond": rate, "burst": burst, "maxInFlight": in_flight}});
    let steady = world.vault("steady", Profile::V3_32, data(), limit(10, 5, 2)).await;
    let slow = world.vault("slow", Profile::V3_32, data(), limit(1000, 1000, 3)).await;
    let latency = Effect::Latency {
        ms: 100,
        point: Point::Before,
    };
    slow.faults().add(Fault::new(latency).on(Operation::Post));
    for connection in ["steady", "slow"] {
        for number in 0..OBJECTS {
            let spec = json!({"connectionRef": {"name": connection}});
            world.create(&format!("{connection}-{number}"), spec).await;
        }
    }
    world.run().await;
    all_ready(&world, 2 * OBJECTS).await;

    let requests = steady.journal().entries();
    assert_eq!(steady.journal().count(Operation::Post), OBJECTS as u64, "one POST each");
    // A turn takes its token when it is given, and its request follows: so many can be on their way to that.
    let excess = excess(&requests, 10.0, 5.0);
    let lasted = seconds(&requests[0], &requests[requests.len() - 1]);
    println!(
        "steady: {} requests in {lasted:.2} s, at most {excess:.2} above the bucket",
        requests.len()
    );
    assert!(excess <= 2.0, "{excess} requests more than 5 and 10 a second");
    assert!(lasted >= 2.0, "{} requests came in {lasted} s", requests.len());

    let peak = slow.journal().peak_in_flight(Operation::Post);
    println!("slow: at most {peak} POSTs under way");
    assert_eq!(peak, 3);
    assert_eq!(slow.journal().count(Operation::Post), OBJECTS as u64);
}

/// By how many the requests of any period exceed what a bucket gives in that time.
fn excess(requests: &[Entry], rate: f64, burst: f64) -> f64 {
    let mut worst = f64::MIN;
    for (first, begin) in requests.iter().enumerate() {
        for (count, end) in (1_u32..).zip(&requests[first..]) {
            worst = worst.max(f64::from(count) - burst - rate * seconds(begin, end));
        }
    }
    worst
}

fn seconds(begin: &Entry, end: &Entry) -> f64 {
    end.time.duration_since(begin.time).as_secs_f64()
}

/// The other tenant.
const SMALL: &str = "small";

/// How many objects the tenant with many has.
const MANY: usize = 150;

#[tokio::test(flavor = "multi_thread")]
async fn one_object_among_many_of_another_namespace_is_served_soon() {
    let mut world = World::with(Setting {
        own_plane: true,
        started: false,
        args: vec!["--watch-namespaces".into(), SMALL.into()],
        ..Setting::default()
    })
    .await;
    let namespace = Namespace {
        metadata: ObjectMeta {
            name: Some(SMALL.to_owned()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let namespaces: Api<Namespace> = Api::all(world.client.clone());
    namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .expect("a namespace");
    let names = json!([world.namespace, SMALL]);
    let limits = json!({"requestsPerSecond": 15, "burst": 1, "maxInFlight": 1});
    world
        .cluster_connection(
            "shared",
            json!({"allowedNamespaces": {"names": names}, "rateLimit": limits}),
        )
        .await;
    let shared = json!({"connectionRef": {"kind": "ClusterPamConnection", "name": "shared"}});
    let small: Api<PamCredential> = Api::namespaced(world.client.clone(), SMALL);
    let mut one = world.credential("one", shared.clone());
    one.metadata.namespace = Some(SMALL.to_owned());
    small
        .create(&PostParams::default(), &one)
        .await
        .expect("it is accepted");
    world.run().await;
    let ready = async |described| {
        wait_for(&small, "one", described, DEADLINE, |object| is(object, "True", None))
            .await
            .expect("the other tenant's object")
    };
    ready("created").await;

    for number in 0..MANY {
        world.create(&format!("many-{number}"), shared.clone()).await;
    }
    within_deadline("let most of them wait", async || {
        waiting(&world, "shared").await > MANY as u64 / 2
    })
    .await;
    let before = world.pam.journal().posts().len();
    let change = Patch::Merge(json!({"spec": {"additional": "changed"}}));
    small
        .patch("one", &PatchParams::default(), &change)
        .await
        .expect("the change is accepted");
    ready("updated").await;
    let sent = world.pam.journal().posts();
    let changed = posts(&world.pam, "one")[1].seq;
    let overtook = sent[before..].iter().filter(|post| post.seq < changed).count();
    let left = waiting(&world, "shared").await;
    println!("the one was served after {overtook} of the others, {left} still waited");
    assert!(overtook <= 8, "{overtook} of the others were served first");
    assert!(left > 0, "nobody waited any more");
    let lasted = all_ready(&world, MANY).await;
    assert!(lasted > Duration::ZERO);
}
