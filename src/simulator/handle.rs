//! The running simulator, as tests and the demo hold it.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use axum_server::tls_rustls::RustlsConfig;
use secrecy::SecretString;
use tokio::task::JoinHandle;

use super::{
    Error,
    data::{Client, NewCredential},
    harness::{faults::Faults, journal::Journal},
    vault::{credential::Credential, registry::Registry},
    web::{routes, service::Simulator},
};

/// A running simulator. Dropping it stops the server.
pub struct Handle {
    simulator: Arc<Simulator>,
    addr: SocketAddr,
    tls: Option<RustlsConfig>,
    ca_pem: Option<String>,
    server: Option<Server>,
}

/// The listening half, which can go down and come up again while the state stays.
struct Server {
    control: axum_server::Handle<SocketAddr>,
    task: JoinHandle<()>,
}

impl Handle {
    pub(super) fn new(
        simulator: Simulator,
        listener: TcpListener,
        tls: Option<RustlsConfig>,
        ca_pem: Option<String>,
    ) -> Result<Self, Error> {
        let addr = listener.local_addr().map_err(Error::Serve)?;
        let mut handle = Self {
            simulator: Arc::new(simulator),
            addr,
            tls,
            ca_pem,
            server: None,
        };
        handle.serve(listener)?;
        Ok(handle)
    }

    /// The address that it listens on; the port is the real one when 0 was asked for.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL for clients on this machine, such as `https://127.0.0.1:8443`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let mut addr = self.addr;
        if addr.ip().is_unspecified() {
            addr.set_ip([127, 0, 0, 1].into());
        }
        format!("{scheme}://{addr}")
    }

    /// The certificate (PEM) of the authority that clients must trust, when the simulator made one.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The requests so far.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.simulator.journal
    }

    /// The faults in force.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.simulator.faults
    }

    /// All credentials by id, inactive ones and SSH keys included.
    #[must_use]
    pub fn credentials(&self) -> Vec<Credential> {
        self.simulator
            .store()
            .all()
            .map(|credential| credential.as_ref().clone())
            .collect()
    }

    /// The credential with this id.
    #[must_use]
    pub fn credential(&self, id: u64) -> Option<Credential> {
        self.simulator
            .store()
            .get(id)
            .map(|credential| credential.as_ref().clone())
    }

    /// The credential with this identifier.
    #[must_use]
    pub fn find(&self, identifier: &str) -> Option<Credential> {
        self.simulator
            .store()
            .with_identifier(identifier)
            .map(|credential| credential.as_ref().clone())
    }

    /// Adds a credential as an administrator would, registering its device when it is new; returns its id.
    #[allow(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn add(&self, credential: NewCredential) -> u64 {
        self.simulator.store().register(credential)
    }

    /// Edits a credential as an administrator would (rename, other password, deactivate); when the password is another one
    /// afterwards, its `change` text is too. False when there is no such credential.
    pub fn edit(&self, id: u64, change: impl FnOnce(&mut Credential)) -> bool {
        self.simulator.store().edit(id, change)
    }

    /// Removes a credential without a trace, which the API cannot. False when there is none.
    #[allow(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn remove(&self, id: u64) -> bool {
        self.simulator.store().remove(id)
    }

    /// Looks at, or changes, what is registered: devices, domains, plugins, templates, owners.
    pub fn registry<T>(&self, look: impl FnOnce(&mut Registry) -> T) -> T {
        look(&mut self.simulator.store().registry)
    }

    /// Adds a client, or replaces the one of the same id.
    pub fn add_client(&self, client: Client) {
        self.simulator.tokens().add_client(client);
    }

    /// Changes a client: its permission, what it sees, its secret. False when there is none.
    pub fn edit_client(&self, id: &str, change: impl FnOnce(&mut Client)) -> bool {
        self.simulator.tokens().edit_client(id, change)
    }

    /// Expires every token; clients need new ones.
    pub fn expire_tokens(&self) {
        self.simulator.tokens().expire_all();
    }

    /// The tokens issued so far, for tests that look for them where they must not be.
    #[must_use]
    pub fn tokens(&self) -> Vec<SecretString> {
        self.simulator.tokens().issued()
    }

    /// Stops listening and breaks all connections; the state stays, and so does what requests under way still do.
    pub async fn down(&mut self) {
        if let Some(server) = self.server.take() {
            server.control.shutdown();
            server.task.await.unwrap_or(());
        }
    }

    /// Listens again on the same address.
    pub fn up(&mut self) -> Result<(), Error> {
        if self.server.is_none() {
            self.serve(bind(self.addr)?)?;
        }
        Ok(())
    }

    /// Stops for good.
    pub async fn stop(mut self) {
        self.down().await;
    }

    fn serve(&mut self, listener: TcpListener) -> Result<(), Error> {
        let control = axum_server::Handle::new();
        let app = routes::router(Arc::clone(&self.simulator)).into_make_service();
        let task = if let Some(tls) = self.tls.clone() {
            let server = axum_server::from_tcp_rustls(listener, tls).map_err(Error::Serve)?;
            let server = server.http1_only().handle(control.clone());
            tokio::spawn(async move { server.serve(app).await.unwrap_or(()) })
        } else {
            let server = axum_server::from_tcp(listener).map_err(Error::Serve)?;
            let server = server.http1_only().handle(control.clone());
            tokio::spawn(async move { server.serve(app).await.unwrap_or(()) })
        };
        self.server = Some(Server { control, task });
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.control.shutdown();
        }
    }
}

/// Binds a listener that the runtime can use.
pub(super) fn bind(addr: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(addr).map_err(|source| Error::Bind { addr, source })?;
    listener.set_nonblocking(true).map_err(Error::Serve)?;
    Ok(listener)
}
