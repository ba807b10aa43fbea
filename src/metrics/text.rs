//! The text format that Prometheus and every other scraper takes without being asked for it.
//!
//! The encoder writes OpenMetrics, where a counter is described without the `_total` of its samples. Here it is described as
//! it is named, and what only OpenMetrics has is left out, so that one format serves all: nothing of ours needs more.

/// The content type of the format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// From OpenMetrics without exemplars.
pub fn from_openmetrics(open: &str) -> String {
    let mut text = String::with_capacity(open.len() + open.len() / 16);
    let mut help = None;
    for line in open.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ').map(|(_, help)| help);
            continue;
        }
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' ')) {
            let suffix = if kind == "counter" { "_total" } else { "" };
            for (word, said) in [("HELP", help.take().unwrap_or_default()), ("TYPE", kind)] {
                text.extend(["# ", word, " ", name, suffix, " ", said, "\n"]);
            }
            continue;
        }
        if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_described_by_their_whole_name() {
        let open = "# HELP calls Calls of all kinds.\n# TYPE calls counter\ncalls_total{a=\"# b\"} 1\n\
                    # HELP now Now.\n# TYPE now gauge\nnow 2\n# EOF\n";
        assert_eq!(
            from_openmetrics(open),
            "# HELP calls_total Calls of all kinds.\n# TYPE calls_total counter\ncalls_total{a=\"# b\"} 1\n\
             # HELP now Now.\n# TYPE now gauge\nnow 2\n"
        );
    }
}
