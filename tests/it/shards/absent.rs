//! A connection that does not exist has no labels: its credentials are the work of the shard of those.

use kube::{Api, api::DeleteParams};
use pam_operator::{api::PamConnection, simulator::Profile};
use serde_json::json;

use super::{LABEL, Shards, names};
use crate::{
    look::{content, set_password},
    vaults::posts,
    world::{data, id},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_without_connection_is_one_shards_until_the_connection_is_anothers() {
    let (shards, _other) = Shards::start(&["--deletion-timeout", "1s"]).await;
    let Shards { world, first, second } = &shards;
    set_password(world, "db", "canary-first").await;
    let mut spec = content("db");
    spec["connectionRef"] = json!({"name": "late"});
    spec["deletionPolicy"] = json!("Deactivate");
    world.create("db", spec).await;
    world.fails("db", "ConnectionNotFound").await;

    let (late, spec) = world.pam_beside("late", Profile::V3_32, data()).await;
    world.labelled_connection("late", json!({LABEL: "b"}), spec).await;
    let object = world.ready("db").await;
    assert_eq!(posts(&late, "db").len(), 1);
    let told: Vec<_> = first.writes(world, first.began).await;
    let told: Vec<_> = told.iter().filter(|request| request.name == "db").collect();
    assert_eq!(told.len(), 1, "it said once that there is no connection: {told:?}");
    assert!(second.touched(world, second.began).await.contains("db"));

    // The connection goes before its credential, whose deletion is nobody's but the first's then.
    let mark = second.mark(world).await;
    let api: Api<PamConnection> = world.api();
    let deleted = api.delete("late", &DeleteParams::default()).await;
    deleted.expect("the deletion is accepted");
    second.uses("late", false).await;
    world.delete("db").await;
    world.gone("db").await;
    let of_second = second.touched(world, mark).await;
    assert!(of_second.is_subset(&names(["late"])), "{of_second:?}");
    let kept = late.credential(id(&object)).expect("the PAM has it");
    assert!(kept.active, "nobody could reach the PAM any more");
}
