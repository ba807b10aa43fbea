//! What the demo does, step by step, and what it tells about it.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
};
use pam_operator::{api::PamCredential, simulator::Handle};
use serde_json::json;
use testbed::{
    ADMIN, Binaries, ControlPlane, Error, Operator, OperatorConfig, Progress,
    examples::{self, NAMESPACE, OPERATOR_NAMESPACE, kind, namespace},
    has_applied, is_ready, manifest, rbac, simulate_pam, version, wait_for,
};
use tokio::signal::unix::{SignalKind, signal};

/// The operator's user name on the demo's API server.
const OPERATOR: &str = "pam-operator";

/// How long one example may take to become Ready; it takes milliseconds.
const READY_DEADLINE: Duration = Duration::from_secs(30);

/// Tells the story; without `once` stays at its end until Ctrl-C or SIGTERM.
pub async fn tell(once: bool) -> Result<(), Error> {
    let binaries = tokio::task::spawn_blocking(Binaries::find)
        .await
        .expect("finding the binaries does not panic")?;
    let starting = ControlPlane::start_with(&binaries);
    let control_plane = Progress::start("kube-apiserver and etcd")
        .follow("starting", starting)
        .await?;
    println!("kube-apiserver {} answers at {}", version(), control_plane.url());
    let admin = control_plane.admin().await?;
    manifest::install_crds(&admin).await?;
    let pam = simulate_pam(examples::simulator_data()?).await?;
    println!(
        "simulated PAM Core 3.32 answers at {}, with a certificate of its own authority",
        pam.url()
    );
    let operator = start_operator(&control_plane, &admin).await?;
    println!(
        "pam-operator runs as process {}, its log is {}",
        operator.pid(),
        operator.log_file().display()
    );

    let objects = examples::objects(&pam)?;
    for object in &objects {
        manifest::apply_object(&admin, object, NAMESPACE).await?;
    }
    let credentials: Vec<&DynamicObject> = objects
        .iter()
        .filter(|object| kind(object) == "PamCredential")
        .collect();
    println!(
        "\napplied examples/, connections pointed at the simulated PAM; its {} credentials:",
        credentials.len()
    );
    let failed = show_ready(&admin, &credentials).await;
    if failed == 0
        && let Some(credential) = credentials
            .iter()
            .find(|credential| password_secret(credential).is_some())
    {
        change_password(&admin, &pam, credential).await?;
    }

    if !once {
        invite(&control_plane, &pam)?;
        wait_for_end().await?;
    }
    operator.stop().await?;
    pam.stop().await;
    if failed == 0 {
        Ok(())
    } else {
        Err(Error::Timeout(format!("{failed} credentials did not become Ready")))
    }
}

/// Says how to go on alone.
fn invite(control_plane: &ControlPlane, pam: &Handle) -> Result<(), Error> {
    let kubeconfig = control_plane.write_kubeconfig(ADMIN)?;
    println!("\nTry it in another terminal:\n");
    println!("    export KUBECONFIG={}", kubeconfig.display());
    println!("    kubectl get pam --all-namespaces");
    println!("    kubectl describe pamcred --namespace {NAMESPACE}");
    println!(
        "    curl --insecure {}/_simulator/credentials    # what the PAM has",
        pam.url()
    );
    println!(
        "    curl --insecure {}/_simulator/journal        # what it was asked\n",
        pam.url()
    );
    println!("Ctrl-C ends the demo and removes everything.");
    Ok(())
}

async fn start_operator(control_plane: &ControlPlane, admin: &Client) -> Result<Operator, Error> {
    rbac::install(admin).await?;
    rbac::bind_operator(admin, OPERATOR, OPERATOR_NAMESPACE).await?;
    let kubeconfig = control_plane.kubeconfig_for(OPERATOR)?;
    let flags = [
        "--namespace",
        OPERATOR_NAMESPACE,
        "--allow-loopback",
        "--log-format",
        "text",
    ];
    let config = OperatorConfig::of_this_program(kubeconfig, &flags)?;
    Progress::start("operator")
        .follow("starting", Operator::start(&config))
        .await
}

/// Waits for each credential, and prints one line each; returns how many did not become Ready.
async fn show_ready(admin: &Client, credentials: &[&DynamicObject]) -> usize {
    let width = credentials
        .iter()
        .map(|credential| credential.name_any().len())
        .max()
        .unwrap_or_default();
    let mut failed = 0;
    for credential in credentials {
        let name = credential.name_any();
        let api = Api::<PamCredential>::namespaced(admin.clone(), &namespace(credential));
        let ready = wait_for(&api, &name, "Ready", READY_DEADLINE, is_ready);
        match Progress::start(format!("  {name}"))
            .follow("not Ready yet", ready)
            .await
        {
            Ok(credential) => {
                let status = credential.status.unwrap_or_default();
                let id = status.id.unwrap_or_default();
                let identifier = status.identifier.unwrap_or_default();
                println!("  {name:width$}  Ready  id {id:<3}  identifier {identifier}");
            }
            Err(error) => {
                failed += 1;
                println!("  {error}");
            }
        }
    }
    failed
}

/// Changes the Secret behind a credential and waits until the PAM has the new password.
async fn change_password(admin: &Client, pam: &Handle, credential: &DynamicObject) -> Result<(), Error> {
    let (namespace, name) = (namespace(credential), credential.name_any());
    let (secret, key) = password_secret(credential).unwrap_or_default();
    let credentials = Api::<PamCredential>::namespaced(admin.clone(), &namespace);
    let before = credentials
        .get(&name)
        .await
        .map_err(Error::kube(format!("cannot read {name}")))?;
    let in_pam = || {
        let id = before
            .status
            .as_ref()
            .and_then(|status| status.id.as_deref())
            .unwrap_or_default();
        id.parse().ok().and_then(|id| pam.credential(id))
    };
    let change_before = in_pam().and_then(|credential| credential.change).unwrap_or_default();

    println!("\nchanging Secret {namespace}/{secret}, from which {name} has its password:");
    let started = Instant::now();
    let patch = Patch::Merge(json!({"stringData": {key: "changed-by-the-demo"}}));
    let secrets = Api::<Secret>::namespaced(admin.clone(), &namespace);
    let patched = secrets.patch(secret, &PatchParams::default(), &patch).await;
    let patched = patched.map_err(Error::kube(format!("cannot change Secret {secret}")))?;
    let version = patched.resource_version().unwrap_or_default();
    let applied = |credential: &PamCredential| is_ready(credential) && has_applied(credential, &version);
    wait_for(
        &credentials,
        &name,
        "Ready with the new password",
        READY_DEADLINE,
        applied,
    )
    .await?;
    let took = started.elapsed().as_millis();

    let change = in_pam().and_then(|credential| credential.change).unwrap_or_default();
    if change == change_before {
        return Err(Error::Timeout(format!(
            "{name} is Ready, but the PAM did not get the new password"
        )));
    }
    println!("  the PAM has the new password, and {name} is Ready with it, after {took} ms");
    println!("  (the PAM wrote a password at {change_before}, and again at {change})");
    Ok(())
}

/// Name and key of the Secret with a credential's password.
fn password_secret(credential: &DynamicObject) -> Option<(&str, &str)> {
    let reference = &credential.data["spec"]["contentSecretRef"];
    Some((reference["name"].as_str()?, reference["key"].as_str()?))
}

async fn wait_for_end() -> Result<(), Error> {
    let doing = || Error::io("cannot listen for signals");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(doing())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(doing())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
