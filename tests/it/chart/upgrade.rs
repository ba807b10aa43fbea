//! From an older version of the chart to this one, and away.

use std::{fs, path::Path, process::Command};

use k8s_openapi::{
    api::{apps::v1::Deployment, rbac::v1::ClusterRole},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::Api;
use pam_operator::api::{ClusterPamConnection, PamCredential};
use testbed::{examples, manifest, tools};

use super::{RELEASE, folder, installed::Installed};

const DEFINITION: &str = "pamcredentials.pam-operator.dev";

/// A copy of the chart as an older version: another number, and a definition that lacks a field.
fn older(into: &Path) -> String {
    let chart = into.join("pam-operator");
    let copied = tools::run(Command::new("cp").arg("-R").arg(folder()).arg(&chart));
    copied.expect("a copy");
    let edit = |file: &str, from: &str, to: &str| {
        let path = chart.join(file);
        let text = fs::read_to_string(&path).expect("readable");
        assert!(text.contains(from), "{file} has {from}");
        fs::write(&path, text.replacen(from, to, 1)).expect("written");
    };
    edit("Chart.yaml", "version: 0.1.0", "version: 0.0.1");
    edit("files/crds/pamcredentials.yaml", "    - pamcred\n", "    - oldcred\n");
    chart.display().to_string()
}

async fn short_name(installed: &Installed) -> Option<String> {
    let crds: Api<CustomResourceDefinition> = Api::all(installed.admin.clone());
    let definition = crds.get_opt(DEFINITION).await.expect("an answer")?;
    definition
        .spec
        .names
        .short_names
        .and_then(|names| names.first().cloned())
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_follow_an_upgrade_and_outlive_the_release_with_their_objects() {
    let folder_of_old = tempfile::tempdir().expect("a directory");
    let older = older(folder_of_old.path());
    let installed = Installed::from_chart(&older, &[], &[]).await;
    assert_eq!(short_name(&installed).await.as_deref(), Some("oldcred"));
    let objects = examples::objects(&installed.pam).expect("the examples");
    for object in &objects {
        let applied = manifest::apply_object(&installed.admin, object, examples::NAMESPACE).await;
        applied.unwrap_or_else(|error| panic!("{error}"));
    }

    let chart = folder().display().to_string();
    installed.upgrade(&[]).await;
    assert_eq!(short_name(&installed).await.as_deref(), Some("pamcred"));
    let again = installed
        .helm(&["get", "manifest", RELEASE, "--namespace", RELEASE])
        .await;
    installed.upgrade(&[]).await;
    let unchanged = installed
        .helm(&["get", "manifest", RELEASE, "--namespace", RELEASE])
        .await;
    assert_eq!(again, unchanged, "a second upgrade changes nothing");
    installed
        .helm(&["rollback", RELEASE, "1", "--namespace", RELEASE])
        .await;
    assert_eq!(short_name(&installed).await.as_deref(), Some("oldcred"));

    installed.helm(&["uninstall", RELEASE, "--namespace", RELEASE]).await;
    assert!(short_name(&installed).await.is_some(), "the definition stays");
    let credentials: Api<PamCredential> = Api::namespaced(installed.admin.clone(), examples::NAMESPACE);
    credentials.get("minimal").await.expect("and so do its objects");
    let deployments: Api<Deployment> = Api::namespaced(installed.admin.clone(), RELEASE);
    assert!(deployments.get_opt(RELEASE).await.expect("an answer").is_none());
    let roles: Api<ClusterRole> = Api::all(installed.admin.clone());
    assert!(roles.get_opt(RELEASE).await.expect("an answer").is_none());

    // What stayed is taken over by the next release of the same name.
    let install = ["install", RELEASE, &chart, "--namespace", RELEASE];
    installed.helm(&install).await;
    assert_eq!(short_name(&installed).await.as_deref(), Some("pamcred"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulators_connection_comes_with_the_release() {
    let installed = Installed::new(&[], &["--set", "simulator.enabled=true"]).await;
    let connections: Api<ClusterPamConnection> = Api::all(installed.admin.clone());
    let connection = connections
        .get("simulator")
        .await
        .expect("it is made after the definitions");
    assert_eq!(
        connection.spec.connection.url,
        "https://pam-operator-simulator.pam-operator.svc"
    );
    installed.upgrade(&[]).await;
    connections.get("simulator").await.expect("it is made again");
}
