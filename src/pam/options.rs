//! What a connection is made of.

use std::time::Duration;

use secrecy::{SecretSlice, SecretString};
use url::Url;

use super::address::{AddressError, AddressPolicy};

/// Everything that a [`Client`](super::Client) needs to know about its connection.
pub struct Options {
    /// Where the PAM is, without the API prefix.
    pub url: Url,
    /// First segment of every path.
    pub api_prefix: ApiPrefix,
    /// The tenant of the token, for PAMs that are addressed by IP address.
    pub tenant: Option<String>,
    /// OAuth 2.0 client id.
    pub client_id: SecretString,
    /// OAuth 2.0 client secret.
    pub client_secret: SecretString,
    /// Certificates (PEM) that replace the public roots.
    pub ca_pem: Option<Vec<u8>>,
    /// Client certificate, its chain and its key (PEM, one after another).
    pub identity_pem: Option<SecretSlice<u8>>,
    /// Name that the server's certificate must have instead of the URL's host.
    pub server_name: Option<String>,
    /// Proxy for every request; the environment's proxy variables are ignored. The proxy resolves the PAM's name, so of the
    /// address rules only those for the written host hold behind it.
    pub proxy: Option<Url>,
    /// How long one call may take, from its first token request to the last byte of the answer. The listing has its own
    /// [`LISTING_DEADLINE`](super::LISTING_DEADLINE).
    pub timeout: Duration,
    /// Which hosts may be talked to.
    pub addresses: AddressPolicy,
}

/// First segment of every path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiPrefix {
    /// `/iso`: every version.
    #[default]
    Iso,
    /// `/api`: 3.33 and later.
    Api,
}

impl ApiPrefix {
    /// The path segment.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::Api => "api",
        }
    }
}

/// Options from which no client can be built; each names the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The URL is refused.
    #[error("{0}")]
    Url(AddressError),
    /// The proxy's URL is refused.
    #[error("proxy: {0}")]
    Proxy(AddressError),
    /// The server name is no host name, or refused.
    #[error("server name: {0}")]
    ServerName(AddressError),
    /// A server name together with a proxy: the proxy would resolve the server name, not the URL's host.
    #[error("a server name cannot be combined with a proxy: write the name of the certificate into the URL")]
    ServerNameWithProxy,
    /// The CA bundle has no usable certificate.
    #[error("the CA bundle must consist of PEM certificates (-----BEGIN CERTIFICATE-----)")]
    CaBundle,
    /// The client certificate cannot be used.
    #[error("the client certificate must be PEM: the certificate with its chain, and its private key, not encrypted")]
    ClientCertificate,
    /// Client id or client secret are empty.
    #[error("client id and client secret must not be empty")]
    EmptyClientCredentials,
}
