//! The token endpoint: OAuth 2.0 client credentials, as a form, as JSON or with Basic (contract 1.1).

use axum::http::{HeaderMap, header};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::simulator::{
    switches::{AuthTransport, Behaviour},
    web::{answer::Answer, tokens::Tokens},
};

/// What a token request names.
pub(crate) struct TokenRequest {
    pub client_id: Option<String>,
    client_secret: Option<String>,
    grant_type: Option<String>,
    tenant: Option<String>,
}

impl TokenRequest {
    /// Reads the request as far as `transport` allows; Basic goes before the body.
    pub(crate) fn new(headers: &HeaderMap, body: &Value, transport: AuthTransport) -> Self {
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let basic = if transport == AuthTransport::Body {
            None
        } else {
            basic(headers)
        };
        let (client_id, client_secret) = match (basic, transport) {
            (Some((id, secret)), _) => (Some(id), Some(secret)),
            (None, AuthTransport::Basic) => (None, None),
            (None, _) => (text("client_id"), text("client_secret")),
        };
        Self {
            client_id,
            client_secret,
            grant_type: text("grant_type"),
            tenant: text("tenant"),
        }
    }

    /// The answer: a token, or a refusal without envelope.
    pub(crate) fn answer(&self, tokens: &mut Tokens, behaviour: &Behaviour) -> Answer {
        if self.grant_type.as_deref() != Some("client_credentials") {
            return unsupported_grant();
        }
        let tenant_fits = behaviour.tenant.is_none() || behaviour.tenant == self.tenant;
        let (Some(id), Some(secret), true) = (&self.client_id, &self.client_secret, tenant_fits) else {
            return Answer::invalid_client();
        };
        match tokens.issue(id, secret, behaviour.token_ttl) {
            Some(token) => {
                let life = behaviour.token_ttl.as_secs();
                Answer::json(
                    200,
                    &json!({"token_type": "Bearer", "expires_in": life, "access_token": token}),
                )
            }
            None => Answer::invalid_client(),
        }
    }
}

fn unsupported_grant() -> Answer {
    let message = "The authorization grant type is not supported by the authorization server.";
    let hint = "Check that all required parameters have been provided";
    let body =
        json!({"error": "unsupported_grant_type", "error_description": message, "hint": hint, "message": message});
    Answer::json(400, &body)
}

/// The client id and secret of a Basic header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
