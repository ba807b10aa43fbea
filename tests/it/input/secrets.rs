//! Secrets that are missing, incomplete or unusable, at each place that names one.

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::api::DeleteParams;
use pam_operator::simulator::fingerprint;
use serde_json::{Value, json};

use crate::{
    errors::{assert_reconciling, conditions},
    vaults::posts,
    world::World,
};

/// A place in the spec that names a Secret.
struct Place {
    name: &'static str,
    spec: fn(Value) -> Value,
    /// Where the value arrives in the body.
    pointer: &'static str,
}

const PLACES: [Place; 3] = [
    Place {
        name: "content",
        spec: |secret| json!({"contentSecretRef": secret}),
        pointer: "/content",
    },
    Place {
        name: "seed",
        spec: |secret| json!({"additionalSettings": {"secretKeySecretRef": secret}}),
        pointer: "/additional_settings/secret_key",
    },
    Place {
        name: "field",
        spec: |secret| {
            let field = json!({"name": "pin", "valueSecretRef": secret});
            json!({"additionalSettings": {"additionalAuthenticationFields": [field]}})
        },
        pointer: "/additional_settings/additional_authentication_fields/0/value",
    },
];

/// What is wrong with a Secret.
struct Defect {
    name: &'static str,
    stored: Stored,
    reason: &'static str,
    says: &'static str,
}

#[derive(Clone, Copy)]
enum Stored {
    NoSecret,
    NoKey,
    Value(&'static [u8]),
}

const DEFECTS: [Defect; 4] = [
    Defect {
        name: "no-secret",
        stored: Stored::NoSecret,
        reason: "SecretNotFound",
        says: "does not exist",
    },
    Defect {
        name: "no-key",
        stored: Stored::NoKey,
        reason: "SecretKeyNotFound",
        says: "is missing",
    },
    Defect {
        name: "empty",
        stored: Stored::Value(b""),
        reason: "SecretKeyNotFound",
        says: "is empty or not UTF-8",
    },
    Defect {
        name: "bytes",
        stored: Stored::Value(b"\xff\xfe"),
        reason: "SecretKeyNotFound",
        says: "is empty or not UTF-8",
    },
];

async fn store(world: &World, name: &str, stored: Stored) {
    let entry = |key: &str, value: &[u8]| (key.to_owned(), ByteString(value.to_vec()));
    let other = entry("other", b"value");
    match stored {
        Stored::NoSecret => {}
        Stored::NoKey => world.secret_bytes(name, [other]).await,
        Stored::Value(value) => world.secret_bytes(name, [other, entry("key-of-it", value)]).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_secret_is_named_sends_nothing_and_is_taken_up_when_it_is_mended() {
    let world = World::start().await;
    let mut cases = Vec::new();
    for place in PLACES {
        for defect in DEFECTS {
            let name = format!("{}-{}", place.name, defect.name);
            store(&world, &name, defect.stored).await;
            let secret = json!({"name": name, "key": "key-of-it"});
            world.create(&name, (place.spec)(secret)).await;
            cases.push((name, place.pointer, defect));
        }
    }
    for (name, _, defect) in &cases {
        let object = world.fails(name, defect.reason).await;
        assert_reconciling(conditions(&object), defect.reason, defect.says);
        assert_reconciling(conditions(&object), defect.reason, &format!("Secret {name}"));
        if defect.reason == "SecretKeyNotFound" {
            assert_reconciling(conditions(&object), defect.reason, "key key-of-it");
        }
        assert!(object.status.is_some_and(|status| status.claim.is_none()));
    }
    assert!(world.pam.journal().posts().is_empty());

    for (name, ..) in &cases {
        world.secret(name, json!({"key-of-it": format!("canary-{name}")})).await;
    }
    for (name, pointer, ..) in &cases {
        world.ready(name).await;
        let posts = posts(&world.pam, name);
        assert_eq!(posts.len(), 1, "{name}");
        let sent = posts[0].body.pointer(pointer).and_then(Value::as_str);
        assert_eq!(sent, Some(fingerprint(&format!("canary-{name}")).as_str()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_breaks_later_keeps_what_the_pam_has() {
    let world = World::start().await;
    for name in ["emptied", "deleted"] {
        world.secret(name, json!({"password": "canary-first"})).await;
        world
            .create(name, json!({"contentSecretRef": {"name": name, "key": "password"}}))
            .await;
    }
    for name in ["emptied", "deleted"] {
        world.ready(name).await;
    }
    let secrets = world.api::<Secret>();
    let deleted = secrets.delete("deleted", &DeleteParams::default()).await;
    deleted.expect("the Secret can be deleted");
    world.secret("emptied", json!({"password": ""})).await;
    let object = world.fails("emptied", "SecretKeyNotFound").await;
    assert_reconciling(
        conditions(&object),
        "SecretKeyNotFound",
        "key password of Secret emptied is empty",
    );
    // Nothing waits to be sent for an object whose Secret is gone, until its spec changes.
    world.ready("deleted").await;
    world.change("deleted", json!({"additional": "more"})).await;
    world.fails("deleted", "SecretNotFound").await;

    for name in ["emptied", "deleted"] {
        world.secret(name, json!({"password": "canary-second"})).await;
        world.ready(name).await;
        let contents: Vec<_> = posts(&world.pam, name)
            .iter()
            .map(|post| post.body["content"].clone())
            .collect();
        assert_eq!(
            contents,
            [fingerprint("canary-first"), fingerprint("canary-second")],
            "{name}"
        );
    }
}
