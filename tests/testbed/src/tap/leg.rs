//! One side of the tap: a server on a free port that passes each request on to the API server or to the PAM.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, Request, Response, Uri,
    header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING},
    request::Parts,
    uri::PathAndQuery,
};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use kube::Client;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::{
    blow::{Blow, Then},
    effect,
    ledger::{Ledger, Ticket},
    reads::Reads,
};
use crate::Error;

/// The body of an answer.
pub(super) type Body = UnsyncBoxBody<Bytes, Cut>;

/// The connection is to be cut.
#[derive(Debug, thiserror::Error)]
#[error("the tap cuts the connection")]
pub(super) struct Cut;

/// A complete body.
pub(super) fn full(body: impl Into<Bytes>) -> Body {
    Full::new(body.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// Where requests go.
pub(super) enum Upstream {
    /// To the API server, as a user of its own.
    Api(Client),
    /// To the PAM at this address.
    Pam {
        client: Box<HttpClient<HttpConnector, Full<Bytes>>>,
        base: Uri,
    },
}

impl Upstream {
    pub(super) fn pam(base: Uri) -> Self {
        Self::Pam {
            client: Box::new(HttpClient::builder(TokioExecutor::new()).build_http()),
            base,
        }
    }

    /// Passes a request on. Whatever goes wrong cuts the operator's connection, as it would without the tap.
    async fn pass(&self, mut parts: Parts, body: Bytes) -> Result<Response<Body>, Cut> {
        strip(&mut parts.headers);
        match self {
            Self::Api(client) => {
                parts.uri = Uri::from(path_and_query(&parts));
                let request = Request::from_parts(parts, kube::client::Body::from(body));
                let mut response = client.send(request).await.map_err(|_| Cut)?;
                strip(response.headers_mut());
                Ok(response.map(|body| body.map_err(|_| Cut).boxed_unsync()))
            }
            Self::Pam { client, base } => {
                let mut target = base.clone().into_parts();
                target.path_and_query = Some(path_and_query(&parts));
                parts.uri = Uri::from_parts(target).map_err(|_| Cut)?;
                let request = Request::from_parts(parts, Full::new(body));
                let mut response = client.request(request).await.map_err(|_| Cut)?;
                strip(response.headers_mut());
                Ok(response.map(|body| body.map_err(|_| Cut).boxed_unsync()))
            }
        }
    }
}

fn path_and_query(parts: &Parts) -> PathAndQuery {
    parts
        .uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"))
}

/// Takes off what belongs to one connection and not to the message.
fn strip(headers: &mut HeaderMap) {
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    for header in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, KEEP_ALIVE] {
        headers.remove(header);
    }
}

/// A running server. It ends, with all its connections, when it is dropped.
pub(super) struct Leg {
    pub(super) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Leg {
    pub(super) async fn start(upstream: Upstream, ledger: Arc<Ledger>, reads: Arc<Reads>) -> Result<Self, Error> {
        let failed = || Error::io("the tap cannot listen");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed())?;
        let address = listener.local_addr().map_err(failed())?;
        let server = Arc::new(Server {
            upstream,
            ledger,
            reads,
        });
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            // A listener fails when the process has no descriptors left: then the tests fail, too.
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                connections.spawn(async move {
                    let service = service_fn(|request| server.serve(request));
                    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    // A cut connection ends with the error that cut it.
                    let _ = connection.await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }
}

struct Server {
    upstream: Upstream,
    ledger: Arc<Ledger>,
    reads: Arc<Reads>,
}

impl Server {
    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let path = parts.uri.path();
        let kind = match self.upstream {
            Upstream::Api(_) => effect::of_api(&parts.method, path),
            Upstream::Pam { .. } => Some(effect::of_pam(&parts.method, path)),
        };
        match kind {
            Some(kind) => {
                let ticket = self.ledger.begin(kind, path);
                self.perform(ticket, parts, body).await
            }
            None => self.read(parts, body).await,
        }
    }

    /// An effect: its answer is complete before the operator sees its first byte.
    async fn perform(&self, ticket: Ticket, parts: Parts, body: Bytes) -> Result<Response<Body>, Cut> {
        let Some((blow, gate)) = ticket.strike.clone() else {
            let response = self.complete(parts, body).await?;
            ticket.answered(response.status().as_u16());
            return Ok(response);
        };
        if blow.executed {
            self.complete(parts, body).await?;
        }
        gate.land();
        match blow {
            Blow { then: Then::Hold, .. } => {
                gate.healed().await;
                Err(Cut)
            }
            Blow { then: Then::Cut, .. } => Err(Cut),
            Blow {
                then: Then::Refuse(refusal),
                ..
            } => {
                let response = match self.upstream {
                    Upstream::Api(_) => refusal.of_api(),
                    Upstream::Pam { .. } => refusal.of_pam(),
                };
                ticket.answered(response.status().as_u16());
                Ok(response)
            }
        }
    }

    async fn complete(&self, parts: Parts, body: Bytes) -> Result<Response<Body>, Cut> {
        let (head, body) = self.upstream.pass(parts, body).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response::from_parts(head, full(body)))
    }

    /// A read of the API server: it streams.
    async fn read(&self, parts: Parts, body: Bytes) -> Result<Response<Body>, Cut> {
        let path = parts.uri.path().to_owned();
        let asks = |wanted: &str| {
            let query = parts.uri.query().unwrap_or_default();
            query.split('&').any(|pair| pair == wanted)
        };
        if asks("sendInitialEvents=true") {
            return Ok(Reads::unstreamed());
        }
        let watches = asks("watch=true");
        let fault = if watches {
            self.reads.admit(effect::resource(&path)).await
        } else {
            self.reads.old_list(&path)
        };
        if let Some(response) = fault {
            return Ok(response);
        }
        let response = self.upstream.pass(parts, body).await?;
        if watches {
            return Ok(response.map(|body| self.reads.breakable(body)));
        }
        Ok(response)
    }
}
