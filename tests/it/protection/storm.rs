//! An outage with many objects that wait: what it costs is bounded by probes and transitions, not by objects.
//!
//! `PAM_STORM_OBJECTS` and `PAM_STORM_SECONDS` make it larger and longer.

use std::{collections::BTreeMap, env, time::Duration};

use pam_operator::simulator::{Effect, Fault, Operation};
use serde_json::{Value, json};
use testbed::{Mark, count};
use tokio::time::Instant;

use super::{all_ready, calls, is_open};
use crate::{
    look::{content, mark, requests, set_password, within_deadline},
    world::{World, merge},
};

/// Calls that may fail before the breaker is open: five in a row, and those of the objects that are inside by then.
const BEFORE: u64 = 5 + 16;

/// How many objects may say so in their status: those five that fail, or five that hear of a failed listing, those that
/// are inside, and the probes.
const SPEAK: u64 = 5 + 5 + 16;

/// Failed probes that an outage lasts at least.
const PROBES: u64 = 2;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_costs_probes_and_not_objects() {
    let objects = usize::try_from(setting("PAM_STORM_OBJECTS", 300)).expect("a number of objects");
    let mut world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("known", json!({})).await;
    world.ready("known").await;

    // New objects, which need a listing first.
    world.pam.down().await;
    let (before, from) = (calls(&world).await, mark(&world).await);
    for number in 0..objects {
        world.create(&format!("storm-{number}"), spec()).await;
    }
    let outage = outage(&world, "down", before, from).await;
    world.pam.up().expect("the address is still free");
    let drained = all_ready(&world, objects + 1).await;
    outage.report(&world, "down", objects, drained, from).await;
    assert_eq!(world.pam.credentials().len(), objects + 1);
    assert_eq!(world.pam.journal().posts().len(), objects + 1, "one POST each");

    // The same objects, which all have something new to send.
    let fault = Fault::new(Effect::Status {
        code: 503,
        executed: false,
        retry_after: None,
    });
    let fault = world.pam.faults().add(fault);
    world.pam.journal().clear();
    let (before, from) = (calls(&world).await, mark(&world).await);
    set_password(&world, "db", "canary-second").await;
    let outage = self::outage(&world, "503", before, from).await;
    let refused = world.pam.journal().posts().len();
    assert!(refused as u64 <= BEFORE + outage.calls, "{refused}");
    world.pam.faults().remove(fault);
    let second = pam_operator::simulator::fingerprint("canary-second");
    let began = Instant::now();
    let sent = |entries: &[pam_operator::simulator::Entry]| entries.iter().filter(|entry| entry.executed && entry.body["content"] == second).count();
    let all = world.pam.journal().wait_for(super::LONG, |entries| sent(entries) >= objects);
    all.await.expect("every object sends its new password");
    let drained = began.elapsed();
    all_ready(&world, objects + 1).await;
    outage.report(&world, "503", objects, drained, from).await;
    let posts = world.pam.journal().posts();
    assert_eq!(sent(&posts), objects, "one accepted POST each");
    assert_eq!(world.pam.journal().of(Operation::Post).len() - objects, refused, "{refused} failed ones");
}

fn spec() -> Value {
    let mut spec = json!({"hostname": "storm.example.com"});
    merge(&mut spec, content("db"));
    spec
}

/// What was counted during an outage.
struct Outage {
    calls: u64,
    probes: u64,
    writes: BTreeMap<String, usize>,
    lasted: Duration,
}

/// Lets the outage last until the breaker is open and some probes failed, and counts what it cost.
async fn outage(world: &World, what: &str, before: u64, from: Mark) -> Outage {
    let began = Instant::now();
    within_deadline("open the breaker", async || is_open(world, "vault").await).await;
    world.connection_is("vault", "False", "PamUnavailable").await;
    let opened = calls(world).await;
    within_deadline("probe", async || calls(world).await >= opened + PROBES).await;
    let least = Duration::from_secs(setting("PAM_STORM_SECONDS", 0));
    tokio::time::sleep(least.saturating_sub(began.elapsed())).await;
    let requests = requests(world, from).await;
    let calls = calls(world).await - before;
    let outage = Outage {
        calls,
        probes: calls.saturating_sub(opened - before),
        writes: count(requests.iter().filter(|request| request.is_write())),
        lasted: began.elapsed(),
    };
    println!(
        "{what}: an outage of {:.1?} cost {} calls, of them {} after the breaker opened, and the writes {:?}",
        outage.lasted, outage.calls, outage.probes, outage.writes
    );
    let written = |operation: &str| outage.writes.get(operation).copied().unwrap_or_default() as u64;
    let speak = SPEAK + outage.probes;
    assert!(outage.calls <= BEFORE + 5 + outage.probes, "{} calls", outage.calls);
    // An object that is claimed says so before it is sent, and then that it failed.
    assert!(written("patch pamcredentials/status") <= 2 * speak, "{:?}", outage.writes);
    assert!(written("create events") <= speak + 4, "{:?}", outage.writes);
    assert!(written("patch pamconnections/status") <= 2 + outage.probes, "{:?}", outage.writes);
    outage
}

impl Outage {
    async fn report(&self, world: &World, what: &str, objects: usize, drained: Duration, from: Mark) {
        let all = requests(world, from).await;
        let all = count(all.iter().filter(|request| request.is_write()));
        println!("{what}: {objects} objects were through {drained:.2?} after the PAM was back; all writes: {all:?}");
        assert!(!is_open(world, "vault").await);
        world.connection_is("vault", "True", "Synced").await;
    }
}
