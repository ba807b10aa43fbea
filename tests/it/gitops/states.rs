//! Objects of the three kinds in every state that they can be in, made by the real operator.

use pam_operator::simulator::{Effect, Fault, Hold, Operation, Point};
use serde_json::{Value, json};

use super::{
    kstatus::condition,
    live::{change, is, reason, until},
};
use crate::{
    manifests::Kind,
    vaults::documented,
    world::{Setting, World},
};

/// An object in one of its states.
pub struct State {
    /// Kind and state, as the file is called that it is recorded in.
    pub name: String,
    /// The object as the API server has it.
    pub object: Value,
}

/// A device that the PAM has, for an account of this name.
fn account(name: &str, change: Value) -> Value {
    let mut spec = json!({"username": name, "hostname": "API-Testing", "ip": "128.0.0.1"});
    crate::world::merge(&mut spec, change);
    spec
}

/// A world whose PAM is listed as often as the operator lists at all; the operator does not run yet.
pub async fn world() -> World {
    let setting = Setting {
        data: documented(None),
        own_plane: true,
        started: false,
        ..Setting::default()
    };
    World::with(setting).await
}

/// Brings objects into every state. In the end the operator is stopped.
pub async fn all(world: &mut World) -> Vec<State> {
    let mut states = Vec::new();
    connections(world).await;
    world.create("fresh", account("fresh", json!({}))).await;
    for (kind, object) in [(Kind::Credential, "fresh"), (Kind::Connection, "vault")] {
        keep(world, &mut states, kind, "fresh", object, |object| {
            condition(object, "Ready").is_none()
        })
        .await;
    }
    world.run().await;
    let hold = credentials(world).await;
    keep(
        world,
        &mut states,
        Kind::Credential,
        "progressing",
        "progressing",
        is("False", "Progressing"),
    )
    .await;
    hold.release();
    connection_states(world, &mut states).await;
    waiting(world, &mut states).await;
    suspended(world, &mut states).await;
    drifted(world, &mut states).await;
    deleting(world, &mut states).await;
    world.stop().await;
    unseen(world, &mut states).await;
    states
}

async fn connections(world: &World) {
    world.connection("vault", json!({"driftCheckInterval": "1s"})).await;
    world
        .secret(
            "refused",
            json!({"clientId": "nobody", "clientSecret": "canary-nobody"}),
        )
        .await;
    world
        .connection("refused", json!({"credentialsSecretRef": {"name": "refused"}}))
        .await;
    world
        .connection("no-secret", json!({"credentialsSecretRef": {"name": "absent"}}))
        .await;
    world.connection("silent", json!({"url": "https://127.0.0.1:1"})).await;
    world.connection("paused-at-once", json!({"suspend": true})).await;
    world.connection("paused", json!({})).await;
    let here = json!({"names": [world.namespace]});
    world
        .cluster_connection("shared", json!({"allowedNamespaces": here}))
        .await;
    world
        .cluster_connection("elsewhere", json!({"allowedNamespaces": {"names": ["elsewhere"]}}))
        .await;
}

/// Creates all credentials. The POST of one is held, so that it is under way.
async fn credentials(world: &World) -> Hold {
    let faults = world.pam.faults();
    let hold = faults.hold(Operation::Post, Some("progressing"), Point::Before);
    let failing = || Effect::Status {
        code: 500,
        executed: false,
        retry_after: None,
    };
    faults.add(Fault::new(failing()).on(Operation::Post).identifier("pam-unavailable"));
    faults.add(
        Fault::new(failing())
            .on(Operation::Delete)
            .identifier("deactivation-failed"),
    );
    let shared = |name: &str| json!({"connectionRef": {"kind": "ClusterPamConnection", "name": name}});
    let named = |identifier: &str, policy: &str| json!({"identifier": identifier, "deletionPolicy": policy});
    let specs = [
        ("progressing", named("progressing", "Retain")),
        ("synced", json!({})),
        ("suspended", json!({})),
        ("suspended-with-changes", json!({})),
        ("drifted", json!({})),
        ("drifted-with-changes", json!({})),
        ("not-found-in-pam", json!({})),
        ("outdated", json!({})),
        ("deleting", json!({"deletionPolicy": "Deactivate"})),
        ("deactivation-failed", named("deactivation-failed", "Deactivate")),
        ("pam-unavailable", named("pam-unavailable", "Retain")),
        ("connection-not-found", json!({"connectionRef": {"name": "absent"}})),
        ("connection-not-ready", json!({"connectionRef": {"name": "refused"}})),
        ("connection-not-allowed", shared("elsewhere")),
        (
            "secret-not-found",
            json!({"contentSecretRef": {"name": "absent", "key": "password"}}),
        ),
        ("suspended-at-once", json!({"suspend": true})),
        ("already-exists", json!({"username": "made_by_hand"})),
        ("device-not-found", json!({"hostname": "unknown"})),
    ];
    for (name, change) in specs {
        world.create(name, account(name, change)).await;
    }
    let mut borrowed = account("not-permitted", shared("shared"));
    borrowed["vendor"] = json!("Debian");
    world.create("not-permitted", borrowed).await;
    hold
}

async fn connection_states(world: &World, states: &mut Vec<State>) {
    let kind = Kind::Connection;
    keep(world, states, kind, "ready", "vault", is("True", "Synced")).await;
    keep(
        world,
        states,
        kind,
        "authentication-failed",
        "refused",
        is("False", "AuthenticationFailed"),
    )
    .await;
    keep(
        world,
        states,
        kind,
        "secret-not-found",
        "no-secret",
        is("False", "SecretNotFound"),
    )
    .await;
    keep(
        world,
        states,
        kind,
        "pam-unavailable",
        "silent",
        is("False", "PamUnavailable"),
    )
    .await;
    keep(
        world,
        states,
        kind,
        "suspended-at-once",
        "paused-at-once",
        is("False", "Suspended"),
    )
    .await;
    until(world, kind, "paused", is("True", "Synced")).await;
    change(world, kind, "paused", json!({"suspend": true})).await;
    keep(world, states, kind, "suspended", "paused", is("True", "Suspended")).await;
    keep(
        world,
        states,
        Kind::ClusterConnection,
        "ready",
        "shared",
        is("True", "Synced"),
    )
    .await;
}

async fn waiting(world: &World, states: &mut Vec<State>) {
    keep(
        world,
        states,
        Kind::Credential,
        "synced",
        "synced",
        is("True", "Synced"),
    )
    .await;
    for (name, reason) in [
        ("connection-not-found", "ConnectionNotFound"),
        ("connection-not-ready", "ConnectionNotReady"),
        ("connection-not-allowed", "ConnectionNotAllowed"),
        ("secret-not-found", "SecretNotFound"),
        ("not-permitted", "NotPermitted"),
        ("already-exists", "AlreadyExists"),
        ("device-not-found", "DeviceNotFound"),
        ("pam-unavailable", "PamUnavailable"),
        ("suspended-at-once", "Suspended"),
    ] {
        keep(world, states, Kind::Credential, name, name, is("False", reason)).await;
    }
    // Younger than the other one, which has the account.
    world.create("conflict", account("synced", json!({}))).await;
    keep(
        world,
        states,
        Kind::Credential,
        "conflict",
        "conflict",
        is("False", "Conflict"),
    )
    .await;
}

async fn suspended(world: &World, states: &mut Vec<State>) {
    for name in ["suspended", "suspended-with-changes"] {
        world.ready(name).await;
    }
    world.change("suspended", json!({"suspend": true})).await;
    world
        .change(
            "suspended-with-changes",
            json!({"suspend": true, "additional": "orders"}),
        )
        .await;
    for (name, ready) in [("suspended", "True"), ("suspended-with-changes", "False")] {
        keep(world, states, Kind::Credential, name, name, is(ready, "Suspended")).await;
    }
}

async fn drifted(world: &World, states: &mut Vec<State>) {
    for name in ["drifted", "drifted-with-changes"] {
        let id = crate::world::id(&world.ready(name).await);
        assert!(
            world
                .pam
                .edit(id, |credential| credential.username = format!("renamed-{name}"))
        );
    }
    let id = crate::world::id(&world.ready("not-found-in-pam").await);
    assert!(world.pam.remove(id));
    let drifted = |object: &Value| condition(object, "Drifted").is_some() && condition(object, "Ready") == Some("True");
    until(world, Kind::Credential, "drifted-with-changes", drifted).await;
    world
        .change("drifted-with-changes", json!({"additional": "orders"}))
        .await;
    for name in ["drifted", "not-found-in-pam"] {
        keep(world, states, Kind::Credential, name, name, drifted).await;
    }
    let held = is("False", "Drifted");
    keep(
        world,
        states,
        Kind::Credential,
        "drifted-with-changes",
        "drifted-with-changes",
        held,
    )
    .await;
}

async fn deleting(world: &World, states: &mut Vec<State>) {
    world.ready("deactivation-failed").await;
    world.delete("deactivation-failed").await;
    let failed = |object: &Value| reason(object, "Ready") == Some("DeactivationFailed");
    keep(
        world,
        states,
        Kind::Credential,
        "deactivation-failed",
        "deactivation-failed",
        failed,
    )
    .await;
}

/// What the operator has not seen: it does not run any more.
async fn unseen(world: &World, states: &mut Vec<State>) {
    world.change("outdated", json!({"additional": "orders"})).await;
    let outdated = |object: &Value| object["status"]["observedGeneration"] != object["metadata"]["generation"];
    keep(world, states, Kind::Credential, "outdated", "outdated", outdated).await;
    world.delete("deleting").await;
    let deleting = |object: &Value| object["metadata"]["deletionTimestamp"].is_string();
    keep(world, states, Kind::Credential, "deleting", "deleting", deleting).await;
}

/// Waits until the object is in a state, and keeps it as it is then.
async fn keep(
    world: &World,
    states: &mut Vec<State>,
    kind: Kind,
    state: &str,
    name: &str,
    is_so: impl Fn(&Value) -> bool,
) {
    let object = until(world, kind, name, is_so).await;
    let kind = match kind {
        Kind::Credential => "credential",
        Kind::Connection => "connection",
        Kind::ClusterConnection => "cluster-connection",
    };
    states.push(State {
        name: format!("{kind}-{state}"),
        object,
    });
}
