//! One test's world: a namespace on a real API server, a simulated PAM behind https, and the operator as a process.

mod objects;

use std::{
    iter,
    ops::Deref,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use kube::{Api, Client};
use pam_operator::{
    api::{
        PamConnection, PamCredential,
        condition::{READY, find},
    },
    simulator::{self, Config, Data, Handle, Profile, Tls},
};
use serde_json::json;
use testbed::{
    ControlPlane, Operator, OperatorConfig, create_namespace, rbac, shared, tap::Tap, wait_for, wait_until_gone,
};

pub use objects::merge;

/// How long anything may take before a test fails; nothing passes because of it.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// The client of the simulated PAM.
pub const CLIENT: &str = "operator";

/// Its secret.
pub const CLIENT_SECRET: &str = "canary-client-secret";

/// Everything that one test works on.
pub struct World {
    pub plane: Plane,
    pub client: Client,
    pub user: String,
    pub namespace: String,
    /// Further namespaces that the operator watches.
    pub teams: Vec<String>,
    pub pam: Handle,
    pub operator: Option<Operator>,
    tap: Option<Tap>,
    args: Vec<String>,
}

/// A control plane: everybody's, or one of the test's own where it makes objects that belong to no namespace.
pub enum Plane {
    Shared(&'static ControlPlane),
    Own(Box<ControlPlane>),
}

impl Deref for Plane {
    type Target = ControlPlane;

    fn deref(&self) -> &ControlPlane {
        match self {
            Self::Shared(plane) => plane,
            Self::Own(plane) => plane,
        }
    }
}

/// How a world differs from the usual one.
#[allow(clippy::struct_excessive_bools, reason = "each differs by itself")]
pub struct Setting {
    pub profile: Profile,
    pub data: Data,
    pub own_plane: bool,
    /// How many further namespaces the operator watches.
    pub teams: usize,
    /// Which namespaces it watches.
    pub watch: Watch,
    /// Whether the operator reaches the API server and the PAM through a tap only.
    pub tapped: bool,
    /// Further flags of the operator.
    pub args: Vec<String>,
    /// Whether the operator acts only while it holds the lease. Who is killed leaves one behind, for which the next one
    /// would have to wait.
    pub leader_election: bool,
    /// Whether the connection `vault` is made and the operator started.
    pub started: bool,
    /// Whether connections may lead to this machine, as those to the simulator do.
    pub loopback: bool,
    /// What the operator logs.
    pub log_level: &'static str,
}

/// Which namespaces the operator watches.
#[derive(Clone, Copy, PartialEq)]
pub enum Watch {
    /// The world's, by name.
    Listed,
    /// All of them; only in a control plane of the test's own.
    All,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            profile: Profile::V3_32,
            data: data(),
            own_plane: false,
            teams: 0,
            watch: Watch::Listed,
            tapped: false,
            args: Vec::new(),
            leader_election: false,
            started: true,
            loopback: true,
            log_level: "debug,kube=info,hyper=info,rustls=info",
        }
    }
}

/// A PAM in which every device exists.
pub fn data() -> Data {
    Data {
        clients: vec![simulator::Client::new(CLIENT, CLIENT_SECRET)],
        any_device: true,
        ..Data::default()
    }
}

impl World {
    /// The usual world: PAM 3.32, a connection `vault`, a running operator.
    pub async fn start() -> Self {
        Self::with(Setting::default()).await
    }

    /// Another one.
    pub async fn with(setting: Setting) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let plane = if setting.own_plane {
            let plane = ControlPlane::start().await.expect("a control plane starts");
            let admin = plane.admin().await.expect("an administrator");
            testbed::manifest::install_crds(&admin)
                .await
                .expect("the CRDs are accepted");
            rbac::install(&admin).await.expect("the roles are accepted");
            Plane::Own(Box::new(plane))
        } else {
            Plane::Shared(shared().await)
        };
        let client = plane.admin().await.expect("an administrator");
        let namespace = create_namespace(&client, "it").await.expect("a namespace");
        let user = format!("operator-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        rbac::bind_operator(&client, &user, &namespace)
            .await
            .expect("the operator's rights");
        let pam = simulator::start(Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            profile: setting.profile,
            tls: if setting.tapped { Tls::None } else { Tls::InMemory },
            data: setting.data,
        })
        .await
        .expect("the simulator starts");
        let mut teams = Vec::new();
        for _ in 0..setting.teams {
            teams.push(create_namespace(&client, "team").await.expect("a namespace"));
        }
        let tap = if setting.tapped {
            Some(Tap::start(&plane, &user, &pam.url()).await.expect("a tap"))
        } else {
            None
        };
        let mut args = vec!["--log-level".to_owned(), setting.log_level.to_owned()];
        if setting.watch == Watch::Listed {
            let watched = iter::once(&namespace).chain(&teams).cloned().collect::<Vec<_>>();
            args.extend(["--watch-namespaces".to_owned(), watched.join(",")]);
        }
        args.extend(setting.loopback.then(|| "--allow-loopback".to_owned()));
        args.push(format!("--leader-election={}", setting.leader_election));
        args.extend(setting.tapped.then(|| "--allow-http".to_owned()));
        args.extend(setting.args);
        let mut world = Self {
            plane,
            client,
            user,
            namespace,
            teams,
            pam,
            operator: None,
            tap,
            args,
        };
        world.furnish().await;
        if setting.started {
            world.connection("vault", json!({})).await;
            world.run().await;
        }
        world
    }

    /// The authority that signed the PAM's certificate.
    pub fn ca(&self) -> String {
        self.pam.ca_pem().expect("the simulator speaks https").to_owned()
    }

    /// Where connections find the PAM.
    pub fn pam_url(&self) -> String {
        self.tap.as_ref().map_or_else(|| self.pam.url(), Tap::pam_url)
    }

    /// What stands between the operator and the rest of the world.
    pub fn tap(&self) -> &Tap {
        self.tap.as_ref().expect("this world has a tap")
    }

    /// Starts the operator, and waits until it is ready.
    pub async fn run(&mut self) {
        self.run_with(&[]).await;
    }

    /// Starts the operator with further flags, and waits until it is ready.
    pub async fn run_with(&mut self, more: &[&str]) {
        let mut config = self.config(&self.user);
        config.args.extend(more.iter().map(Into::into));
        self.operator = Some(Operator::start(&config).await.expect("the operator becomes ready"));
    }

    /// Starts an operator and does not wait for it.
    pub fn launch(&self) -> Operator {
        Operator::spawn(&self.config(&self.user)).expect("the operator starts")
    }

    /// How the operator is started as this user; through the tap, where there is one.
    pub fn config(&self, user: &str) -> OperatorConfig {
        let direct = || self.plane.kubeconfig_for(user).expect("a kubeconfig");
        let flags = ["run", "--namespace", &self.namespace];
        let args = flags.iter().copied().chain(self.args.iter().map(String::as_str));
        OperatorConfig {
            program: env!("CARGO_BIN_EXE_pam-operator").into(),
            args: args.map(Into::into).collect(),
            env: vec![("POD_NAME".into(), user.into())],
            kubeconfig: self.tap.as_ref().map_or_else(direct, Tap::kubeconfig),
        }
    }

    /// Gives the rights of an operator to a further user of this world, so that the audit log tells replicas apart.
    pub async fn replica(&self, name: &str) -> String {
        let user = format!("{}-{name}", self.user);
        let bound = rbac::bind_operator(&self.client, &user, &self.namespace).await;
        bound.expect("the operator's rights");
        user
    }

    /// Ends the operator as Kubernetes does, and returns its log.
    pub async fn stop(&mut self) -> String {
        self.operator
            .take()
            .expect("the operator runs")
            .stop()
            .await
            .expect("the operator ends well")
    }

    /// Ends the operator in the middle of whatever it does.
    pub async fn kill(&mut self) -> String {
        self.operator
            .take()
            .expect("the operator runs")
            .kill()
            .await
            .expect("the operator is killed")
    }

    /// The objects of a kind in the test's namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Waits until an object is gone.
    pub async fn gone(&self, name: &str) {
        self.expect(wait_until_gone(&self.api::<PamCredential>(), name, DEADLINE).await);
    }

    /// Waits until the PAM accepted the object as it is now.
    pub async fn ready(&self, name: &str) -> PamCredential {
        self.until(name, "Ready", |object| is(object, "True", None)).await
    }

    /// Waits until the object is not ready for this reason.
    pub async fn fails(&self, name: &str, reason: &str) -> PamCredential {
        self.until(name, reason, |object| is(object, "False", Some(reason)))
            .await
    }

    /// Waits until an object is as described.
    pub async fn until(&self, name: &str, described: &str, is_so: impl Fn(&PamCredential) -> bool) -> PamCredential {
        self.expect(wait_for(&self.api(), name, described, DEADLINE, is_so).await)
    }

    /// Waits until a connection is ready, or is not for this reason.
    pub async fn connection_is(&self, name: &str, status: &str, reason: &str) -> PamConnection {
        let is_so = |object: &PamConnection| {
            let ready = object
                .status
                .as_ref()
                .and_then(|status| find(&status.conditions, READY));
            ready.is_some_and(|ready| ready.status == status && ready.reason == reason)
        };
        self.expect(wait_for(&self.api(), name, reason, DEADLINE, is_so).await)
    }

    /// The result, or a failed test that shows what the operator wrote.
    pub fn expect<T>(&self, result: Result<T, testbed::Error>) -> T {
        result.unwrap_or_else(|error| {
            let output = self.operator.as_ref().map(Operator::output).unwrap_or_default();
            let lines: Vec<_> = output.lines().collect();
            let end = lines[lines.len().saturating_sub(40)..].join("\n");
            panic!("{error}\nthe end of the operator's log:\n{end}")
        })
    }
}

/// Whether Ready has this status and reason for the object's present generation.
pub fn is(object: &PamCredential, status: &str, reason: Option<&str>) -> bool {
    let ready = object
        .status
        .as_ref()
        .and_then(|status| find(&status.conditions, READY));
    ready.is_some_and(|ready| {
        ready.status == status
            && reason.is_none_or(|reason| ready.reason == reason)
            && ready.observed_generation == object.metadata.generation
    })
}

/// The message of Ready.
pub fn message(object: &PamCredential) -> &str {
    let ready = object
        .status
        .as_ref()
        .and_then(|status| find(&status.conditions, READY));
    ready.map(|ready| ready.message.as_str()).unwrap_or_default()
}

/// The id of the credential in the PAM.
pub fn id(object: &PamCredential) -> u64 {
    let id = object
        .status
        .as_ref()
        .and_then(|status| status.id.as_deref())
        .expect("an id");
    id.parse().expect("a number")
}
