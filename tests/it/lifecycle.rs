//! The life of an object whom nobody disturbs.

use serde_json::json;

use crate::world::{DEADLINE, World, id};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_becomes_a_credential() {
    let world = World::start().await;
    world.secret("db", json!({"password": "canary-password"})).await;
    world
        .create("db", json!({"contentSecretRef": {"name": "db", "key": "password"}}))
        .await;
    let object = world.ready("db").await;
    let credential = world.pam.credential(id(&object)).expect("the PAM has it");
    assert_eq!(credential.username, "db");
    println!("{}", world.operator.as_ref().unwrap().output());
    println!("{}", serde_json::to_string_pretty(&object.status).unwrap());
    let _ = DEADLINE;
}
