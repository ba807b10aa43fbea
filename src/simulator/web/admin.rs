//! The simulator's own paths, below `/_simulator`: what a test in process does through [`Handle`](crate::simulator::Handle), over HTTP.
//! Open to whoever reaches the port: a simulator holds no real secrets.
//!
//! | request | does |
//! |---|---|
//! | `GET /journal`, `GET /journal/{seq}` | the requests so far, or those after number seq; secrets as fingerprints |
//! | `DELETE /journal` | forgets them |
//! | `GET /credentials` | the stored credentials, secrets as fingerprints |
//! | `PATCH /credentials/{id}` | edits one as an administrator would: `identifier username hostname ip content active` |
//! | `DELETE /credentials/{id}` | removes one without a trace |
//! | `POST /faults` | puts a [`Fault`] in force, for instance `{"on": "post", "effect": {"status": {"code": 503}}, "times": {"next": 3}}`; answers `{"id": N}` |
//! | `GET /faults` | the faults in force and how many requests each has struck |
//! | `DELETE /faults`, `DELETE /faults/{id}` | ends all, or one |
//! | `DELETE /tokens` | expires every token |

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get, patch},
};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::simulator::{
    harness::{
        entry::Entry,
        fault::Fault,
        redact::{fingerprint, redact_fields},
    },
    vault::credential::Credential,
    web::service::Simulator,
};

type Shared = State<Arc<Simulator>>;

pub(crate) fn router() -> Router<Arc<Simulator>> {
    Router::new()
        .route("/journal", get(journal).delete(clear_journal))
        .route("/journal/{seq}", get(journal_after))
        .route("/credentials", get(credentials))
        .route("/credentials/{id}", patch(edit_credential).delete(remove_credential))
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/tokens", delete(expire_tokens))
}

async fn journal(State(simulator): Shared) -> Json<Vec<Entry>> {
    Json(simulator.journal.entries())
}

async fn journal_after(State(simulator): Shared, Path(seq): Path<u64>) -> Json<Vec<Entry>> {
    Json(
        simulator
            .journal
            .entries()
            .into_iter()
            .filter(|entry| entry.seq > seq)
            .collect(),
    )
}

async fn clear_journal(State(simulator): Shared) {
    simulator.journal.clear();
}

async fn credentials(State(simulator): Shared) -> Json<Vec<Value>> {
    Json(simulator.store().all().map(|credential| show(credential)).collect())
}

fn show(credential: &Credential) -> Value {
    json!({
        "id": credential.id, "identifier": credential.identifier, "username": credential.username,
        "hostname": credential.hostname, "ip": credential.ip, "active": credential.active,
        "content": credential.content.as_ref().map(|content| fingerprint(content.expose_secret())),
        "content_writes": credential.content_writes, "change": credential.change, "view": credential.view,
        "custody": credential.custody, "created_by": credential.created_by, "fields": redact_fields(&credential.fields),
    })
}

/// What an administrator changes; what is absent stays.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    identifier: Option<String>,
    username: Option<String>,
    hostname: Option<String>,
    ip: Option<String>,
    content: Option<String>,
    active: Option<bool>,
}

impl Edit {
    fn apply(self, credential: &mut Credential) {
        credential.identifier = self.identifier.or_else(|| credential.identifier.take());
        if let Some(username) = self.username {
            credential.username = username;
        }
        if let Some(hostname) = self.hostname {
            credential.hostname = hostname;
        }
        if let Some(ip) = self.ip {
            credential.ip = ip;
        }
        if let Some(content) = self.content {
            credential.content = Some(content.into());
        }
        credential.active = self.active.unwrap_or(credential.active);
    }
}

async fn edit_credential(State(simulator): Shared, Path(id): Path<u64>, Json(edit): Json<Edit>) -> StatusCode {
    found(simulator.store().edit(id, |credential| edit.apply(credential)))
}

async fn remove_credential(State(simulator): Shared, Path(id): Path<u64>) -> StatusCode {
    found(simulator.store().remove(id))
}

fn found(found: bool) -> StatusCode {
    if found {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

async fn faults(State(simulator): Shared) -> Json<Vec<Value>> {
    let in_force = simulator.faults.in_force().into_iter();
    Json(
        in_force
            .map(|(id, fault, struck)| json!({"id": id, "fault": fault, "struck": struck}))
            .collect(),
    )
}

async fn add_fault(State(simulator): Shared, Json(fault): Json<Fault>) -> Json<Value> {
    Json(json!({"id": simulator.faults.add(fault)}))
}

async fn remove_fault(State(simulator): Shared, Path(id): Path<u64>) {
    simulator.faults.remove(id);
}

async fn clear_faults(State(simulator): Shared) {
    simulator.faults.clear();
}

async fn expire_tokens(State(simulator): Shared) {
    simulator.tokens().expire_all();
}
