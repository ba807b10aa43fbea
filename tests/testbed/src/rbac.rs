//! What the operator is allowed to do, and how a user gets it: exactly its [`RULES`], so that a call which they do not cover
//! fails in every test, as it would on a cluster.

use k8s_openapi::api::{
    core::v1::Namespace,
    rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject},
};
use kube::{
    Api, Client, Resource,
    api::{ObjectMeta, Patch, PatchParams},
};
use pam_operator::{
    leader::LEASE,
    permissions::{Place, RULES, Rule},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, manifest::FIELD_MANAGER};

/// Name of the operator's role of the cluster, and the first part of its bindings' names. The role of its own namespace has
/// the name of the lease that it permits.
const NAME: &str = "pam-operator";

/// Creates the operator's cluster-wide role, bound to nobody yet.
pub async fn install(admin: &Client) -> Result<(), Error> {
    let role = ClusterRole {
        metadata: named(NAME),
        rules: Some(cluster_rules()),
        ..ClusterRole::default()
    };
    apply(&Api::all(admin.clone()), NAME, &role).await
}

/// Gives `user` the operator's rights, with `namespace`, which is created when it is missing, as the operator's own.
pub async fn bind_operator(admin: &Client, user: &str, namespace: &str) -> Result<(), Error> {
    bind_shard(admin, user, namespace, LEASE).await
}

/// The same for an operator whose lease has this name.
pub async fn bind_shard(admin: &Client, user: &str, namespace: &str, lease: &str) -> Result<(), Error> {
    let operator_namespace = Namespace {
        metadata: named(namespace),
        ..Namespace::default()
    };
    apply(&Api::all(admin.clone()), namespace, &operator_namespace).await?;

    let binding_name = format!("{NAME}-{user}");
    let cluster_binding = ClusterRoleBinding {
        metadata: named(&binding_name),
        role_ref: role_ref("ClusterRole", NAME),
        subjects: Some(vec![subject(user)]),
    };
    apply(&Api::all(admin.clone()), &binding_name, &cluster_binding).await?;

    let role = Role {
        metadata: named(lease),
        rules: Some(rules(lease, |rule| rule.place == Place::Own)),
    };
    apply(&Api::namespaced(admin.clone(), namespace), lease, &role).await?;
    let binding = RoleBinding {
        metadata: named(&binding_name),
        role_ref: role_ref("Role", lease),
        subjects: Some(vec![subject(user)]),
    };
    apply(&Api::namespaced(admin.clone(), namespace), &binding_name, &binding).await
}

/// What the operator may do in every namespace.
#[must_use]
pub fn cluster_rules() -> Vec<PolicyRule> {
    rules(LEASE, |rule| rule.place != Place::Own)
}

fn rules(lease: &str, are_these: impl Fn(&Rule) -> bool) -> Vec<PolicyRule> {
    let chosen = RULES.iter().filter(|rule| are_these(rule));
    chosen.map(|rule| rule.policy(lease)).collect()
}

fn role_ref(kind: &str, name: &str) -> RoleRef {
    RoleRef {
        api_group: "rbac.authorization.k8s.io".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
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
