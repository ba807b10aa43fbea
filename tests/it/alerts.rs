//! The rules and the dashboard of the chart: Prometheus' own checker accepts them, each alert fires when it should and only
//! then, each has a page that says what to do, and all of them ask only for what the operator shows.

mod values;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use pam_operator::{
    api::Reason,
    metrics::{Kind, METRICS},
};
use serde_json::{Value, json};
use testbed::tools;

use crate::chart;

/// What a metric's name begins with.
const PREFIXES: [&str; 5] = [
    "controller_runtime_",
    "leader_election_",
    "pam_operator_",
    "pamcredential_",
    "process_",
];

/// Labels of the target, which Prometheus adds.
const OF_THE_TARGET: [&str; 3] = ["job", "namespace", "pod"];

/// Where the alerts are.
const ALERTS: &str = "charts/pam-operator/alerts";

/// What alerts on objects can be about: single ones, or, without series for them, how many there are.
const ABOUT: [&str; 2] = ["objects", "counts"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The one object of a template of the chart, with these values.
fn rendered(template: &str, values: &[&str]) -> Result<Value, testbed::Error> {
    let sets = values.iter().flat_map(|value| ["--set", value]);
    let text = chart::template(&["--show-only", template].into_iter().chain(sets).collect::<Vec<_>>())?;
    Ok(serde_saphyr::from_str(&text).expect("one YAML document"))
}

fn rule(values: &[&str]) -> Result<Value, testbed::Error> {
    let enabled = ["metrics.prometheusRule.enabled=true"];
    let values: Vec<_> = enabled.iter().chain(values).copied().collect();
    rendered("templates/prometheusrule.yaml", &values)
}

fn dashboard() -> Value {
    let map = rendered("templates/dashboard.yaml", &["metrics.dashboards.enabled=true"]).expect("it renders");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    let text = map["data"]["pam-operator.json"].as_str().expect("a file");
    serde_json::from_str(text).expect("JSON")
}

/// The alerts of a `PrometheusRule`.
fn alerts(rule: &Value) -> &[Value] {
    rule["spec"]["groups"][0]["rules"].as_array().expect("rules")
}

/// The names of the files of a directory with this ending, without it.
fn names(directory: &str, ending: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(repository().join(directory)).expect("a directory");
    let entries = entries.map(|entry| entry.expect("an entry"));
    let files = entries.filter(|entry| entry.file_type().expect("a type").is_file());
    let names = files.map(|file| file.file_name().into_string().expect("a name"));
    names
        .map(|name| name.strip_suffix(ending).unwrap_or(&name).to_owned())
        .collect()
}

/// The folders of what is always there, and of what is there with series for single objects, or without them.
fn folders(root: &str, about: &str) -> [String; 2] {
    [root.to_owned(), format!("{root}/{about}")]
}

/// The names of the alerts that are there with series for single objects, or without them.
fn alerts_about(about: &str) -> BTreeSet<String> {
    let folders = folders(ALERTS, about);
    folders.iter().flat_map(|folder| names(folder, ".yaml")).collect()
}

/// The names of all alerts.
fn all_alerts() -> BTreeSet<String> {
    ABOUT.iter().flat_map(|about| alerts_about(about)).collect()
}

/// A directory of this test.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a writable directory");
    directory
}

fn promtool(directory: &Path, arguments: &[&str]) -> String {
    let promtool = tools::unpacked("promtool", "prometheus").expect("promtool");
    let mut command = Command::new(promtool);
    let output = tools::run(command.current_dir(directory).args(arguments));
    let output = output.unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(output.stdout).expect("text")
}

/// The metrics that a text names.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    text.split(|character| !is_part(character))
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .collect()
}

/// The labels of a metric as Prometheus reads it; none when the operator shows no such thing.
fn labels(name: &str) -> Option<BTreeSet<&'static str>> {
    let metric = METRICS.iter().find(|metric| {
        let parts = ["_bucket", "_sum", "_count"].map(|part| format!("{}{part}", metric.name));
        metric.name == name || (metric.kind == Kind::Histogram && parts.iter().any(|part| part == name))
    })?;
    Some(metric.labels.iter().copied().collect())
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    for about in ABOUT {
        let each = format!("operator.objectMetrics={}", about == "objects");
        let rule = rule(&[&each]).expect("it renders");
        let directory = directory(&format!("alerts-{about}"));
        fs::write(directory.join("rules.yaml"), rule["spec"].to_string()).expect("a writable file");
        println!("{}", promtool(&directory, &["check", "rules", "rules.yaml"]));

        let known: BTreeSet<_> = alerts(&rule)
            .iter()
            .map(|alert| alert["alert"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(known, alerts_about(about));
        let mut files = BTreeMap::new();
        for folder in folders("tests/alerts", about) {
            for name in names(&folder, ".test.yaml") {
                let file = format!("{name}.test.yaml");
                let text = fs::read_to_string(repository().join(&folder).join(&file)).expect("a file");
                let cases: Value = serde_saphyr::from_str(&text).expect("YAML");
                assert_cases(&name, &cases);
                fs::write(directory.join(&file), text).expect("a writable file");
                files.insert(name, file);
            }
        }
        assert!(files.keys().eq(&known), "each alert has its tests: {files:?}");
        let arguments: Vec<_> = ["test", "rules"]
            .into_iter()
            .chain(files.values().map(String::as_str))
            .collect();
        let said = promtool(&directory, &arguments);
        assert_eq!(said.matches("SUCCESS").count(), known.len(), "{said}");
    }
}

/// The reasons that the selectors of an alert about counts name, after `=~` or `!~`.
fn reasons(alert: &str, operator: &str) -> BTreeSet<String> {
    let file = repository().join(format!("{ALERTS}/counts/{alert}.yaml"));
    let text = fs::read_to_string(file).expect("a file");
    let start = format!("reason{operator}\"");
    let lists = text.split(start.as_str()).skip(1);
    let lists = lists.map(|rest| rest.split_once('"').expect("the end of the list").0);
    lists.flat_map(|list| list.split('|').map(str::to_owned)).collect()
}

#[test]
fn alerts_about_counts_divide_the_reasons_as_conditions_do() {
    let those = |holds: fn(Reason) -> bool| -> BTreeSet<String> {
        let reasons = Reason::ALL.into_iter().filter(|reason| holds(*reason));
        reasons.map(|reason| reason.as_str().to_owned()).collect()
    };
    // What waits for its connection, or is being sent, is left to the alerts on those.
    let wait =
        those(|reason| reason.is_reconciling() && !matches!(reason, Reason::Progressing | Reason::ConnectionNotReady));
    assert_eq!(reasons("PamCredentialNotReady", "=~"), wait);
    let need_nobody =
        those(|reason| reason.is_reconciling() || matches!(reason, Reason::Suspended | Reason::DeactivationFailed));
    assert_eq!(reasons("PamCredentialStalled", "!~"), need_nobody);
}

/// The cases of an alert show that it fires and that it does not, over series as the operator shows them.
fn assert_cases(alert: &str, cases: &Value) {
    let tests = cases["tests"].as_array().expect("tests");
    let expectations: Vec<_> = tests
        .iter()
        .flat_map(|test| test["alert_rule_test"].as_array().expect("expectations"))
        .collect();
    assert!(
        expectations.iter().all(|expected| expected["alertname"] == alert),
        "{alert}"
    );
    let fires = |expected: &&&Value| {
        expected["exp_alerts"]
            .as_array()
            .is_some_and(|alerts| !alerts.is_empty())
    };
    let firing = expectations.iter().filter(fires).count();
    assert!(firing > 0 && firing < expectations.len(), "{alert} fires and does not");
    for input in tests
        .iter()
        .flat_map(|test| test["input_series"].as_array().expect("series"))
    {
        let series = input["series"].as_str().expect("a text");
        let (name, rest) = series.split_once('{').expect("labels");
        let given = rest.trim_end_matches('}').split(',');
        let given: BTreeSet<_> = given
            .map(|label| label.split_once('=').expect("a value").0.trim())
            .collect();
        if name == "up" {
            continue;
        }
        let own = labels(name).unwrap_or_else(|| panic!("{alert}: the operator does not show {name}"));
        assert!(own.is_subset(&given), "{alert}: {series} lacks a label of {own:?}");
        let more: Vec<_> = given
            .difference(&own)
            .filter(|label| !OF_THE_TARGET.contains(label))
            .collect();
        assert!(more.is_empty(), "{alert}: {series} has {more:?}");
    }
}

#[test]
fn every_panel_asks_what_prometheus_understands() {
    let dashboard = dashboard();
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let variables: Vec<_> = variables.iter().map(|variable| &variable["name"]).collect();
    assert_eq!(variables, ["datasource", "namespace", "job"]);
    let mut rules = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(
            panel["description"].as_str().is_some_and(|text| !text.is_empty()),
            "{panel}"
        );
        for target in panel["targets"].as_array().expect("targets") {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
            let expr = target["expr"].as_str().expect("an expression");
            assert!(expr.contains("job=\"$job\""), "{expr}");
            let filled = expr.replace("$__rate_interval", "5m").replace("$__range", "6h");
            rules.push(json!({"record": format!("panel:{}", rules.len()), "expr": filled}));
        }
    }
    let count = rules.len();
    let groups = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    let directory = directory("dashboard");
    fs::write(directory.join("rules.yaml"), groups.to_string()).expect("a writable file");
    let said = promtool(&directory, &["check", "rules", "rules.yaml"]);
    assert!(said.contains(&format!("SUCCESS: {count} rules found")), "{said}");
}

#[test]
fn rules_panels_and_runbooks_name_only_what_the_operator_shows() {
    let mut texts = BTreeMap::new();
    texts.insert("dashboard".to_owned(), dashboard().to_string());
    let alerts = ABOUT.map(|about| format!("{ALERTS}/{about}"));
    let alerts = alerts.iter().map(|folder| (folder.as_str(), ".yaml"));
    for (directory, ending) in alerts.chain([(ALERTS, ".yaml"), ("docs/src/runbooks", ".md")]) {
        for name in names(directory, ending) {
            let file = format!("{directory}/{name}{ending}");
            let text = fs::read_to_string(repository().join(&file)).expect("a file");
            texts.insert(file, text);
        }
    }
    let mut seen = BTreeSet::new();
    for (place, text) in &texts {
        for name in metrics_in(text) {
            assert!(
                labels(name).is_some(),
                "{place} names {name}, which the operator does not show"
            );
            seen.insert(name);
        }
    }
    println!("{} metrics are used in {} places", seen.len(), texts.len());
}

#[test]
fn every_alert_has_a_runbook_and_every_runbook_an_alert() {
    let alerts = all_alerts();
    assert_eq!(names("docs/src/runbooks", ".md"), alerts);
    for alert in alerts {
        let file = repository().join("docs/src/runbooks").join(format!("{alert}.md"));
        let page = fs::read_to_string(file).expect("a file");
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {alert}");
        assert_eq!(
            headings,
            [&title, "## Meaning", "## Impact", "## Diagnosis", "## Mitigation"],
            "{alert}"
        );
        let (_, diagnosis) = page.split_once("## Diagnosis").expect("just seen");
        assert!(
            diagnosis.contains("```sh\n") || diagnosis.contains("```promql\n"),
            "{alert}: what to type"
        );
    }
}
