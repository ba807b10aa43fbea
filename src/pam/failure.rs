//! Failures without an answer, or with half of one. The libraries' own texts are left out: they contain URLs.

use std::error::Error as StdError;
use std::io;

use rustls::{CertificateError, Error as TlsError};

use super::address::AddressError;
use super::error::{Class, Error, Outcome};

/// The request was not answered. It may have been executed unless no connection came about.
pub(super) fn sending(error: &reqwest::Error) -> Error {
    let outcome = if error.is_connect() {
        Outcome::NotExecuted
    } else {
        Outcome::Unknown
    };
    let detail = if let Some(refused) = cause::<AddressError>(error) {
        refused_address(refused)
    } else if error.is_dns() {
        "the host name cannot be resolved"
    } else if let Some(tls) = cause::<TlsError>(error) {
        handshake(tls)
    } else if error.is_timeout() {
        if error.is_connect() {
            "no connection in time"
        } else {
            "no answer in time"
        }
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke before the answer"
    };
    Error::new(Class::Unavailable, outcome).detail(detail)
}

/// The answer began and was not received to its end.
pub(super) fn receiving(error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        Error::new(Class::Unavailable, Outcome::Unknown).detail("the answer did not end in time")
    } else {
        Error::new(Class::InvalidResponse, Outcome::Unknown).detail("it broke off")
    }
}

/// The answer is larger than this client reads.
pub(super) fn too_large() -> Error {
    Error::new(Class::InvalidResponse, Outcome::Unknown).detail("it is larger, or nested deeper, than any of a PAM")
}

/// No time is left to send the request.
pub(super) fn out_of_time() -> Error {
    Error::new(Class::Unavailable, Outcome::NotExecuted).detail("no token in time")
}

fn refused_address(error: &AddressError) -> &'static str {
    match error {
        AddressError::Loopback(_) => {
            "the host name leads to a loopback address; see the operator's flag --allow-loopback"
        }
        _ => "the host name leads to a link-local, multicast, unspecified or metadata address, which is never reached",
    }
}

fn handshake(error: &TlsError) -> &'static str {
    match error {
        // BadSignature: another CA of the same name has signed it.
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "the server's certificate is from a CA that is not trusted; give the connection a CA bundle"
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the server's certificate is for another name; use that name in the URL or as server name",
        TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the server's certificate has expired"
        }
        TlsError::InvalidCertificate(_) => {
            "the server's certificate is not valid for a server (a self-signed CA certificate is not, for instance)"
        }
        _ => "the TLS handshake failed",
    }
}

/// Finds an error of type `T` among the causes, also inside an `io::Error`, which hides what it wraps from `source`.
pub(super) fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match wrapped {
        Some(inner) => cause(inner),
        None => cause(error.source()?),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pam::resolver::{Alias, Resolver};
    use crate::pam::{AddressPolicy, install_crypto_provider};

    /// The failure of a request to `pam.example.com` when that name leads to `host`.
    async fn failure(host: &str) -> Error {
        let client = client(host, reqwest::ClientBuilder::no_proxy);
        sending(&client.get("http://pam.example.com/").send().await.expect_err("refused"))
    }

    /// A client for which `pam.example.com` leads to `host`.
    fn client(host: &str, build: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder) -> reqwest::Client {
        install_crypto_provider();
        let alias = Some(Alias {
            name: "pam.example.com".into(),
            host: host.into(),
        });
        let resolver = Resolver {
            policy: Arc::new(AddressPolicy::default()),
            alias,
        };
        build(reqwest::Client::builder().dns_resolver(resolver))
            .build()
            .expect("a client")
    }

    #[tokio::test]
    async fn the_name_of_a_proxy_is_resolved_under_the_same_rules() {
        let proxy = reqwest::Proxy::all("http://pam.example.com:3128").expect("a proxy");
        for url in ["http://10.0.0.5/", "https://10.0.0.5/"] {
            let client = client("169.254.169.254", |builder| builder.no_proxy().proxy(proxy.clone()));
            let error = sending(&client.get(url).send().await.expect_err("refused"));
            assert!(error.to_string().contains("metadata"), "{url}: {error}");
            assert_eq!(error.outcome, Outcome::NotExecuted);
        }
    }

    #[tokio::test]
    async fn a_refused_address_is_not_dialled_and_said_so() {
        for (host, word) in [
            ("127.0.0.1", "--allow-loopback"),
            ("::1", "--allow-loopback"),
            ("fe80::1", "link-local"),
        ] {
            let error = failure(host).await;
            assert_eq!((error.class, error.outcome), (Class::Unavailable, Outcome::NotExecuted));
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
