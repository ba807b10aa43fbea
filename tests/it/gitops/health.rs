//! Argo CD, Flux and kstatus say the same of every state, and what they say is what the state means.

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use pam_operator::api::{
    Reason,
    condition::{self, READY, RECONCILING, STALLED},
};
use serde_json::{Value, json};

use super::{
    argo, assert_fresh,
    flux::{self, Expressions},
    kstatus::{self, Status},
    record::{self, record},
    renew,
    states::{self, State},
};

/// What Argo CD says of each state, in the order of the alphabet.
const EXPECTED: [(&str, &str); 29] = [
    ("cluster-connection-ready", "Healthy"),
    ("connection-authentication-failed", "Degraded"),
    ("connection-fresh", "Progressing"),
    ("connection-pam-unavailable", "Progressing"),
    ("connection-ready", "Healthy"),
    ("connection-secret-not-found", "Progressing"),
    ("connection-suspended", "Healthy"),
    ("connection-suspended-at-once", "Suspended"),
    ("credential-already-exists", "Degraded"),
    ("credential-conflict", "Degraded"),
    ("credential-connection-not-allowed", "Degraded"),
    ("credential-connection-not-found", "Progressing"),
    ("credential-connection-not-ready", "Progressing"),
    ("credential-deactivation-failed", "Progressing"),
    ("credential-deleting", "Progressing"),
    ("credential-device-not-found", "Degraded"),
    ("credential-drifted", "Healthy"),
    ("credential-drifted-with-changes", "Degraded"),
    ("credential-fresh", "Progressing"),
    ("credential-not-found-in-pam", "Healthy"),
    ("credential-not-permitted", "Degraded"),
    ("credential-outdated", "Progressing"),
    ("credential-pam-unavailable", "Progressing"),
    ("credential-progressing", "Progressing"),
    ("credential-secret-not-found", "Progressing"),
    ("credential-suspended", "Healthy"),
    ("credential-suspended-at-once", "Suspended"),
    ("credential-suspended-with-changes", "Suspended"),
    ("credential-synced", "Healthy"),
];

#[tokio::test(flavor = "multi_thread")]
async fn argo_cd_flux_and_kstatus_agree_on_real_objects_of_every_state() {
    let mut world = states::world().await;
    let mut states = states::all(&mut world).await;
    states.sort_by(|one, other| one.name.cmp(&other.name));

    let names: Vec<_> = states.iter().map(|state| state.name.as_str()).collect();
    assert_eq!(names, EXPECTED.map(|(name, _)| name));
    let expressions = flux::expressions();
    for (State { name, object }, (_, expected)) in states.iter().zip(EXPECTED) {
        agree(name, object, expected, &expressions);
    }

    let urls = [world.pam_url(), "https://127.0.0.1:1".to_owned()];
    let texts = record::World {
        namespace: &world.namespace,
        urls: &urls,
    };
    let records = states.iter().filter_map(|State { name, object }| {
        let content = record(object, &texts);
        // What is said of the record is said of the object, but for the texts that differ in every run.
        let recorded: Value = serde_saphyr::from_str(&content).expect("valid YAML");
        assert_eq!(argo::health(&recorded).0, argo::health(object).0, "{name}");
        renew(&format!("{}/testdata/{name}.yaml", argo::FOLDER), &content)
    });
    let mut stale: Vec<_> = records.collect();
    stale.extend(renew(
        &format!("{}/health_test.yaml", argo::FOLDER),
        &health_test(&states, &texts),
    ));
    assert_fresh(&stale);
}

/// Argo CD, Flux and kstatus on one object.
fn agree(name: &str, object: &Value, expected: &str, expressions: &[Expressions]) {
    let (health, message) = argo::health(object);
    assert_eq!(health, expected, "{name}: {message}");
    assert!(!message.is_empty(), "{name}");
    let kstatus = kstatus::status(object);
    let meaning = match health.as_str() {
        "Healthy" => Status::Current,
        "Degraded" => Status::Failed,
        "Progressing" | "Suspended" => Status::InProgress,
        other => panic!("{name}: {other}"),
    };
    // Whoever waits for an object that is being deleted waits, whatever it is called.
    let flux = flux::status(expressions, object);
    let of_kstatus = if kstatus == Status::Terminating {
        Status::InProgress
    } else {
        kstatus
    };
    assert_eq!(
        (of_kstatus, flux),
        (meaning, meaning),
        "{name}: kstatus and Flux, and Argo CD's {health}"
    );
    if let Some(drifted) = message_of(object, "Drifted").filter(|_| health == "Healthy") {
        assert!(message.ends_with(drifted), "{name}: {message}");
    }
}

fn message_of<'a>(object: &'a Value, type_: &str) -> Option<&'a str> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|condition| condition["type"] == type_)?;
    found["message"].as_str()
}

/// The expectations in the form in which Argo CD's own tests read them.
fn health_test(states: &[State], texts: &record::World) -> String {
    let cases = states.iter().map(|State { name, object }| {
        let recorded: Value = serde_saphyr::from_str(&record(object, texts)).expect("valid YAML");
        let (health, message) = argo::health(&recorded);
        json!({"inputPath": format!("testdata/{name}.yaml"), "healthStatus": {"status": health, "message": message}})
    });
    let file = json!({"tests": cases.collect::<Value>()});
    format!(
        "{}{}",
        record::HEADER,
        serde_saphyr::to_string(&file).expect("plain data")
    )
}

/// The recordings show every state; this shows that no reason is judged otherwise than its state.
#[test]
fn they_agree_on_every_reason() {
    let expressions = flux::expressions();
    for reason in Reason::ALL {
        let set = |conditions: &mut Vec<_>, type_: &str, holds: bool| {
            let now = Time(Timestamp::UNIX_EPOCH);
            condition::set(conditions, type_, holds, reason, reason.remedy(), 1, now);
        };
        let mut conditions = Vec::new();
        set(&mut conditions, READY, reason == Reason::Synced);
        let expected = if reason.is_stalled() {
            set(&mut conditions, STALLED, true);
            "Degraded"
        } else if reason.is_reconciling() {
            set(&mut conditions, RECONCILING, true);
            "Progressing"
        } else {
            match reason {
                Reason::Synced => "Healthy",
                Reason::Suspended => "Suspended",
                _ => "Progressing",
            }
        };
        let object = json!({
            "kind": "PamCredential", "metadata": {"generation": 1},
            "status": {"observedGeneration": 1, "conditions": conditions},
        });
        agree(reason.as_str(), &object, expected, &expressions);
    }
}
