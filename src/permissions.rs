//! What the operator asks of the API server, and so what its roles have to permit. Roles of tests and of the chart say the
//! same as [`RULES`], and `selftest` asks whether all of it is granted.
//!
//! | requests | all namespaces are watched | `--watch-namespaces a,b` |
//! |---|---|---|
//! | list, watch, get, patch `pamcredentials`; patch their status | the cluster | each of `a`, `b` |
//! | list, watch `pamconnections`; patch their status | the cluster | each of `a`, `b` |
//! | list, watch `clusterpamconnections`; patch their status | the cluster | the cluster: they belong to no namespace |
//! | list, watch (metadata alone), get `secrets` and `configmaps` | the cluster | each of `a`, `b`, and the operator's own |
//! | create `events` | the cluster | each of `a`, `b`; `default`, for those about ClusterPamConnections |
//! | list, watch, get `namespaces` | the cluster | by name: each of `a`, `b` (list and watch carry `metadata.name=`, which `resourceNames` permit) |
//! | get the namespace `kube-system` | by name | by name |
//! | create `secrets`; patch the one that is named `pam-operator-installation` (with `--accept-cluster`) | its own | its own |
//! | create `leases`; get, patch the one of `--lease-name` (with leader election) | its own | its own |
//!
//! Nothing is ever deleted, no Secret is written but the installation's, and `pamcredentials` are patched in their finalizers
//! alone. Without leader election no lease is touched. Every account may ask for the API's groups and for its own rights.

use std::collections::BTreeSet;

use k8s_openapi::api::{authorization::v1::ResourceAttributes, rbac::v1::PolicyRule};

const PAM: &str = "pam-operator.dev";

/// Where the objects of a rule are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the namespaces that are watched.
    Watched,
    /// There, and in the operator's own namespace.
    WatchedAndOwn,
    /// In the operator's own namespace.
    Own,
    /// In the namespace `default`, where the API server wants events about objects without a namespace.
    Default,
    /// In no namespace: all of them.
    Cluster,
    /// They are the namespaces that are watched themselves.
    Themselves,
}

/// What becomes of the operator without a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It cannot do its work.
    Always,
    /// The same, but only with leader election.
    Election,
    /// It works, but for this.
    Comfort(&'static str),
}

/// Which of the objects of a kind a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Any.
    Any,
    /// The one of this name.
    Named(&'static str),
    /// The lease by which one of several processes leads.
    Lease,
}

impl Which {
    /// Its name, where only one is meant, for an operator whose lease has this name.
    #[must_use]
    pub fn name(self, lease: &str) -> Option<String> {
        match self {
            Self::Any => None,
            Self::Named(name) => Some(name.to_owned()),
            Self::Lease => Some(lease.to_owned()),
        }
    }
}

/// Requests that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The API group.
    pub group: &'static str,
    /// The resources, with their subresource after a slash.
    pub resources: &'static [&'static str],
    /// What is done to them.
    pub verbs: &'static [&'static str],
    /// Where they are.
    pub place: Place,
    /// Which of them.
    pub which: Which,
    /// What it is for.
    pub need: Need,
}

/// Everything that the operator asks for.
pub const RULES: &[Rule] = &[
    always(
        PAM,
        &["pamcredentials"],
        &["get", "list", "watch", "patch"],
        Place::Watched,
    ),
    always(PAM, &["pamconnections"], &["list", "watch"], Place::Watched),
    always(
        PAM,
        &["pamcredentials/status", "pamconnections/status"],
        &["patch"],
        Place::Watched,
    ),
    // No request needs it now. Clusters that check owners (OwnerReferencesPermissionEnforcement) want it of whoever makes an
    // object that a credential owns.
    comfort(
        PAM,
        &["pamcredentials/finalizers"],
        &["update"],
        Place::Watched,
        "nothing that it makes could be owned by a PamCredential on clusters that check owners",
    ),
    always(PAM, &["clusterpamconnections"], &["list", "watch"], Place::Cluster),
    always(PAM, &["clusterpamconnections/status"], &["patch"], Place::Cluster),
    always(
        "",
        &["secrets", "configmaps"],
        &["get", "list", "watch"],
        Place::WatchedAndOwn,
    ),
    // What does not exist yet has no name by which a role could know it.
    always("", &["secrets"], &["create"], Place::Own),
    Rule {
        which: Which::Named("pam-operator-installation"),
        ..comfort("", &["secrets"], &["patch"], Place::Own, "--accept-cluster fails")
    },
    Rule {
        need: Need::Election,
        ..always("coordination.k8s.io", &["leases"], &["create"], Place::Own)
    },
    Rule {
        need: Need::Election,
        which: Which::Lease,
        ..always("coordination.k8s.io", &["leases"], &["get", "patch"], Place::Own)
    },
    comfort(
        "",
        &["namespaces"],
        &["get", "list", "watch"],
        Place::Themselves,
        "selectors of ClusterPamConnections select nothing, and objects of a namespace that is being deleted wait for --deletion-timeout",
    ),
    Rule {
        which: Which::Named("kube-system"),
        ..comfort(
            "",
            &["namespaces"],
            &["get"],
            Place::Cluster,
            "a copy of the installation in another cluster goes unnoticed",
        )
    },
    comfort(
        "events.k8s.io",
        &["events"],
        &["create"],
        Place::Watched,
        "there are no events about objects",
    ),
    comfort(
        "events.k8s.io",
        &["events"],
        &["create"],
        Place::Default,
        "there are no events about ClusterPamConnections",
    ),
];

const fn always(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    place: Place,
) -> Rule {
    Rule {
        group,
        resources,
        verbs,
        place,
        which: Which::Any,
        need: Need::Always,
    }
}

const fn comfort(
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    place: Place,
    without: &'static str,
) -> Rule {
    Rule {
        need: Need::Comfort(without),
        ..always(group, resources, verbs, place)
    }
}

/// How an operator is run.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its own namespace.
    pub namespace: String,
    /// The namespaces that it watches; all of them when empty.
    pub watched: Vec<String>,
    /// Whether it holds a lease.
    pub leader_election: bool,
    /// The name of that lease.
    pub lease: String,
}

impl Rule {
    /// The rule as a role has it, for an operator whose lease has this name. In a role that is bound to more than the
    /// rule's place it permits more.
    #[must_use]
    pub fn policy(&self, lease: &str) -> PolicyRule {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        PolicyRule {
            api_groups: Some(owned(&[self.group])),
            resources: Some(owned(self.resources)),
            verbs: owned(self.verbs),
            resource_names: self.which.name(lease).map(|name| vec![name]),
            ..PolicyRule::default()
        }
    }

    /// Each single thing that it comes to, as the API server can be asked whether it is permitted.
    #[must_use]
    pub fn requests(&self, scope: &Scope) -> Vec<ResourceAttributes> {
        if self.need == Need::Election && !scope.leader_election {
            return Vec::new();
        }
        let mut requests = Vec::new();
        for resource in self.resources {
            let (resource, subresource) = match resource.split_once('/') {
                Some((resource, subresource)) => (resource, Some(subresource)),
                None => (*resource, None),
            };
            for verb in self.verbs {
                for (namespace, name) in self.targets(scope, verb) {
                    requests.push(ResourceAttributes {
                        group: Some(self.group.to_owned()),
                        resource: Some(resource.to_owned()),
                        subresource: subresource.map(str::to_owned),
                        verb: Some((*verb).to_owned()),
                        namespace,
                        name,
                        ..ResourceAttributes::default()
                    });
                }
            }
        }
        requests
    }

    /// Namespaces and names; no namespace means all of them, no name any.
    fn targets(&self, scope: &Scope, verb: &str) -> Vec<(Option<String>, Option<String>)> {
        let watched: BTreeSet<_> = scope.watched.iter().cloned().collect();
        let everywhere = watched.is_empty();
        let name = self.which.name(&scope.lease);
        let within = |namespaces: BTreeSet<String>| {
            let within = namespaces.into_iter().map(|namespace| (Some(namespace), name.clone()));
            within.collect()
        };
        match self.place {
            Place::Own => within([scope.namespace.clone()].into()),
            Place::Default => within(["default".to_owned()].into()),
            Place::Cluster => vec![(None, name)],
            Place::Watched | Place::WatchedAndOwn | Place::Themselves if everywhere => vec![(None, name)],
            Place::Watched => within(watched),
            Place::WatchedAndOwn => within(watched.into_iter().chain([scope.namespace.clone()]).collect()),
            // A single namespace is read as an object within itself; a list that names one is not.
            Place::Themselves => watched
                .into_iter()
                .map(|watched| ((verb == "get").then(|| watched.clone()), Some(watched)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(watched: &[&str]) -> Scope {
        Scope {
            namespace: "pam-operator".to_owned(),
            watched: watched.iter().map(|name| (*name).to_owned()).collect(),
            leader_election: true,
            lease: "shard-a".to_owned(),
        }
    }

    /// `verb group/resource/subresource namespace name` of everything, with `*` for what is not said.
    fn all(scope: &Scope) -> Vec<String> {
        let requests = RULES.iter().flat_map(|rule| rule.requests(scope));
        let text = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or("*".to_owned());
        requests
            .map(|asked| {
                let resource = match asked.subresource {
                    Some(subresource) => format!("{}/{subresource}", text(asked.resource)),
                    None => text(asked.resource),
                };
                format!(
                    "{} {resource} {} {}",
                    text(asked.verb),
                    text(asked.namespace),
                    text(asked.name)
                )
            })
            .collect()
    }

    #[test]
    fn with_named_namespaces_nothing_is_asked_of_others() {
        let asked = all(&scope(&["b", "a", "a"]));
        for expected in [
            "list pamcredentials a *",
            "patch pamconnections/status b *",
            "list secrets pam-operator *",
            "create secrets pam-operator *",
            "list clusterpamconnections * *",
            "watch namespaces * a",
            "get namespaces a a",
            "get namespaces * kube-system",
            "create events default *",
            "patch leases pam-operator shard-a",
        ] {
            assert_eq!(
                asked.iter().filter(|text| *text == expected).count(),
                1,
                "{expected}: {asked:#?}"
            );
        }
        let of_the_cluster = asked.iter().filter(|text| text.ends_with(" * *"));
        for request in of_the_cluster {
            assert!(request.contains("clusterpamconnections"), "{request}");
        }
        assert!(
            !asked
                .iter()
                .any(|text| text.starts_with("list pamcredentials pam-operator"))
        );
    }

    #[test]
    fn without_names_the_cluster_is_asked() {
        let asked = all(&scope(&[]));
        for expected in [
            "list secrets * *",
            "watch namespaces * *",
            "create events * *",
            "patch pamcredentials * *",
        ] {
            assert!(asked.iter().any(|text| text == expected), "{expected}: {asked:#?}");
        }
    }

    #[test]
    fn the_lease_is_asked_for_only_with_leader_election() {
        let without = Scope {
            leader_election: false,
            ..scope(&[])
        };
        assert!(!all(&without).iter().any(|text| text.contains("leases")));
    }

    #[test]
    fn nothing_is_ever_deleted() {
        assert!(RULES.iter().all(|rule| !rule.verbs.contains(&"delete")));
    }
}
