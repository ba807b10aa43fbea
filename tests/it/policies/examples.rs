//! The manifests of `examples/` that show a policy do what they say.

use kube::ResourceExt;
use pam_operator::{api::PamCredential, simulator::Credential};
use serde_json::json;
use testbed::manifest;

use super::{has_no_difference, listings, watchful_with};
use crate::{
    look::{password, posts, set_password},
    vaults::documented,
    world::{Setting, World, id, is},
};

/// Applies `examples/<file>` in the world's namespace, through the world's connection.
async fn apply(world: &World, file: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(file);
    let text = manifest::read(&path).expect("the example is there");
    let [mut object] = manifest::documents(&text)
        .expect("a manifest")
        .try_into()
        .expect("one object");
    object.metadata.namespace = None;
    object.data["spec"]["connectionRef"]["name"] = json!("vault");
    manifest::apply_object(&world.client, &object, &world.namespace)
        .await
        .expect("it is accepted");
    object.name_any()
}

fn credential(world: &World, object: &PamCredential) -> Credential {
    world.pam.credential(id(object)).expect("the PAM has it")
}

/// Waits until the PAM has this of the object's credential.
async fn until(world: &World, object: &PamCredential, described: &str, is_so: impl Fn(&Credential) -> bool) {
    crate::look::within_deadline(described, async || is_so(&credential(world, object))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_does_what_it_says() {
    let world = watchful_with(Setting {
        data: documented(None),
        ..Setting::default()
    })
    .await;
    world.secret("social", json!({"password": "canary-first"})).await;
    let existing = world.pam.find("by-hand").expect("the simulator's file has it").id;
    let mut objects = Vec::new();
    for file in [
        "50-adopt.yaml",
        "51-create-only.yaml",
        "52-enforce.yaml",
        "53-correct.yaml",
        "54-ignore.yaml",
        "55-deactivate.yaml",
    ] {
        let name = apply(&world, file).await;
        objects.push(world.ready(&name).await);
    }
    let [adopt, create_only, enforce, correct, ignore, deactivate] = objects.try_into().expect("six");

    let adopted = credential(&world, &adopt);
    assert_eq!((adopted.id, adopted.identifier.as_deref()), (existing, Some("by-hand")));
    assert_eq!(password(&adopted), Some("canary-first"));

    listings(&world, 1).await;
    for object in [&create_only, &enforce] {
        world
            .pam
            .edit(id(object), |credential| credential.content = Some("rotated".into()));
    }
    for object in [&correct, &ignore] {
        world
            .pam
            .edit(id(object), |credential| credential.username = "renamed".into());
    }
    until(&world, &enforce, "enforce the password", |credential| {
        password(credential) == Some("canary-first")
    })
    .await;
    until(&world, &correct, "correct the username", |credential| {
        credential.username == "kept_as_declared"
    })
    .await;
    listings(&world, 2).await;
    assert_eq!(password(&credential(&world, &create_only)), Some("rotated"));
    assert_eq!(credential(&world, &ignore).username, "renamed");
    for name in ["create-only", "ignore"] {
        world
            .until(name, "as it was", |object| {
                is(object, "True", Some("Synced")) && has_no_difference(object)
            })
            .await;
    }

    let before = posts(&world).await.len();
    set_password(&world, "social", "canary-second").await;
    for object in [&adopt, &enforce, &correct] {
        until(&world, object, "send the new password", |credential| {
            password(credential) == Some("canary-second")
        })
        .await;
    }
    assert_eq!(
        posts(&world).await.len(),
        before + 3,
        "one for each that follows its Secret"
    );
    assert_eq!(password(&credential(&world, &create_only)), Some("rotated"));

    for name in ["deactivate", "ignore"] {
        world.delete(name).await;
        world.gone(name).await;
    }
    assert!(!credential(&world, &deactivate).active);
    assert!(credential(&world, &ignore).active);
}
