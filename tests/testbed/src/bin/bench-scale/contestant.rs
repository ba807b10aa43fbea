//! Who is measured, and how each is started.

use std::ffi::OsString;

use clap::ValueEnum;
use k8s_openapi::api::{
    core::v1::Namespace,
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kube::{Api, Client, Resource, api::PostParams};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use testbed::{Error, OperatorConfig, go_baseline, rbac};

use crate::arguments::Arguments;

/// Where a contestant lives.
pub const NAMESPACE: &str = "pam-operator";

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Contestant {
    /// This operator
    Ours,
    /// A Go controller as the documents of controller-runtime have it
    GoDefault,
    /// The same Go controller, tuned
    GoTuned,
    /// No controller: the same POSTs and status patches, sent over 64 connections; S1 alone
    Ceiling,
}

impl Contestant {
    /// As the command line has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::GoDefault => "go-default",
            Self::GoTuned => "go-tuned",
            Self::Ceiling => "ceiling",
        }
    }

    /// Its user on the API server.
    pub fn user(self) -> &'static str {
        match self {
            Self::Ours => "pam-operator",
            Self::GoDefault | Self::GoTuned => "baseline",
            Self::Ceiling => testbed::ADMIN,
        }
    }

    /// Whether it reads the PAM's address from the connection; the others know it by a flag.
    pub fn reads_connection(self) -> bool {
        self == Self::Ours
    }

    /// Gives its user the rights that it needs.
    pub async fn admit(self, admin: &Client) -> Result<(), Error> {
        match self {
            Self::Ours => {
                rbac::install(admin).await?;
                rbac::bind_operator(admin, self.user(), NAMESPACE).await
            }
            Self::GoDefault | Self::GoTuned => admit_baseline(admin, self.user()).await,
            Self::Ceiling => Ok(()),
        }
    }

    /// How it is started.
    ///
    /// # Panics
    /// For [`Self::Ceiling`], which is no process.
    pub fn config(self, arguments: &Arguments, kubeconfig: String, pam: &str) -> Result<OperatorConfig, Error> {
        match self {
            Self::Ours => ours(arguments, kubeconfig),
            Self::GoDefault => baseline("default", kubeconfig, pam),
            Self::GoTuned => baseline("tuned", kubeconfig, pam),
            Self::Ceiling => unreachable!("the ceiling is no process"),
        }
    }
}

fn ours(arguments: &Arguments, kubeconfig: String) -> Result<OperatorConfig, Error> {
    let flags = [
        "--namespace",
        NAMESPACE,
        "--allow-loopback",
        "--allow-http",
        "--log-level",
        "warn",
    ];
    let flags = flags
        .into_iter()
        .chain(arguments.operator_flag.iter().map(String::as_str));
    let flags: Vec<&str> = flags.collect();
    let config = OperatorConfig::of_this_program(kubeconfig, &flags)?;
    let Some(program) = arguments.operator.clone() else {
        return Ok(config);
    };
    Ok(OperatorConfig {
        program,
        args: std::iter::once("run").chain(flags).map(OsString::from).collect(),
        ..config
    })
}

fn baseline(profile: &str, kubeconfig: String, pam: &str) -> Result<OperatorConfig, Error> {
    let args = ["--profile", profile, "--namespace", NAMESPACE, "--pam-url", pam];
    Ok(OperatorConfig {
        program: go_baseline()?,
        args: args.into_iter().map(OsString::from).collect(),
        env: Vec::new(),
        kubeconfig,
    })
}

async fn admit_baseline(admin: &Client, user: &str) -> Result<(), Error> {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    create::<Namespace>(admin, namespace).await?;
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "baseline"},
        "rules": [
            {"apiGroups": ["pam-operator.dev"], "resources": ["*"], "verbs": ["*"]},
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]},
            {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        ],
    });
    create::<ClusterRole>(admin, role).await?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "baseline"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "baseline"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    });
    create::<ClusterRoleBinding>(admin, binding).await
}

async fn create<K>(admin: &Client, object: serde_json::Value) -> Result<(), Error>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    let object: K = serde_json::from_value(object).expect("the literal has the form of the object");
    let created = Api::<K>::all(admin.clone())
        .create(&PostParams::default(), &object)
        .await;
    created.map(drop).map_err(Error::kube("cannot admit the baseline"))
}
