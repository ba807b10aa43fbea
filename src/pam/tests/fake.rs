//! A PAM that answers what a test tells it to, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::pam::{AddressPolicy, ApiPrefix, Client, CredentialBody, Options};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: Method,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    pub fn is_token_request(&self) -> bool {
        self.uri.ends_with("/oauth2/token")
    }

    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// What was asked so far.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Asked>>>);

impl Journal {
    pub fn all(&self) -> Vec<Asked> {
        self.0.lock().expect("no test panics while it holds the lock").clone()
    }

    pub fn tokens(&self) -> usize {
        self.all().iter().filter(|asked| asked.is_token_request()).count()
    }

    /// Everything but token requests.
    pub fn calls(&self) -> Vec<Asked> {
        self.all()
            .into_iter()
            .filter(|asked| !asked.is_token_request())
            .collect()
    }

    fn add(&self, asked: Asked) -> usize {
        let mut all = self.0.lock().expect("no test panics while it holds the lock");
        all.push(asked);
        all.len()
    }
}

/// A router that answers every request with `answer`, which also learns how many there were, this one included.
pub fn router(answer: impl Fn(&Asked, usize) -> Response + Clone + Send + Sync + 'static) -> (Router, Journal) {
    let journal = Journal::default();
    let recorded = journal.clone();
    let router = Router::new().fallback(move |request: Request| async move {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole request");
        let asked = Asked {
            method: parts.method,
            uri: parts.uri.to_string(),
            headers: parts.headers,
            body,
        };
        let count = recorded.add(asked.clone());
        answer(&asked, count)
    });
    (router, journal)
}

/// Starts a PAM on loopback; it ends with the test's runtime.
pub async fn start(answer: impl Fn(&Asked, usize) -> Response + Clone + Send + Sync + 'static) -> (Url, Journal) {
    let (router, journal) = router(answer);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"))
        .parse()
        .expect("a URL");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, journal)
}

/// Options for a PAM on loopback without TLS.
pub fn options(url: Url) -> Options {
    Options {
        url,
        api_prefix: ApiPrefix::Iso,
        tenant: None,
        client_id: SecretString::from("the-client-id"),
        client_secret: SecretString::from("the-client-secret"),
        ca_pem: None,
        identity_pem: None,
        server_name: None,
        proxy: None,
        timeout: Duration::from_secs(30),
        addresses: AddressPolicy {
            allow_http: true,
            allow_loopback: true,
            allowed_hosts: None,
        },
    }
}

pub fn client(url: Url) -> Client {
    Client::new(options(url)).expect("a client")
}

pub fn reply(status: u16, body: &Value) -> Response {
    (StatusCode::from_u16(status).expect("a status"), body.to_string()).into_response()
}

/// A token that lives for an hour.
pub fn granted(token: &str) -> Response {
    reply(
        200,
        &json!({"token_type": "Bearer", "expires_in": 3600, "access_token": token}),
    )
}

pub fn invalid_client() -> Response {
    reply(
        401,
        &json!({"error": "invalid_client", "message": "Client authentication failed"}),
    )
}

/// The envelope of a success, with more keys.
pub fn success(message: &str, more: &Value) -> Response {
    let mut body = json!({
        "code": 201,
        "response": {"status": 201, "message": message, "error": false, "error_code": 0, "detail": "",
                     "mensagem": message, "erro": false, "cod_erro": 0}
    });
    let more = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    reply(201, &body)
}

pub fn registered() -> Response {
    success(
        "Credential successfully registered!",
        &json!({"credential": {"id": "115", "identifier": "identifierjohn"}}),
    )
}

/// A small credential with a password.
pub fn credential() -> CredentialBody {
    CredentialBody {
        identifier: "identifierjohn".into(),
        username: "johncredential".into(),
        hostname: "Linkedin".into(),
        ip: "linkedin.com".into(),
        content: Some(SecretString::from("vfdvds##@")),
        ..CredentialBody::default()
    }
}

/// A PAM that grants tokens and answers every call with `answer`.
pub async fn pam(answer: impl Fn(&Asked) -> Response + Clone + Send + Sync + 'static) -> (Client, Journal) {
    let (url, journal) = start(move |asked, _| {
        if asked.is_token_request() {
            granted("t0ken")
        } else {
            answer(asked)
        }
    })
    .await;
    (client(url), journal)
}

/// A PAM that grants tokens and answers a call with these bytes and the connection's end; with `None` never.
pub async fn raw(answer: Option<&'static str>) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"))
        .parse()
        .expect("a URL");
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = if request(&mut socket).await.contains("/oauth2/token") {
                Some("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 20\r\n\r\n{\"access_token\":\"t\"}")
            } else {
                answer
            };
            match answer {
                Some(bytes) => socket.write_all(bytes.as_bytes()).await.expect("sent"),
                None => held.push(socket),
            }
        }
    });
    url
}

/// Reads one request to the end of its body.
async fn request(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 1024];
        let length = socket.read(&mut buffer).await.expect("bytes");
        text.push_str(std::str::from_utf8(&buffer[..length]).expect("ASCII"));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let stated = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= stated.map_or(0, |length| length.parse().expect("a number")) {
                return text;
            }
        }
    }
}
