//! Whatever text a reference has, no Secret and no ConfigMap of another namespace is read.
//!
//! The schema refuses such names; here it is loosened, as it was for objects that are older than its rules.

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams},
};
use pam_operator::api::{ClusterPamConnection, PamConnection, PamCredential};
use serde_json::{Value, json};
use testbed::{manifest, wait_for};

use super::Team;
use crate::{
    look::{mark, requests, within_deadline},
    world::{CLIENT, CLIENT_SECRET, DEADLINE, Setting, Watch, World, merge},
};

/// Ways to write "the Secret (or ConfigMap) `theirs` of the namespace `other`", and other texts that mean something in a
/// path or a URL.
fn hostile(other: &str) -> Vec<String> {
    let mut names = Vec::new();
    for kind in ["secrets", "configmaps"] {
        names.push(format!("../../{other}/{kind}/theirs"));
        names.push(format!("..%2f..%2f{other}%2f{kind}%2ftheirs"));
        names.push(format!("/api/v1/namespaces/{other}/{kind}/theirs"));
    }
    names.push(format!("%2e%2e/%2e%2e/{other}/secrets/theirs"));
    names.push(format!("{other}/theirs"));
    let texts = [
        "theirs",
        "theirs#",
        "?fieldSelector=metadata.name=theirs",
        "..",
        ".",
        "Theirs",
        "./vault-client",
    ];
    names.extend(texts.map(str::to_owned));
    names
}

/// Lets the specs of all kinds be anything, and waits until the API server takes it.
async fn loosen(world: &World) {
    let crds: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    for crd in crds.list(&ListParams::default()).await.expect("a list") {
        let mut version = serde_json::to_value(&crd.spec.versions[0]).expect("JSON");
        let fields = version.as_object_mut().expect("an object");
        fields.remove("selectableFields");
        let schema = fields["schema"]["openAPIV3Schema"].as_object_mut().expect("a schema");
        schema.remove("x-kubernetes-validations");
        schema["properties"]["spec"] = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let patch: Patch<Value> = Patch::Merge(json!({"spec": {"versions": [version]}}));
        crds.patch(&crd.name_any(), &PatchParams::default(), &patch)
            .await
            .expect("the schema is accepted");
    }
}

struct Attack<'a> {
    client: &'a Client,
    number: usize,
    made: Vec<(ApiResource, String, String)>,
}

impl Attack<'_> {
    /// Creates an object, as soon as the API server takes its spec.
    async fn create(&mut self, resource: ApiResource, namespace: &str, spec: &Value) {
        self.number += 1;
        let name = format!("attack-{}", self.number);
        let api = api(self.client, namespace, &resource);
        let mut object = DynamicObject::new(&name, &resource);
        object.data = json!({"spec": spec});
        within_deadline("meet a loosened schema", async || {
            let params = PatchParams::apply("test").force();
            api.patch(&name, &params, &Patch::Apply(&object)).await.is_ok()
        })
        .await;
        self.made.push((resource, namespace.to_owned(), name));
    }
}

fn api(client: &Client, namespace: &str, resource: &ApiResource) -> Api<DynamicObject> {
    if resource.kind == "ClusterPamConnection" {
        Api::all_with(client.clone(), resource)
    } else {
        Api::namespaced_with(client.clone(), namespace, resource)
    }
}

/// Every reference of a PamCredential, with this name.
fn credential_specs(name: &str, other: &str) -> Vec<Value> {
    let reference = json!({"name": name, "key": "password", "namespace": other});
    let usual = |change: Value| {
        let mut spec = json!({
            "connectionRef": {"name": "vault"}, "username": "u", "hostname": "h", "ip": "i",
            "contentSecretRef": {"name": "ours", "key": "password"},
        });
        merge(&mut spec, change);
        spec
    };
    vec![
        usual(json!({"contentSecretRef": reference})),
        usual(json!({"additionalSettings": {"secretKeySecretRef": reference}})),
        usual(json!({"additionalSettings": {
            "additionalAuthenticationFields": [{"name": "f", "valueSecretRef": reference}],
        }})),
        usual(json!({"connectionRef": {"name": name, "namespace": other}})),
        usual(json!({"connectionRef": {"kind": "PamConnection", "name": name}})),
        usual(json!({"connectionRef": {"kind": "ClusterPamConnection", "name": name}})),
    ]
}

/// Every reference of a connection, with this name.
fn connection_specs(usual: &Value, name: &str, other: &str) -> Vec<Value> {
    let reference = json!({"name": name, "key": "ca.crt", "namespace": other});
    let changes = [
        json!({"credentialsSecretRef": reference}),
        json!({"tls": {"clientCertificateSecretRef": reference}}),
        json!({"tls": {"caBundleRef": {"kind": "Secret", "name": name, "key": "ca.crt", "namespace": other}}}),
        json!({"tls": {"caBundleRef": {"kind": "ConfigMap", "name": name, "key": "ca.crt", "namespace": other}}}),
    ];
    let with = |change| {
        let mut spec = usual.clone();
        merge(&mut spec, change);
        spec
    };
    changes.into_iter().map(with).collect()
}

/// Secrets and ConfigMaps under the same names in all namespaces that matter.
async fn furnish(world: &World, team: &Team<'_>, other: &Team<'_>) {
    team.connection().await;
    team.secret("ours", &[("password", "of-the-team")]).await;
    let all = [
        ("password", "stolen"),
        ("clientId", CLIENT),
        ("clientSecret", CLIENT_SECRET),
        ("ca.crt", "stolen"),
    ];
    other.secret("theirs", &all).await;
    let map = format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: theirs, namespace: {}}}, data: {{ca.crt: stolen}}}}",
        other.namespace
    );
    let applied = manifest::apply(&world.client, &map, other.namespace).await;
    applied.expect("a valid manifest");
    let client = json!({"password": "p", "clientId": CLIENT, "clientSecret": CLIENT_SECRET});
    world.secret("of-the-operator", client).await;
    let allowed = json!({"allowedNamespaces": {"names": [team.namespace]}});
    world.cluster_connection("of-the-cluster", allowed).await;
}

/// Creates an object for each way to name what is somebody else's.
async fn attack(world: &World, team: &Team<'_>, other: &Team<'_>) -> Vec<(ApiResource, String, String)> {
    let usual = world.connection_spec(json!({}));
    let mut attack = Attack {
        client: &world.client,
        number: 0,
        made: Vec::new(),
    };
    let credential = || ApiResource::erase::<PamCredential>(&());
    let namespaced = || ApiResource::erase::<PamConnection>(&());
    let cluster = || ApiResource::erase::<ClusterPamConnection>(&());
    for name in hostile(other.namespace) {
        for spec in credential_specs(&name, other.namespace) {
            attack.create(credential(), team.namespace, &spec).await;
        }
        for spec in connection_specs(&usual, &name, other.namespace) {
            attack.create(namespaced(), team.namespace, &spec).await;
            attack.create(cluster(), "", &spec).await;
        }
    }
    // What exists in the operator's namespace only is nothing to a team, and the reverse.
    for spec in credential_specs("of-the-operator", &world.namespace) {
        attack.create(credential(), team.namespace, &spec).await;
    }
    for spec in connection_specs(&usual, "of-the-operator", &world.namespace) {
        attack.create(namespaced(), team.namespace, &spec).await;
    }
    for spec in connection_specs(&usual, "ours", team.namespace) {
        attack.create(cluster(), "", &spec).await;
    }
    // A connection of the cluster, asked for as one of the namespace.
    let crossed = json!({
        "connectionRef": {"kind": "PamConnection", "name": "of-the-cluster"},
        "username": "u", "hostname": "h", "ip": "i",
    });
    attack.create(credential(), team.namespace, &crossed).await;
    attack.made
}

fn is_refused(object: &DynamicObject) -> bool {
    let conditions = object.data["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "Ready" && condition["status"] == "False" && condition["reason"] != "Progressing"
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_leads_out_of_the_namespace() {
    let world = World::with(Setting {
        own_plane: true,
        watch: Watch::All,
        teams: 2,
        ..Setting::default()
    })
    .await;
    let (team, other) = (Team::new(&world, 0), Team::new(&world, 1));
    let start = mark(&world).await;
    furnish(&world, &team, &other).await;
    loosen(&world).await;
    let made = attack(&world, &team, &other).await;
    for (resource, namespace, name) in &made {
        let api = api(&world.client, namespace, resource);
        world.expect(wait_for(&api, name, "refused", DEADLINE, is_refused).await);
    }
    // Those that are entitled to it read what is theirs, so the log would show the others too.
    let entitled = json!({"contentSecretRef": {"name": "ours", "key": "password"}});
    team.credential("entitled", entitled).await;
    team.ready("entitled").await;

    let asked = requests(&world, start).await;
    let reads: BTreeSet<_> = asked
        .iter()
        .filter(|request| ["secrets", "configmaps"].contains(&request.resource.as_str()) && !request.name.is_empty())
        .collect();
    for request in &reads {
        // Names that one of these namespaces could have itself; any other text ends in another place of the path.
        let here = [team.namespace, &world.namespace].contains(&request.namespace.as_str());
        let name = request
            .name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        assert!(here && name && request.subresource.is_empty(), "{request:?}");
        assert!(request.name.bytes().any(|byte| byte != b'.'), "{request:?}");
        let of_the_operator = request.namespace == team.namespace && request.name == "of-the-operator";
        assert!(!of_the_operator || request.code == 404, "{request:?}");
    }
    let foreign: Vec<_> = asked
        .iter()
        .filter(|request| request.namespace == other.namespace)
        .collect();
    assert!(
        foreign.iter().all(|request| request.resource == "namespaces"),
        "{foreign:?}"
    );
    let entitled = [
        (team.namespace, "ours"),
        (team.namespace, "vault-client"),
        (&world.namespace, "vault-client"),
    ];
    for (namespace, name) in entitled {
        let found = reads.iter().any(|request| {
            request.namespace == namespace
                && request.resource == "secrets"
                && request.name == name
                && request.succeeded()
        });
        assert!(found, "the log shows what is read: {namespace}/{name}");
    }
    println!("{} objects, {} different reads, all at home", made.len(), reads.len());
}
