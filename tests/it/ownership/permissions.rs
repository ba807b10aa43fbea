//! What a ClusterPamConnection does not allow is not sent.

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use pam_operator::{api::ClusterPamConnection, simulator::Data};
use serde_json::{Value, json};

use crate::ownership::posts;
use crate::world::{Setting, World, data, message};

/// Permission, the field that needs it, and a spec that uses it.
fn uses() -> Vec<(&'static str, &'static str, Value)> {
    let triple = |kind: &str| {
        json!({
            (format!("{kind}Credential")): "root", (format!("{kind}Hostname")): "db.example.com",
            (format!("{kind}Ip")): "10.0.0.1",
        })
    };
    let with = |mut settings: Value, more: Value| {
        let fields = settings.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        settings
    };
    vec![
        ("Adopt", "adoptionPolicy", json!({"adoptionPolicy": "Adopt"})),
        ("DeviceFields", "type", json!({"type": "Server"})),
        ("DeviceFields", "vendor", json!({"vendor": "Acme"})),
        ("DeviceFields", "model", json!({"model": "One"})),
        ("DeviceFields", "site", json!({"site": "Lab"})),
        ("DeviceFields", "deviceDomain", json!({"deviceDomain": "lab"})),
        ("DeviceFields", "deviceTags", json!({"deviceTags": ["a"]})),
        ("DeviceFields", "connectivities", json!({"connectivities": ["SSH:22"]})),
        ("CredentialReferences", "parentPassword", json!({"parentPassword": 1})),
        (
            "CredentialReferences",
            "executionSettings.parentCredential",
            json!({"executionSettings": triple("parent")}),
        ),
        (
            "CredentialReferences",
            "executionSettings.authenticationCredential",
            json!({"executionSettings": triple("authentication")}),
        ),
        (
            "CredentialReferences",
            "executionSettings.reconciliationCredential",
            json!({"executionSettings": triple("reconciliation")}),
        ),
        (
            "CredentialReferences",
            "sessionSettings.authenticationCredential",
            json!({"sessionSettings": triple("authentication")}),
        ),
        (
            "CredentialReferences",
            "jitSettings.authenticationCredential",
            json!({"jitSettings": with(triple("authentication"), json!({"useOwnCredentialToConnect": false}))}),
        ),
        (
            "Owner",
            "additionalSettings.userCredentialOwner",
            json!({"additionalSettings": {"userCredentialOwner": "admin"}}),
        ),
    ]
}

const PERMISSIONS: [&str; 4] = ["Adopt", "DeviceFields", "CredentialReferences", "Owner"];

/// A world whose ClusterPamConnections exist only there.
async fn world() -> World {
    World::with(Setting {
        data: Data {
            domains: vec!["lab".to_owned()],
            owners: vec!["admin".to_owned()],
            ..data()
        },
        own_plane: true,
        ..Setting::default()
    })
    .await
}

/// Creates an object that uses a ClusterPamConnection.
async fn create(world: &World, name: &str, connection: &str, mut spec: Value) {
    spec["connectionRef"] = json!({"kind": "ClusterPamConnection", "name": connection});
    world.create(name, spec).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_needs_its_own_permission() {
    let world = world().await;
    let namespaces = json!({"names": [world.namespace]});
    for permission in PERMISSIONS {
        let only = json!({"allowedNamespaces": namespaces, "allow": [permission]});
        let others: Vec<_> = PERMISSIONS.iter().filter(|other| **other != permission).collect();
        let all_others = json!({"allowedNamespaces": namespaces, "allow": others});
        let name = permission.to_lowercase();
        world.cluster_connection(&format!("only-{name}"), only).await;
        world.cluster_connection(&format!("all-but-{name}"), all_others).await;
    }
    world
        .cluster_connection("closed", json!({"allowedNamespaces": namespaces}))
        .await;
    world
        .cluster_connection("open", json!({"allowedNamespaces": namespaces, "allow": ["All"]}))
        .await;
    for (number, (permission, field, spec)) in uses().into_iter().enumerate() {
        let permission = permission.to_lowercase();
        for connection in ["closed".to_owned(), format!("all-but-{permission}")] {
            let name = format!("no-{number}-{connection}");
            create(&world, &name, &connection, spec.clone()).await;
            let object = world.fails(&name, "NotPermitted").await;
            let says = format!("does not allow {field}.");
            assert!(message(&object).contains(&says), "{field}: {}", message(&object));
        }
        let before = posts(&world.pam);
        let permitted = 2 * u64::try_from(number).expect("a small number");
        assert_eq!(before, permitted, "what is not permitted is not sent");
        for (n, connection) in (1..).zip([format!("only-{permission}"), "open".to_owned()]) {
            let name = format!("yes-{number}-{connection}");
            create(&world, &name, &connection, spec.clone()).await;
            world.ready(&name).await;
            assert_eq!(posts(&world.pam), before + n);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespaced_connection_permits_everything_to_its_namespace() {
    let world = World::with(Setting {
        data: Data {
            domains: vec!["lab".to_owned()],
            owners: vec!["admin".to_owned()],
            ..data()
        },
        ..Setting::default()
    })
    .await;
    for (number, (_, _, spec)) in uses().into_iter().enumerate() {
        let name = format!("all-{number}");
        world.create(&name, spec).await;
        world.ready(&name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_not_listed_may_not_use_the_connection() {
    let world = world().await;
    let others = json!({"allowedNamespaces": {"names": ["somebody-elses"]}});
    world.cluster_connection("others", others).await;
    world.cluster_connection("nobodys", json!({})).await;
    for connection in ["others", "nobodys"] {
        create(&world, connection, connection, json!({})).await;
        world.fails(connection, "ConnectionNotAllowed").await;
    }
    assert_eq!(posts(&world.pam), 0);
    let api: Api<ClusterPamConnection> = Api::all(world.client.clone());
    let allowed = json!({"spec": {"allowedNamespaces": {"names": [world.namespace]}}});
    api.patch("others", &PatchParams::default(), &Patch::Merge(allowed))
        .await
        .expect("the change is accepted");
    world.ready("others").await;
    world.change("nobodys", json!({"tags": ["edited"]})).await;
    world.fails("nobodys", "ConnectionNotAllowed").await;
    assert_eq!(posts(&world.pam), 1);
}

/// What was permitted once and is not any more stays as it is, and changes no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_back_stops_the_next_change() {
    let world = world().await;
    let namespaces = json!({"names": [world.namespace]});
    world
        .cluster_connection(
            "shared",
            json!({"allowedNamespaces": namespaces, "allow": ["DeviceFields"]}),
        )
        .await;
    create(&world, "db", "shared", json!({"model": "One"})).await;
    world.ready("db").await;
    let api: Api<ClusterPamConnection> = Api::all(world.client.clone());
    let closed = json!({"spec": {"allow": []}});
    api.patch("shared", &PatchParams::default(), &Patch::Merge(closed))
        .await
        .expect("the change is accepted");
    create(&world, "new", "shared", json!({"model": "Two"})).await;
    world.fails("new", "NotPermitted").await;
    world.ready("db").await;
    world.change("db", json!({"model": "Three"})).await;
    world.fails("db", "NotPermitted").await;
    assert_eq!(posts(&world.pam), 1);
}
