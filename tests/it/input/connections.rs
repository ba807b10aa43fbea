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

#[rustfmt::skip]
fn cases(world: &World) -> Vec<Case> {
    let url = world.pam.url();
    let with_ca = |kind: &str, name: &str| json!({"tls": {"caBundleRef": {"kind": kind, "name": name, "key": "ca.crt"}}});
    let with_client = |name: &str| json!({"credentialsSecretRef": {"name": name}});
    let with_identity = |name: &str| json!({"tls": {"clientCertificateSecretRef": {"name": name}}});
    let without_identity = || Mend::Spec(json!({"tls": {"clientCertificateSecretRef": null}}));
    let complete = || json!({"clientId": CLIENT, "clientSecret": CLIENT_SECRET});
    let person = |name, change, says, mend| Case { name, change, reason: "InvalidConnection", says, wait: Wait::Person, mend };
    let no_secret = |name, change, says, mend| Case { name, change, reason: "SecretNotFound", says, wait: Wait::Dependency, mend };
    let no_key = |name, change, says, mend| Case { name, change, reason: "SecretKeyNotFound", says, wait: Wait::Dependency, mend };
    let retry = |name, change, says, mend| Case { name, change, reason: "PamUnavailable", says, wait: Wait::Retry, mend };
    let refused = |name, change, says, mend| Case { name, change, reason: "AuthenticationFailed", says, wait: Wait::Person, mend };
    vec![
        person("http", json!({"url": url.replace("https:", "http:")}), "must begin with https://", Mend::Spec(json!({"url": url}))),
        retry("nobody-there", json!({"url": "https://127.0.0.1:1"}), "no connection", Mend::Spec(json!({"url": url}))),
        retry("proxy", json!({"proxyUrl": "http://127.0.0.1:1"}), "no connection", Mend::Spec(json!({"proxyUrl": null}))),

        no_secret("ca-missing", with_ca("ConfigMap", "ca-missing"), "ConfigMap", Mend::Bundle("ca-missing")),
        no_key("ca-no-key", with_ca("ConfigMap", "ca-no-key"), "key ca.crt", Mend::Bundle("ca-no-key")),
        no_secret("ca-no-secret", with_ca("Secret", "ca-no-secret"), "/ca-no-secret", Mend::Secret("ca-no-secret", json!({"ca.crt": world.ca()}))),
        person("ca-garbage", with_ca("ConfigMap", "ca-garbage"), "CA", Mend::Bundle("ca-garbage")),
        retry("ca-other", with_ca("ConfigMap", "ca-other"), "from a CA that is not trusted", Mend::Bundle("ca-other")),
        retry("ca-public", json!({"tls": null}), "from a CA that is not trusted", Mend::Spec(with_ca("ConfigMap", "vault-ca"))),
        retry("other-name", json!({"tls": {"serverName": "pam.example.com"}}), "certificate is for another name", Mend::Spec(json!({"tls": {"serverName": null}}))),

        no_secret("client-missing", with_client("client-missing"), "/client-missing", Mend::Secret("client-missing", complete())),
        no_key("client-half", with_client("client-half"), "key clientSecret of Secret client-half", Mend::Secret("client-half", complete())),
        no_key("client-empty", with_client("client-empty"), "key clientId of Secret client-empty", Mend::Secret("client-empty", complete())),
        refused("client-wrong", with_client("client-wrong"), "HTTP 401", Mend::Secret("client-wrong", complete())),

        no_secret("identity-missing", with_identity("identity-missing"), "/identity-missing", without_identity()),
        no_key("identity-half", with_identity("identity-half"), "tls.crt and tls.key", without_identity()),
        person("identity-garbage", with_identity("identity-garbage"), "client certificate", without_identity()),
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
