//! Each shard does its own work, and nothing of the other's, alive or dead.

use super::{Shards, names};
use crate::{
    look::{accepted_after, applied, set_password},
    vaults::posts,
};

#[tokio::test(flavor = "multi_thread")]
async fn each_shard_does_the_work_of_its_connections_alone() {
    let (shards, other) = Shards::start(&[]).await;
    let Shards { world, first, second } = &shards;
    for (name, connection) in [("a1", "vault"), ("a2", "vault"), ("b1", "other"), ("b2", "other")] {
        shards.declare(name, connection).await;
    }
    let mut keys = Vec::new();
    for name in ["a1", "a2", "b1", "b2"] {
        keys.push(applied(&world.ready(name).await).key.clone());
    }
    keys.dedup();
    assert_eq!(keys.len(), 1, "both have the same installation: {keys:?}");
    for (name, here, there) in [
        ("a1", &world.pam, &other),
        ("a2", &world.pam, &other),
        ("b1", &other, &world.pam),
        ("b2", &other, &world.pam),
    ] {
        assert_eq!((posts(here, name).len(), posts(there, name).len()), (1, 0), "{name}");
    }
    for (shard, touched, shown, hidden) in [
        (first, ["a1", "a2", "vault"], "a1", "b1"),
        (second, ["b1", "b2", "other"], "b1", "a1"),
    ] {
        assert_eq!(
            shard.touched(world, shard.began).await,
            names(touched),
            "{}",
            shard.user
        );
        let page = shard.metrics().await;
        let count = "pam_operator_objects{kind=\"PamCredential\",ready=\"True\",reason=\"Synced\"} 2\n";
        assert!(page.contains(count), "{page}");
        let count = "pam_operator_objects{kind=\"PamConnection\",ready=\"True\",reason=\"Synced\"} 1\n";
        assert!(page.contains(count), "{page}");
        assert!(page.contains(&format!("name=\"{shown}\"")), "{page}");
        assert!(!page.contains(&format!("name=\"{hidden}\"")), "{page}");
        let lease = shard.user.strip_prefix(&format!("{}-", world.user)).expect("its lease");
        let leads = format!("leader_election_master_status{{name=\"{lease}\"}} 1\n");
        assert!(page.contains(&leads), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_goes_on_when_the_other_one_is_killed_and_touches_nothing_of_it() {
    let (shards, other) = Shards::start(&[]).await;
    shards.declare("a1", "vault").await;
    shards.declare("b1", "other").await;
    let before = shards.world.ready("b1").await;
    shards.world.ready("a1").await;
    let Shards { world, first, second } = shards;
    first.operator.kill().await.expect("it is killed");

    let mark = second.mark(&world).await;
    set_password(&world, "a1", "canary-second").await;
    set_password(&world, "b1", "canary-second").await;
    accepted_after(&world, &before).await;
    assert_eq!(posts(&other, "b1").len(), 2);
    assert_eq!(posts(&world.pam, "a1").len(), 1);
    assert_eq!(second.touched(&world, mark).await, names(["b1"]));
}
