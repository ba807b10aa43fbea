//! What both measurements run on: a control plane, a PAM that accepts any device, and a connection to it.

use futures::{StreamExt, TryStreamExt, stream};
use kube::{Client, api::DynamicObject};
use pam_operator::simulator::{self, Data, Handle};
use serde_json::{Value, json};
use testbed::{ControlPlane, Error, Operator, OperatorConfig, Progress, manifest, rbac, simulate_pam};

/// Where everything is, the operator included.
pub const NAMESPACE: &str = "pam-operator";

/// The operator's user name on the API server.
pub const OPERATOR: &str = "pam-operator";

/// The key of the password in each Secret.
pub const KEY: &str = "password";

const CONNECTION: &str = "pam";

/// How many objects are written at once.
const WRITERS: usize = 16;

/// Everything but the operator.
pub struct Scene {
    pub control_plane: ControlPlane,
    pub admin: Client,
    pub pam: Handle,
}

impl Scene {
    /// Starts it all.
    pub async fn set() -> Result<Self, Error> {
        let starting = ControlPlane::start();
        let control_plane = Progress::start("control plane").follow("starting", starting).await?;
        let admin = control_plane.admin().await?;
        manifest::install_crds(&admin).await?;
        rbac::install(&admin).await?;
        rbac::bind_operator(&admin, OPERATOR, NAMESPACE).await?;
        let data = Data {
            clients: vec![simulator::Client::new("client", "secret")],
            any_device: true,
            ..Data::default()
        };
        let pam = simulate_pam(data).await?;
        let scene = Self {
            control_plane,
            admin,
            pam,
        };
        scene.apply(scene.connection()).await?;
        Ok(scene)
    }

    /// Starts an operator and waits until it is ready. It logs only what is wrong, as its log would be its main work.
    pub async fn operator(&self) -> Result<Operator, Error> {
        let kubeconfig = self.control_plane.kubeconfig_for(OPERATOR)?;
        let flags = ["--namespace", NAMESPACE, "--allow-loopback", "--log-level", "warn"];
        Operator::start(&OperatorConfig::of_this_program(kubeconfig, &flags)?).await
    }

    /// Applies objects, several at once.
    pub async fn apply(&self, objects: Vec<DynamicObject>) -> Result<(), Error> {
        let applying = objects
            .iter()
            .map(|object| manifest::apply_object(&self.admin, object, NAMESPACE));
        stream::iter(applying)
            .buffer_unordered(WRITERS)
            .try_for_each(|_| async { Ok(()) })
            .await
    }

    fn connection(&self) -> Vec<DynamicObject> {
        vec![
            object(json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pam-client"},
                "stringData": {"clientId": "client", "clientSecret": "secret"},
            })),
            object(json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "pam-authority"},
                "data": {"ca.crt": self.pam.ca_pem().unwrap_or_default()},
            })),
            object(json!({
                "apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamConnection", "metadata": {"name": CONNECTION},
                "spec": {
                    "url": self.pam.url(),
                    "credentialsSecretRef": {"name": "pam-client"},
                    "tls": {"caBundleRef": {"kind": "ConfigMap", "name": "pam-authority", "key": "ca.crt"}},
                },
            })),
        ]
    }
}

/// A credential and the Secret with its password, both called `name`.
pub fn credential(name: &str) -> Vec<DynamicObject> {
    vec![
        object(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "stringData": {KEY: format!("password of {name}")},
        })),
        object(json!({
            "apiVersion": "pam-operator.dev/v1alpha1", "kind": "PamCredential", "metadata": {"name": name},
            "spec": {
                "connectionRef": {"name": CONNECTION},
                "username": name,
                "hostname": format!("{name}.example.com"),
                "ip": format!("{name}.example.com"),
                "contentSecretRef": {"name": name, "key": KEY},
            },
        })),
    ]
}

fn object(value: Value) -> DynamicObject {
    serde_json::from_value(value).expect("the literal has the form of an object")
}
