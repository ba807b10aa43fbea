//! The PAM's HTTP: as much of it as the contestants call.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use testbed::Error;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::State;

/// The connection is dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct Down;

impl From<Infallible> for Down {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Starts serving; returns the address and the task.
pub async fn start(state: Arc<State>) -> Result<(String, JoinHandle<()>), Error> {
    let doing = || Error::io("the PAM cannot listen");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(doing())?;
    let address = listener.local_addr().map_err(doing())?;
    Ok((format!("http://{address}"), tokio::spawn(accept(listener, state))))
}

/// Its connections end with it, as it owns their tasks.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((socket, _)) = accepted else { continue };
                // An answer must not wait for the acknowledgement of the one before.
                let _ = socket.set_nodelay(true);
                let state = state.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| serve(&state, request));
                    // What goes wrong on a connection is its client's to see.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(state: &State, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Down> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Down)?.to_bytes();
    let arrived = Instant::now();
    if state.is_down.load(Ordering::Relaxed) {
        state.refused.fetch_add(1, Ordering::Relaxed);
        return Err(Down);
    }
    let path = parts.uri.path();
    if path == "/iso/oauth2/token" {
        let grant = json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "token"});
        return Ok(answer(StatusCode::OK, grant.to_string()));
    }
    if let Some(pace) = &state.pace {
        let turn = pace.lock().expect("handing out a moment does not panic").turn(arrived);
        tokio::time::sleep_until(turn.into()).await;
    }
    let id = path.strip_prefix("/iso/pam/credential");
    Ok(match (parts.method, id) {
        (Method::POST, Some("")) => post(state, arrived, &body).await,
        (Method::GET, Some("")) => list(state),
        (Method::DELETE, Some(id)) => deactivate(state, id.trim_start_matches('/')),
        _ => refusal(StatusCode::NOT_FOUND, "Resource sub not found"),
    })
}

async fn post(state: &State, arrived: Instant, body: &[u8]) -> Response<Full<Bytes>> {
    let Ok(body) = serde_json::from_slice::<super::Body>(body) else {
        return refusal(StatusCode::BAD_REQUEST, "1042: The username was not informed");
    };
    let identifier = body.identifier.clone();
    let (id, is_new) = state.store().upsert(arrived, body);
    state.news.send_modify(|news| *news += 1);
    if !state.manner.latency.is_zero() {
        tokio::time::sleep(state.manner.latency).await;
    }
    let message = if is_new {
        "Credential successfully registered!"
    } else {
        "Credential updated successfully!"
    };
    let credential = json!({"id": id.to_string(), "identifier": identifier});
    success(StatusCode::CREATED, message, Some(("credential", credential)))
}

fn list(state: &State) -> Response<Full<Bytes>> {
    let (count, credentials) = state.store().listing();
    state.listings.fetch_add(1, Ordering::Relaxed);
    let envelope = envelope(StatusCode::OK, &format!("{count} credentials found"));
    let mut text = Value::from(envelope).to_string();
    text.pop();
    text.push_str(",\"credentials\":");
    text.push_str(&credentials);
    text.push('}');
    answer(StatusCode::OK, text)
}

fn deactivate(state: &State, id: &str) -> Response<Full<Bytes>> {
    let done = id.parse().is_ok_and(|id| state.store().deactivate(id));
    state.news.send_modify(|news| *news += 1);
    if done {
        success(StatusCode::OK, "Credential successfully deactivated", None)
    } else {
        refusal(StatusCode::BAD_REQUEST, "1007: Credential not found")
    }
}

fn success(status: StatusCode, message: &str, payload: Option<(&str, Value)>) -> Response<Full<Bytes>> {
    let mut envelope = envelope(status, message);
    envelope.extend(payload.map(|(key, value)| (key.to_owned(), value)));
    answer(status, Value::from(envelope).to_string())
}

fn refusal(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    answer(status, Value::from(envelope(status, message)).to_string())
}

fn envelope(status: StatusCode, message: &str) -> Map<String, Value> {
    let (is_error, code) = (!status.is_success(), status.as_u16());
    let response = json!({
        "status": code, "message": message, "error": is_error, "error_code": u8::from(is_error), "detail": "",
        "mensagem": message, "erro": is_error, "cod_erro": u8::from(is_error),
    });
    Map::from_iter([("code".to_owned(), code.into()), ("response".to_owned(), response)])
}

fn answer(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
