//! `pam-operator selftest`, as `helm test` runs it: it finds what an installation lacks and says it in a line.

use std::{fs, path::Path, process::Command};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, api::DeleteParams};
use testbed::wait_until_gone;

use crate::{
    crash::rights::{return_status, withhold_status},
    world::{DEADLINE, Setting, World},
};

/// What a run printed, and whether it found everything in order.
struct Run {
    good: bool,
    lines: Vec<String>,
}

impl Run {
    /// The lines that are not `ok`.
    fn complaints(&self) -> Vec<&str> {
        let lines = self.lines.iter().map(String::as_str);
        lines.filter(|line| !line.starts_with("ok ")).collect()
    }
}

/// Runs it with the account of the world's operator.
fn selftest(world: &World, url: Option<&str>) -> Run {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("selftest-{}", world.namespace));
    fs::create_dir_all(&dir).expect("a writable directory");
    let kubeconfig = dir.join("kubeconfig");
    let access = world.plane.kubeconfig_for(&world.user).expect("a kubeconfig");
    fs::write(&kubeconfig, access).expect("a writable file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pam-operator"));
    command.env_clear().env("KUBECONFIG", &kubeconfig);
    command.args(["selftest", "--namespace", &world.namespace]);
    command.args(["--watch-namespaces", &world.namespace]);
    command.args(url.map(|url| format!("--url={url}")));
    let output = command.output().expect("the program runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{errors}");
    let printed = String::from_utf8(output.stdout).expect("text");
    Run {
        good: match output.status.code() {
            Some(0) => true,
            Some(1) => false,
            code => panic!("{code:?}: {printed}"),
        },
        lines: printed.lines().map(str::to_owned).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_in_a_line() {
    let setting = Setting {
        own_plane: true,
        ..Setting::default()
    };
    let mut world = World::with(setting).await;
    let url = world.operator.as_ref().expect("it runs").url().to_owned();
    let run = selftest(&world, Some(&url));
    assert!(run.good, "{:#?}", run.lines);
    assert_eq!(run.complaints(), Vec::<&str>::new());
    println!("{}", run.lines.join("\n"));

    withhold_status(&world).await;
    let run = selftest(&world, None);
    assert!(!run.good);
    let expected = format!(
        "FAIL  not permitted: patch pamcredentials/status in namespace {}. Grant it to the operator's ServiceAccount (chart value \
         rbac.create)",
        world.namespace
    );
    assert_eq!(run.complaints(), [expected]);
    return_status(&world).await;

    let definitions: Api<CustomResourceDefinition> = Api::all(world.client.clone());
    let name = "pamconnections.pam-operator.dev";
    let deleted = definitions.delete(name, &DeleteParams::default()).await;
    deleted.expect("the definition is there");
    world.expect(wait_until_gone(&definitions, name, DEADLINE).await);
    world.stop().await;
    let run = selftest(&world, Some(&url));
    assert!(!run.good);
    let complaints = run.complaints();
    println!("{}", complaints.join("\n"));
    let [kinds, operator] = complaints[..] else {
        panic!("{complaints:#?}");
    };
    assert!(
        kinds.starts_with("FAIL  not served as pam-operator.dev/v1alpha1: PamConnection. Install"),
        "{kinds}"
    );
    let unreached = format!("FAIL  the operator is not ready at {url}/readyz after 30 s: no connection can be made.");
    assert!(operator.starts_with(&unreached), "{operator}");
}
