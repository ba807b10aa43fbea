//! Connections that cannot work: each says why and what to do, sends nothing, and goes on when it is mended.

use kube::api::{Api, DeleteParams, Patch, PatchParams};
use pam_operator::{
    api::PamConnection,
    simulator::{Profile, Tls},
};
use serde_json::{Value, json};

use crate::{
    errors::{assert_reconciling, assert_stalled, conditions},
    vaults::posts,
    world::{CLIENT, CLIENT_SECRET, World, data},
};

/// A connection that cannot work.
struct Case {
    /// Name of the connection and of its object.
    name: &'static str,
    /// What differs in its spec from one that works.
    change: Value,
    reason: &'static str,
    says: &'static str,
    wait: Wait,
    mend: Mend,
}

/// Who has to act.
#[derive(Clone, Copy, PartialEq)]
enum Wait {
    /// A person, at the connection.
    Person,
    /// A person, who makes what is missing; it is watched.
    Dependency,
    /// Nobody: it is tried again.
    Retry,
}

/// What makes it work.
enum Mend {
    Spec(Value),
    Secret(&'static str, Value),
    /// The ConfigMap of this name gets the PAM's CA.
    Bundle(&'static str),
}

fn cases(world: &World) -> Vec<Case> {
    let case = |name, change, reason, says, wait, mend| Case {
        name,
        change,
        reason,
        says,
        wait,
        mend,
    };
    let bundle =
        |kind: &str, name: &str, key: &str| json!({"tls": {"caBundleRef": {"kind": kind, "name": name, "key": key}}});
    let client = |name: &str| json!({"credentialsSecretRef": {"name": name}});
    let identity = |name: &str| json!({"tls": {"clientCertificateSecretRef": {"name": name}}});
    let url = world.pam.url();
    let complete = json!({"clientId": CLIENT, "clientSecret": CLIENT_SECRET});
    let right_bundle = Mend::Spec(bundle("ConfigMap", "vault-ca", "ca.crt"));
    let without_identity = || Mend::Spec(json!({"tls": {"clientCertificateSecretRef": null}}));
    vec![
        case(
            "http",
            json!({"url": url.replace("https:", "http:")}),
            "InvalidConnection",
            "must begin with https://",
            Wait::Person,
            Mend::Spec(json!({"url": url})),
        ),
        case(
            "ca-missing",
            bundle("ConfigMap", "ca-missing", "ca.crt"),
            "SecretNotFound",
            "/ca-missing",
            Wait::Dependency,
            Mend::Bundle("ca-missing"),
        ),
        case(
            "ca-no-key",
            bundle("ConfigMap", "ca-no-key", "ca.crt"),
            "SecretKeyNotFound",
            "key ca.crt",
            Wait::Dependency,
            Mend::Bundle("ca-no-key"),
        ),
        case(
            "ca-no-secret",
            bundle("Secret", "ca-no-secret", "ca.crt"),
            "SecretNotFound",
            "/ca-no-secret",
            Wait::Dependency,
            Mend::Secret("ca-no-secret", json!({"ca.crt": world.ca()})),
        ),
        case(
            "ca-garbage",
            bundle("ConfigMap", "ca-garbage", "ca.crt"),
            "InvalidConnection",
            "CA",
            Wait::Person,
            Mend::Bundle("ca-garbage"),
        ),
        case(
            "ca-other",
            bundle("ConfigMap", "ca-other", "ca.crt"),
            "PamUnavailable",
            "from a CA that is not trusted",
            Wait::Retry,
            Mend::Bundle("ca-other"),
        ),
        case(
            "ca-public",
            json!({"tls": null}),
            "PamUnavailable",
            "from a CA that is not trusted",
            Wait::Retry,
            right_bundle,
        ),
        case(
            "server-name",
            json!({"tls": {"serverName": "pam.example.com"}}),
            "PamUnavailable",
            "certificate is for another name",
            Wait::Retry,
            Mend::Spec(json!({"tls": {"serverName": null}})),
        ),
        case(
            "nobody-there",
            json!({"url": "https://127.0.0.1:1"}),
            "PamUnavailable",
            "no connection",
            Wait::Retry,
            Mend::Spec(json!({"url": url})),
        ),
        case(
            "proxy",
            json!({"proxyUrl": "http://127.0.0.1:1"}),
            "PamUnavailable",
            "no connection",
            Wait::Retry,
            Mend::Spec(json!({"proxyUrl": null})),
        ),
        case(
            "client-missing",
            client("client-missing"),
            "SecretNotFound",
            "/client-missing",
            Wait::Dependency,
            Mend::Secret("client-missing", complete.clone()),
        ),
        case(
            "client-half",
            client("client-half"),
            "SecretKeyNotFound",
            "key clientSecret of Secret client-half",
            Wait::Dependency,
            Mend::Secret("client-half", complete.clone()),
        ),
        case(
            "client-empty",
            client("client-empty"),
            "SecretKeyNotFound",
            "key clientId of Secret client-empty",
            Wait::Dependency,
            Mend::Secret("client-empty", complete.clone()),
        ),
        case(
            "client-wrong",
            client("client-wrong"),
            "AuthenticationFailed",
            "HTTP 401",
            Wait::Person,
            Mend::Secret("client-wrong", complete),
        ),
        case(
            "identity-missing",
            identity("identity-missing"),
            "SecretNotFound",
            "/identity-missing",
            Wait::Dependency,
            without_identity(),
        ),
        case(
            "identity-half",
            identity("identity-half"),
            "SecretKeyNotFound",
            "tls.crt and tls.key",
            Wait::Dependency,
            without_identity(),
        ),
        case(
            "identity-garbage",
            identity("identity-garbage"),
            "InvalidConnection",
            "client certificate",
            Wait::Person,
            without_identity(),
        ),
    ]
}

/// What the cases refer to that is not missing.
async fn prepare(world: &World) {
    world.config_map("ca-no-key", "other.crt", &world.ca()).await;
    world
        .config_map("ca-garbage", "ca.crt", "-----BEGIN RUBBISH-----")
        .await;
    let other = pam_operator::simulator::start(pam_operator::simulator::Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        profile: Profile::V3_32,
        tls: Tls::InMemory,
        data: data(),
    });
    let other = other.await.expect("the simulator starts");
    world
        .config_map("ca-other", "ca.crt", other.ca_pem().expect("it speaks https"))
        .await;
    world.secret("client-half", json!({"clientId": CLIENT})).await;
    world
        .secret("client-empty", json!({"clientId": "", "clientSecret": CLIENT_SECRET}))
        .await;
    world
        .secret(
            "client-wrong",
            json!({"clientId": CLIENT, "clientSecret": "canary-wrong"}),
        )
        .await;
    world.secret("identity-half", json!({"tls.crt": "certificate"})).await;
    world
        .secret("identity-garbage", json!({"tls.crt": "certificate", "tls.key": "key"}))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_in_a_connection_has_its_reason_and_goes_on_when_it_is_mended() {
    let world = World::start().await;
    prepare(&world).await;
    for case in cases(&world) {
        world.connection(case.name, case.change).await;
        world
            .create(case.name, json!({"connectionRef": {"name": case.name}}))
            .await;
    }
    for case in cases(&world) {
        let connection = world.connection_is(case.name, "False", case.reason).await;
        let own = &connection.status.expect("a status").conditions;
        if case.wait == Wait::Person {
            assert_stalled(own, case.reason, case.says);
        } else {
            assert_reconciling(own, case.reason, case.says);
        }
        let (reason, says) = if case.wait == Wait::Retry {
            (case.reason, case.says)
        } else {
            ("ConnectionNotReady", case.reason)
        };
        let object = world.fails(case.name, reason).await;
        assert_reconciling(conditions(&object), reason, says);
    }
    assert!(world.pam.journal().posts().is_empty());

    for case in cases(&world) {
        match case.mend {
            Mend::Spec(change) => change_connection(&world, case.name, change).await,
            Mend::Secret(name, values) => world.secret(name, values).await,
            Mend::Bundle(name) => world.config_map(name, "ca.crt", &world.ca()).await,
        }
    }
    for case in cases(&world) {
        world.ready(case.name).await;
        world.connection_is(case.name, "True", "Synced").await;
        assert_eq!(posts(&world.pam, case.name).len(), 1, "{}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_connection_is_waited_for_and_one_that_goes_is_missed_only_by_what_is_to_be_sent() {
    let world = World::start().await;
    for name in ["changed", "quiet"] {
        world.create(name, json!({"connectionRef": {"name": "later"}})).await;
    }
    let object = world.fails("changed", "ConnectionNotFound").await;
    assert_reconciling(
        conditions(&object),
        "ConnectionNotFound",
        "The connection does not exist",
    );
    world.connection("later", json!({})).await;
    world.ready("changed").await;
    let quiet = world.ready("quiet").await;

    let connections: Api<PamConnection> = world.api();
    let deleted = connections.delete("later", &DeleteParams::default()).await;
    deleted.expect("the connection can be deleted");
    world.change("changed", json!({"additional": "more"})).await;
    world.fails("changed", "ConnectionNotFound").await;
    assert_eq!(world.ready("quiet").await.status, quiet.status);
    world.connection("later", json!({})).await;
    world.ready("changed").await;
    assert_eq!(world.ready("quiet").await.status, quiet.status);
    assert_eq!(posts(&world.pam, "quiet").len(), 1);
}

async fn change_connection(world: &World, name: &str, spec: Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    let changed = world
        .api::<PamConnection>()
        .patch(name, &PatchParams::default(), &patch)
        .await;
    changed.expect("the change is accepted");
}
