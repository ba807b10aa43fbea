//! A kube-apiserver with its etcd, on free ports of the loopback address, with role-based access control and an audit log.
//!
//! It is the API server alone: there is no controller manager, so nothing collects garbage, finishes the deletion of a
//! namespace (see [`crate::namespace`]), or makes service accounts, and nothing schedules pods.

use std::{
    os::unix::net::UnixStream,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use data_encoding::BASE64;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::{
    AuditLog, Binaries, Error, Usage, audit, manifest, pki, pki::Authority, ports::free_port, rbac, scratch::Scratch,
};

/// The user that may do everything.
pub const ADMIN: &str = "admin";

/// The group that the API server lets do everything.
const ADMIN_GROUP: &str = "system:masters";

/// How long etcd and kube-apiserver may take until they answer; they need about 3 s on two idle cores.
const START_DEADLINE: Duration = Duration::from_mins(2);

/// How often a port may turn out to be taken between choosing and using it.
const ATTEMPTS: u32 = 5;

const ETCD_LOG: &str = "etcd.log";
const API_SERVER_LOG: &str = "kube-apiserver.log";
const AUDIT_LOG: &str = "audit.log";

/// etcd checks that an address looks like `host:port`; for the scheme `unix` it is the name of a socket in its directory.
const ETCD_SOCKET: &str = "etcd:0";
const ETCD_PEER_SOCKET: &str = "peer:0";

/// Whether each request is written to the audit log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auditing {
    On,
    Off,
}

/// A running control plane. Dropping it, and the end of this process in whatever way, stops it and removes its data.
///
/// It holds nothing of an async runtime, so tests with a runtime each can share one; clients belong to the runtime that
/// made them.
pub struct ControlPlane {
    scratch: Scratch,
    authority: Authority,
    url: String,
    audit: AuditLog,
    /// Process ids of etcd and kube-apiserver.
    pids: [u32; 2],
}

/// The control plane that all tests of this process share, with the product's CRDs and the operator's roles installed.
/// Each test works in a namespace of its own, see [`crate::namespace`].
///
/// # Panics
///
/// When it does not start, with the reason; it is tried once only.
pub async fn shared() -> &'static ControlPlane {
    static SHARED: OnceCell<Result<ControlPlane, Error>> = OnceCell::const_new();
    let started = SHARED
        .get_or_init(|| async {
            let control_plane = ControlPlane::start().await?;
            let admin = control_plane.admin().await?;
            manifest::install_crds(&admin).await?;
            rbac::install(&admin).await?;
            Ok(control_plane)
        })
        .await;
    match started {
        Ok(control_plane) => control_plane,
        Err(error) => panic!("the shared control plane did not start: {error}"),
    }
}

impl ControlPlane {
    /// Finds or builds the programs, starts them and waits until the API server is ready.
    pub async fn start() -> Result<Self, Error> {
        Self::start_found(Auditing::On).await
    }

    /// The same without an audit log, whose blocking mode costs throughput: [`Self::audit`] finds nothing to read.
    pub async fn start_unaudited() -> Result<Self, Error> {
        Self::start_found(Auditing::Off).await
    }

    /// Starts the given programs and waits until the API server is ready.
    pub async fn start_with(binaries: &Binaries) -> Result<Self, Error> {
        Self::start_given(binaries, Auditing::On).await
    }

    async fn start_found(auditing: Auditing) -> Result<Self, Error> {
        let binaries = tokio::task::spawn_blocking(Binaries::find);
        Self::start_given(&binaries.await.expect("finding the binaries does not panic")?, auditing).await
    }

    async fn start_given(binaries: &Binaries, auditing: Auditing) -> Result<Self, Error> {
        let mut attempt = 1;
        loop {
            match Self::start_on(binaries, free_port()?, auditing).await {
                Err(Error::Start(text)) if attempt < ATTEMPTS && text.contains("address already in use") => {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn start_on(binaries: &Binaries, port: u16, auditing: Auditing) -> Result<Self, Error> {
        let authority = Authority::new()?;
        let mut scratch = Scratch::new()?;
        let deadline = Instant::now() + START_DEADLINE;

        let etcd = scratch.spawn(&mut etcd_command(binaries), ETCD_LOG)?;
        // kube-apiserver would wait a second and longer after a first failure to reach etcd.
        while UnixStream::connect(scratch.path().join(ETCD_SOCKET)).is_err() {
            check_running(&mut scratch, &[(etcd, ETCD_LOG)], deadline)?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }

        let mut command = api_server_command(binaries, &scratch, &authority, port)?;
        if auditing == Auditing::On {
            audit_to_log(&mut command, &scratch)?;
        }
        let api_server = scratch.spawn(&mut command, API_SERVER_LOG)?;
        let audit = AuditLog::new(scratch.path().join(AUDIT_LOG));
        let control_plane = Self {
            scratch,
            authority,
            url: format!("https://127.0.0.1:{port}"),
            audit,
            pids: [etcd, api_server],
        };
        control_plane
            .ready(&[(etcd, ETCD_LOG), (api_server, API_SERVER_LOG)], deadline)
            .await
    }

    /// Waits for `/readyz` and for the namespaces that the API server creates after it is ready.
    async fn ready(mut self, processes: &[(u32, &str)], deadline: Instant) -> Result<Self, Error> {
        let client = self.admin().await?;
        let readyz = http::Request::get("/readyz")
            .body(Vec::new())
            .expect("a constant request is valid");
        while client.request_text(readyz.clone()).await.is_err() {
            check_running(&mut self.scratch, processes, deadline)?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let namespaces = Api::<Namespace>::all(client);
        for name in ["default", "kube-system"] {
            while namespaces
                .get_opt(name)
                .await
                .map_err(Error::kube("cannot read namespaces"))?
                .is_none()
            {
                check_running(&mut self.scratch, processes, deadline)?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(self)
    }

    /// The address of the API server, such as `https://127.0.0.1:36443`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The log of all requests but the API server's own.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.audit
    }

    /// Processor time of etcd and kube-apiserver together.
    pub fn cpu(&self) -> Result<Duration, Error> {
        let [etcd, api_server] = self.pids;
        Ok(Usage::of(etcd)?.cpu + Usage::of(api_server)?.cpu)
    }

    /// A client of the user that may do everything.
    pub async fn admin(&self) -> Result<Client, Error> {
        self.client_for(ADMIN).await
    }

    /// A client that the API server and its audit log know as `user`. A user other than [`ADMIN`] may do what roles were
    /// bound to its name, see [`rbac::bind_operator`]. The client belongs to the current runtime.
    pub async fn client_for(&self, user: &str) -> Result<Client, Error> {
        let config = self.config_for(user).await?;
        Client::try_from(config).map_err(Error::kube("cannot make a Kubernetes client"))
    }

    /// What a client of `user` is made from.
    pub(crate) async fn config_for(&self, user: &str) -> Result<Config, Error> {
        let kubeconfig = self.kubeconfig(user)?;
        Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .map_err(|error| Error::Manifest(format!("the testbed's own kubeconfig is not valid: {error}")))
    }

    /// A self-contained kubeconfig of `user`, as text for a file (JSON, which is YAML too).
    pub fn kubeconfig_for(&self, user: &str) -> Result<String, Error> {
        let kubeconfig = self.kubeconfig(user)?;
        Ok(serde_json::to_string_pretty(&kubeconfig).expect("a kubeconfig is plain data"))
    }

    /// Writes the kubeconfig of `user` into a file that lives as long as the control plane, for `kubectl`.
    pub fn write_kubeconfig(&self, user: &str) -> Result<PathBuf, Error> {
        self.scratch
            .write(&format!("{user}.kubeconfig"), &self.kubeconfig_for(user)?)
    }

    fn kubeconfig(&self, user: &str) -> Result<Kubeconfig, Error> {
        let identity = self.authority.client(user, (user == ADMIN).then_some(ADMIN_GROUP))?;
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "testbed", "cluster": {
                "server": self.url,
                "certificate-authority-data": BASE64.encode(self.authority.certificate().as_bytes()),
            }}],
            "users": [{"name": user, "user": {
                "client-certificate-data": BASE64.encode(identity.certificate.as_bytes()),
                "client-key-data": BASE64.encode(identity.key.as_bytes()),
            }}],
            "contexts": [{"name": "testbed", "context": {"cluster": "testbed", "user": user}}],
            "current-context": "testbed",
        });
        Ok(serde_json::from_value(kubeconfig).expect("the literal has the form of a kubeconfig"))
    }
}

fn etcd_command(binaries: &Binaries) -> Command {
    let client = format!("unix://{ETCD_SOCKET}");
    let peer = format!("unix://{ETCD_PEER_SOCKET}");
    let mut command = Command::new(&binaries.etcd);
    command
        .args(["--name=testbed", "--data-dir=etcd", "--log-level=warn"])
        // Losing data with the machine is no harm here, and waiting for the disk makes everything slow.
        .arg("--unsafe-no-fsync")
        // A hundred thousand objects with some versions of each do not fit into the default of 2 GiB.
        .arg("--quota-backend-bytes=8589934592")
        .arg(format!("--listen-client-urls={client}"))
        .arg(format!("--advertise-client-urls={client}"))
        .arg(format!("--listen-peer-urls={peer}"))
        .arg(format!("--initial-advertise-peer-urls={peer}"))
        .arg(format!("--initial-cluster=testbed={peer}"));
    command
}

fn api_server_command(
    binaries: &Binaries,
    scratch: &Scratch,
    authority: &Authority,
    port: u16,
) -> Result<Command, Error> {
    let server = authority.server()?;
    scratch.write("ca.crt", authority.certificate())?;
    scratch.write("server.crt", &server.certificate)?;
    scratch.write("server.key", &server.key)?;
    let (service_account_key, service_account_public_key) = pki::service_account_keys()?;
    scratch.write("service-account.key", &service_account_key)?;
    scratch.write("service-account.pub", &service_account_public_key)?;
    let mut command = Command::new(&binaries.kube_apiserver);
    command
        .arg(format!(
            "--etcd-servers=unix://{}",
            scratch.path().join(ETCD_SOCKET).display()
        ))
        .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
        .arg(format!("--secure-port={port}"))
        .args([
            "--tls-cert-file=server.crt",
            "--tls-private-key-file=server.key",
            "--client-ca-file=ca.crt",
        ])
        .args([
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
        ])
        .args([
            "--service-account-key-file=service-account.pub",
            "--service-account-signing-key-file=service-account.key",
        ])
        .arg("--authorization-mode=RBAC")
        // Its controller, which makes the accounts that it asks for, does not run here.
        .arg("--disable-admission-plugins=ServiceAccount")
        // A loopback address cannot be an endpoint of the Service `kubernetes`.
        .arg("--endpoint-reconciler-type=none")
        // Many tests at once must not slow each other by the server's fairness.
        .args([
            "--enable-priority-and-fairness=false",
            "--max-requests-inflight=0",
            "--max-mutating-requests-inflight=0",
        ]);
    Ok(command)
}

fn audit_to_log(command: &mut Command, scratch: &Scratch) -> Result<(), Error> {
    scratch.write("audit-policy.json", audit::POLICY)?;
    command
        .args([
            "--audit-policy-file=audit-policy.json",
            "--audit-log-mode=blocking",
            "--audit-log-maxsize=10000",
        ])
        .arg(format!("--audit-log-path={AUDIT_LOG}"));
    Ok(())
}

/// An error with the end of the log when a process ended or the deadline has passed.
fn check_running(scratch: &mut Scratch, processes: &[(u32, &str)], deadline: Instant) -> Result<(), Error> {
    for (pid, log) in processes {
        if let Some(outcome) = scratch.exit_of(*pid)? {
            return Err(Error::Start(format!(
                "{log}: the process ended early ({outcome}):\n{}",
                scratch.tail(log)
            )));
        }
    }
    if Instant::now() < deadline {
        return Ok(());
    }
    let logs: Vec<String> = processes
        .iter()
        .map(|(_, log)| format!("{log}:\n{}", scratch.tail(log)))
        .collect();
    Err(Error::Start(format!(
        "the control plane was not ready after {START_DEADLINE:?}\n{}",
        logs.join("\n")
    )))
}
