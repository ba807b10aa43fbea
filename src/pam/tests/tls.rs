//! Certificates: who is trusted, under which name, and who the client is.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use secrecy::SecretSlice;
use url::Url;

use super::fake::{self, Journal, granted, registered};
use crate::pam::{AddressError, Class, Client, ConfigError, Error, Options, Outcome, install_crypto_provider};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca() -> Ca {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A certificate for this name, and its key.
fn certificate(ca: &Ca, name: &str) -> (rcgen::Certificate, KeyPair) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("parameters");
    (params.signed_by(&key, ca).expect("a certificate"), key)
}

/// Starts a PAM whose certificate has this name; with `clients` it accepts only clients with a certificate of that CA.
fn pam(ca: &Ca, name: &str, clients: Option<&Ca>) -> (Url, Journal) {
    install_crypto_provider();
    let (certificate, key) = certificate(ca, name);
    let builder = match clients {
        None => ServerConfig::builder().with_no_client_auth(),
        Some(ca) => {
            let mut store = RootCertStore::empty();
            store.add(ca.as_ref().der().clone()).expect("a root");
            let verifier = WebPkiClientVerifier::builder(Arc::new(store))
                .build()
                .expect("a verifier");
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let mut config = builder
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a configuration");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (router, journal) = fake::router(|asked, _| {
        if asked.is_token_request() {
            granted("t")
        } else {
            registered()
        }
    });
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let url = format!("https://{}", listener.local_addr().expect("an address"))
        .parse()
        .expect("a URL");
    let config = axum_server::tls_rustls::RustlsConfig::from_config(Arc::new(config));
    let server = axum_server::from_tcp_rustls(listener, config).expect("a server");
    tokio::spawn(server.serve(router.into_make_service()));
    (url, journal)
}

fn options(url: &Url, ca: &Ca) -> Options {
    Options {
        ca_pem: Some(ca.as_ref().pem().into_bytes()),
        ..fake::options(url.clone())
    }
}

async fn post(options: Options) -> Result<(), Error> {
    Client::new(options)
        .expect("a client")
        .post(&fake::credential())
        .await
        .map(drop)
}

#[tokio::test]
async fn the_bundle_alone_is_trusted() {
    let ours = ca();
    let (url, journal) = pam(&ours, "127.0.0.1", None);
    post(options(&url, &ours)).await.expect("an answer");
    let asked = journal.all().len();
    for stranger in [options(&url, &ca()), fake::options(url.clone())] {
        let error = post(stranger).await.expect_err("not trusted");
        assert_eq!((error.class, error.outcome), (Class::Unavailable, Outcome::NotExecuted));
        assert!(error.to_string().contains("CA"), "{error}");
    }
    assert_eq!(journal.all().len(), asked);
}

#[tokio::test]
async fn the_server_name_is_verified_instead_of_the_host() {
    let ca = ca();
    let (url, journal) = pam(&ca, "pam.example.com", None);
    let error = post(options(&url, &ca)).await.expect_err("another name");
    assert!(error.to_string().contains("another name"), "{error}");
    let named = |name: &str| Options {
        server_name: Some(name.into()),
        ..options(&url, &ca)
    };
    let error = post(named("other.example.com")).await.expect_err("another name");
    assert_eq!(error.outcome, Outcome::NotExecuted);
    assert_eq!(journal.all().len(), 0);
    post(named("PAM.example.com")).await.expect("an answer");
    let authority = url.authority();
    assert!(
        journal.all().iter().all(|asked| asked.header("host") == authority),
        "{:?}",
        journal.all()
    );
}

#[tokio::test]
async fn the_client_shows_its_certificate() {
    let ca = ca();
    let (url, _) = pam(&ca, "127.0.0.1", Some(&ca));
    post(options(&url, &ca)).await.expect_err("no certificate");
    let (certificate, key) = certificate(&ca, "operator");
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    let identity_pem = Some(SecretSlice::from(pem.into_bytes()));
    post(Options {
        identity_pem,
        ..options(&url, &ca)
    })
    .await
    .expect("an answer");
}

/// Options for a PAM whose certificate is from a public CA.
fn public() -> Options {
    fake::options("https://pam.example.com".parse().expect("a URL"))
}

fn refused(options: Options) -> ConfigError {
    Client::new(options).expect_err("refused")
}

#[test]
fn the_rules_hold_for_url_proxy_and_server_name() {
    let url = |text: &str| text.parse::<Url>().expect("a URL");
    let at = |text: &str| {
        refused(Options {
            url: url(text),
            ..public()
        })
    };
    assert_eq!(at("ftp://pam.example.com"), ConfigError::Url(AddressError::NotHttps));
    assert_eq!(
        at("https://a:b@pam.example.com"),
        ConfigError::Url(AddressError::UserInfo)
    );
    let through = |text: &str| {
        refused(Options {
            proxy: Some(url(text)),
            ..public()
        })
    };
    assert_eq!(through("http://a:b@proxy"), ConfigError::Proxy(AddressError::UserInfo));
    let named = |name: &str| Options {
        server_name: Some(name.into()),
        ..public()
    };
    assert_eq!(
        refused(named("10.0.0.5")),
        ConfigError::ServerName(AddressError::NotAName)
    );
    let both = Options {
        proxy: Some(url("http://proxy")),
        ..named("a")
    };
    assert_eq!(refused(both), ConfigError::ServerNameWithProxy);
    assert!(Client::new(public()).is_ok());
}

#[test]
fn certificates_and_keys_are_checked_before_the_first_call() {
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for bundle in ["", "no PEM", no_certificate] {
        let ca_pem = Some(bundle.as_bytes().to_vec());
        assert_eq!(
            refused(Options { ca_pem, ..public() }),
            ConfigError::CaBundle,
            "{bundle}"
        );
    }
    let ((certificate, _), (_, foreign_key)) = (certificate(&ca(), "a"), certificate(&ca(), "a"));
    let alone = certificate.pem();
    let mismatched = alone.clone() + &foreign_key.serialize_pem();
    for pem in [String::new(), alone, mismatched] {
        let identity_pem = Some(SecretSlice::from(pem.into_bytes()));
        assert_eq!(
            refused(Options {
                identity_pem,
                ..public()
            }),
            ConfigError::ClientCertificate
        );
    }
    assert_eq!(
        refused(Options {
            client_id: "".into(),
            ..public()
        }),
        ConfigError::EmptyClientCredentials
    );
    assert_eq!(
        refused(Options {
            client_secret: "".into(),
            ..public()
        }),
        ConfigError::EmptyClientCredentials
    );
}
