//! The roles permit what the operator asks for, and nothing else.

use std::collections::BTreeSet;

use pam_operator::permissions::{RULES, Scope};
use serde_json::Value;

use super::{of_kind, rendered};

/// One thing that is permitted or asked for: verb, resource of a group, namespace (`*` for all), name (`*` for any).
type Permission = (String, String, String, String);

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// What the rules of a role permit in a namespace.
fn permitted_by(rules: &Value, namespace: &str, permitted: &mut BTreeSet<Permission>) {
    for rule in rules.as_array().expect("rules") {
        let mut names = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push("*".to_owned());
        }
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                for verb in texts(&rule["verbs"]) {
                    for name in &names {
                        let resource = format!("{group}/{resource}");
                        permitted.insert((verb.clone(), resource, namespace.to_owned(), name.clone()));
                    }
                }
            }
        }
    }
}

/// Everything that bindings give to the operator's account.
fn permitted(objects: &[Value]) -> BTreeSet<Permission> {
    let mut permitted = BTreeSet::new();
    for binding_kind in ["ClusterRoleBinding", "RoleBinding"] {
        for binding in of_kind(objects, binding_kind) {
            if binding["subjects"][0]["name"] != "pam-operator" {
                continue;
            }
            let (role_kind, role_name) = (&binding["roleRef"]["kind"], &binding["roleRef"]["name"]);
            let namespace = binding["metadata"]["namespace"].as_str();
            let role = objects.iter().find(|object| {
                object["kind"] == *role_kind
                    && object["metadata"]["name"] == *role_name
                    && (role_kind == "ClusterRole" || object["metadata"]["namespace"].as_str() == namespace)
            });
            let rules = &role.expect("the role that is bound")["rules"];
            permitted_by(rules, namespace.unwrap_or("*"), &mut permitted);
        }
    }
    permitted
}

/// Everything that the operator asks for.
fn asked(scope: &Scope) -> BTreeSet<Permission> {
    let requests = RULES.iter().flat_map(|rule| rule.requests(scope));
    let star = |text: Option<String>| text.unwrap_or_else(|| "*".to_owned());
    requests
        .map(|request| {
            let resource = match request.subresource {
                Some(subresource) => format!("{}/{subresource}", request.resource.unwrap_or_default()),
                None => request.resource.unwrap_or_default(),
            };
            (
                request.verb.unwrap_or_default(),
                format!("{}/{resource}", request.group.unwrap_or_default()),
                star(request.namespace),
                star(request.name),
            )
        })
        .collect()
}

/// Whether the cluster's rules permit it, or the rules of its namespace.
fn covered(by: &BTreeSet<Permission>, (verb, resource, namespace, name): &Permission) -> bool {
    [namespace.as_str(), "*"].iter().any(|namespace| {
        [name.as_str(), "*"].iter().any(|name| {
            by.contains(&(
                verb.clone(),
                resource.clone(),
                (*namespace).to_owned(),
                (*name).to_owned(),
            ))
        })
    })
}

fn assert_exact(flags: &[&str], scope: &Scope) {
    let (permitted, asked) = (permitted(&rendered(flags)), asked(scope));
    let missing: Vec<_> = asked.iter().filter(|asked| !covered(&permitted, asked)).collect();
    assert!(missing.is_empty(), "asked for, not permitted: {missing:#?}");
    // A namespace is read within itself, which a rule of the cluster permits by its name.
    let is_used = |permission: &Permission| {
        let (verb, resource, namespace, name) = permission;
        asked.iter().any(|asked| {
            (&asked.0, &asked.1, &asked.3) == (verb, resource, name)
                && [asked.2.as_str(), "*"].contains(&namespace.as_str())
        })
    };
    let needless: Vec<_> = permitted.iter().filter(|permission| !is_used(permission)).collect();
    assert!(needless.is_empty(), "permitted, never asked for: {needless:#?}");
}

fn scope(watched: &[&str], leader_election: bool) -> Scope {
    Scope {
        namespace: "pam-operator".to_owned(),
        watched: watched.iter().map(|name| (*name).to_owned()).collect(),
        leader_election,
        lease: "pam-operator".to_owned(),
    }
}

#[test]
fn they_are_exact_for_the_cluster() {
    assert_exact(&[], &scope(&[], true));
}

#[test]
fn they_are_exact_for_named_namespaces() {
    for (list, namespaces) in [
        ("{orders,billing}", &["orders", "billing"][..]),
        ("{pam-operator}", &["pam-operator"]),
        ("{default,orders}", &["default", "orders"]),
    ] {
        let flags = [
            "--set",
            "scope.mode=namespaces",
            "--set",
            &format!("scope.namespaces={list}"),
        ];
        assert_exact(&flags, &scope(namespaces, true));
    }
}

#[test]
fn they_permit_the_shards_own_lease() {
    let flags = ["--set", "leaderElection.leaseName=shard-a"];
    let scope = Scope {
        lease: "shard-a".to_owned(),
        ..scope(&[], true)
    };
    assert_exact(&flags, &scope);
}

#[test]
fn no_lease_is_permitted_where_nobody_is_elected() {
    let flags = ["--set", "replicaCount=1,leaderElection.enabled=false"];
    assert_exact(&flags, &scope(&[], false));
}

#[test]
fn for_named_namespaces_no_role_of_the_cluster_reaches_secrets() {
    let objects = rendered(&["--set", "scope.mode=namespaces,scope.namespaces={orders}"]);
    for role in of_kind(&objects, "ClusterRole") {
        let text = role["rules"].to_string();
        assert!(!text.contains("secrets") && !text.contains("configmaps"), "{role}");
    }
}

#[test]
fn users_see_but_do_not_write_unless_an_administrator_says_so() {
    let aggregated = |flags: &[&str]| {
        let objects = rendered(flags);
        let roles = of_kind(&objects, "ClusterRole");
        let names = roles
            .iter()
            .filter(|role| role["metadata"]["labels"].to_string().contains("aggregate-to"));
        names
            .map(|role| role["metadata"]["name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(aggregated(&[]), ["pam-operator-view"]);
    let both = aggregated(&["--set", "rbac.aggregateToEdit=true"]);
    assert_eq!(both, ["pam-operator-edit", "pam-operator-view"]);
    assert_eq!(aggregated(&["--set", "rbac.aggregateToView=false"]), [""; 0]);
    assert_eq!(
        aggregated(&["--set", "rbac.create=false,rbac.aggregateToEdit=true"]),
        [""; 0]
    );
}
