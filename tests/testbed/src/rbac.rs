//! What the operator is allowed to do, as data, and how a user gets it. A call that the rules do not cover fails in every
//! test, as it would on a cluster.

use k8s_openapi::api::{
    core::v1::Namespace,
    rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject},
};
use kube::{
    Api, Client, Resource,
    api::{ObjectMeta, Patch, PatchParams},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, manifest::FIELD_MANAGER};

/// Name of the operator's roles and bindings.
const NAME: &str = "pam-operator";

const PAM: &str = "pam-operator.dev";

/// API group, resources, verbs.
type Rule = (&'static str, &'static [&'static str], &'static [&'static str]);

/// What the operator needs in every namespace that it watches.
pub const CLUSTER_RULES: &[Rule] = &[
    (PAM, &["pamcredentials"], &["get", "list", "watch", "patch"]),
    (
        PAM,
        &[
            "pamcredentials/status",
            "pamconnections/status",
            "clusterpamconnections/status",
        ],
        &["patch"],
    ),
    (PAM, &["pamcredentials/finalizers"], &["update"]),
    (
        PAM,
        &["pamconnections", "clusterpamconnections"],
        &["get", "list", "watch"],
    ),
    ("", &["secrets", "configmaps", "namespaces"], &["get", "list", "watch"]),
    ("events.k8s.io", &["events"], &["create", "patch"]),
];

/// What the operator needs in its own namespace: it creates the Secret that identifies the installation, and holds the
/// lease by which one of several replicas leads. What does not exist yet has no name by which a role could know it.
pub const OWN_NAMESPACE_RULES: &[Rule] = &[
    ("", &["secrets"], &["create"]),
    ("coordination.k8s.io", &["leases"], &["create"]),
];

/// The same, as far as it exists: with `--accept-cluster` the Secret is changed.
const OWN_OBJECTS: &[(Rule, &str)] = &[
    (("", &["secrets"], &["patch"]), "pam-operator-installation"),
    (("coordination.k8s.io", &["leases"], &["get", "patch"]), NAME),
];

/// Creates the operator's cluster-wide role, bound to nobody yet.
pub async fn install(admin: &Client) -> Result<(), Error> {
    let role = ClusterRole {
        metadata: named(NAME),
        rules: Some(rules(CLUSTER_RULES)),
        ..ClusterRole::default()
    };
    apply(&Api::all(admin.clone()), NAME, &role).await
}

/// Gives `user` the operator's rights, with `namespace`, which is created when it is missing, as the operator's own.
pub async fn bind_operator(admin: &Client, user: &str, namespace: &str) -> Result<(), Error> {
    let operator_namespace = Namespace {
        metadata: named(namespace),
        ..Namespace::default()
    };
    apply(&Api::all(admin.clone()), namespace, &operator_namespace).await?;

    let binding_name = format!("{NAME}-{user}");
    let cluster_binding = ClusterRoleBinding {
        metadata: named(&binding_name),
        role_ref: role_ref("ClusterRole"),
        subjects: Some(vec![subject(user)]),
    };
    apply(&Api::all(admin.clone()), &binding_name, &cluster_binding).await?;

    let role = Role {
        metadata: named(NAME),
        rules: Some(rules(OWN_NAMESPACE_RULES).into_iter().chain(own_objects()).collect()),
    };
    apply(&Api::namespaced(admin.clone(), namespace), NAME, &role).await?;
    let binding = RoleBinding {
        metadata: named(&binding_name),
        role_ref: role_ref("Role"),
        subjects: Some(vec![subject(user)]),
    };
    apply(&Api::namespaced(admin.clone(), namespace), &binding_name, &binding).await
}

fn rules(rules: &[Rule]) -> Vec<PolicyRule> {
    rules.iter().map(rule).collect()
}

fn rule((group, resources, verbs): &Rule) -> PolicyRule {
    let owned = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    PolicyRule {
        api_groups: owned(&[*group]),
        resources: owned(resources),
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        ..PolicyRule::default()
    }
}

fn own_objects() -> impl Iterator<Item = PolicyRule> {
    OWN_OBJECTS.iter().map(|(own, name)| PolicyRule {
        resource_names: Some(vec![(*name).to_owned()]),
        ..rule(own)
    })
}

fn role_ref(kind: &str) -> RoleRef {
    RoleRef {
        api_group: "rbac.authorization.k8s.io".to_owned(),
        kind: kind.to_owned(),
        name: NAME.to_owned(),
    }
}

fn subject(user: &str) -> Subject {
    Subject {
        api_group: Some("rbac.authorization.k8s.io".to_owned()),
        kind: "User".to_owned(),
        name: user.to_owned(),
        namespace: None,
    }
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}

async fn apply<K>(api: &Api<K>, name: &str, object: &K) -> Result<(), Error>
where
    K: Resource + Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    let params = PatchParams::apply(FIELD_MANAGER).force();
    api.patch(name, &params, &Patch::Apply(object))
        .await
        .map_err(Error::kube(format!("cannot apply {name}")))?;
    Ok(())
}
