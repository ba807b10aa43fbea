//! Takes the right to write status away, so that an answer of the PAM arrives and cannot be recorded.

use k8s_openapi::api::{
    authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec},
    rbac::v1::{ClusterRole, ClusterRoleBinding, PolicyRule, RoleRef, Subject},
};
use kube::{
    Api,
    api::{DeleteParams, ObjectMeta, PostParams},
};
use testbed::rbac;

use crate::{look::within_deadline, world::World};

const STATUS: &str = "pamcredentials/status";

/// Leaves the operator all its rights but that to write the status of a PamCredential.
pub async fn withhold_status(world: &World) {
    let name = format!("without-status-{}", world.user);
    let metadata = ObjectMeta {
        name: Some(name.clone()),
        ..ObjectMeta::default()
    };
    let role = ClusterRole {
        metadata: metadata.clone(),
        rules: Some(remaining_rules()),
        ..ClusterRole::default()
    };
    let group = "rbac.authorization.k8s.io".to_owned();
    let binding = ClusterRoleBinding {
        metadata,
        role_ref: RoleRef {
            api_group: group.clone(),
            kind: "ClusterRole".to_owned(),
            name,
        },
        subjects: Some(vec![Subject {
            api_group: Some(group),
            kind: "User".to_owned(),
            name: world.user.clone(),
            namespace: None,
        }]),
    };
    let params = PostParams::default();
    let roles: Api<ClusterRole> = Api::all(world.client.clone());
    roles.create(&params, &role).await.expect("the role is accepted");
    let bindings: Api<ClusterRoleBinding> = Api::all(world.client.clone());
    bindings
        .create(&params, &binding)
        .await
        .expect("the binding is accepted");
    let full = format!("pam-operator-{}", world.user);
    let deleted = bindings.delete(&full, &DeleteParams::default()).await;
    deleted.expect("the operator's binding is there");
    within_deadline("lose the right", async || !may_write_status(world).await).await;
}

/// Gives it back.
pub async fn return_status(world: &World) {
    let bound = rbac::bind_operator(&world.client, &world.user, &world.namespace).await;
    bound.expect("the operator's rights");
    within_deadline("have the right", async || may_write_status(world).await).await;
}

fn remaining_rules() -> Vec<PolicyRule> {
    let mut rules = rbac::cluster_rules();
    for rule in &mut rules {
        let resources = rule.resources.as_mut().expect("every rule names resources");
        resources.retain(|resource| resource != STATUS);
    }
    rules
}

/// The API server learns of changed rights a moment after they are stored.
async fn may_write_status(world: &World) -> bool {
    let client = world.plane.client_for(&world.user).await.expect("a client");
    let (resource, subresource) = STATUS.split_once('/').expect("a subresource");
    let question = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                group: Some("pam-operator.dev".to_owned()),
                resource: Some(resource.to_owned()),
                subresource: Some(subresource.to_owned()),
                namespace: Some(world.namespace.clone()),
                verb: Some("patch".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client);
    let answer = reviews.create(&PostParams::default(), &question).await;
    answer.expect("everybody may ask").status.expect("an answer").allowed
}
