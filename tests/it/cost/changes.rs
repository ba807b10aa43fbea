//! The cost of a new object and of each kind of change.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use pam_operator::simulator::Operation;
use serde_json::{Value, json};
use testbed::{Mark, Request};

use crate::{
    look::{accepted_after, applied, content, mark, own, password, requested, requests, set_password, writes},
    world::World,
};

const STATUS: &str = "patch pamcredentials/status";
const OBJECT: &str = "patch pamcredentials";

/// What happened since it was made.
struct Bill<'a> {
    world: &'a World,
    start: Mark,
    posts: u64,
    listings: u64,
}

impl<'a> Bill<'a> {
    /// Opens one when nothing of the world's start is under way any more.
    async fn open(world: &'a World) -> Self {
        world.connection_is("vault", "True", "Synced").await;
        let journal = world.pam.journal();
        Self {
            world,
            start: mark(world).await,
            posts: journal.count(Operation::Post),
            listings: journal.count(Operation::List),
        }
    }

    /// The POSTs and the successful writes to the API server.
    async fn sum(&self) -> (u64, BTreeMap<String, usize>) {
        let posts = self.world.pam.journal().count(Operation::Post) - self.posts;
        (posts, writes(self.world, self.start).await)
    }

    fn listings(&self) -> u64 {
        self.world.pam.journal().count(Operation::List) - self.listings
    }
}

fn patches(patches: &[(&str, usize)]) -> BTreeMap<String, usize> {
    patches
        .iter()
        .map(|(operation, count)| ((*operation).to_owned(), *count))
        .collect()
}

/// Merges something into a Secret.
async fn touch(world: &World, name: &str, patch: Value) {
    let secrets: Api<Secret> = world.api();
    let patched = secrets.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
    patched.expect("the change is accepted");
}

fn reads_secret(name: &str) -> impl Fn(&Request) -> bool {
    move |request| request.operation() == "get secrets" && request.name == name
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_costs_one_post_and_two_patches_of_its_status() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    let bill = Bill::open(&world).await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    assert_eq!(bill.sum().await, (1, patches(&[(STATUS, 2)])));
    assert_eq!(bill.listings(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_with_deactivate_costs_one_patch_more() {
    let world = World::start().await;
    let bill = Bill::open(&world).await;
    world.create("db", json!({"deletionPolicy": "Deactivate"})).await;
    world.ready("db").await;
    assert_eq!(bill.sum().await, (1, patches(&[(OBJECT, 1), (STATUS, 2)])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_spec_or_secret_costs_one_post_and_one_patch_and_no_listing() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;

    let bill = Bill::open(&world).await;
    world.change("db", json!({"additional": "orders"})).await;
    let object = world.ready("db").await;
    assert_eq!(bill.sum().await, (1, patches(&[(STATUS, 1)])));
    assert_eq!(bill.listings(), 0);

    let bill = Bill::open(&world).await;
    set_password(&world, "db", "canary-second").await;
    let object = accepted_after(&world, &object).await;
    assert_eq!(password(&own(&world, &object)), Some("canary-second"));
    assert_eq!(bill.sum().await, (1, patches(&[(STATUS, 1)])));
    assert_eq!(bill.listings(), 0);
}

/// Each touch is seen (the Secret is read) and found to change nothing. The password that comes after them shows that the
/// operator was done with them: one object is reconciled by one at a time.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_touched_costs_nothing_but_a_look() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    let object = world.ready("db").await;
    let bill = Bill::open(&world).await;
    let harmless = [
        json!({"metadata": {"annotations": {"touched": "once"}}}),
        json!({"metadata": {"labels": {"touched": "once"}}}),
        json!({"stringData": {"another-key": "another value"}}),
    ];
    for patch in harmless {
        let touched = mark(&world).await;
        touch(&world, "db", patch).await;
        requested(&world, touched, "read the touched Secret", reads_secret("db")).await;
    }
    set_password(&world, "db", "canary-second").await;
    let object = accepted_after(&world, &object).await;
    assert_eq!(bill.sum().await, (1, patches(&[(STATUS, 1)])));
    assert_eq!(own(&world, &object).content_writes, 2);
    assert_eq!(bill.listings(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_cost_no_post() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    let bill = Bill::open(&world).await;
    let policies = [
        json!({"adoptionPolicy": "Adopt"}),
        json!({"passwordPolicy": "CreateOnly"}),
        json!({"driftPolicy": "Ignore"}),
        json!({"adoptionPolicy": null, "passwordPolicy": null, "driftPolicy": null, "deletionPolicy": "Retain"}),
    ];
    for policy in &policies {
        world.change("db", policy.clone()).await;
        world.ready("db").await;
    }
    assert_eq!(bill.sum().await, (0, patches(&[(STATUS, policies.len())])));
    assert_eq!(bill.listings(), 0);
}

/// Labels, annotations and foreign field managers wake the operator, and it finds nothing to do.
#[tokio::test(flavor = "multi_thread")]
async fn metadata_costs_nothing() {
    let world = World::start().await;
    set_password(&world, "db", "canary-first").await;
    world.create("db", content("db")).await;
    world.ready("db").await;
    let bill = Bill::open(&world).await;
    world
        .patch(
            "db",
            json!({"metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}}}),
        )
        .await;
    world.patch("db", json!({"metadata": {"labels": {"team": null}}})).await;
    world.change("db", json!({"additional": "orders"})).await;
    let object = world.ready("db").await;
    assert_eq!(bill.sum().await, (1, patches(&[(STATUS, 1)])));
    assert_eq!(applied(&object).generation, 2);
}

/// Once everything is Ready nothing happens at all: of forty objects and two connections only the one whose Secret is
/// touched and then changed is looked at again.
#[tokio::test(flavor = "multi_thread")]
async fn objects_at_rest_are_left_alone_while_another_one_changes() {
    let world = World::start().await;
    world.connection("spare", json!({})).await;
    world.connection_is("spare", "True", "Synced").await;
    set_password(&world, "shared", "canary-shared").await;
    set_password(&world, "db", "canary-first").await;
    let at_rest: Vec<_> = (0..40).map(|number| format!("rest-{number}")).collect();
    for name in &at_rest {
        world.create(name, content("shared")).await;
    }
    world.create("db", content("db")).await;
    for name in &at_rest {
        world.ready(name).await;
    }
    let mut object = world.ready("db").await;
    let bill = Bill::open(&world).await;
    for number in 0..5 {
        let touched = mark(&world).await;
        touch(
            &world,
            "db",
            json!({"metadata": {"annotations": {"touched": number.to_string()}}}),
        )
        .await;
        requested(&world, touched, "read the touched Secret", reads_secret("db")).await;
        set_password(&world, "db", &format!("canary-{number}")).await;
        object = accepted_after(&world, &object).await;
    }
    assert_eq!(bill.sum().await, (5, patches(&[(STATUS, 5)])));
    assert_eq!(bill.listings(), 0);
    for request in requests(&world, bill.start).await {
        let about = (request.resource.as_str(), request.name.as_str());
        let own = matches!(about, ("secrets" | "pamcredentials", "db") | ("events", _));
        assert!(own || request.verb == "watch", "{request:?}");
    }
}
