//! Answers on their way to the wire, and how faults disguise them.

use std::io;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::simulator::{
    harness::{
        entry::{Fate, Operation},
        fault::Effect,
    },
    switches::Behaviour,
    vault::refusal::{self, Refusal},
    web::envelope,
};

/// An answer that is ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    pub retry_after: Option<String>,
    /// The PAM's error code, for the journal.
    pub code: Option<u16>,
    /// The credential that it is about, for the journal.
    pub id: Option<u64>,
}

/// What reaches the client.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// The whole answer.
    Whole(Answer),
    /// Status, headers and the first half of the body; then the connection is dropped.
    Half(Answer),
    /// Nothing: the connection is dropped.
    Nothing,
}

impl Answer {
    /// JSON as it stands.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::bytes(status, "application/json", body.to_string().into_bytes())
    }

    /// Bytes of any type.
    pub(crate) fn bytes(status: u16, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            status,
            content_type,
            body,
            retry_after: None,
            code: None,
            id: None,
        }
    }

    /// A refusal in its envelope.
    pub(crate) fn refusal(behaviour: &Behaviour, refusal: &Refusal) -> Self {
        let answer = Self::json(refusal.status, &envelope::failure(behaviour, refusal));
        Self {
            code: Some(refusal.code),
            ..answer
        }
    }

    /// The short JSON of the gateway in front of the PAM.
    pub(crate) fn gateway(status: u16, message: &str) -> Self {
        Self::json(status, &json!({"message": message}))
    }

    /// No header, no known prefix, no route.
    pub(crate) fn no_route() -> Self {
        Self::gateway(404, "no Route matched with those values")
    }

    /// The refusal of the token endpoint for a wrong client (contract 1.1).
    pub(crate) fn invalid_client() -> Self {
        let message = "Client authentication failed";
        Self::json(
            401,
            &json!({"error": "invalid_client", "error_description": message, "message": message}),
        )
    }

    /// About this credential.
    pub(crate) fn about(self, id: u64) -> Self {
        Self { id: Some(id), ..self }
    }

    fn halved(mut self) -> Self {
        self.body.truncate(self.body.len() / 2);
        self
    }

    fn amended(mut self, patch: &Value) -> Self {
        let mut body = serde_json::from_slice(&self.body).unwrap_or(Value::Null);
        merge(&mut body, patch);
        self.body = body.to_string().into_bytes();
        self
    }
}

impl Effect {
    /// What is delivered in place of executing the request; `None` when it is executed.
    pub(crate) fn instead(&self, operation: Operation, behaviour: &Behaviour) -> Option<Delivery> {
        let answer = match self {
            Self::DropBefore => return Some(Delivery::Nothing),
            Self::Status {
                code,
                executed: false,
                retry_after,
            } => status(*code, retry_after.as_deref(), behaviour),
            Self::Html {
                status,
                executed: false,
            } => html(*status),
            Self::ExpiredToken | Self::RejectedToken if operation == Operation::Token => Answer::invalid_client(),
            Self::ExpiredToken => Answer::gateway(401, "Token expired"),
            Self::RejectedToken => Answer::gateway(401, "Invalid signature"),
            Self::NoRoute => Answer::no_route(),
            Self::Refuse { code, message, status } => {
                let refusal = Refusal {
                    status: *status,
                    code: *code,
                    message: message.clone().into(),
                };
                Answer::refusal(behaviour, &refusal)
            }
            _ => return None,
        };
        Some(Delivery::Whole(answer))
    }

    /// What is delivered of the answer to an executed request.
    pub(crate) fn disguise(&self, answer: Answer, behaviour: &Behaviour) -> Delivery {
        match self {
            Self::DropAfter => Delivery::Nothing,
            Self::CutBody => Delivery::Half(answer),
            Self::TruncatedJson => Delivery::Whole(answer.halved()),
            Self::Amend(patch) => Delivery::Whole(answer.amended(patch)),
            Self::Status { code, retry_after, .. } => Delivery::Whole(status(*code, retry_after.as_deref(), behaviour)),
            Self::Html { status, .. } => Delivery::Whole(html(*status)),
            _ => Delivery::Whole(answer),
        }
    }
}

impl Delivery {
    /// What the journal says of it.
    pub(crate) fn fate(&self, executed: bool) -> Fate {
        match self {
            Self::Whole(answer) | Self::Half(answer) => Fate {
                executed,
                status: Some(answer.status),
                code: answer.code,
                id: answer.id,
            },
            Self::Nothing => Fate {
                executed,
                ..Fate::default()
            },
        }
    }
}

impl From<Delivery> for Response {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Whole(answer) => respond(answer, Body::from),
            Delivery::Half(answer) => respond(answer, half_then_drop),
            Delivery::Nothing => Response::new(Body::from_stream(stream::once(async { Err::<Vec<u8>, _>(dropped()) }))),
        }
    }
}

fn respond(answer: Answer, body: impl FnOnce(Vec<u8>) -> Body) -> Response {
    let mut response = Response::new(body(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some(value) = answer.retry_after.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::RETRY_AFTER, value);
    }
    response
}

/// The first half of the bytes is on the wire before the connection breaks: a pending poll lets the server flush.
fn half_then_drop(mut bytes: Vec<u8>) -> Body {
    bytes.truncate(bytes.len() / 2);
    let breaks = stream::once(async {
        tokio::task::yield_now().await;
        Err(dropped())
    });
    Body::from_stream(stream::once(async { Ok::<_, io::Error>(bytes) }).chain(breaks))
}

/// A body that fails makes the server close the connection; when it fails before its first byte, not even the status is sent.
fn dropped() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "dropped by a fault")
}

fn status(code: u16, retry_after: Option<&str>, behaviour: &Behaviour) -> Answer {
    let answer = match code {
        500 => Answer::refusal(behaviour, &refusal::UNEXPECTED),
        403 => Answer::gateway(code, "Forbidden"),
        429 => Answer::gateway(code, "API rate limit exceeded"),
        _ => Answer::gateway(code, "An invalid response was received from the upstream server"),
    };
    Answer {
        retry_after: retry_after.map(str::to_owned),
        ..answer
    }
}

fn html(status: u16) -> Answer {
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Maintenance</body></html>";
    Answer::bytes(status, "text/html; charset=utf-8", page.into())
}

/// A JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().expect("made an object above");
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}
