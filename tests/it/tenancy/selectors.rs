//! The namespaces that a ClusterPamConnection selects by their labels, as these change.

use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule};
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use pam_operator::{
    api::{
        ClusterPamConnection,
        condition::{READY, find},
    },
    simulator::Operation,
};
use serde_json::{Value, json};
use testbed::{manifest, wait_for};

use super::Team;
use crate::{
    look::{mark, writes},
    world::{DEADLINE, Setting, Watch, World},
};

/// A spec that uses the ClusterPamConnection of this name.
fn through(connection: &str) -> Value {
    json!({"connectionRef": {"kind": "ClusterPamConnection", "name": connection}})
}

fn labelled() -> Value {
    json!({"allowedNamespaces": {"selector": {"matchLabels": {"pam": "allowed"}}}})
}

fn posts(world: &World) -> u64 {
    world.pam.journal().count(Operation::Post)
}

/// Waits until the message of Ready of a ClusterPamConnection is as described.
async fn tells(world: &World, name: &str, described: &str, is_so: impl Fn(&str) -> bool) {
    let api: Api<ClusterPamConnection> = Api::all(world.client.clone());
    let told = wait_for(&api, name, described, DEADLINE, |object: &ClusterPamConnection| {
        let ready = object
            .status
            .as_ref()
            .and_then(|status| find(&status.conditions, READY));
        ready.is_some_and(|ready| ready.status == "True" && is_so(&ready.message))
    });
    world.expect(told.await);
}

/// Labels alone let a namespace in and out; what was sent before stays as it is.
async fn labels_decide(world: &World) {
    let team = Team::new(world, 0);
    world.cluster_connection("shared", labelled()).await;
    world
        .cluster_connection("listed", json!({"allowedNamespaces": {"names": [team.namespace]}}))
        .await;
    tells(world, "shared", "without a complaint", |message| {
        !message.contains("selector")
    })
    .await;
    team.credential("listed", through("listed")).await;
    team.ready("listed").await;
    team.credential("db", through("shared")).await;
    team.fails("db", "ConnectionNotAllowed").await;
    team.label(json!({"pam": "elsewhere"})).await;
    assert_eq!(posts(world), 1);
    team.label(json!({"pam": "allowed"})).await;
    team.ready("db").await;
    assert_eq!(posts(world), 2);

    let start = mark(world).await;
    team.label(json!({"pam": null})).await;
    // An object that comes after the change is refused, so the change was seen.
    team.credential("late", through("shared")).await;
    team.fails("late", "ConnectionNotAllowed").await;
    team.ready("db").await;
    assert_eq!(
        writes(world, start).await,
        [("patch pamcredentials/status".to_owned(), 1)].into()
    );
    team.credential(
        "db",
        json!({"connectionRef": through("shared")["connectionRef"], "tags": ["changed"]}),
    )
    .await;
    team.fails("db", "ConnectionNotAllowed").await;
    assert_eq!(posts(world), 2);

    team.label(json!({"pam": "allowed"})).await;
    team.ready("db").await;
    team.ready("late").await;
    assert_eq!(posts(world), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_decide_where_all_namespaces_are_watched() {
    let mut world = World::with(Setting {
        own_plane: true,
        watch: Watch::All,
        teams: 1,
        ..Setting::default()
    })
    .await;
    labels_decide(&world).await;
    // The labels change while nobody looks.
    world.stop().await;
    let team = Team::new(&world, 0);
    team.label(json!({"pam": null})).await;
    team.credential("missed", through("shared")).await;
    world.run().await;
    let team = Team::new(&world, 0);
    team.fails("missed", "ConnectionNotAllowed").await;
    team.ready("db").await;
    assert_eq!(posts(&world), 4, "a restart sends nothing");
}

/// A control plane of its own, one team beside the operator's namespace, and no operator yet.
async fn unstarted() -> World {
    World::with(Setting {
        own_plane: true,
        teams: 1,
        started: false,
        ..Setting::default()
    })
    .await
}

/// What a role can permit for single namespaces: no right to list or watch all of them.
#[tokio::test(flavor = "multi_thread")]
async fn labels_decide_where_single_namespaces_are_watched() {
    let world = unstarted().await;
    forbid(&world).await;
    permit(&world, &[&world.namespace, &world.teams[0]]).await;
    let mut world = world;
    world.run().await;
    labels_decide(&world).await;
}

/// Whoever may not see labels says so, admits nobody by them, and goes on when it may.
#[tokio::test(flavor = "multi_thread")]
async fn labels_that_may_not_be_seen_select_nothing() {
    let mut world = unstarted().await;
    forbid(&world).await;
    world.run().await;
    let team = Team::new(&world, 0);
    team.label(json!({"pam": "allowed"})).await;
    world.cluster_connection("shared", labelled()).await;
    world
        .cluster_connection("listed", json!({"allowedNamespaces": {"names": [team.namespace]}}))
        .await;
    let missing = format!("no right to list and watch namespaces {}", world.namespace);
    tells(&world, "shared", "about the missing right", |message| {
        message.contains(&missing)
    })
    .await;
    tells(&world, "listed", "without a complaint", |message| {
        !message.contains("selector")
    })
    .await;
    team.credential("db", through("shared")).await;
    team.fails("db", "ConnectionNotAllowed").await;
    team.credential("listed", through("listed")).await;
    team.ready("listed").await;
    assert_eq!(posts(&world), 1);

    permit(&world, &[&world.namespace, team.namespace]).await;
    team.ready("db").await;
    tells(&world, "shared", "without a complaint", |message| {
        !message.contains("selector")
    })
    .await;
}

/// Takes the right to namespaces from the operator's role.
async fn forbid(world: &World) {
    let api: Api<ClusterRole> = Api::all(world.client.clone());
    let role = api.get("pam-operator").await.expect("the operator's role");
    let mut rules = role.rules.unwrap_or_default();
    let of_namespaces = |rule: &PolicyRule| rule.resources.iter().flatten().any(|resource| resource == "namespaces");
    rules.retain(|rule| !of_namespaces(rule));
    let patch: Patch<Value> = Patch::Merge(json!({"rules": rules}));
    api.patch("pam-operator", &PatchParams::default(), &patch)
        .await
        .expect("the role is accepted");
}

/// Lets the operator see these namespaces, by name.
async fn permit(world: &World, namespaces: &[&str]) {
    let rule = PolicyRule {
        api_groups: Some(vec![String::new()]),
        resources: Some(vec!["namespaces".to_owned()]),
        resource_names: Some(namespaces.iter().map(|name| (*name).to_owned()).collect()),
        verbs: ["get", "list", "watch"].map(str::to_owned).into(),
        ..PolicyRule::default()
    };
    let rule = serde_json::to_string(&rule).expect("JSON");
    let user = &world.user;
    let manifest = format!(
        r#"{{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {{"name": "namespaces"}}, "rules": [{rule}]}}
---
{{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {{"name": "namespaces"}},
 "roleRef": {{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "namespaces"}},
 "subjects": [{{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "{user}"}}]}}"#
    );
    manifest::apply(&world.client, &manifest, &world.namespace)
        .await
        .expect("the rights are accepted");
}
