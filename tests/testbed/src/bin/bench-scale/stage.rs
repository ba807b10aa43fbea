//! What a contestant runs on: a control plane, a PAM, a connection and the objects. Each contestant and each repetition has
//! a stage of its own, so that none finds what another left behind.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use pam_operator::api::ClusterPamConnection;
use serde_json::{Value, json};
use testbed::{ControlPlane, Error, Operator, Progress, manifest};

use crate::{
    arguments::Arguments,
    contestant::{Contestant, NAMESPACE},
    fleet::{CONNECTION, Change, Fleet, Tenant},
    pam::{Manner, Pam},
    record::Record,
};

/// How many requests to the API server this program has under way.
pub const WRITERS: usize = 64;

/// How long a contestant may take until it is ready.
const READY_DEADLINE: Duration = Duration::from_mins(10);

/// Who runs, for which time, and what was asked for.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub arguments: &'a Arguments,
    pub contestant: Contestant,
    pub repetition: u32,
}

/// What is set up.
#[derive(Clone, Copy)]
pub struct Plot<'a> {
    pub tenants: &'a [Tenant],
    /// Objects have the deletion policy Deactivate.
    pub deactivates: bool,
    /// Requests are counted, which costs throughput.
    pub audited: bool,
}

/// Everything but the contestant.
pub struct Stage<'a> {
    pub run: Run<'a>,
    pub control_plane: ControlPlane,
    pub admin: Client,
    pub pam: Pam,
    pub fleet: Fleet,
}

impl<'a> Stage<'a> {
    /// Starts it all and makes the objects.
    pub async fn set(run: Run<'a>, plot: Plot<'_>) -> Result<Self, Error> {
        let starting = async {
            if plot.audited {
                ControlPlane::start().await
            } else {
                ControlPlane::start_unaudited().await
            }
        };
        let control_plane = Progress::start("control plane").follow("starting", starting).await?;
        let admin = control_plane.admin().await?;
        manifest::install_crds(&admin).await?;
        run.contestant.admit(&admin).await?;
        let pam = Pam::start(run.manner(None)).await?;
        let stage = Self {
            run,
            control_plane,
            admin,
            pam,
            fleet: Fleet::new(plot.tenants, plot.deactivates),
        };
        stage.connect(plot.tenants).await?;
        let progress = Progress::start(format!("{} credentials", stage.fleet.len()));
        progress.follow("creating them", stage.load()).await?;
        Ok(stage)
    }

    /// Starts the contestant and does not wait for it.
    pub fn spawn(&self) -> Result<Operator, Error> {
        self.spawn_at(&self.pam)
    }

    /// The same, at another PAM where it is the contestant that has to know.
    pub fn spawn_at(&self, pam: &Pam) -> Result<Operator, Error> {
        let kubeconfig = self.control_plane.kubeconfig_for(self.run.contestant.user())?;
        let config = self.run.contestant.config(self.run.arguments, kubeconfig, pam.url())?;
        Operator::spawn(&config)
    }

    /// Starts the contestant and waits until it is ready.
    pub async fn start(&self) -> Result<Operator, Error> {
        let mut operator = self.spawn()?;
        operator.ready_within(READY_DEADLINE).await?;
        Ok(operator)
    }

    /// Begins a record whose figures are void unless all is as it should be; POSTs before `mark` were looked at before.
    pub fn record(&self, scenario: &'static str, mark: usize) -> Record {
        let void = self.pam.look(|store| self.fleet.void(store, mark));
        Record::new(self.run, scenario, self.fleet.len(), void)
    }

    /// How long all objects together may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_mins(3) + Duration::from_millis(50) * self.fleet.len()
    }

    /// Makes changes as fast as the API server takes them.
    pub async fn make(&self, changes: &[Change]) -> Result<(), Error> {
        let sending = changes.iter().map(|change| change.send(&self.admin));
        stream::iter(sending)
            .buffer_unordered(WRITERS)
            .try_for_each(|()| async { Ok(()) })
            .await
    }

    /// Changes the connection.
    pub async fn reconnect(&self, spec: Value) -> Result<(), Error> {
        let connections = Api::<ClusterPamConnection>::all(self.admin.clone());
        let patch = Patch::Merge(json!({"spec": spec}));
        let patched = connections.patch(CONNECTION, &PatchParams::default(), &patch).await;
        patched.map(drop).map_err(Error::kube("cannot change the connection"))
    }

    /// The namespaces and the connection. Its limits are as high as they go: what is measured is not to be the limit.
    async fn connect(&self, tenants: &[Tenant]) -> Result<(), Error> {
        let names: Vec<_> = tenants.iter().map(|tenant| tenant.namespace).collect();
        for name in &names {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            let namespace: Namespace = serde_json::from_value(namespace).expect("the literal is a namespace");
            let created = Api::all(self.admin.clone())
                .create(&PostParams::default(), &namespace)
                .await;
            created.map(drop).map_err(Error::kube("cannot create a namespace"))?;
        }
        if !self.run.contestant.reads_connection() {
            return Ok(());
        }
        let objects = [
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pam-client"},
                "stringData": {"clientId": "client", "clientSecret": "secret"},
            }),
            json!({
                "apiVersion": "pam-operator.dev/v1alpha1", "kind": "ClusterPamConnection", "metadata": {"name": CONNECTION},
                "spec": {
                    "url": self.pam.url(),
                    "credentialsSecretRef": {"name": "pam-client"},
                    "allowedNamespaces": {"names": names},
                    "rateLimit": {"requestsPerSecond": 1000, "burst": 1000, "maxInFlight": 256},
                },
            }),
        ];
        for object in objects {
            let object = serde_json::from_value(object).expect("the literal has the form of an object");
            manifest::apply_object(&self.admin, &object, NAMESPACE).await?;
        }
        Ok(())
    }

    async fn load(&self) -> Result<(), Error> {
        let params = PostParams::default();
        let creating = self.fleet.objects.iter().map(async |object| {
            let secrets = Api::namespaced(self.admin.clone(), object.namespace);
            let secret = secrets.create(&params, &object.secret()).await;
            secret.map_err(Error::kube("cannot create a Secret"))?;
            let credentials = Api::namespaced(self.admin.clone(), object.namespace);
            let credential = credentials.create(&params, &object.credential()).await;
            credential.map(drop).map_err(Error::kube("cannot create a credential"))
        });
        stream::iter(creating)
            .buffer_unordered(WRITERS)
            .try_for_each(|()| async { Ok(()) })
            .await
    }
}

impl Run<'_> {
    /// How the PAM answers.
    pub fn manner(&self, per_second: Option<u32>) -> Manner {
        Manner {
            latency: self.arguments.latency(),
            per_second,
        }
    }
}
