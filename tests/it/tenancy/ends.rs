//! The end of a namespace in which everything is deleted at once, and of a PAM: no object is held for ever, and whoever
//! lets one go without deactivating its credential says so.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use k8s_openapi::api::{
    core::v1::{ConfigMap, Secret},
    events::v1::Event,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ListParams},
    core::NamespaceResourceScope,
};
use pam_operator::{
    api::{PamConnection, PamCredential},
    simulator::Operation,
};
use serde::de::DeserializeOwned;
use serde_json::json;
use testbed::{delete_namespace, finalize_namespace, wait_until_gone};

use super::Team;
use crate::{
    look::{only, within_deadline},
    world::{DEADLINE, Setting, World},
};

/// How long the operator may take for what needs no PAM.
const SECONDS: Duration = Duration::from_secs(20);

const OBJECTS: [&str; 3] = ["db", "web", "cache"];

/// What the namespace controller deletes, all objects of a kind after another.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The namespace gets its deletionTimestamp.
    Mark,
    Secrets,
    ConfigMaps,
    Connections,
    Credentials,
}

use Kind::{ConfigMaps, Connections, Credentials, Mark, Secrets};

async fn delete_all<K>(team: &Team<'_>)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
{
    let api: Api<K> = team.api();
    let names = api.list_metadata(&ListParams::default()).await.expect("a list").items;
    for object in names {
        api.delete(&object.name_any(), &DeleteParams::default())
            .await
            .expect("the deletion is accepted");
    }
}

async fn delete(team: &Team<'_>, kind: Kind) {
    match kind {
        Mark => delete_namespace(&team.world.client, team.namespace)
            .await
            .expect("the deletion is accepted"),
        Secrets => delete_all::<Secret>(team).await,
        ConfigMaps => delete_all::<ConfigMap>(team).await,
        Connections => delete_all::<PamConnection>(team).await,
        Credentials => delete_all::<PamCredential>(team).await,
    }
}

async fn metrics(world: &World) -> String {
    let metrics = world.operator.as_ref().expect("it runs").get("/metrics").await;
    metrics.expect("metrics")
}

/// How many objects were released for this reason.
async fn released(world: &World, reason: &str) -> usize {
    let metrics = metrics(world).await;
    let line = format!("pam_operator_orphaned_total{{reason=\"{reason}\"}} ");
    let count = metrics.lines().find_map(|text| text.strip_prefix(&line));
    count.map_or(0, |count| count.parse().expect("a number"))
}

/// Every object of the namespace has an active credential or was deactivated; those that were let go are counted.
async fn ends(world: &World, number: usize, order: &[Kind]) -> Duration {
    let team = Team::new(world, number);
    let before = released(world, "orphaned").await;
    let deactivated = world.pam.journal().count(Operation::Delete);
    for name in OBJECTS {
        let spec = json!({"deletionPolicy": "Deactivate", "username": format!("{name}-{number}")});
        team.credential(name, spec).await;
    }
    for name in OBJECTS {
        team.ready(name).await;
    }
    let start = Instant::now();
    for kind in order {
        delete(&team, *kind).await;
    }
    for name in OBJECTS {
        world.expect(wait_until_gone(&team.api::<PamCredential>(), name, SECONDS).await);
    }
    let took = start.elapsed();
    let orphaned = released(world, "orphaned").await - before;
    let deactivated = world.pam.journal().count(Operation::Delete) - deactivated;
    let of_this = |username: &str| OBJECTS.iter().any(|name| username == format!("{name}-{number}"));
    let active = world.pam.credentials().into_iter();
    let active = active
        .filter(|credential| credential.active && of_this(&credential.username))
        .count();
    assert_eq!(
        active, orphaned,
        "{order:?}: what is still active was let go with a warning"
    );
    println!("{order:?}: {took:?}, {orphaned} let go, {deactivated} deactivated");
    finalize_namespace(&world.client, team.namespace)
        .await
        .expect("nothing holds the namespace");
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_ends_in_whatever_order_it_is_emptied() {
    let orders: &[&[Kind]] = &[
        &[Mark, Secrets, ConfigMaps, Connections, Credentials],
        &[Mark, Secrets, Credentials, ConfigMaps, Connections],
        &[Mark, ConfigMaps, Credentials, Secrets, Connections],
        &[Mark, Connections, Credentials, ConfigMaps, Secrets],
        &[Mark, Credentials, Connections, Secrets, ConfigMaps],
    ];
    let world = World::with(Setting {
        teams: orders.len(),
        ..Setting::default()
    })
    .await;
    for number in 0..orders.len() {
        Team::new(&world, number).connection().await;
    }
    for (number, order) in orders.iter().enumerate() {
        ends(&world, number, order).await;
    }
    assert!(
        released(&world, "orphaned").await >= 3,
        "the first order leaves nothing to deactivate with"
    );
    let log = world.operator.as_ref().expect("it runs").output();
    assert!(log.contains("the object was released and its credential was left alone"));
}

/// Objects that wait for a connection which somebody took away go as soon as their namespace does, however long they have
/// been waiting.
#[tokio::test(flavor = "multi_thread")]
async fn objects_that_wait_already_go_with_their_namespace() {
    let world = World::with(Setting {
        teams: 1,
        ..Setting::default()
    })
    .await;
    let team = Team::new(&world, 0);
    team.connection().await;
    team.credential("db", json!({"deletionPolicy": "Deactivate"})).await;
    team.ready("db").await;
    delete(&team, Secrets).await;
    delete(&team, Credentials).await;
    team.fails("db", "DeactivationFailed").await;
    delete(&team, Connections).await;
    team.until("db", "told that the connection is gone", |object| {
        crate::world::message(object).contains("does not exist")
    })
    .await;
    assert_eq!(
        released(&world, "orphaned").await,
        0,
        "the namespace stays, so the Secret may come back"
    );
    delete(&team, Mark).await;
    world.expect(wait_until_gone(&team.api::<PamCredential>(), "db", SECONDS).await);
    assert_eq!(released(&world, "orphaned").await, 1);
    assert_eq!(world.pam.journal().count(Operation::Delete), 0);
}

/// Where nothing ends but the PAM, the time of `--deletion-timeout` is given to it.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_let_go_when_the_pam_stays_away() {
    let mut world = World::with(Setting {
        args: vec!["--deletion-timeout".to_owned(), "3s".to_owned()],
        ..Setting::default()
    })
    .await;
    world.create("db", json!({"deletionPolicy": "Deactivate"})).await;
    world.ready("db").await;
    world.pam.down().await;
    world.delete("db").await;
    world.gone("db").await;
    assert!(only(&world).active);
    assert_eq!(released(&world, "timed_out").await, 1);
    let log = world.operator.as_ref().expect("it runs").output();
    let line = log.lines().find(|line| line.contains("its credential was left alone"));
    assert!(line.is_some_and(|line| line.contains("timed_out")), "{line:?}");
    let events: Api<Event> = world.api();
    within_deadline("warn of what it let go", async || {
        let found = events.list(&ListParams::default()).await.expect("events").items;
        found.iter().any(|event| {
            event.type_.as_deref() == Some("Warning")
                && event.regarding.as_ref().and_then(|object| object.name.as_deref()) == Some("db")
                && event
                    .note
                    .as_ref()
                    .is_some_and(|note| note.contains("could not be asked within --deletion-timeout"))
        })
    })
    .await;
}

/// The same where the connection is gone and nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_let_go_when_its_connection_stays_away() {
    let world = World::with(Setting {
        args: vec!["--deletion-timeout".to_owned(), "3s".to_owned()],
        ..Setting::default()
    })
    .await;
    world.create("db", json!({"deletionPolicy": "Deactivate"})).await;
    world.ready("db").await;
    let connections: Api<PamConnection> = world.api();
    connections
        .delete("vault", &DeleteParams::default())
        .await
        .expect("it is there");
    world.expect(wait_until_gone(&connections, "vault", DEADLINE).await);
    let start = Instant::now();
    world.delete("db").await;
    world.fails("db", "DeactivationFailed").await;
    world.gone("db").await;
    assert!(
        start.elapsed() >= Duration::from_secs(3),
        "it may come back within the time"
    );
    assert_eq!(released(&world, "timed_out").await, 1);
    assert!(only(&world).active);
}
