//! https: from files, or with an authority made for the occasion.

use std::{
    fs, io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, SanType};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::simulator::Error;

/// How the simulator serves https.
#[derive(Clone, Debug)]
pub enum Tls {
    /// Not at all: plain http.
    None,
    /// With a certificate chain and its key, both PEM.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// With a certificate of a new authority; [`Handle::ca_pem`](crate::simulator::Handle::ca_pem) has the authority's own.
    /// No key is written.
    SelfSigned {
        /// Where the authority's certificate is written to, as `ca.crt` in this directory (created when missing).
        dir: Option<PathBuf>,
        /// Further names that the server is known by.
        names: Vec<String>,
    },
    /// The same without a file and without further names.
    InMemory,
}

/// What the server needs, and what clients need to trust it.
pub(crate) struct Identity {
    pub config: RustlsConfig,
    /// The authority's certificate, when it is ours.
    pub ca_pem: Option<String>,
}

impl Tls {
    /// Loads or makes the server's certificate; `address` is one of its names. `None` means plain http.
    pub(crate) fn identity(&self, address: IpAddr) -> Result<Option<Identity>, Error> {
        match self {
            Self::None => Ok(None),
            Self::Files { cert, key } => from_files(cert, key).map(Some),
            Self::SelfSigned { dir, names } => {
                let identity = self_signed(address, names)?;
                if let Some(dir) = dir {
                    write_ca(dir, identity.ca_pem.as_deref().unwrap_or_default())?;
                }
                Ok(Some(identity))
            }
            Self::InMemory => self_signed(address, &[]).map(Some),
        }
    }
}

fn from_files(cert: &Path, key: &Path) -> Result<Identity, Error> {
    let unusable = |path: &Path, problem: String| Error::Tls(format!("{}: {problem}", path.display()));
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(cert, "contains no certificate".to_owned()));
    }
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error.to_string()))?;
    Ok(Identity {
        config: server_config(chain, key_der)?,
        ca_pem: None,
    })
}

fn self_signed(address: IpAddr, names: &[String]) -> Result<Identity, Error> {
    let authority = authority().map_err(|error| Error::Tls(error.to_string()))?;
    let key = KeyPair::generate().map_err(|error| Error::Tls(error.to_string()))?;
    let certificate = server_params(address, names)
        .and_then(|params| params.signed_by(&key, &authority))
        .map_err(|error| Error::Tls(error.to_string()))?;
    let key_der = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| Error::Tls(error.to_owned()))?;
    let config = server_config(vec![certificate.der().clone()], key_der)?;
    Ok(Identity {
        config,
        ca_pem: Some(authority.pem()),
    })
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "PAM simulator authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// Valid for this machine by its usual names, its host name and the address that is listened on, and for these names.
fn server_params(address: IpAddr, further: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let mut names = vec!["localhost".to_owned()];
    names.extend(host_name());
    names.extend_from_slice(further);
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "PAM simulator");
    let loopback = [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
    params.subject_alt_names.extend(loopback.map(SanType::IpAddress));
    if !address.is_unspecified() && !loopback.contains(&address) {
        params.subject_alt_names.push(SanType::IpAddress(address));
    }
    Ok(params)
}

/// In a container the host name is in the environment; elsewhere the kernel knows it.
fn host_name() -> Option<String> {
    let name = std::env::var("HOSTNAME")
        .or_else(|_| fs::read_to_string("/proc/sys/kernel/hostname"))
        .ok()?;
    let name = name.trim();
    (!name.is_empty() && name != "localhost").then(|| name.to_owned())
}

fn write_ca(dir: &Path, pem: &str) -> Result<(), Error> {
    let file = dir.join("ca.crt");
    let unwritable = |source: io::Error| Error::Write {
        path: file.clone(),
        source,
    };
    fs::create_dir_all(dir).map_err(unwritable)?;
    fs::write(&file, pem).map_err(unwritable)
}

/// HTTP/1.1 only, so that dropping a connection concerns one request.
fn server_config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<RustlsConfig, Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| Error::Tls(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
