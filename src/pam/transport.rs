//! Sockets, TLS, proxy and deadlines: how bytes travel to one PAM and back.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, HOST, HeaderMap, HeaderValue};
use reqwest::{Certificate, Identity, Method, Proxy, RequestBuilder, Response, redirect, tls};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;
use tokio::time::Instant;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::address::AddressError;
use super::error::Error;
use super::failure;
use super::options::{ConfigError, Options};
use super::resolver::{Alias, Resolver};

/// The largest answer that is not a listing, in bytes.
pub(super) const ANSWER_LIMIT: usize = 1 << 20;

/// How long a connection, TLS included, may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes ring the process's TLS provider, for this client and for kube alike; does nothing when there is one already.
pub fn install_crypto_provider() {
    // The error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// One PAM's pool of connections.
pub(super) struct Transport {
    http: reqwest::Client,
    /// The URL with the API prefix. Its host is the server name when there is one.
    base: Url,
    /// The URL's own host when `base` has the server name.
    host: Option<HeaderValue>,
}

impl Transport {
    pub fn new(options: &Options) -> Result<Self, ConfigError> {
        install_crypto_provider();
        options.addresses.check(&options.url).map_err(ConfigError::Url)?;
        let mut base = options.url.clone();
        base.path_segments_mut()
            .expect("http URLs have a path")
            .pop_if_empty()
            .push(options.api_prefix.as_str());
        let alias = options
            .server_name
            .as_deref()
            .map(|name| rename(&mut base, name, options))
            .transpose()?;
        let host = alias.as_ref().map(|_| host_header(&options.url));
        let resolver = Resolver {
            policy: Arc::new(options.addresses.clone()),
            alias,
        };

        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("pam-operator/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(
                ACCEPT,
                HeaderValue::from_static("application/json"),
            )]))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT.min(options.timeout))
            .dns_resolver(resolver)
            .tls_version_min(tls::Version::TLS_1_2)
            .tls_certs_only(roots(options.ca_pem.as_deref())?);
        if host.is_some() {
            // HTTP/2 has no Host header of its own: it would send the server name.
            builder = builder.http1_only();
        }
        if let Some(url) = &options.proxy {
            options.addresses.check_proxy(url).map_err(ConfigError::Proxy)?;
            let proxy = Proxy::all(url.as_str()).map_err(|_| ConfigError::Proxy(AddressError::NotHttp))?;
            builder = builder.proxy(proxy);
        }
        if let Some(pem) = &options.identity_pem {
            let identity = Identity::from_pem(pem.expose_secret()).map_err(|_| ConfigError::ClientCertificate)?;
            builder = builder.identity(identity);
        }
        // Everything else was checked above.
        let http = builder.build().map_err(|_| ConfigError::ClientCertificate)?;
        Ok(Self { http, base, host })
    }

    /// Prepares a request to `{url}/{prefix}/{path}` that must be answered by the deadline.
    pub fn request(&self, method: Method, path: &[&str], deadline: Instant) -> Result<RequestBuilder, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(failure::out_of_time());
        }
        let mut url = self.base.clone();
        url.path_segments_mut().expect("http URLs have a path").extend(path);
        let request = self.http.request(method, url).timeout(left);
        Ok(match &self.host {
            Some(host) => request.header(HOST, host),
            None => request,
        })
    }
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, Error> {
    request.send().await.map_err(|error| failure::sending(&error))
}

/// Receives the rest of an answer that is no listing.
pub(super) async fn receive(mut response: Response) -> Result<Zeroizing<Vec<u8>>, Error> {
    let status = response.status();
    let mut body = Zeroizing::new(Vec::with_capacity(16 << 10));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Err(failure::too_large().with_status(status)),
            Ok(None) => return Ok(body),
            Err(error) => return Err(failure::receiving(&error).with_status(status)),
        }
    }
}

/// Puts the server name into the URL, so that TLS asks for it and verifies it, and returns where it leads: to the URL's host.
fn rename(base: &mut Url, name: &str, options: &Options) -> Result<Alias, ConfigError> {
    options
        .addresses
        .check_server_name(name)
        .map_err(ConfigError::ServerName)?;
    if options.proxy.is_some() {
        return Err(ConfigError::ServerNameWithProxy);
    }
    let host = match base.host() {
        Some(Host::Ipv6(ip)) => ip.to_string(),
        Some(other) => other.to_string(),
        None => return Err(ConfigError::Url(AddressError::NoHost)),
    };
    base.set_host(Some(name))
        .map_err(|_| ConfigError::ServerName(AddressError::NotAName))?;
    Ok(Alias {
        name: base.host_str().unwrap_or_default().to_owned(),
        host,
    })
}

/// What the Host header of a request to this URL says.
fn host_header(url: &Url) -> HeaderValue {
    let host = url.host_str().unwrap_or_default();
    let text = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    text.parse().expect("a URL's host and port are ASCII")
}

/// The certificates to trust: the bundle's alone, else the public ones. Those are compiled in (Mozilla's), so that an image
/// without any file has them too.
fn roots(bundle: Option<&[u8]>) -> Result<Vec<Certificate>, ConfigError> {
    let Some(pem) = bundle else {
        return webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(certificate)
            .collect();
    };
    let mut store = RootCertStore::empty();
    let mut roots = Vec::new();
    for der in CertificateDer::pem_slice_iter(pem) {
        let der = der.map_err(|_| ConfigError::CaBundle)?;
        store.add(der.clone()).map_err(|_| ConfigError::CaBundle)?;
        roots.push(certificate(&der)?);
    }
    if roots.is_empty() {
        Err(ConfigError::CaBundle)
    } else {
        Ok(roots)
    }
}

fn certificate(der: &CertificateDer<'_>) -> Result<Certificate, ConfigError> {
    Certificate::from_der(der).map_err(|_| ConfigError::CaBundle)
}
