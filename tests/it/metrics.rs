//! What a user scrapes: the objects as they are, from the leader alone, in a form that Prometheus' own checker accepts.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use pam_operator::{
    metrics::METRICS,
    simulator::{Effect, Fault, Operation},
};
use serde_json::json;
use testbed::{Operator, tools};

use crate::{
    look::within_deadline,
    world::{Setting, World},
};

/// What Prometheus would read.
async fn page(operator: &Operator) -> String {
    operator.get("/metrics").await.expect("metrics")
}

/// What the world's operator shows.
async fn shown(world: &World) -> String {
    page(world.operator.as_ref().expect("it runs")).await
}

/// Waits until the world's operator shows these series, each as `name{labels} value`.
async fn shows(world: &World, series: &[String]) {
    for line in series {
        within_deadline(&format!("show {line}"), async || {
            shown(world).await.lines().any(|found| found == line)
        })
        .await;
    }
}

/// A condition's series.
fn condition(world: &World, name: &str, condition: &str, status: &str, reason: &str) -> String {
    format!(
        "pamcredential_status_condition{{namespace=\"{}\",name=\"{name}\",condition=\"{condition}\",status=\"{status}\",\
         reason=\"{reason}\"}} 1",
        world.namespace
    )
}

fn count(ready: &str, reason: &str, count: usize) -> String {
    format!("pam_operator_objects{{kind=\"PamCredential\",ready=\"{ready}\",reason=\"{reason}\"}} {count}")
}

/// The lines that are of single objects.
fn of_objects(page: &str) -> Vec<&str> {
    let names = ["pamcredential_", "pam_operator_connection_status_condition{"];
    let is_one = |line: &&str| names.iter().any(|name| line.starts_with(name));
    page.lines().filter(is_one).collect()
}

/// Two credentials, of which one cannot be had in the PAM.
async fn populate(world: &World) {
    world.create("good", json!({})).await;
    world.create("bad", json!({"domain": "nowhere"})).await;
    world.ready("good").await;
    world.fails("bad", "DomainNotFound").await;
}

/// Prometheus' checker has nothing to say, and every metric is one that the reference describes.
fn check(page: &str) {
    let promtool = tools::unpacked("promtool", "prometheus").expect("promtool");
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(page.as_bytes()).expect("promtool reads");
    drop(input);
    let output = child.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "{said}\n{page}");
    for described in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let known = METRICS
            .iter()
            .any(|metric| described == format!("{} {}", metric.name, metric.kind));
        assert!(known, "{described} is not described");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_shown_as_they_are_for_as_long_as_they_are_there() {
    let world = World::start().await;
    populate(&world).await;
    shows(
        &world,
        &[
            condition(&world, "good", "Ready", "True", "Synced"),
            condition(&world, "bad", "Ready", "False", "DomainNotFound"),
            condition(&world, "bad", "Stalled", "True", "DomainNotFound"),
            count("True", "Synced", 1),
            count("False", "DomainNotFound", 1),
            format!(
                "pam_operator_connection_status_condition{{kind=\"PamConnection\",namespace=\"{}\",name=\"vault\",\
                 condition=\"Ready\",status=\"True\",reason=\"Synced\"}} 1",
                world.namespace
            ),
            "pam_operator_pam_api_requests_total{operation=\"post\",code=\"Ok\"} 1".to_owned(),
            "pam_operator_pam_api_requests_total{operation=\"post\",code=\"DomainNotFound\"} 1".to_owned(),
            "controller_runtime_reconcile_errors_total{controller=\"PamCredential\"} 0".to_owned(),
            "controller_runtime_max_concurrent_reconciles{controller=\"PamCredential\"} 32".to_owned(),
            // Nothing is under way any more.
            "controller_runtime_active_workers{controller=\"PamCredential\"} 0".to_owned(),
        ],
    )
    .await;
    check(&shown(&world).await);

    // It ends while its credential cannot be deactivated, and then it can.
    world.change("good", json!({"deletionPolicy": "Deactivate"})).await;
    world
        .until("good", "to be kept until its credential is inactive", |object| {
            object.metadata.finalizers.is_some()
        })
        .await;
    let refusal = Effect::Refuse {
        code: 1009,
        message: "You do not have access to this credential".to_owned(),
        status: 400,
    };
    world.pam.faults().add(Fault::new(refusal).on(Operation::Delete));
    world.delete("good").await;
    let object = world.fails("good", "DeactivationFailed").await;
    let asked = object.metadata.deletion_timestamp.expect("it is being deleted");
    shows(
        &world,
        &[
            format!(
                "pamcredential_deletion_timestamp_seconds{{namespace=\"{}\",name=\"good\"}} {}",
                world.namespace,
                asked.0.as_second()
            ),
            count("False", "DeactivationFailed", 1),
        ],
    )
    .await;
    check(&shown(&world).await);
    world.pam.faults().clear();
    world.gone("good").await;
    within_deadline("forget what is gone", async || {
        !shown(&world).await.contains("name=\"good\"")
    })
    .await;
    let page = shown(&world).await;
    assert!(!page.contains("pamcredential_deletion_timestamp_seconds"), "{page}");
    assert!(page.contains(&count("False", "DomainNotFound", 1)), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_by_shows_no_objects_until_it_leads() {
    let setting = Setting {
        leader_election: true,
        ..Setting::default()
    };
    let mut world = World::with(setting).await;
    populate(&world).await;
    let leads = |value: u8| format!("leader_election_master_status{{name=\"pam-operator\"}} {value}");
    shows(&world, &[leads(1), count("True", "Synced", 1)]).await;

    let user = world.replica("b").await;
    let standby = Operator::start(&world.config(&user)).await.expect("it becomes ready");
    let quiet = page(&standby).await;
    assert!(quiet.lines().any(|line| line == leads(0)), "{quiet}");
    assert!(!quiet.contains("pam_operator_objects"), "{quiet}");
    assert_eq!(of_objects(&quiet), Vec::<&str>::new());
    check(&quiet);

    world.stop().await;
    world.operator = Some(standby);
    shows(&world, &[leads(1), count("True", "Synced", 1)]).await;
    assert_ne!(of_objects(&shown(&world).await), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn single_objects_can_be_left_out() {
    let setting = Setting {
        args: vec!["--object-metrics=false".to_owned()],
        ..Setting::default()
    };
    let world = World::with(setting).await;
    populate(&world).await;
    shows(
        &world,
        &[count("True", "Synced", 1), count("False", "DomainNotFound", 1)],
    )
    .await;
    assert_eq!(of_objects(&shown(&world).await), Vec::<&str>::new());
}
