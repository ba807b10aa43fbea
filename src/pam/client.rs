//! The calls.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, Response};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::body::CredentialBody;
use super::classify::{Call, classify, judge};
use super::envelope::Envelope;
use super::error::{Class, Error, Outcome};
use super::failure;
use super::guard;
use super::listing::Listing;
use super::options::{ConfigError, Options};
use super::token::{Token, Tokens};
use super::transport::{Transport, receive, send};

/// How long one listing may take, its transfer included (design 3).
pub const LISTING_DEADLINE: Duration = Duration::from_mins(2);

/// A PAM's answer to a POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The credential's id.
    pub id: String,
    /// The identifier that the credential now has; `None` when the answer does not say (older versions).
    pub identifier: Option<String>,
    /// Created or updated.
    pub message: AnswerKind,
}

/// What the PAM says it did; both have status 201, only the text differs (contract 2.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// "Credential successfully registered!"
    Registered,
    /// "Credential updated successfully!"
    Updated,
    /// Another text.
    Unknown,
}

/// One connection to one PAM: its sockets, its token, its rules.
pub struct Client {
    transport: Transport,
    tokens: Tokens,
    timeout: Duration,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares the connection; sends nothing.
    pub fn new(options: Options) -> Result<Self, ConfigError> {
        if options.client_id.expose_secret().is_empty() || options.client_secret.expose_secret().is_empty() {
            return Err(ConfigError::EmptyClientCredentials);
        }
        let transport = Transport::new(&options)?;
        Ok(Self {
            transport,
            timeout: options.timeout,
            tokens: Tokens::new(options),
        })
    }

    /// Obtains a token, or finds that the cached one is still good.
    pub async fn authenticate(&self) -> Result<(), Error> {
        self.tokens
            .get(&self.transport, None, Instant::now() + self.timeout)
            .await
            .map(drop)
    }

    /// Creates or updates a credential: the PAM decides which, by identifier and by username, hostname and ip (contract 5.1).
    pub async fn post(&self, body: &CredentialBody) -> Result<Answer, Error> {
        let mut request = self.request(Call::Post, Method::POST);
        request.body = Some(Bytes::from_owner(body.encode()));
        answer(self.exchange(&request).await?)
    }

    /// Deactivates a credential. [`Class::AlreadyInactive`] says that it was so before.
    pub async fn deactivate(&self, id: &str) -> Result<(), Error> {
        let mut request = self.request(Call::Deactivate, Method::DELETE);
        request.id = Some(checked_id(id)?);
        self.exchange(&request).await.map(drop)
    }

    /// Reactivates a credential. [`Class::AlreadyActive`] says that it was so before.
    pub async fn reactivate(&self, id: &str) -> Result<(), Error> {
        let mut request = self.request(Call::Reactivate, Method::PUT);
        request.id = Some(checked_id(id)?);
        self.exchange(&request).await.map(drop)
    }

    /// Lists every credential that the authorization sees. The answer is reduced while it arrives; only a complete one counts.
    /// Takes at most [`LISTING_DEADLINE`].
    pub async fn list(&self) -> Result<Listing, Error> {
        let mut request = self.request(Call::List, Method::GET);
        request.deadline = Instant::now() + LISTING_DEADLINE;
        match self.exchange(&request).await {
            Ok(envelope) => Ok(envelope.credentials),
            Err(error) if error.class == Class::CredentialNotFound => Ok(Listing::default()),
            Err(error) => Err(error.having_changed_nothing()),
        }
    }

    fn request(&self, call: Call, method: Method) -> Request<'static> {
        let deadline = Instant::now() + self.timeout;
        Request {
            call,
            method,
            id: None,
            body: None,
            deadline,
        }
    }

    /// Sends a request with the cached token, and once more with a new one when that was rejected.
    async fn exchange(&self, request: &Request<'_>) -> Result<Envelope, Error> {
        let token = self.tokens.get(&self.transport, None, request.deadline).await?;
        match self.attempt(request, &token).await {
            Err(error) if error.token_rejected => {
                let token = self.tokens.get(&self.transport, Some(&token), request.deadline).await?;
                self.attempt(request, &token).await
            }
            other => other,
        }
    }

    async fn attempt(&self, request: &Request<'_>, token: &Token) -> Result<Envelope, Error> {
        let path: Vec<_> = ["pam", "credential"].into_iter().chain(request.id).collect();
        let mut message = self
            .transport
            .request(request.method.clone(), &path, request.deadline)?;
        message = message.header(AUTHORIZATION, token.header());
        if let Some(body) = &request.body {
            message = message.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let response = send(message).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if request.call == Call::List && status.is_success() {
            judge(request.call, status, &headers, parse_stream(response).await?)
        } else {
            classify(request.call, status, &headers, &receive(response).await?)
        }
    }
}

/// A request about `pam/credential`, which may be sent twice.
struct Request<'a> {
    call: Call,
    method: Method,
    id: Option<&'a str>,
    body: Option<Bytes>,
    deadline: Instant,
}

fn checked_id(id: &str) -> Result<&str, Error> {
    let error = Error::new(Class::Rejected, Outcome::NotExecuted).detail("this is not an id of the PAM");
    if is_id(id) { Ok(id) } else { Err(error) }
}

/// Ids are one path segment of plain characters. Anything else could be read as another selector, such as
/// `username@hostname`, or as another path.
fn is_id(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=128).contains(&text.len()) && text.bytes().all(plain)
}

fn answer(envelope: Envelope) -> Result<Answer, Error> {
    let message = kind(&envelope);
    let credential = envelope.credential.unwrap_or_default();
    let id = credential.id.into_string();
    if !is_id(&id) {
        return Err(Error::new(Class::InvalidResponse, Outcome::Unknown).detail("it has no usable id"));
    }
    let identifier = Some(credential.identifier.into_string()).filter(|identifier| !identifier.is_empty());
    Ok(Answer {
        id,
        identifier,
        message,
    })
}

fn kind(envelope: &Envelope) -> AnswerKind {
    let says = |words: &str| envelope.texts().any(|text| text.to_lowercase().contains(words));
    if says("successfully registered") {
        AnswerKind::Registered
    } else if says("updated successfully") {
        AnswerKind::Updated
    } else {
        AnswerKind::Unknown
    }
}

/// Parses a listing on a thread that may block, chunk by chunk; `None` when it is not complete JSON.
async fn parse_stream(response: Response) -> Result<Option<Envelope>, Error> {
    let status = response.status();
    let stream = Box::pin(response.bytes_stream().map_err(io::Error::other));
    let reader = SyncIoBridge::new(StreamReader::new(stream));
    match tokio::task::spawn_blocking(move || guard::parse(reader)).await {
        Ok(Ok(envelope)) => Ok(Some(envelope)),
        Ok(Err(error)) if error.is_io() => Err(broken(&error.into()).with_status(status)),
        // Not JSON; or the runtime is shutting down and nobody will read this.
        Ok(Err(_)) | Err(_) => Ok(None),
    }
}

fn broken(error: &io::Error) -> Error {
    match failure::cause::<reqwest::Error>(error) {
        Some(error) => failure::receiving(error),
        None => failure::too_large(),
    }
}
