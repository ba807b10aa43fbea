//! The chart on a real API server. No controller makes pods there, so the operator runs as a process: with the arguments
//! that the installed Deployment gives it, and with a token of the installed account.

use std::path::PathBuf;

use k8s_openapi::api::{
    apps::v1::Deployment,
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{
    Api, Client,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use pam_operator::simulator::{self, Handle, Profile, Tls};
use serde_json::{Value, json};
use testbed::{ADMIN, ControlPlane, Mark, Operator, OperatorConfig, Request, examples, manifest};

use super::{RELEASE, folder, helm};

/// The name by which the API server knows the chart's account.
pub const ACCOUNT: &str = "system:serviceaccount:pam-operator:pam-operator";

/// A release, and what surrounds it.
pub struct Installed {
    pub plane: ControlPlane,
    pub admin: Client,
    pub pam: Handle,
    kubeconfig: PathBuf,
    began: Mark,
}

impl Installed {
    /// A new cluster with these namespaces and a PAM beside it, and this chart in it. Connections lead to the loopback, as in no cluster.
    pub async fn new(namespaces: &[&str], flags: &[&str]) -> Self {
        Self::from_chart(&folder().display().to_string(), namespaces, flags).await
    }

    /// The same from another folder.
    pub async fn from_chart(chart: &str, namespaces: &[&str], flags: &[&str]) -> Self {
        let plane = ControlPlane::start().await.expect("a control plane starts");
        let admin = plane.admin().await.expect("an administrator");
        let pam = simulator::start(simulator::Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            profile: Profile::V3_32,
            tls: Tls::InMemory,
            data: examples::simulator_data().expect("the examples' data"),
        })
        .await
        .expect("the simulator starts");
        let installed = Self {
            kubeconfig: plane.write_kubeconfig(ADMIN).expect("a kubeconfig"),
            began: plane.audit().mark(ACCOUNT).await.expect("the audit log"),
            plane,
            admin,
            pam,
        };
        for namespace in namespaces {
            let yaml = format!(r#"{{"apiVersion": "v1", "kind": "Namespace", "metadata": {{"name": "{namespace}"}}}}"#);
            manifest::apply(&installed.admin, &yaml, "").await.expect("a namespace");
        }
        let loopback = ["--set", "operator.allowLoopback=true"];
        let install = ["install", RELEASE, chart, "--namespace", RELEASE, "--create-namespace"];
        installed.helm(&[&install[..], &loopback, flags].concat()).await;
        installed
    }

    /// Runs helm as the administrator, and returns what it prints.
    pub async fn helm(&self, arguments: &[&str]) -> String {
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let kubeconfig = self.kubeconfig.clone();
        let running = tokio::task::spawn_blocking(move || {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            helm(&arguments, Some(&kubeconfig))
        });
        let output = running.await.expect("helm does not panic");
        output.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Upgrades the release to this chart, with the values that it has and these flags.
    pub async fn upgrade(&self, flags: &[&str]) {
        let chart = folder().display().to_string();
        let upgrade = [
            "upgrade",
            RELEASE,
            &chart,
            "--namespace",
            RELEASE,
            "--reset-then-reuse-values",
        ];
        self.helm(&[&upgrade[..], flags].concat()).await;
    }

    /// Starts the operator as the installed Deployment says.
    pub async fn run(&self) -> Operator {
        let deployments: Api<Deployment> = Api::namespaced(self.admin.clone(), RELEASE);
        let deployment = deployments.get(RELEASE).await.expect("it is installed");
        let pod = deployment.spec.and_then(|spec| spec.template.spec).expect("a pod");
        let arguments = pod.containers[0].args.clone().expect("arguments");
        let config = OperatorConfig {
            program: env!("CARGO_BIN_EXE_pam-operator").into(),
            args: arguments.into_iter().map(Into::into).collect(),
            env: vec![
                ("POD_NAME".into(), "pod-1".into()),
                ("POD_NAMESPACE".into(), RELEASE.into()),
            ],
            kubeconfig: self
                .account_kubeconfig(&pod.service_account_name.expect("an account"))
                .await,
        };
        let started = Operator::start(&config).await;
        started.unwrap_or_else(|error| panic!("{error}"))
    }

    /// A client with the rights of the operator.
    pub async fn as_operator(&self) -> Client {
        let kubeconfig = Kubeconfig::from_yaml(&self.account_kubeconfig(RELEASE).await).expect("a kubeconfig");
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        Client::try_from(config.expect("a configuration")).expect("a client")
    }

    /// Everything that the operator asked for since the beginning and no role permits.
    pub async fn denied(&self) -> Vec<Request> {
        let audit = self.plane.audit();
        let mut requests = audit.since(self.began, ACCOUNT).await.expect("the audit log");
        assert!(!requests.is_empty(), "the operator asked for nothing");
        requests.retain(|request| request.forbidden || request.code == 401);
        requests
    }

    /// A kubeconfig with a token of this account, as a pod has one, and with no other credentials.
    async fn account_kubeconfig(&self, account: &str) -> String {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin.clone(), RELEASE);
        let request = TokenRequest {
            spec: TokenRequestSpec {
                expiration_seconds: Some(3607),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let made = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await;
        let token = made.expect("a token").status.expect("a token").token;
        let kubeconfig = self.plane.kubeconfig_for("nobody").expect("a kubeconfig");
        let mut kubeconfig: Value = serde_json::from_str(&kubeconfig).expect("JSON");
        kubeconfig["users"][0]["user"] = json!({"token": token});
        kubeconfig.to_string()
    }
}
