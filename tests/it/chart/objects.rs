//! What the chart renders: definitions, pods, and what surrounds them.

use std::fs;

use serde_json::{Value, json};

use super::{features, of_kind, one, render, rendered, template};

/// All pod specs among objects, with the name of their owner.
fn pods(objects: &[Value]) -> Vec<(String, &Value)> {
    let owners = objects.iter().filter_map(|object| {
        let spec = match object["kind"].as_str()? {
            "Pod" => &object["spec"],
            "Deployment" => &object["spec"]["template"]["spec"],
            _ => return None,
        };
        Some((object["metadata"]["name"].as_str()?.to_owned(), spec))
    });
    owners.collect()
}

#[test]
fn definitions_are_byte_for_byte_those_that_the_operator_prints() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    let flags = [
        "--set",
        "crds.labels.team=platform",
        "--set",
        "crds.annotations.example\\.com/a=b",
    ];
    let text = template(&flags).expect("it renders");
    for file in testbed::manifest::yaml_files(&folder).expect("crds/") {
        let definition = fs::read_to_string(&file).expect("readable");
        let copy = super::folder()
            .join("files/crds")
            .join(file.file_name().expect("a name"));
        assert_eq!(
            definition,
            fs::read_to_string(&copy).expect("the chart has a copy"),
            "{}",
            copy.display()
        );
        let (_, spec) = definition.split_once("\nspec:\n").expect("a spec");
        assert!(text.contains(spec.trim_end()), "{}", file.display());
        assert!(
            definition.len() < 200 * 1024,
            "{}: too large for client-side apply",
            file.display()
        );
    }
    let objects = super::objects(&text);
    let definitions = of_kind(&objects, "CustomResourceDefinition");
    assert_eq!(definitions.len(), 3);
    for definition in definitions {
        let (labels, annotations) = (
            &definition["metadata"]["labels"],
            &definition["metadata"]["annotations"],
        );
        assert_eq!(labels["team"], "platform");
        assert_eq!(annotations["helm.sh/resource-policy"], "keep");
        assert_eq!(annotations["example.com/a"], "b");
    }
    let without = rendered(&["--set", "crds.enabled=false"]);
    assert!(of_kind(&without, "CustomResourceDefinition").is_empty());
    let loose = rendered(&["--set", "crds.keep=false"]);
    assert_eq!(
        of_kind(&loose, "CustomResourceDefinition")[0]["metadata"]["annotations"],
        Value::Null
    );
}

#[test]
fn the_simulators_data_are_those_of_the_examples() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simulator.yaml");
    let copy = fs::read(super::folder().join("files/simulator.yaml")).expect("the chart has a copy");
    assert_eq!(copy, fs::read(examples).expect("readable"));
}

/// The profile "restricted" of the Pod Security Standards, and what goes beyond it.
#[test]
fn every_pod_of_every_feature_is_restricted() {
    let mut seen = 0;
    for file in features() {
        let objects = super::objects(&render(&file));
        for (name, spec) in pods(&objects) {
            let at = format!("{}: {name}", file.display());
            let pod = &spec["securityContext"];
            assert_eq!(pod["runAsNonRoot"], true, "{at}");
            assert_eq!(pod["seccompProfile"]["type"], "RuntimeDefault", "{at}");
            assert_eq!(spec["automountServiceAccountToken"], false, "{at}");
            assert_eq!(spec["enableServiceLinks"], false, "{at}");
            for volume in spec["volumes"].as_array().expect("volumes") {
                assert!(volume["hostPath"].is_null(), "{at}");
            }
            let own = spec["containers"].as_array().expect("containers").iter();
            for container in
                own.filter(|container| container["image"].as_str().unwrap_or_default().contains("pam-operator"))
            {
                let context = &container["securityContext"];
                assert_eq!(context["readOnlyRootFilesystem"], true, "{at}");
                assert_eq!(context["allowPrivilegeEscalation"], false, "{at}");
                assert_eq!(context["capabilities"], json!({"drop": ["ALL"]}), "{at}");
                assert!(container["resources"]["limits"]["memory"].is_string(), "{at}");
                if container["name"] == "pam-operator" {
                    let cpu = &container["resources"]["limits"]["cpu"];
                    assert!(cpu.is_null(), "{at}: a throttled leader loses its lease");
                }
                seen += 1;
            }
        }
    }
    assert!(
        seen >= 2 * features().len(),
        "the operator and its test, in every feature: {seen}"
    );
}

#[test]
fn the_operator_has_all_probes_and_a_token_of_its_own() {
    let objects = rendered(&[]);
    let spec = &one(&objects, "Deployment", "pam-operator")["spec"]["template"]["spec"];
    let container = &spec["containers"][0];
    for (probe, path) in [
        ("startupProbe", "/livez"),
        ("livenessProbe", "/livez"),
        ("readinessProbe", "/readyz"),
    ] {
        assert_eq!(container[probe]["httpGet"]["path"], path, "{probe}");
    }
    assert_eq!(spec["securityContext"]["runAsUser"], 65532);
    let sources = spec["volumes"][0]["projected"]["sources"].as_array().expect("sources");
    assert!(
        sources
            .iter()
            .any(|source| source["serviceAccountToken"]["expirationSeconds"] == 3607)
    );
}

#[test]
fn a_budget_never_blocks_a_drain() {
    let two = rendered(&[]);
    assert_eq!(
        one(&two, "PodDisruptionBudget", "pam-operator")["spec"]["maxUnavailable"],
        1
    );
    for single in [
        "replicaCount=1",
        "replicaCount=1,leaderElection.enabled=false",
        "podDisruptionBudget.enabled=false",
    ] {
        assert!(
            of_kind(&rendered(&["--set", single]), "PodDisruptionBudget").is_empty(),
            "{single}"
        );
    }
    for stuck in [
        "podDisruptionBudget.maxUnavailable=0",
        "podDisruptionBudget.maxUnavailable=0%",
        "podDisruptionBudget.minAvailable=2",
        "podDisruptionBudget.minAvailable=100%",
    ] {
        let refused = template(&["--set", stuck]).expect_err("it is refused").to_string();
        assert!(refused.contains("can be drained"), "{stuck}: {refused}");
    }
    let least = rendered(&["--set", "replicaCount=3,podDisruptionBudget.minAvailable=2"]);
    let spec = &one(&least, "PodDisruptionBudget", "pam-operator")["spec"];
    assert_eq!(
        (&spec["minAvailable"], &spec["maxUnavailable"]),
        (&json!(2), &Value::Null)
    );
}

#[test]
fn without_an_election_the_old_pod_ends_before_the_new_one_starts() {
    let objects = rendered(&["--set", "replicaCount=1,leaderElection.enabled=false"]);
    let spec = &one(&objects, "Deployment", "pam-operator")["spec"];
    assert_eq!(spec["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn a_network_policy_lets_out_what_is_named_and_no_more() {
    let objects = super::objects(&render(&super::folder().join("ci/network-policy.yaml")));
    let spec = &one(&objects, "NetworkPolicy", "pam-operator")["spec"];
    let egress = spec["egress"].as_array().expect("rules");
    assert_eq!(egress.len(), 3, "names, the API server, the PAM: {egress:#?}");
    assert!(
        egress
            .iter()
            .all(|rule| rule["ports"].as_array().is_some_and(|ports| !ports.is_empty()))
    );
    assert_eq!(spec["policyTypes"], json!(["Ingress", "Egress"]));
}

#[test]
fn a_new_version_of_the_chart_changes_no_selector_and_no_pod_label() {
    let objects = rendered(&["--set", "commonLabels.team=platform"]);
    let deployment = one(&objects, "Deployment", "pam-operator");
    let selector = &deployment["spec"]["selector"]["matchLabels"];
    assert_eq!(&deployment["spec"]["template"]["metadata"]["labels"], selector);
    assert!(
        !selector.to_string().contains("0.1.0") && selector["team"].is_null(),
        "{selector}"
    );
    assert_eq!(deployment["metadata"]["labels"]["team"], "platform");

    // A label that the chart sets itself is written once, as the chart has it.
    let own = [
        "--set",
        "commonLabels.app\\.kubernetes\\.io/part-of=platform,podLabels.app\\.kubernetes\\.io/name=mine",
    ];
    let text = template(&own).expect("it renders");
    assert!(!text.contains("part-of: platform") && !text.contains("io/name: mine"));
}

#[test]
fn long_names_stay_within_what_kubernetes_takes_and_two_releases_share_nothing_of_the_cluster() {
    let long = "n".repeat(80);
    let objects = rendered(&["--set", &format!("fullnameOverride={long},simulator.enabled=true")]);
    for object in &objects {
        let name = object["metadata"]["name"].as_str().expect("a name");
        // Names of the cluster may be longer; these become labels and names of hosts.
        let is_of_the_cluster = object["metadata"]["namespace"].is_null();
        assert!(name.len() <= 63 || is_of_the_cluster, "{name}");
    }
    let names = |namespace: &str| {
        let objects = rendered(&["--set", &format!("namespaceOverride={namespace},crds.enabled=false")]);
        let of_the_cluster = ["ClusterRole", "ClusterRoleBinding"].map(|kind| {
            let names = of_kind(&objects, kind)
                .into_iter()
                .map(|object| object["metadata"]["name"].to_string());
            names.collect::<Vec<_>>()
        });
        of_the_cluster.concat()
    };
    let (one, other) = (names("one"), names("other"));
    assert!(
        !one.is_empty() && one.iter().all(|name| !other.contains(name)),
        "{one:?} {other:?}"
    );
}

#[test]
fn two_releases_of_one_namespace_share_nothing_but_the_installation() {
    let names = |release: &str, flags: &[&str]| {
        let chart = super::folder().display().to_string();
        let arguments = [&["template", release, &chart, "--namespace", "pam", "--set"], flags].concat();
        let text = super::helm(&arguments, None).expect("the chart renders");
        let objects = super::objects(&text).into_iter();
        let names = objects.map(|object| {
            let metadata = &object["metadata"];
            format!("{} {} {}", object["kind"], metadata["namespace"], metadata["name"])
        });
        names.collect::<Vec<_>>()
    };
    let everything = "metrics.serviceMonitor.enabled=true,metrics.prometheusRule.enabled=true,metrics.dashboards.enabled=true,\
                      networkPolicy.enabled=true,scope.mode=namespaces,scope.namespaces={orders},\
                      networkPolicy.pamEgress[0].ports[0].port=443,crds.enabled=false";
    let (one, other) = (
        names("pam-operator", &[everything]),
        names("pam-operator-b", &[everything]),
    );
    assert_eq!(one.len(), other.len());
    assert!(one.iter().all(|name| !other.contains(name)), "{one:#?} {other:#?}");
}

#[test]
fn a_shard_is_told_its_connections_and_its_lease() {
    let objects = super::objects(&render(&super::folder().join("ci/shard.yaml")));
    let spec = &one(&objects, "Deployment", "pam-operator")["spec"]["template"]["spec"];
    let args = spec["containers"][0]["args"].to_string();
    assert!(
        args.contains(r#""--watch-selector=pam-operator.dev/shard in (b, c)""#),
        "{args}"
    );
    assert!(args.contains(r#""--lease-name=pam-operator-b""#), "{args}");
    let selftest = one(&objects, "Pod", "pam-operator-selftest")["spec"]["containers"][0]["args"].to_string();
    assert!(selftest.contains(r#""--lease-name=pam-operator-b""#), "{selftest}");
    let all = rendered(&[]);
    let args = one(&all, "Deployment", "pam-operator")["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(!args.contains("--watch-selector"), "{args}");
}

#[test]
fn extra_objects_may_be_maps_as_they_are_or_texts_with_templates() {
    let objects = super::objects(&render(&super::folder().join("ci/extras.yaml")));
    assert_eq!(
        one(&objects, "ConfigMap", "extra-map")["data"]["braces"],
        "{{ $labels.name }}"
    );
    assert_eq!(
        one(&objects, "ConfigMap", "extra-text")["data"]["release"],
        "pam-operator"
    );
}

#[test]
fn nothing_is_random_and_nothing_is_looked_up() {
    for file in features() {
        assert_eq!(render(&file), render(&file), "{}", file.display());
    }
    for entry in walk(&super::folder().join("templates")) {
        let text = fs::read_to_string(&entry).expect("readable");
        for function in [
            "lookup ",
            "randAlpha",
            "genCA",
            "genSelfSigned",
            "now |",
            "Capabilities.APIVersions",
        ] {
            assert!(!text.contains(function), "{}: {function}", entry.display());
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}
