//! The PAM's API on the wire: routes, gateway, envelopes, tokens, TLS.

pub mod admin;
pub mod answer;
pub mod envelope;
pub mod execute;
pub mod gateway;
pub mod routes;
pub mod service;
pub mod tls;
pub mod token_endpoint;
pub mod tokens;
