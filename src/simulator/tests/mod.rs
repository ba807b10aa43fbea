//! The simulator from outside: over http and https on loopback, with a client that shares nothing with the operator's.

mod api;
mod faults;
mod holds;
mod server;
mod tls;
mod tokens;

use std::{net::SocketAddr, time::Duration};

use reqwest::{Certificate, Client as Http, Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Client, Config, Data, Device, Handle, NewCredential, Operation, Profile, Tls, start};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(10);

/// A free port on loopback.
fn anywhere() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

/// One client, one device, one credential of somebody else.
fn data() -> Data {
    let foreign = NewCredential {
        identifier: Some("foreign".to_owned()),
        content: Some("before".into()),
        ..NewCredential::new("db", "10.0.0.1", "root")
    };
    Data {
        clients: vec![Client::new("operator", "client-s3cret")],
        devices: vec![Device::new("db", "10.0.0.1")],
        credentials: vec![foreign],
        ..Data::default()
    }
}

/// An HTTP client that trusts these authorities (PEM) only.
fn client(authorities: &[&[u8]]) -> Http {
    // The process has no default provider unless something has installed one; a second attempt is harmless.
    rustls::crypto::ring::default_provider().install_default().unwrap_or(());
    let authorities = authorities
        .iter()
        .map(|pem| Certificate::from_pem(pem).expect("a certificate"));
    Http::builder()
        .tls_certs_only(authorities)
        .no_proxy()
        .build()
        .expect("a client")
}

/// A simulator and somebody who talks to it.
struct Talk {
    pam: Handle,
    http: Http,
    token: String,
}

/// Status and JSON (null when the body is none) of an answer.
type Spoken = Result<(u16, Value), reqwest::Error>;

impl Talk {
    /// Plain http, and a token.
    async fn new(profile: Profile, data: Data) -> Self {
        let pam = start(Config {
            listen: anywhere(),
            profile,
            tls: Tls::None,
            data,
        })
        .await
        .expect("the data are right");
        Self::with(pam, client(&[])).await
    }

    async fn with(pam: Handle, http: Http) -> Self {
        let mut talk = Self {
            pam,
            http,
            token: String::new(),
        };
        talk.renew().await;
        talk
    }

    /// Fetches a token.
    async fn renew(&mut self) {
        let (status, answer) = self.ask_token("client-s3cret").await.expect("a token");
        assert_eq!(status, 200, "{answer}");
        answer["access_token"]
            .as_str()
            .expect("a text")
            .clone_into(&mut self.token);
    }

    async fn ask_token(&self, secret: &str) -> Spoken {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "operator"),
            ("client_secret", secret),
        ];
        read(self.http.post(self.at("/iso/oauth2/token")).form(&form)).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.pam.url())
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.at(path)).bearer_auth(&self.token)
    }

    async fn post(&self, body: &Value) -> Spoken {
        read(self.call(Method::POST, "/iso/pam/credential").json(body)).await
    }

    async fn list(&self) -> Spoken {
        read(self.call(Method::GET, "/iso/pam/credential")).await
    }

    async fn on(&self, method: Method, selector: &str) -> Spoken {
        read(self.call(method, &format!("/iso/pam/credential/{selector}"))).await
    }
}

async fn read(request: RequestBuilder) -> Spoken {
    let response = request.send().await?;
    let status = response.status().as_u16();
    Ok((
        status,
        serde_json::from_slice(&response.bytes().await?).unwrap_or(Value::Null),
    ))
}

/// A body for `username` on the device.
fn body(username: &str, identifier: &str, content: &str) -> Value {
    json!({"username": username, "hostname": "db", "ip": "10.0.0.1", "identifier": identifier, "content": content})
}

/// How many requests of this operation were carried out.
fn executed(pam: &Handle, operation: Operation) -> usize {
    pam.journal()
        .of(operation)
        .iter()
        .filter(|entry| entry.executed)
        .count()
}
