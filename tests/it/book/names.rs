//! Names in the prose that belong to the program or the chart: each must exist, so that a renamed one is noticed.

use pam_operator::metrics::METRICS;
use serde_json::Value;

use super::{files, read, repository};

/// How the names of our metrics begin.
const METRIC_PREFIXES: [&str; 5] = [
    "pam_operator_",
    "pamcredential_",
    "controller_runtime_",
    "leader_election_",
    "process_",
];

/// The pages, with their names.
fn pages() -> Vec<(String, String)> {
    let pages = files(&repository().join("docs"), "md").into_iter();
    let pages = pages.chain(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| repository().join(name)));
    pages.map(|page| (page.display().to_string(), read(&page))).collect()
}

/// The words of a text, of these characters, that `begins`.
fn words<'a>(text: &'a str, also: &'a str, begins: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = &'a str> {
    text.split(move |c: char| !c.is_ascii_alphanumeric() && !also.contains(c))
        .filter(move |word| begins(word))
}

#[test]
fn every_metric_that_is_named_exists() {
    let mut named = 0;
    for (page, text) in pages() {
        let is_metric = |word: &str| METRIC_PREFIXES.iter().any(|prefix| word.starts_with(prefix));
        for word in words(&text, "_", is_metric) {
            let stem = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| word.strip_suffix(end))
                .unwrap_or(word);
            assert!(
                METRICS.iter().any(|metric| metric.name == stem || metric.name == word),
                "{page}: {word}"
            );
            named += 1;
        }
    }
    assert!(named > 20, "only {named}");
}

#[test]
fn every_flag_that_is_named_exists() {
    let mut root = pam_operator::cli::command();
    root.build();
    let flags: Vec<_> = root
        .get_subcommands()
        .flat_map(|command| command.get_arguments().filter_map(|flag| flag.get_long()))
        .collect();
    let mut named = 0;
    for (page, text) in pages() {
        // Inline code that begins with a flag is one of ours; those of other programs stand in commands.
        for flag in text
            .split("`--")
            .skip(1)
            .filter_map(|rest| rest.split(['`', ' ', '=']).next())
        {
            let others = ["wait", "all"].contains(&flag);
            assert!(others || flags.contains(&flag), "{page}: --{flag}");
            named += 1;
        }
    }
    assert!(named > 20, "only {named}");
}

#[test]
fn every_value_that_is_named_exists() {
    let values: Value =
        serde_saphyr::from_str(&read(&repository().join("charts/pam-operator/values.yaml"))).expect("valid YAML");
    let top: Vec<_> = values.as_object().expect("a map").keys().cloned().collect();
    let mut named = 0;
    for (page, text) in pages() {
        let set = text.split("--set ").skip(1).map(|rest| rest.trim_start_matches('\''));
        let set = set.filter_map(|rest| rest.split(['=', '[']).next());
        let inline = text.split('`').skip(1).step_by(2).filter(|code| {
            let (first, rest) = code.split_once('.').unwrap_or((code, ""));
            !rest.is_empty() && top.iter().any(|key| key == first)
        });
        let inline = inline.filter_map(|code| code.split([':', '=']).next());
        for path in set.chain(inline).filter(|path| !path.contains('/')) {
            let found = path.split('.').try_fold(&values, |values, key| values.get(key));
            assert!(found.is_some(), "{page}: {path}");
            named += 1;
        }
    }
    assert!(named > 20, "only {named}");
}
