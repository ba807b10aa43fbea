//! What the chart accepts.

use std::{collections::BTreeSet, fs, time::Duration};

use serde_json::Value;

use super::{features, folder, helm, of_kind, rendered, template};

/// The paths of all settings: those of a schema's properties, or of a tree of values where that has a schema's shape.
fn paths(schema: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match schema["properties"].as_object() {
        Some(properties) if schema["additionalProperties"] == false || prefix.is_empty() || prefix == "global." => {
            for (name, schema) in properties {
                paths(schema, &format!("{prefix}{name}."), found);
            }
        }
        _ => {
            found.insert(prefix.trim_end_matches('.').to_owned());
        }
    }
}

#[test]
fn the_schema_and_the_values_name_the_same_settings() {
    let schema = fs::read_to_string(folder().join("values.schema.json")).expect("the schema is there");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let values = fs::read_to_string(folder().join("values.yaml")).expect("the values are there");
    let values: Value = serde_saphyr::from_str(&values).expect("YAML");
    let mut known = BTreeSet::new();
    paths(&schema, "", &mut known);
    // The condition under which a parent chart uses this one is the parent's to set.
    known.remove("enabled");
    for path in &known {
        let pointer = format!("/{}", path.replace('.', "/"));
        // Probes and resources are objects of Kubernetes, of which the values name the fields that they set.
        let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        let is_kubernetes = parent.ends_with("Probe") || parent.ends_with("resources");
        assert!(
            is_kubernetes || values.pointer(&pointer).is_some(),
            "{path} is in the schema alone"
        );
    }
    let flat = helm(&["show", "values", &folder().display().to_string()], None).expect("helm reads them");
    for line in flat.lines().filter(|line| line.trim_start().starts_with("# --")) {
        assert!(line.len() > 12, "a setting without a description: {line}");
    }
}

#[test]
fn every_feature_renders_and_passes_helms_own_checks() {
    let chart = folder().display().to_string();
    let files = features();
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let values = file.display().to_string();
        let lint = helm(&["lint", "--strict", &chart, "--values", &values], None);
        lint.unwrap_or_else(|error| panic!("{values}: {error}"));
        template(&["--values", &values]).unwrap_or_else(|error| panic!("{values}: {error}"));
    }
}

#[test]
fn what_would_do_harm_is_refused_with_what_to_do() {
    for (flags, expected) in [
        (&["--set", "leaderElection.enabled=false"][..], "set replicaCount to 1"),
        (&["--set", "scope.mode=namespaces"], "list the namespaces"),
        (&["--set", "scope.namespaces={a}"], "leave the list empty"),
        (
            &["--set", "podDisruptionBudget.minAvailable=2"],
            "must be less than replicaCount",
        ),
        (&["--set", "networkPolicy.enabled=true"], "networkPolicy.pamEgress"),
        (
            &[
                "--set",
                "metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true",
            ],
            "enable one of them",
        ),
        (
            &["--set", "simulator.enabled=true,simulator.allowedNamespaces=null"],
            "list the namespaces",
        ),
        (
            &[
                "--set",
                "simulator.enabled=true",
                "--set-string",
                "simulator.data=devices: []",
            ],
            "simulator.data has no clients",
        ),
        (
            &["--set", "serviceAccount.create=false"],
            "serviceAccount.name is needed",
        ),
    ] {
        let refused = template(flags).expect_err("it is refused").to_string();
        assert!(refused.contains(expected), "{flags:?}: {refused}");
    }
}

#[test]
fn what_is_set_to_null_is_left_out() {
    for null in [
        "livenessProbe=null",
        "startupProbe=null",
        "readinessProbe=null",
        "image.registry=null",
        "global=null",
        "topologySpreadConstraints=null",
        "nodeSelector=null",
        "resources=null",
        "podSecurityContext=null",
    ] {
        let objects = rendered(&["--set", null]);
        let deployment = super::one(&objects, "Deployment", "pam-operator");
        assert!(
            !deployment["spec"]["template"]["spec"]["containers"].is_null(),
            "{null}"
        );
    }
}

#[test]
fn what_the_operator_would_refuse_the_chart_refuses_too() {
    let day = Duration::from_hours(24);
    for text in [
        "1s", "90m", "24h", "1440m", "600s", "0s", "48h", "25h", "1441m", "1.5h", "500ms", "", "soon",
    ] {
        let accepted = template(&["--set-string", &format!("operator.deletionTimeout={text}")]).is_ok();
        let parsed = pam_operator::api::parse_duration(text, Duration::from_secs(1), day).is_ok();
        assert!(!accepted || parsed, "{text} would end the operator");
        assert_eq!(accepted, parsed, "{text}");
    }
}

#[test]
fn unknown_and_malformed_values_are_refused_by_name() {
    for (flags, expected) in [
        (["--set", "replicas=2"], "additional properties 'replicas'"),
        (
            ["--set", "operator.alowedHosts={pam}"],
            "additional properties 'alowedHosts'",
        ),
        (["--set", "replicaCount=two"], "/replicaCount"),
        (["--set", "image.digest=sha256:1"], "/image/digest"),
        (
            ["--set", "operator.allowedHosts={https://pam}"],
            "/operator/allowedHosts/0",
        ),
        (["--set", "scope.namespaces={Orders}"], "/scope/namespaces/0"),
        (
            ["--set", "leaderElection.leaseName=Shard A"],
            "/leaderElection/leaseName",
        ),
        (
            ["--set-string", "leaderElection.leaseName="],
            "/leaderElection/leaseName",
        ),
        (["--set", "operator.logFormat=xml"], "/operator/logFormat"),
        (
            ["--set", "terminationGracePeriodSeconds=5"],
            "/terminationGracePeriodSeconds",
        ),
    ] {
        let refused = template(&flags).expect_err("it is refused").to_string();
        assert!(refused.contains(expected), "{flags:?}: {refused}");
    }
}

#[test]
fn another_chart_can_depend_on_it() {
    let parent = tempfile::tempdir().expect("a directory");
    fs::create_dir(parent.path().join("charts")).expect("a directory");
    std::os::unix::fs::symlink(folder(), parent.path().join("charts/pam-operator")).expect("a link");
    let chart = "apiVersion: v2\nname: platform\nversion: 1.0.0\ndependencies:\n\
                 - {name: pam-operator, version: '*', condition: pam-operator.enabled}\n";
    fs::write(parent.path().join("Chart.yaml"), chart).expect("written");
    let values = "global: {imageRegistry: registry.example.com, team: platform}\npam-operator: {enabled: true, replicaCount: 3}\n";
    fs::write(parent.path().join("values.yaml"), values).expect("written");
    let platform = parent.path().display().to_string();
    let text = helm(&["template", "p", &platform], None).expect("the parent renders");
    let objects = super::objects(&text);
    let [deployment] = of_kind(&objects, "Deployment")[..] else {
        panic!("one Deployment")
    };
    assert_eq!(deployment["spec"]["replicas"], 3);
    let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "registry.example.com/pam-operator/pam-operator:0.1.0");
    let off = helm(
        &["template", "p", &platform, "--set", "pam-operator.enabled=false"],
        None,
    );
    assert_eq!(super::objects(&off.expect("the parent renders")).len(), 0);
}

#[test]
fn an_image_is_named_by_tag_and_digest() {
    let digest = format!("sha256:{}", "0".repeat(64));
    for (flags, expected) in [
        (
            "image.tag=".to_owned(),
            "ghcr.io/pam-operator/pam-operator:0.1.0".to_owned(),
        ),
        (
            "image.tag=v9".to_owned(),
            "ghcr.io/pam-operator/pam-operator:v9".to_owned(),
        ),
        (
            format!("image.digest={digest}"),
            format!("ghcr.io/pam-operator/pam-operator@{digest}"),
        ),
        (
            format!("image.tag=v9,image.digest={digest},image.registry="),
            format!("pam-operator/pam-operator:v9@{digest}"),
        ),
    ] {
        let objects = rendered(&["--set", &flags]);
        let deployment = super::one(&objects, "Deployment", "pam-operator");
        assert_eq!(
            deployment["spec"]["template"]["spec"]["containers"][0]["image"],
            expected
        );
    }
}
