//! A simulator of PAM Core's API, for demos, tests and the CI of users' manifests: `pam-operator simulate`, or in process with
//! [`start`]. It shares no types with the client, so that a mistake in one is caught by the other.
//!
//! Three parts: `vault` is what the PAM keeps and how it decides, `web` is its API on the wire, `harness` is what tests hold in
//! their hands. A request travels through the files in this order: `web/routes` names its operation, `web/gateway` checks prefix
//! and token, `web/service` writes it into the `harness/journal` and asks `harness/faults` what awaits it, `web/execute` carries
//! it out on the `vault/store` (`check` and `upsert` for POST, `toggle` and `listing` for the others), and `web/answer` brings it
//! to the wire. Versions, and questions that the PAM's documents leave open, are `switches`.

mod args;
mod data;
mod handle;
mod harness;
mod publish;
mod switches;
mod vault;
mod web;

#[cfg(test)]
mod tests;

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

pub use args::{SimulateArgs, simulate};
pub use data::{Client, Data, Device, NewCredential, Permission};
pub use handle::Handle;
pub use harness::{
    entry::{Entry, Operation},
    fault::{Effect, Fault, Point, Times},
    faults::Faults,
    hold::Hold,
    journal::Journal,
    redact::{fingerprint, redact},
};
pub use switches::*;
pub use vault::{credential::Credential, registry::Registry};
pub use web::tls::Tls;

/// What to simulate, and where.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The version.
    pub profile: Profile,
    /// https or http.
    pub tls: Tls,
    /// What is registered from the start.
    pub data: Data,
}

/// Why a simulator cannot start. Each message is one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The data file is not what it should be.
    #[error("{}: {message}", path.display())]
    DataFile {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// The data contradict themselves.
    #[error("simulator data: {0}")]
    Data(String),
    /// Certificate or key are unusable.
    #[error("TLS: {0}")]
    Tls(String),
    /// The address is taken, or not ours.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The authority's certificate cannot be written to its ConfigMap.
    #[error("ConfigMap {config_map}: {source}")]
    Publish {
        /// The ConfigMap.
        config_map: String,
        /// The client's or the API server's reason.
        source: Box<kube::Error>,
    },
    /// The server cannot run.
    #[error("cannot serve: {0}")]
    Serve(io::Error),
}

/// What was waited for did not happen in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not within {0:?}")]
pub struct Timeout(pub Duration);

/// Starts a simulator; it accepts connections when this returns.
#[allow(
    clippy::unused_async,
    reason = "the server's task needs a runtime, which an async function proves to be there"
)]
pub async fn start(config: Config) -> Result<Handle, Error> {
    config.data.validate()?;
    let behaviour = Behaviour::new(config.profile, &config.data.switches);
    let simulator = web::service::Simulator::new(&config.data, behaviour)?;
    let identity = config.tls.identity(config.listen.ip())?;
    let listener = handle::bind(config.listen)?;
    let (tls, ca_pem) = identity.map(|identity| (identity.config, identity.ca_pem)).unzip();
    Handle::new(simulator, listener, tls, ca_pem.flatten())
}
