//! Two connections to one PAM in two shards, against the rule: what others' objects have claimed is known all the same.

use serde_json::json;

use super::{LABEL, Shards};
use crate::vaults::posts;

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_of_another_shards_object_goes_before() {
    let (shards, _other) = Shards::start(&[]).await;
    let world = &shards.world;
    world.labelled_connection("twin", json!({LABEL: "b"}), json!({})).await;
    world.connection_is("twin", "True", "Synced").await;
    shards.declare("db", "vault").await;
    world.ready("db").await;
    // What it claims is followed for as long as it is another shard's.
    world.change("db", json!({"username": "moved"})).await;
    world.ready("db").await;

    // The watch shows the claim before this object.
    let rival = json!({"connectionRef": {"name": "twin"}, "username": "Moved"});
    world.create("rival", rival).await;
    world.fails("rival", "Conflict").await;
    let counts = || ["db", "moved", "Moved"].map(|username| posts(&world.pam, username).len());
    assert_eq!(counts(), [1, 1, 0]);

    // The end of the other shard's object is news to this one's.
    world.delete("db").await;
    world.fails("rival", "AlreadyExists").await;
    assert_eq!(counts(), [1, 1, 0]);
}
