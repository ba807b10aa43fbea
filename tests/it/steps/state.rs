//! The end state of a run: what the cluster says and what the PAM has, without what differs from run to run (names made
//! for the run, times, fingerprints).

use pam_operator::{
    api::{PamConnection, PamCredential},
    simulator::{Credential, Entry, fingerprint, redact},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::world::World;

/// What is compared between a run with a fault and the one without.
#[derive(Clone, Debug, PartialEq)]
pub struct State(Value);

impl State {
    /// The present state.
    pub async fn of(world: &World) -> Self {
        let objects = world
            .api::<PamCredential>()
            .list(&kube::api::ListParams::default())
            .await;
        let objects = objects.expect("an administrator may list").items;
        let connection = world.api::<PamConnection>().get("vault").await.expect("it is there");
        let connection = connection.status.expect("a status");
        let state = json!({
            "objects": objects.iter().map(object).collect::<Vec<_>>(),
            "connection": conditions(&connection.conditions),
            "pam": world.pam.credentials().iter().map(credential).collect::<Vec<_>>(),
        });
        Self(common(world, &state))
    }

    /// Where two states differ, line by line.
    pub fn difference(&self, expected: &Self) -> String {
        let lines = |state: &Self| serde_json::to_string_pretty(&state.0).expect("plain data");
        let (here, there) = (lines(self), lines(expected));
        let extra = |a: &str, b: &str, sign: &str| -> Vec<String> {
            let other: Vec<_> = b.lines().collect();
            let lines = a.lines().filter(|line| !other.contains(line));
            lines.map(|line| format!("{sign}{line}")).collect()
        };
        [extra(&there, &here, "-"), extra(&here, &there, "+")]
            .concat()
            .join("\n")
    }
}

/// Whom the POSTs were about, in their order.
pub fn addressees(world: &World, posts: &[Entry]) -> Vec<Value> {
    let about = |post: &Entry| {
        let body = &post.body;
        json!([body["identifier"], body["username"], body["hostname"], body["ip"]])
    };
    posts.iter().map(|post| common(world, &about(post))).collect()
}

/// A credential of somebody else, completely; passwords as fingerprints.
pub fn whole(credential: &Credential) -> Value {
    let mut whole = self::credential(credential);
    whole["change"] = json!(credential.change);
    whole["writes"] = json!(credential.content_writes);
    whole["view"] = json!(credential.view);
    whole["custody"] = json!(credential.custody);
    whole
}

fn credential(credential: &Credential) -> Value {
    let password = credential.content.as_ref().map(ExposeSecret::expose_secret);
    json!({
        "id": credential.id, "identifier": credential.identifier, "username": credential.username,
        "hostname": credential.hostname, "ip": credential.ip, "active": credential.active,
        "password": password.map(fingerprint), "creator": credential.created_by,
        "fields": redact(&Value::Object(credential.fields.clone())),
    })
}

fn object(object: &PamCredential) -> Value {
    let status = object.status.as_ref().expect("a status");
    let applied = status.applied.as_ref();
    json!({
        "name": object.metadata.name, "generation": object.metadata.generation,
        "finalizers": object.metadata.finalizers, "deleted": object.metadata.deletion_timestamp.is_some(),
        "observed": status.observed_generation, "id": status.id, "identifier": status.identifier,
        "claim": status.claim.as_ref().map(|claim| json!({
            "id": claim.id, "identifier": claim.identifier, "hostname": claim.hostname, "ip": claim.ip,
            "username": claim.username,
        })),
        "applied": applied.map(|applied| json!({"generation": applied.generation, "password": applied.content.is_some()})),
        "conditions": conditions(&status.conditions),
    })
}

fn conditions(conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]) -> Value {
    let plain = conditions.iter().map(|condition| {
        json!([
            condition.type_,
            condition.status,
            condition.reason,
            condition.message,
            condition.observed_generation
        ])
    });
    plain.collect()
}

/// The same for every run: a generated identifier ends with a tag that is the installation's own, and begins with the
/// namespace.
fn common(world: &World, value: &Value) -> Value {
    let text = value.to_string();
    let stem = format!("{}_db_", world.namespace);
    let mut parts = text.split(&stem);
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit());
        text + "GENERATED" + rest
    });
    let text = text.replace(&world.namespace, "NAMESPACE");
    serde_json::from_str(&text).expect("the replaced parts are plain texts")
}
