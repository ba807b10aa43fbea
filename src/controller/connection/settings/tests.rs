//! What a spec asks of the objects and refers to.

use serde_json::{Value, json};

use super::*;
use crate::api::{AllowedNamespaces, Permission};
use crate::controller::{connection::terms::Standing, namespaces::Sight};

/// The smallest spec with these fields more.
fn spec(fields: &Value) -> PamConnectionSpec {
    let mut spec = json!({"url": "https://pam.example.com", "credentialsSecretRef": {"name": "client"}});
    let fields = fields.as_object().expect("a mapping").clone();
    spec.as_object_mut().expect("a mapping").extend(fields);
    serde_json::from_value(spec).expect("a spec")
}

fn owner() -> Audience {
    Audience {
        namespaces: None,
        permissions: vec![Permission::All],
    }
}

/// What a namespace may that has no labels.
fn standing(terms: &Terms, namespace: &str) -> Standing {
    terms.standing(namespace, || Sight::Labels([].into()))
}

#[test]
fn what_is_omitted_has_its_documented_meaning() {
    let terms = terms(&spec(&json!({})), owner()).expect("a sound spec");
    assert_eq!(
        (terms.interval, terms.timeout),
        (Duration::from_mins(10), Duration::from_secs(30))
    );
    assert_eq!((terms.prefix, terms.suspended), (None, false));
    assert_eq!(terms.limits, Limits::default());
    assert!(terms.namespaces.is_none());
}

#[test]
fn what_is_written_is_taken_over() {
    let fields = json!({
        "driftCheckInterval": "1h", "timeout": "1m30s", "identifierPrefix": "team-a", "suspend": true,
        "tenant": "blue", "rateLimit": {"requestsPerSecond": 7, "maxInFlight": 0},
    });
    let audience = Audience {
        namespaces: Some(AllowedNamespaces {
            names: Some(vec!["orders".to_owned()]),
            ..AllowedNamespaces::default()
        }),
        permissions: vec![Permission::Adopt],
    };
    let written = terms(&spec(&fields), audience).expect("a sound spec");
    assert_eq!(
        (written.interval, written.timeout),
        (Duration::from_hours(1), Duration::from_secs(90))
    );
    assert_eq!((written.prefix.as_deref(), written.suspended), (Some("team-a"), true));
    let limits = Limits {
        per_second: 7,
        ..Limits::default()
    };
    assert_eq!(written.limits, limits, "what no limit can be counts as omitted");
    assert_eq!(standing(&written, "orders"), Standing::Allowed);
    assert_eq!(standing(&written, "billing"), Standing::NotAllowed);
    let without = terms(&spec(&json!({})), owner()).expect("a sound spec");
    assert_ne!(written.target, without.target, "another tenant is another PAM");
    assert_eq!(standing(&without, "billing"), Standing::Allowed);
}

#[test]
fn a_cluster_connection_is_for_nobody_unless_it_says_so() {
    let audience = Audience {
        namespaces: Some(AllowedNamespaces::default()),
        permissions: Vec::new(),
    };
    let terms = terms(&spec(&json!({})), audience).expect("a sound spec");
    assert_eq!(standing(&terms, "orders"), Standing::NotAllowed);
}

#[test]
fn what_cannot_be_used_is_named_and_not_repeated() {
    let cases = [
        (json!({"url": "canary.example.com"}), "spec.url"),
        (json!({"timeout": "canary"}), "spec.timeout"),
        (json!({"driftCheckInterval": "25h"}), "spec.driftCheckInterval"),
    ];
    for (fields, field) in cases {
        let problem = terms(&spec(&fields), owner()).expect_err("it cannot be used");
        assert!(problem.message.starts_with(field), "{}", problem.message);
        assert!(!problem.message.contains("canary"), "{}", problem.message);
        assert_eq!(
            (problem.reason, problem.call),
            (Reason::InvalidConnection, Call::Configuration)
        );
        assert!(problem.stalled);
    }
}

#[test]
fn everything_that_a_spec_refers_to_is_followed_in_one_namespace() {
    let secret = |name: &str| Reference::Secret("home".to_owned(), name.to_owned());
    let map = |name: &str| Reference::ConfigMap("home".to_owned(), name.to_owned());
    let bundle = |kind: &str| json!({"kind": kind, "name": "ca", "key": "ca.crt"});
    let cases = [
        (json!({}), vec![secret("client")]),
        (json!({"tls": {}}), vec![secret("client")]),
        (
            json!({"tls": {"caBundleRef": bundle("ConfigMap")}}),
            vec![secret("client"), map("ca")],
        ),
        (
            json!({"tls": {"caBundleRef": bundle("Secret"), "clientCertificateSecretRef": {"name": "client"}}}),
            vec![secret("client"), secret("ca")],
        ),
        (
            json!({"tls": {"clientCertificateSecretRef": {"name": "certificate"}}}),
            vec![secret("client"), secret("certificate")],
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(
            references(&spec(&fields), "home"),
            expected.into_iter().collect(),
            "{fields}"
        );
    }
}
