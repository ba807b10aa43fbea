//! The gateway in front of the PAM: known prefixes, the Authorization header, valid tokens.

use std::sync::Arc;

use axum::http::{HeaderMap, header, request::Parts};
use serde_json::Value;

use crate::simulator::{
    data::Client,
    harness::entry::Operation,
    switches::Prefixes,
    vault::body::CredentialPost,
    web::{answer::Answer, service::Simulator, token_endpoint::TokenRequest, tokens::TokenError},
};

/// What a request asks for, after the gateway has looked at its path and its token.
pub(crate) enum Call {
    /// The gateway's own answer.
    Refused(Answer),
    /// A token.
    Token(TokenRequest),
    /// The credentials that a client sees.
    List(Arc<Client>),
    /// One credential with its password.
    Reveal(Arc<Client>, String),
    /// Create or update.
    Post(Arc<Client>, Box<CredentialPost>),
    /// Deactivate.
    Delete(Arc<Client>, String),
    /// Reactivate.
    Put(Arc<Client>, String),
    /// Nothing that the PAM knows.
    Unknown,
}

impl Call {
    pub(crate) fn reaches_the_pam(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

impl Simulator {
    /// Who calls (as far as known), and for what.
    pub(crate) fn call(
        &self,
        operation: Operation,
        selector: Option<String>,
        parts: &Parts,
        body: &Value,
    ) -> (Option<String>, Call) {
        if !self.behaviour.prefixes.route(parts.uri.path()) {
            return (None, Call::Refused(Answer::no_route()));
        }
        if operation == Operation::Token {
            let request = TokenRequest::new(&parts.headers, body, self.behaviour.auth_transport);
            return (request.client_id.clone(), Call::Token(request));
        }
        let client = match self.caller(&parts.headers) {
            Ok(client) => client,
            Err(answer) => return (None, Call::Refused(answer)),
        };
        let id = Some(client.id.clone());
        let call = match (operation, selector) {
            (Operation::List, _) => Call::List(client),
            (Operation::Post, _) => Call::Post(client, Box::new(CredentialPost::new(body))),
            (Operation::Reveal, Some(selector)) => Call::Reveal(client, selector),
            (Operation::Delete, Some(selector)) => Call::Delete(client, selector),
            (Operation::Put, Some(selector)) => Call::Put(client, selector),
            _ => Call::Unknown,
        };
        (id, call)
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Arc<Client>, Answer> {
        let authorization = headers.get(header::AUTHORIZATION).ok_or_else(Answer::no_route)?;
        let token = authorization
            .to_str()
            .ok()
            .and_then(|value| value.strip_prefix("Bearer "));
        self.tokens()
            .client(token.unwrap_or_default())
            .map_err(|error| match error {
                TokenError::Unknown => Answer::gateway(401, "Invalid signature"),
                TokenError::Expired => Answer::gateway(401, "Token expired"),
            })
    }
}

impl Prefixes {
    /// Whether a path begins with a routed prefix.
    pub(crate) fn route(self, path: &str) -> bool {
        match path.split('/').nth(1) {
            Some("iso") => self != Self::Api,
            Some("api") => self != Self::Iso,
            _ => false,
        }
    }
}
