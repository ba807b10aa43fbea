//! What the quickstart says happens: its file is applied, and its Secret changed, with a simulator that knows what the
//! chart's does. That its commands work as they stand is for a cluster with nodes.

use serde_json::{Value, json};
use testbed::manifest;

use super::{read, repository};
use crate::{
    look::accepted_after,
    vaults::documented,
    world::{Setting, World, id},
};

const PAGE: &str = "docs/src/quickstart.md";

#[tokio::test(flavor = "multi_thread")]
async fn its_credential_is_in_the_pam_as_the_page_shows() {
    let world = World::with(Setting {
        data: documented(None),
        ..Setting::default()
    })
    .await;
    let file = read(&repository().join("examples/quickstart/credential.yaml"));
    for mut object in manifest::documents(&file).expect("manifests") {
        object.metadata.namespace = None;
        if !object.data["spec"].is_null() {
            object.data["spec"]["connectionRef"] = json!({"name": "vault"});
        }
        let applied = manifest::apply_object(&world.client, &object, &world.namespace).await;
        applied.expect("it is accepted");
    }
    let created = world.ready("orders-db").await;
    let page = read(&repository().join(PAGE));
    let shown = page
        .lines()
        .find(|line| line.starts_with("orders-db "))
        .expect("a table");
    let words: Vec<_> = shown.split_whitespace().collect();
    let spec = &created.spec;
    let id = id(&created);
    assert_eq!(
        words[..6],
        [
            "orders-db",
            "True",
            "Synced",
            &id.to_string(),
            &spec.username,
            &spec.hostname
        ]
    );

    let patch = page
        .split_once("patch secret orders-db -p '")
        .and_then(|(_, rest)| rest.split_once('\''));
    let patch: Value = serde_json::from_str(patch.expect("a change of the Secret").0).expect("JSON");
    world.secret("orders-db", patch["stringData"].clone()).await;
    accepted_after(&world, &created).await;
    let url = format!("{}/_simulator/credentials", world.pam_url());
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .expect("a client");
    let all: Vec<Value> = client
        .get(url)
        .send()
        .await
        .expect("an answer")
        .json()
        .await
        .expect("JSON");
    let own = all
        .iter()
        .find(|credential| credential["id"] == id)
        .expect("it is shown");
    let shown = page
        .lines()
        .find(|line| line.starts_with("[…,{"))
        .expect("an answer of the simulator");
    for field in [
        "active",
        "content",
        "content_writes",
        "hostname",
        "id",
        "ip",
        "username",
        "view",
    ] {
        assert!(
            shown.contains(&format!("{}:{}", json!(field), own[field])),
            "{field}: {own}"
        );
    }
}
