//! Addresses that this operator may not reach: refused by its flags, before anything is sent.

use serde_json::{Value, json};

use crate::{
    errors::{assert_reconciling, assert_stalled, conditions},
    world::{Setting, World},
};

/// Name, change of the spec, what the message says. The operator allows no loopback, and of hosts only the simulator's
/// address, one that no PAM can have, and those below `example.com`.
fn cases() -> [(&'static str, Value, &'static str); 8] {
    [
        ("loopback", json!({}), "--allow-loopback"),
        ("loopback-name", json!({"url": "https://localhost"}), "--allow"),
        (
            "elsewhere",
            json!({"url": "https://pam.example.org"}),
            "--allowed-hosts",
        ),
        ("lookalike", json!({"url": "https://notexample.com"}), "--allowed-hosts"),
        ("metadata", json!({"url": "https://169.254.169.254"}), "never reached"),
        (
            "proxy-elsewhere",
            json!({"url": "https://pam.example.com", "proxyUrl": "http://proxy.example.org:3128"}),
            "--allowed-hosts",
        ),
        (
            "proxy-loopback",
            json!({"url": "https://pam.example.com", "proxyUrl": "http://127.0.0.1:3128"}),
            "--allow-loopback",
        ),
        (
            "name-elsewhere",
            json!({"url": "https://pam.example.com", "tls": {"serverName": "pam.example.org"}}),
            "--allowed-hosts",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_flags_do_not_allow_is_never_asked() {
    let allowed = "127.0.0.1,169.254.169.254,*.example.com";
    let mut world = World::with(Setting {
        loopback: false,
        started: false,
        args: vec!["--allowed-hosts".into(), allowed.into()],
        ..Setting::default()
    })
    .await;
    for (name, change, _) in cases() {
        world.connection(name, change).await;
        world.create(name, json!({"connectionRef": {"name": name}})).await;
    }
    world.run().await;
    for (name, _, says) in cases() {
        let connection = world.connection_is(name, "False", "InvalidConnection").await;
        assert_stalled(
            &connection.status.expect("a status").conditions,
            "InvalidConnection",
            says,
        );
        let object = world.fails(name, "ConnectionNotReady").await;
        assert_reconciling(conditions(&object), "ConnectionNotReady", says);
    }
    assert!(world.pam.journal().entries().is_empty());
}
