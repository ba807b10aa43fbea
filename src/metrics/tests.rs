//! The page of a process that has seen everything, beside the table that describes it.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Everything has happened once.
async fn full() -> Metrics {
    let metrics = Metrics::new("shard-a");
    metrics.controller("PamCredential", 4);
    metrics.worker("PamCredential").ended(Outcome::Error);
    let failure = pam::Error::new(pam::Class::Unavailable, pam::Outcome::Unknown);
    let called = metrics.count_call("post", async { Err::<(), _>(failure) }).await;
    called.expect_err("it failed");
    metrics.released("timed_out");
    metrics.corrected("Drifted");
    let connection = ConnectionLabels {
        kind: "PamConnection",
        namespace: "orders".to_owned(),
        name: "vault".to_owned(),
    };
    metrics.turnstile(&connection, true, 3);
    metrics.watch(true, || Some(vec![subject("PamCredential"), subject("PamConnection")]));
    metrics
}

fn subject(kind: &'static str) -> Subject {
    Subject {
        kind,
        namespace: "orders".to_owned(),
        name: "db".to_owned(),
        observed: true,
        conditions: vec![Shown {
            condition: "Ready",
            status: "False",
            reason: "Rejected",
        }],
        deleted: Some(1_700_000_000),
    }
}

/// The labels of each metric on a page, by its name and type.
fn on_page(page: &str) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found = BTreeMap::<_, BTreeSet<String>>::new();
    let mut current = None;
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) {
            found.entry((name.to_owned(), kind.to_owned())).or_default();
            current = Some((name.to_owned(), kind.to_owned()));
        } else if !line.starts_with('#') {
            let labels = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}'));
            let labels = labels.map_or("", |(labels, _)| labels).split(',');
            let names = labels.filter_map(|label| Some(label.split_once('=')?.0.to_owned()));
            let described = current.as_ref().and_then(|described| found.get_mut(described));
            let described = described.expect("every series is described before it comes");
            described.extend(names.filter(|name| name != "le"));
        }
    }
    found
}

#[tokio::test]
async fn the_table_describes_the_page_and_nothing_else() {
    let described: BTreeMap<_, BTreeSet<_>> = METRICS
        .iter()
        .map(|described| {
            let labels = described.labels.iter().map(ToString::to_string).collect();
            ((described.name.to_owned(), described.kind.to_string()), labels)
        })
        .collect();
    let page = full().await.render();
    assert_eq!(on_page(&page), described, "{page}");
}

#[test]
fn every_help_is_one_sentence_or_more_without_the_dot_that_the_encoder_adds() {
    for described in METRICS {
        assert!(
            described.help.len() > 20 && !described.help.ends_with('.'),
            "{}",
            described.name
        );
        assert!(!described.help.contains('\n'), "{}", described.name);
    }
}

#[test]
fn who_does_not_act_shows_no_objects() {
    let metrics = Metrics::new("shard-a");
    let standby = metrics.render();
    assert!(
        standby.contains("leader_election_master_status{name=\"shard-a\"} 0\n"),
        "{standby}"
    );
    metrics.watch(true, || None);
    assert_eq!(metrics.render().matches("pamcredential_").count(), 0);
    assert_eq!(metrics.render().matches("pam_operator_objects").count(), 0);
}

#[test]
fn a_switch_leaves_only_numbers_of_objects() {
    let metrics = Metrics::new("shard-a");
    metrics.watch(false, || Some(vec![subject("PamCredential")]));
    let page = metrics.render();
    assert!(
        page.contains("pam_operator_objects{kind=\"PamCredential\",ready=\"False\",reason=\"Rejected\"} 1\n"),
        "{page}"
    );
    assert!(!page.contains("name=\"db\""), "{page}");
}

#[test]
fn an_object_is_ready_only_for_the_generation_that_was_looked_at() {
    let metrics = Metrics::new("shard-a");
    metrics.watch(false, || {
        let changed = Subject {
            observed: false,
            ..subject("PamCredential")
        };
        Some(vec![changed])
    });
    let page = metrics.render();
    assert!(
        page.contains("pam_operator_objects{kind=\"PamCredential\",ready=\"Unknown\",reason=\"Unobserved\"} 1\n"),
        "{page}"
    );
}

#[test]
fn a_reconcile_counts_as_active_while_it_runs_and_by_its_result_when_it_ended() {
    let metrics = Metrics::new("shard-a");
    metrics.controller("PamCredential", 4);
    let active = |metrics: &Metrics| {
        let page = metrics.render();
        let series = "controller_runtime_active_workers{controller=\"PamCredential\"} ";
        let value = page.lines().find_map(|line| line.strip_prefix(series));
        value.expect("the series is there").to_owned()
    };
    assert_eq!(active(&metrics), "0");
    let (first, second) = (metrics.worker("PamCredential"), metrics.worker("PamCredential"));
    assert_eq!(active(&metrics), "2");
    first.ended(Outcome::RequeueAfter);
    drop(second);
    assert_eq!(active(&metrics), "0");
    let page = metrics.render();
    for (result, count) in [("requeue_after", 1), ("success", 0), ("error", 0), ("requeue", 0)] {
        let line =
            format!("controller_runtime_reconcile_total{{controller=\"PamCredential\",result=\"{result}\"}} {count}\n");
        assert!(page.contains(&line), "{line}{page}");
    }
    assert!(page.contains("controller_runtime_reconcile_errors_total{controller=\"PamCredential\"} 0\n"));
}
