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

/// Where a Secret is named: part of the object's name, the spec, and where its value arrives in the body.
const PLACES: [(&str, fn(Value) -> Value, &str); 3] = [
    ("content", |secret| json!({"contentSecretRef": secret}), "/content"),
    (
        "seed",
        |secret| json!({"additionalSettings": {"secretKeySecretRef": secret}}),
        "/additional_settings/secret_key",
    ),
    (
        "field",
        |secret| json!({"additionalSettings": {"additionalAuthenticationFields": [{"name": "pin", "valueSecretRef": secret}]}}),
        "/additional_settings/additional_authentication_fields/0/value",
    ),
];

/// What is wrong: part of the object's name, the Secret's value under the key (no Secret, no key, or these bytes), the
/// reason, and what the message says.
const DEFECTS: [(&str, Option<Option<&[u8]>>, &str, &str); 4] = [
    ("no-secret", None, "SecretNotFound", "does not exist"),
    ("no-key", Some(None), "SecretKeyNotFound", "is missing"),
    ("empty", Some(Some(b"")), "SecretKeyNotFound", "is empty or not UTF-8"),
    (
        "bytes",
        Some(Some(b"\xff\xfe")),
        "SecretKeyNotFound",
        "is empty or not UTF-8",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_unusable_secret_is_named_sends_nothing_and_is_taken_up_when_it_is_mended() {
    let world = World::start().await;
    let mut cases = Vec::new();
    for (place, spec, pointer) in PLACES {
        for (defect, value, reason, says) in DEFECTS {
            let name = format!("{place}-{defect}");
            if let Some(value) = value {
                let other = ("other".to_owned(), ByteString(b"value".to_vec()));
                let wrong = value.map(|bytes| ("key-of-it".to_owned(), ByteString(bytes.to_vec())));
                world.secret_bytes(&name, wrong.into_iter().chain([other])).await;
            }
            world
                .create(&name, spec(json!({"name": name, "key": "key-of-it"})))
                .await;
            cases.push((name, pointer, reason, says));
        }
    }
    for (name, _, reason, says) in &cases {
        let object = world.fails(name, reason).await;
        assert_reconciling(conditions(&object), reason, says);
        assert_reconciling(conditions(&object), reason, &format!("Secret {name}"));
        if *reason == "SecretKeyNotFound" {
            assert_reconciling(conditions(&object), reason, "ey key-of-it");
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
