//! What the API server says to a manifest: every rule and bound of the three kinds, judged by a real one.
//!
//! The cases are tables. Each row has a fragment of YAML that is laid over the `spec` of the smallest valid object of
//! its kind, field by field; a null takes a field out. `<9>` in a fragment stands for nine letters, and `<3:t#>` for
//! `t0, t1, t2`.

mod accepted;
mod refused;
mod updates;

use kube::{
    Api, Client, Error,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams, ValidationDirective},
};
use pam_operator::api::{
    ClusterPamConnection, ClusterPamConnectionSpec, PamConnection, PamConnectionSpec, PamCredential, PamCredentialSpec,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Credential,
    Connection,
    ClusterConnection,
}

impl Kind {
    pub(crate) fn resource(self) -> ApiResource {
        match self {
            Self::Credential => ApiResource::erase::<PamCredential>(&()),
            Self::Connection => ApiResource::erase::<PamConnection>(&()),
            Self::ClusterConnection => ApiResource::erase::<ClusterPamConnection>(&()),
        }
    }

    /// The spec of the smallest valid object.
    fn base(self) -> Value {
        match self {
            Self::Credential => json!({
                "connectionRef": { "name": "vault" },
                "username": "dleite5",
                "hostname": "gmail.com",
                "ip": "mail.google.com",
            }),
            Self::Connection | Self::ClusterConnection => {
                json!({ "url": "https://pam.example.com", "credentialsSecretRef": { "name": "vault" } })
            }
        }
    }
}

/// A namespace of the test control plane, with the definitions installed.
pub(crate) struct Server {
    client: Client,
    namespace: String,
}

impl Server {
    pub(crate) async fn start(namespace: &str) -> Self {
        let client = testbed::shared()
            .await
            .admin()
            .await
            .expect("the control plane has an administrator");
        let namespace = testbed::create_namespace(&client, namespace)
            .await
            .expect("a namespace can be created");
        Self { client, namespace }
    }

    pub(crate) fn api(&self, kind: Kind) -> Api<DynamicObject> {
        match kind {
            Kind::Credential | Kind::Connection => {
                Api::namespaced_with(self.client.clone(), &self.namespace, &kind.resource())
            }
            Kind::ClusterConnection => Api::all_with(self.client.clone(), &kind.resource()),
        }
    }

    /// What the API server would store.
    async fn try_create(&self, kind: Kind, fragment: &str) -> Result<DynamicObject, Error> {
        let dry_run = PostParams {
            dry_run: true,
            field_manager: None,
        };
        self.api(kind).create(&dry_run, &object(kind, "case", fragment)).await
    }
}

fn object(kind: Kind, name: &str, fragment: &str) -> DynamicObject {
    let mut spec = kind.base();
    for (field, value) in yaml(fragment).as_object().expect("a fragment is a mapping") {
        spec[field] = value.clone();
    }
    DynamicObject::new(name, &kind.resource()).data(json!({ "spec": spec }))
}

fn yaml(fragment: &str) -> Value {
    serde_saphyr::from_str(&expand(fragment)).unwrap_or_else(|error| panic!("{fragment}: {error}"))
}

/// Replaces `<9>` by nine letters and `<3:t#>` by `t0, t1, t2`.
fn expand(fragment: &str) -> String {
    let Some((before, rest)) = fragment.split_once('<') else {
        return fragment.to_owned();
    };
    let (placeholder, after) = rest.split_once('>').expect("a placeholder ends with >");
    let (count, template) = placeholder
        .split_once(':')
        .map_or((placeholder, None), |(n, t)| (n, Some(t)));
    let count: usize = count.parse().expect("a placeholder starts with a number");
    let text = match template {
        Some(template) => {
            let items: Vec<_> = (0..count)
                .map(|index| template.replace('#', &index.to_string()))
                .collect();
            items.join(", ")
        }
        None => "x".repeat(count),
    };
    format!("{before}{text}{}", expand(after))
}

/// The message of a refusal; none when the API server accepted.
fn refusal<T>(answer: Result<T, Error>) -> Option<String> {
    match answer {
        Ok(_) => None,
        Err(Error::Api(status)) if status.code == 422 => Some(status.message),
        Err(other) => panic!("neither accepted nor refused as invalid: {other}"),
    }
}

/// Fails with all cases that went wrong, not only the first.
fn assert_none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} cases went wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_with_the_field_and_the_way_out() {
    let server = Server::start("manifests-refused").await;
    let mut wrong = Vec::new();
    for (kind, fragment, field, way_out) in refused::CASES {
        match refusal(server.try_create(*kind, fragment).await) {
            Some(message) if message.contains(field) && message.contains(way_out) => {}
            Some(message) => wrong.push(format!(
                "{fragment}\n  should say {field} and {way_out}, says {message}"
            )),
            None => wrong.push(format!("{fragment}\n  should be refused for {field}")),
        }
    }
    assert_none(&wrong);
}

#[tokio::test]
async fn what_keeps_the_rules_is_stored_as_written() {
    let server = Server::start("manifests-accepted").await;
    let mut wrong = Vec::new();
    for (kind, fragment) in accepted::CASES {
        let sent = without_nulls(object(*kind, "case", fragment).data["spec"].clone());
        match server.try_create(*kind, fragment).await {
            Ok(stored) if stored.data["spec"] == sent => {}
            Ok(stored) => wrong.push(format!("{fragment}\n  was stored as {}", stored.data["spec"])),
            Err(error) => wrong.push(format!("{fragment}\n  was refused: {error}")),
        }
        if let Err(difference) = survives_the_types(*kind, &sent) {
            wrong.push(format!("{fragment}\n  {difference}"));
        }
    }
    assert_none(&wrong);
}

#[tokio::test]
async fn updates_keep_connection_and_identity() {
    let server = Server::start("manifests-updates").await;
    let credentials = server.api(Kind::Credential);
    let mut wrong = Vec::new();
    for (index, case) in updates::CASES.iter().enumerate() {
        let name = format!("case-{index}");
        let object = object(Kind::Credential, &name, case.before);
        credentials
            .create(&PostParams::default(), &object)
            .await
            .expect("the object before the update is valid");
        if case.claimed {
            let claim = json!({ "status": updates::claimed_status() });
            credentials
                .patch_status(&name, &PatchParams::default(), &Patch::Merge(claim))
                .await
                .expect("a valid claim");
        }
        let dry_run = PatchParams {
            dry_run: true,
            ..PatchParams::default()
        };
        let update = json!({ "spec": yaml(case.after) });
        let answer = refusal(credentials.patch(&name, &dry_run, &Patch::Merge(update)).await);
        match (answer, case.refused) {
            (None, None) => {}
            (Some(message), Some(expected)) if message.contains(expected) => {}
            (answer, expected) => wrong.push(format!(
                "{} -> {}: {answer:?}, not {expected:?}",
                case.before, case.after
            )),
        }
    }
    assert_none(&wrong);
}

#[tokio::test]
async fn strict_appliers_hear_of_fields_that_do_not_exist() {
    let server = Server::start("manifests-unknown").await;
    let strict = PatchParams {
        dry_run: true,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("manifests")
    };
    let mut wrong = Vec::new();
    for (kind, fragment, field) in refused::UNKNOWN_FIELDS {
        let applied = server
            .api(*kind)
            .patch("case", &strict, &Patch::Apply(object(*kind, "case", fragment)))
            .await;
        match applied {
            Err(Error::Api(status)) if status.message.contains(field) => {}
            other => wrong.push(format!("{fragment}: {other:?}")),
        }
    }
    assert_none(&wrong);
}

#[tokio::test]
async fn a_new_object_is_not_current_to_kstatus() {
    let server = Server::start("manifests-default").await;
    for kind in [Kind::Credential, Kind::Connection] {
        let api = server.api(kind);
        api.create(&PostParams::default(), &object(kind, "new", "{}"))
            .await
            .expect("the smallest object is valid");
        let stored = api.get("new").await.expect("was created");
        assert_eq!(stored.data["status"], json!({ "observedGeneration": -1 }), "{kind:?}");
    }
}

/// The Rust types read a stored spec and write it back without losing or adding anything.
fn survives_the_types(kind: Kind, spec: &Value) -> Result<(), String> {
    match kind {
        Kind::Credential => round_trip::<PamCredentialSpec>(spec),
        Kind::Connection => round_trip::<PamConnectionSpec>(spec),
        Kind::ClusterConnection => round_trip::<ClusterPamConnectionSpec>(spec),
    }
}

fn round_trip<T: DeserializeOwned + Serialize>(spec: &Value) -> Result<(), String> {
    let typed: T = serde_json::from_value(spec.clone()).map_err(|error| format!("cannot be read: {error}"))?;
    let written = serde_json::to_value(typed).map_err(|error| format!("cannot be written: {error}"))?;
    if written == *spec {
        Ok(())
    } else {
        Err(format!("was written back as {written}"))
    }
}

/// As the API server stores an object whose schema has no nullable field.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(field, value)| (field, without_nulls(value))).collect())
        }
        other => other,
    }
}
