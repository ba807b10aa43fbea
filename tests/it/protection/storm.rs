//! An outage with many objects that wait: what it costs is bounded by probes and transitions, not by objects.
//!
//! `PAM_STORM_OBJECTS` and `PAM_STORM_SECONDS` make it larger and longer.

use std::{env, time::Duration};

use k8s_openapi::api::events::v1::Event;
use kube::{Api, api::ListParams};
use pam_operator::simulator::{Effect, Entry, Fault, Operation, fingerprint};
use testbed::{Mark, count};
use tokio::time::Instant;

use super::{LONG, all_ready, calls, is_open, metric};
use crate::{
    look::{content, mark, requests, set_password, within_deadline},
    world::World,
};

/// Calls that may fail before the breaker is open: five in a row, and those of the objects that are inside by then, as many as
/// `maxInFlight` lets in where it is omitted.
const BEFORE: u64 = 5 + 24;

/// How many objects may say that they wait for the PAM: those whose own calls fail, and five that hear of a failed listing.
const SPEAK: u64 = BEFORE + 5;

/// How many objects are there before the first outage.
const KNOWN: usize = 10;

fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_costs_probes_and_not_objects() {
    let objects = usize::try_from(setting("PAM_STORM_OBJECTS", 150)).expect("a number of objects");
    let all = KNOWN + objects;
    let mut world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    for number in 0..KNOWN {
        world.create(&format!("known-{number}"), content("db")).await;
    }
    all_ready(&world, KNOWN).await;

    // Some have something new to send, and many are new and need a listing first.
    world.pam.down().await;
    let storm = Storm::begin(&world, "down").await;
    set_password(&world, "db", "canary-second").await;
    for number in 0..objects {
        world.create(&format!("storm-{number}"), content("db")).await;
    }
    storm.rages(1).await;
    world.pam.up().expect("the address is still free");
    all_accepted(&world, all, "canary-second").await;
    assert_eq!(world.pam.credentials().len(), all);
    assert_eq!(world.pam.journal().posts().len(), all + KNOWN, "one POST each");

    // All of them have something new to send.
    let unavailable = Effect::Status {
        code: 503,
        executed: false,
        retry_after: None,
    };
    let fault = world.pam.faults().add(Fault::new(unavailable));
    let storm = Storm::begin(&world, "503").await;
    set_password(&world, "db", "canary-third").await;
    storm.rages(2).await;
    world.pam.faults().remove(fault);
    all_accepted(&world, all, "canary-third").await;
    let posts = world.pam.journal().posts();
    let executed = posts.iter().filter(|post| post.executed).count();
    assert_eq!(executed, 2 * all + KNOWN, "one more POST each");
    assert_eq!(world.pam.credentials().len(), all);
}

/// Waits until all objects are Ready with this password in the PAM and the connection is well again.
async fn all_accepted(world: &World, count: usize, password: &str) {
    let (began, reconciles) = (Instant::now(), reconciles(world).await);
    let listings = world.pam.journal().count(Operation::List);
    let brought = |entries: &[Entry]| {
        let brought = |entry: &&Entry| entry.executed && entry.body["content"] == fingerprint(password);
        entries.iter().filter(brought).count() == count
    };
    let sent = world.pam.journal().wait_for(LONG, brought);
    sent.await.expect("every object sends its password");
    let sent = began.elapsed();
    let ready = sent + all_ready(world, count).await;
    println!(
        "{count} passwords were sent {sent:.2?} after the PAM was back, and all objects Ready after {ready:.2?}, with {} \
         listings and {} reconciles",
        world.pam.journal().count(Operation::List) - listings,
        self::reconciles(world).await - reconciles,
    );
    assert!(!is_open(world, "vault").await);
    world.connection_is("vault", "True", "Synced").await;
}

/// How often the operator looked at a credential.
async fn reconciles(world: &World) -> u64 {
    let label = "controller=\"PamCredential\"";
    metric(world, "controller_runtime_reconcile_total", &[label]).await
}

/// What an outage costs.
struct Storm<'a> {
    world: &'a World,
    what: &'static str,
    began: Instant,
    calls: u64,
    complaints: usize,
    from: Mark,
}

impl<'a> Storm<'a> {
    async fn begin(world: &'a World, what: &'static str) -> Self {
        Self {
            world,
            what,
            began: Instant::now(),
            calls: calls(world).await,
            complaints: complaints(world).await,
            from: mark(world).await,
        }
    }

    /// Waits until the breaker is open and so many probes failed, and counts.
    async fn rages(self, probes: u64) {
        let world = self.world;
        within_deadline("open the breaker", async || is_open(world, "vault").await).await;
        world.connection_is("vault", "False", "PamUnavailable").await;
        let opened = calls(world).await;
        within_deadline("probe", async || calls(world).await >= opened + probes).await;
        let least = Duration::from_secs(setting("PAM_STORM_SECONDS", 0));
        tokio::time::sleep(least.saturating_sub(self.began.elapsed())).await;
        let (calls, lasted) = (calls(world).await, self.began.elapsed());
        let complaints = complaints(world).await - self.complaints;
        let requests = requests(world, self.from).await;
        let writes = count(requests.iter().filter(|request| request.is_write()));
        let (before, probes) = (opened - self.calls, calls - opened);
        println!(
            "{}: an outage of {lasted:.1?} cost {before} calls and {probes} probes, {complaints} events and the writes {writes:?}",
            self.what
        );
        let written = |operation: &str| writes.get(operation).copied().unwrap_or_default() as u64;
        // A listing and a token request may be under way beside the objects' calls.
        assert!(before <= BEFORE + 2);
        assert!(written("patch pamcredentials/status") <= SPEAK + 2 * probes);
        assert!(written("patch pamconnections/status") <= 2 + probes);
        assert!(complaints as u64 <= SPEAK + 2 + 2 * probes);
    }
}

/// The events that say that the PAM is unavailable.
async fn complaints(world: &World) -> usize {
    let events: Api<Event> = world.api();
    let events = events.list(&ListParams::default()).await.expect("a list");
    let complains = |event: &&Event| event.reason.as_deref() == Some("PamUnavailable");
    events.iter().filter(complains).count()
}
