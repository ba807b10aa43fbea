//! Secrets go to the PAM and nowhere else: not into a log line at the most talkative level, an event, a status, a metric,
//! whatever succeeds or fails, even when the PAM itself repeats them.

mod forms;

use k8s_openapi::{
    ByteString,
    api::{core::v1::ConfigMap, events::v1::Event},
};
use kube::{Api, api::ListParams};
use pam_operator::{
    api::{
        PamConnection, PamCredential,
        condition::{READY, find},
    },
    simulator::{Effect, Fault, NewCredential, Operation, fingerprint},
};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    canary::forms::forms,
    look::within_deadline,
    world::{CLIENT, CLIENT_SECRET, Setting, World, data},
};

/// Values that reach the PAM, by the key of the Secret `canary` that has them.
const SENT: [(&str, &str); 5] = [
    ("password", "canary-password-one"),
    ("changed", "canary-password-two"),
    ("echoed", "canary-password-echo"),
    ("seed", "CANARYTOTPSEED234567"),
    ("answer", "canary-field-answer"),
];

/// Values that stay in their Secrets, because those are unusable.
const KEPT: [&str; 3] = ["canary-no-utf8", "canary-wrong-client", "canary-private-key"];

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told_to_anybody_but_the_pam() {
    let foreign = NewCredential::new("db.example.com", "10.0.0.1", "foreign");
    let mut world = World::with(Setting {
        log_level: "trace",
        data: pam_operator::simulator::Data {
            credentials: vec![foreign],
            ..data()
        },
        ..Setting::default()
    })
    .await;
    let mut log = String::new();
    prepare(&world).await;
    succeed(&world).await;
    fail(&world).await;
    log += &world.kill().await;
    world.run().await;
    outlive_an_outage(&mut world).await;
    delete(&world).await;

    let mut told = told(&world).await;
    log += &world.stop().await;
    // The log is as talkative as it can be, down to the libraries; otherwise its silence would prove nothing.
    assert!(log.contains("\"TRACE\"") && log.contains("reqwest"));
    told.push(("the log", log));
    let sent: Vec<_> = world
        .pam
        .journal()
        .posts()
        .iter()
        .map(|post| post.body.to_string())
        .collect();
    for (_, value) in SENT {
        assert!(
            sent.iter().any(|body| body.contains(&fingerprint(value))),
            "{value} was never sent"
        );
    }
    let tokens = world.pam.tokens();
    assert!(
        tokens.len() > 2,
        "a token for each process, and for each that was rejected"
    );
    let tokens = tokens.iter().map(ExposeSecret::expose_secret);
    let constant = SENT.iter().map(|(_, value)| *value).chain(KEPT).chain([CLIENT_SECRET]);
    for secret in constant.chain(tokens) {
        for form in forms(secret) {
            for (place, text) in &told {
                assert!(!text.contains(&form), "{secret} is in {place} as {form}");
            }
        }
    }
}

async fn prepare(world: &World) {
    let values: serde_json::Map<_, _> = SENT
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    world.secret("canary", Value::Object(values)).await;
    world.secret("changing", json!({"password": SENT[0].1})).await;
    let bytes = [KEPT[0].as_bytes(), b"\xff"].concat();
    world
        .secret_bytes("bytes", [("password".to_owned(), ByteString(bytes))])
        .await;
    world
        .secret("wrong", json!({"clientId": CLIENT, "clientSecret": KEPT[1]}))
        .await;
    world
        .secret("identity", json!({"tls.crt": "certificate", "tls.key": KEPT[2]}))
        .await;
}

/// A spec that names every kind of secret.
fn every_secret(password: &str) -> Value {
    let key = |key: &str| json!({"name": "canary", "key": key});
    json!({
        "contentSecretRef": key(password),
        "additionalSettings": {
            "secretKeySecretRef": key("seed"),
            "additionalAuthenticationFields": [{"name": "pin", "valueSecretRef": key("answer")}],
        },
    })
}

async fn succeed(world: &World) {
    world.create("full", every_secret("password")).await;
    let changing = json!({"name": "changing", "key": "password"});
    world
        .create(
            "changing",
            json!({"contentSecretRef": changing, "deletionPolicy": "Deactivate"}),
        )
        .await;
    world.ready("full").await;
    world.ready("changing").await;
    world.secret("changing", json!({"password": SENT[1].1})).await;
    let fingerprint = fingerprint(SENT[1].1);
    let arrived = |entries: &[pam_operator::simulator::Entry]| {
        entries
            .iter()
            .any(|entry| entry.body["content"] == fingerprint && entry.ended.is_some())
    };
    let changed = world.pam.journal().wait_for(crate::world::DEADLINE, arrived).await;
    changed.expect("the new password arrives");
}

/// Everything that can go wrong with a POST, the PAM's own indiscretion included; then bad Secrets and connections.
async fn fail(world: &World) {
    let echo = SENT[2].1;
    let refuse = |code, status| Effect::Refuse {
        code,
        message: format!("the password {echo} is weak"),
        status,
    };
    let html = Effect::Html {
        status: 200,
        executed: true,
    };
    let indiscreet =
        json!({"response": {"message": echo, "detail": echo}, "credential": {"identifier": null, "content": echo}});
    let faults = [
        ("refused", refuse(4711, 400), "Rejected"),
        ("refused-as-success", refuse(1011, 200), "DeviceNotFound"),
        ("internal", refuse(500, 500), "PamUnavailable"),
        ("limited", refuse(429, 429), "RateLimited"),
        ("unauthorized", refuse(401, 401), "AccessDenied"),
        ("page", html, "InvalidResponse"),
        ("truncated", Effect::TruncatedJson, "InvalidResponse"),
        ("cut", Effect::CutBody, "InvalidResponse"),
        ("dropped", Effect::DropAfter, "PamUnavailable"),
        (
            "other-identifier",
            Effect::Amend(json!({"credential": {"identifier": "another"}})),
            "UnexpectedAnswer",
        ),
    ];
    for (name, effect, _) in faults.clone() {
        world
            .pam
            .faults()
            .add(Fault::new(effect).on(Operation::Post).identifier(name));
        let mut spec = every_secret("echoed");
        spec["identifier"] = name.into();
        world.create(name, spec).await;
    }
    let talkative = Fault::new(Effect::Amend(indiscreet))
        .on(Operation::Post)
        .identifier("talkative");
    world.pam.faults().add(talkative);
    let mut spec = every_secret("echoed");
    spec["identifier"] = "talkative".into();
    world.create("talkative", spec).await;
    world.create("foreign", every_secret("password")).await;
    world
        .create(
            "bytes",
            json!({"contentSecretRef": {"name": "bytes", "key": "password"}}),
        )
        .await;
    let connections = [
        (
            "wrong",
            json!({"credentialsSecretRef": {"name": "wrong"}}),
            "AuthenticationFailed",
        ),
        (
            "identity",
            json!({"tls": {"clientCertificateSecretRef": {"name": "identity"}}}),
            "InvalidConnection",
        ),
    ];
    for (name, change, reason) in connections {
        world.connection(name, change).await;
        world.connection_is(name, "False", reason).await;
    }
    for (name, _, reason) in faults {
        world.fails(name, reason).await;
    }
    world.ready("talkative").await;
    world.fails("foreign", "AlreadyExists").await;
    world.fails("bytes", "SecretKeyNotFound").await;
}

/// The PAM goes and comes back, forgets its tokens, and everything that may pass passes.
async fn outlive_an_outage(world: &mut World) {
    world.pam.down().await;
    world.change("full", json!({"additional": "more"})).await;
    // The connection says it for all of its objects.
    within_deadline("say that the PAM is down", async || {
        let connection = world.api::<PamConnection>().get("vault").await.expect("it is there");
        let status = connection.status.expect("a status");
        find(&status.conditions, READY).is_some_and(|ready| ready.status == "False")
    })
    .await;
    world.pam.faults().clear();
    world.pam.expire_tokens();
    world.pam.up().expect("the address is still free");
    for name in ["full", "page", "truncated", "cut", "dropped"] {
        world.ready(name).await;
    }
}

async fn delete(world: &World) {
    let refused = Effect::Refuse {
        code: 4711,
        message: SENT[1].1.to_owned(),
        status: 400,
    };
    world
        .pam
        .faults()
        .add(Fault::new(refused).on(Operation::Delete).next(1));
    world.delete("changing").await;
    world.fails("changing", "DeactivationFailed").await;
    world.gone("changing").await;
}

/// Everything that others may read, by where it stands.
async fn told(world: &World) -> Vec<(&'static str, String)> {
    let metrics = world.operator.as_ref().expect("it runs").get("/metrics").await;
    let metrics = metrics.expect("metrics are served");
    assert!(metrics.contains("pam_operator_pam_api_requests"));
    let events = all(&world.api::<Event>()).await;
    assert!(events.contains("Rejected") && events.contains("AuthenticationFailed"));
    vec![
        ("the metrics", metrics),
        ("an event", events),
        ("an object", all(&world.api::<PamCredential>()).await),
        ("a connection", all(&world.api::<PamConnection>()).await),
        ("a ConfigMap", all(&world.api::<ConfigMap>()).await),
    ]
}

async fn all<K: Clone + Serialize + DeserializeOwned + std::fmt::Debug>(api: &Api<K>) -> String {
    let objects = api
        .list(&ListParams::default())
        .await
        .expect("an administrator may list");
    serde_json::to_string(&objects.items).expect("plain data")
}
