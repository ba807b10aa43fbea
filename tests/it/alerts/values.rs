//! What the values of the chart do to its alerts, and what helm says of them.

use super::{alerts, alerts_about};
use crate::chart;

#[test]
fn alerts_follow_the_release_and_the_values() {
    let rule = super::rule(&[
        "fullnameOverride=pam",
        "namespaceOverride=security",
        "metrics.prometheusRule.labels.release=monitoring",
        "metrics.prometheusRule.additionalLabels.team=platform",
        "metrics.prometheusRule.disabledAlerts={PamApiQueue,PamOperatorDown}",
        "metrics.prometheusRule.runbookUrl=https://wiki.example.com/%s",
    ])
    .expect("it renders");
    assert_eq!(rule["metadata"]["labels"]["release"], "monitoring");
    assert_eq!(rule["metadata"]["namespace"], "security");
    let disabled = ["PamApiQueue", "PamOperatorDown"].map(str::to_owned);
    let mut expected = alerts_about("objects");
    expected.retain(|name| !disabled.contains(name));
    assert_eq!(alerts(&rule).len(), expected.len());
    for alert in alerts(&rule) {
        let name = alert["alert"].as_str().expect("a name");
        assert!(expected.contains(name), "{name}");
        assert_eq!(alert["labels"]["team"], "platform");
        assert!(alert["labels"]["severity"].is_string(), "{name}");
        assert_eq!(
            alert["annotations"]["runbook_url"],
            format!("https://wiki.example.com/{name}")
        );
        let expr = alert["expr"].as_str().expect("an expression");
        assert!(expr.contains("job=~\"(security/)?pam\""), "{expr}");
        assert!(!expr.contains('@'), "{expr}");
    }

    let rule = super::rule(&["metrics.prometheusRule.job=own/scrape"]).expect("it renders");
    for alert in alerts(&rule) {
        let expr = alert["expr"].as_str().expect("an expression");
        assert!(expr.contains("job=\"own/scrape\"") && !expr.contains("job=~"), "{expr}");
    }

    // An alert that is left out may be disabled too.
    let rule = super::rule(&[
        "operator.objectMetrics=false",
        "metrics.prometheusRule.disabledAlerts={PamCredentialDrifted,PamCredentialStalled}",
    ])
    .expect("it renders");
    assert_eq!(alerts(&rule).len(), alerts_about("counts").len() - 1);

    let misspelt = super::rule(&["metrics.prometheusRule.disabledAlerts={PamApiQeue}"]);
    let error = misspelt.expect_err("no such alert").to_string();
    assert!(
        error.contains("disabledAlerts names PamApiQeue, which is none of: "),
        "{error}"
    );
}

/// What helm says after an installation with these values.
fn notes(values: &[&str]) -> String {
    let folder = chart::folder().display().to_string();
    let sets = values.iter().flat_map(|value| ["--set", value]);
    let arguments = ["install", "pam-operator", &folder, "--dry-run=client"];
    let said = chart::helm(&arguments.into_iter().chain(sets).collect::<Vec<_>>(), None).expect("it renders");
    let (_, notes) = said.split_once("\nNOTES:\n").expect("notes");
    notes.to_owned()
}

#[test]
fn the_notes_say_when_alerts_have_nothing_to_look_at() {
    const RULES: &str = "metrics.prometheusRule.enabled=true";
    let (unfed, counts) = ("Set metrics.prometheusRule.job", "PamCredentialDrifted is left out");
    let said = notes(&[RULES]);
    assert!(said.contains(unfed) && !said.contains(counts), "{said}");
    for quiet in [
        &[][..],
        &["operator.objectMetrics=false"],
        &[RULES, "metrics.prometheusRule.job=own"],
        &[RULES, "metrics.serviceMonitor.enabled=true"],
        &[RULES, "metrics.podMonitor.enabled=true"],
    ] {
        let said = notes(quiet);
        assert!(!said.contains(unfed) && !said.contains(counts), "{said}");
    }
    let said = notes(&[RULES, "metrics.prometheusRule.job=own", "operator.objectMetrics=false"]);
    assert!(said.contains(counts), "{said}");
}
