//! An installation that was copied to another cluster: two operators with one key would fight over the same credentials.

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::json;

use crate::ownership::{password, posts, secret, with_password};
use crate::world::{World, id};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_from_another_cluster_until_an_administrator_accepts_it() {
    let mut world = World::start().await;
    secret(&world).await;
    world.create("db", with_password(&json!({}))).await;
    let first = id(&world.ready("db").await);
    world.stop().await;
    let elsewhere = Patch::Merge(json!({"stringData": {"cluster": "00000000-0000-4000-8000-000000000000"}}));
    let secrets: Api<Secret> = world.api();
    secrets
        .patch("pam-operator-installation", &PatchParams::default(), &elsewhere)
        .await
        .expect("the installation's Secret is there");

    world.run().await;
    let connection = world.connection_is("vault", "False", "NotPermitted").await;
    let said = &connection.status.expect("a status").conditions[0].message;
    assert!(said.contains("--accept-cluster"), "{said}");
    world.secret("ours", json!({"password": "our-next-password"})).await;
    world.create("other", json!({})).await;
    for name in ["db", "other"] {
        world.fails(name, "ConnectionNotReady").await;
    }
    assert_eq!(posts(&world.pam), 1);
    assert_eq!(
        world.pam.journal().entries().len(),
        3,
        "a token, a listing and a POST, all from before"
    );
    world.stop().await;

    world.run_with(&["--accept-cluster"]).await;
    for name in ["db", "other"] {
        world.ready(name).await;
    }
    let credential = world.pam.credential(first).expect("it is there");
    assert_eq!(password(&credential), Some("our-next-password"));
    world.stop().await;

    // Once is enough.
    world.run().await;
    world.connection_is("vault", "True", "Synced").await;
    assert_eq!(posts(&world.pam), 3);
}
