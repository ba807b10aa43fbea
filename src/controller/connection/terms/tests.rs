//! Who may use a ClusterPamConnection.

use std::{cell::Cell, time::Duration};

use serde_json::{Value, json};

use super::*;

fn terms(allowed: Option<Value>) -> Terms {
    let allowed = allowed.map(|allowed| serde_json::from_value::<AllowedNamespaces>(allowed).expect("namespaces"));
    Terms {
        target: "https://pam.example.com".to_owned(),
        interval: Duration::from_mins(10),
        timeout: TIMEOUT,
        prefix: None,
        format: AdditionalSettingsFormat::Object,
        limits: Limits::default(),
        suspended: false,
        namespaces: allowed.map(|allowed| Admitted::try_from(allowed).expect("a selector")),
        permissions: Vec::new(),
    }
}

fn labels(labels: &[(&str, &str)]) -> Sight {
    let owned = labels
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Sight::Labels(owned.collect())
}

/// The standing of the namespace `orders` with these labels.
fn standing(allowed: &Value, sight: Sight) -> Standing {
    terms(Some(allowed.clone())).standing("orders", || sight)
}

#[test]
fn closed_unless_listed_or_selected() {
    let selector = json!({"selector": {"matchLabels": {"pam": "yes"}}});
    let both = json!({"names": ["orders"], "selector": {"matchLabels": {"pam": "yes"}}});
    let cases = [
        (json!({}), labels(&[("pam", "yes")]), Standing::NotAllowed),
        (json!({"names": []}), labels(&[]), Standing::NotAllowed),
        (json!({"names": ["billing"]}), labels(&[]), Standing::NotAllowed),
        (json!({"names": ["orders"]}), labels(&[]), Standing::Allowed),
        (
            selector.clone(),
            labels(&[("pam", "yes"), ("a", "b")]),
            Standing::Allowed,
        ),
        (selector.clone(), labels(&[("pam", "no")]), Standing::NotAllowed),
        (selector.clone(), labels(&[]), Standing::NotAllowed),
        (selector.clone(), Sight::Unseen, Standing::Unknown),
        (selector, Sight::Forbidden, Standing::NotAllowed),
        (both.clone(), labels(&[("pam", "no")]), Standing::Allowed),
        (both, Sight::Forbidden, Standing::Allowed),
    ];
    for (allowed, sight, expected) in cases {
        assert_eq!(standing(&allowed, sight.clone()), expected, "{allowed} {sight:?}");
    }
}

#[test]
fn an_empty_selector_selects_nothing() {
    for selector in [json!({}), json!({"matchLabels": {}}), json!({"matchExpressions": []})] {
        let allowed = json!({"selector": selector});
        for sight in [labels(&[("a", "b")]), labels(&[]), Sight::Unseen] {
            assert_eq!(standing(&allowed, sight), Standing::NotAllowed, "{allowed}");
        }
        assert!(!terms(Some(allowed)).selects());
    }
}

#[test]
fn every_operator_selects_as_kubernetes_does() {
    let expression = |operator: &str, values: Value| {
        let mut expression = json!({"key": "team", "operator": operator});
        if !values.is_null() {
            expression["values"] = values;
        }
        json!({"selector": {"matchExpressions": [expression]}})
    };
    let cases = [
        (expression("In", json!(["a", "b"])), [true, false, false]),
        (expression("NotIn", json!(["a", "b"])), [false, true, true]),
        (expression("Exists", Value::Null), [true, true, false]),
        (expression("DoesNotExist", Value::Null), [false, false, true]),
    ];
    for (allowed, expected) in cases {
        let sights = [
            labels(&[("team", "a")]),
            labels(&[("team", "c")]),
            labels(&[("x", "a")]),
        ];
        let selected = sights.map(|sight| standing(&allowed, sight) == Standing::Allowed);
        assert_eq!(selected, expected, "{allowed}");
    }
}

/// Every part of a selector has to match.
#[test]
fn labels_and_expressions_add_up() {
    let allowed = json!({"selector": {
        "matchLabels": {"pam": "yes"}, "matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}],
    }});
    for (sight, expected) in [
        (labels(&[("pam", "yes"), ("env", "prod")]), Standing::Allowed),
        (labels(&[("pam", "yes"), ("env", "test")]), Standing::NotAllowed),
        (labels(&[("env", "prod")]), Standing::NotAllowed),
    ] {
        assert_eq!(standing(&allowed, sight), expected);
    }
}

#[test]
fn labels_are_looked_at_only_where_they_decide() {
    let looked = Cell::new(0);
    let look = || {
        looked.set(looked.get() + 1);
        Sight::Unseen
    };
    assert_eq!(terms(None).standing("orders", look), Standing::Allowed);
    let listed = terms(Some(
        json!({"names": ["orders"], "selector": {"matchLabels": {"a": "b"}}}),
    ));
    assert_eq!(listed.standing("orders", look), Standing::Allowed);
    assert_eq!(looked.get(), 0);
    assert_eq!(listed.standing("billing", look), Standing::Unknown);
    assert_eq!(looked.get(), 1);
}

#[test]
fn a_selector_that_is_none_is_an_error() {
    for expression in [
        json!({"key": "team", "operator": "Sometimes"}),
        json!({"key": "team", "operator": "In"}),
    ] {
        let allowed = json!({"selector": {"matchExpressions": [expression]}});
        let allowed: AllowedNamespaces = serde_json::from_value(allowed).expect("namespaces");
        assert!(Admitted::try_from(allowed).is_err());
    }
}
