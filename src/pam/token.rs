//! OAuth 2.0 client credentials: one token per client, obtained by one caller while the others wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::classify::{Call, classify};
use super::error::{Class, Error, Outcome};
use super::failure;
use super::options::Options;
use super::scalar::Scalar;
use super::transport::{Transport, receive, send};

/// How long a token is used that does not say when it expires.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(5);

/// The longest lifetime that is believed.
const LONGEST_LIFETIME: Duration = Duration::from_hours(24);

/// A token, as the header that carries it.
#[derive(Clone)]
pub(super) struct Token(Arc<Inner>);

struct Inner {
    text: SecretString,
    renew_at: Instant,
}

impl Token {
    /// The value of `Authorization`.
    pub fn header(&self) -> HeaderValue {
        bearer(&self.0.text).expect("checked when the token arrived")
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The header for a token; `None` when it is empty or no header can carry it.
fn bearer(token: &SecretString) -> Option<HeaderValue> {
    if token.expose_secret().is_empty() {
        return None;
    }
    let text = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The cached token and how to obtain the next one.
pub(super) struct Tokens {
    client_id: SecretString,
    client_secret: SecretString,
    tenant: Option<String>,
    timeout: Duration,
    /// Held by the one caller that asks for a token.
    state: Mutex<State>,
    /// Number of token requests that ended. Who waited for one that failed shares its failure instead of failing once more.
    ended: AtomicU64,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    failure: Option<Error>,
    client_auth: Option<ClientAuth>,
}

/// Where the client id and secret travel; versions differ (contract 1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientAuth {
    Form,
    Basic,
}

/// The token server's answer.
#[derive(Deserialize)]
struct Grant {
    #[serde(deserialize_with = "secret")]
    access_token: SecretString,
    #[serde(default)]
    expires_in: Scalar,
}

impl Tokens {
    pub fn new(options: Options) -> Self {
        Self {
            client_id: options.client_id,
            client_secret: options.client_secret,
            tenant: options.tenant,
            timeout: options.timeout,
            state: Mutex::default(),
            ended: AtomicU64::new(0),
        }
    }

    /// The cached token, or a new one when there is none, when it is about to expire, or when it is the rejected one.
    pub async fn get(
        &self,
        transport: &Transport,
        rejected: Option<&Token>,
        deadline: Instant,
    ) -> Result<Token, Error> {
        let ended_before = self.ended.load(Ordering::Acquire);
        let mut state = timeout_at(deadline, self.state.lock())
            .await
            .map_err(|_| failure::out_of_time())?;
        if let Some(token) = &state.token
            && token.0.renew_at > Instant::now()
            && !rejected.is_some_and(|rejected| rejected.is(token))
        {
            return Ok(token.clone());
        }
        if let Some(failure) = &state.failure
            && self.ended.load(Ordering::Acquire) != ended_before
        {
            return Err(failure.clone());
        }
        // A listing may take longer than other calls, its token may not: they all wait for it.
        let deadline = deadline.min(Instant::now() + self.timeout);
        let result = self.obtain(transport, &mut state.client_auth, deadline).await;
        state.token = result.as_ref().ok().cloned();
        state.failure = result.as_ref().err().cloned();
        self.ended.fetch_add(1, Ordering::Release);
        result
    }

    /// Sends id and secret in the form, and once more in the Basic header when the form is refused; what worked is kept.
    async fn obtain(
        &self,
        transport: &Transport,
        known: &mut Option<ClientAuth>,
        deadline: Instant,
    ) -> Result<Token, Error> {
        if let Some(auth) = *known {
            let result = self.request(transport, auth, deadline).await;
            if is_refused(&result) {
                // Perhaps only the way changed: the next caller tries both again.
                *known = None;
            }
            return result;
        }
        let by_form = self.request(transport, ClientAuth::Form, deadline).await;
        if !is_refused(&by_form) {
            *known = by_form.is_ok().then_some(ClientAuth::Form);
            return by_form;
        }
        match self.request(transport, ClientAuth::Basic, deadline).await {
            Ok(token) => {
                *known = Some(ClientAuth::Basic);
                Ok(token)
            }
            Err(_) => by_form,
        }
    }

    async fn request(&self, transport: &Transport, auth: ClientAuth, deadline: Instant) -> Result<Token, Error> {
        let (id, secret) = (self.client_id.expose_secret(), self.client_secret.expose_secret());
        let mut form = vec![("grant_type", "client_credentials")];
        if auth == ClientAuth::Form {
            form.extend([("client_id", id), ("client_secret", secret)]);
        }
        form.extend(self.tenant.as_deref().map(|tenant| ("tenant", tenant)));
        let mut request = transport
            .request(Method::POST, &["oauth2", "token"], deadline)?
            .form(&form);
        if auth == ClientAuth::Basic {
            request = request.basic_auth(id, Some(secret));
        }
        let asked = Instant::now();
        exchange(request, asked).await.map_err(Error::having_changed_nothing)
    }
}

fn is_refused(result: &Result<Token, Error>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.class == Class::AuthenticationFailed)
}

async fn exchange(request: reqwest::RequestBuilder, asked: Instant) -> Result<Token, Error> {
    let response = send(request).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = receive(response).await?;
    classify(Call::Token, status, &headers, &body)?;
    let unusable = Error::new(Class::InvalidResponse, Outcome::NotExecuted).detail("it has no usable access_token");
    match serde_json::from_slice::<Grant>(&body) {
        Ok(grant) if bearer(&grant.access_token).is_some() => {
            let renew_at = asked + renew_after(lifetime(grant.expires_in.as_str()));
            let text = grant.access_token;
            Ok(Token(Arc::new(Inner { text, renew_at })))
        }
        _ => Err(unusable.with_status(status)),
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

/// The lifetime that `expires_in` states, in seconds.
fn lifetime(expires_in: &str) -> Duration {
    match expires_in.parse() {
        Ok(0) | Err(_) => DEFAULT_LIFETIME,
        Ok(seconds) => Duration::from_secs(seconds).min(LONGEST_LIFETIME),
    }
}

/// When a token is renewed: after 90 % of its life, or a minute before its end, whichever is later.
fn renew_after(lifetime: Duration) -> Duration {
    (lifetime * 9 / 10).max(lifetime.saturating_sub(Duration::from_mins(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_renewed_early() {
        for (expires_in, seconds) in [
            ("3600", 3540),
            ("300", 270),
            ("10", 9),
            ("", 270),
            ("0", 270),
            ("-5", 270),
            ("soon", 270),
            ("18446744073709551615", 86_340),
        ] {
            assert_eq!(
                renew_after(lifetime(expires_in)),
                Duration::from_secs(seconds),
                "{expires_in}"
            );
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let header = bearer(&SecretString::from("t0ken")).expect("a header");
        assert!(!format!("{header:?}").contains("t0ken"));
        assert!(bearer(&SecretString::from("line\nbreak")).is_none());
    }
}
