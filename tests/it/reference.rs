//! The generated pages of the book. Each is rendered from what the program is made of (the definitions, the enum of reasons,
//! the command line, the metrics, the chart's values) and compared with the file in `docs/src/reference/`. A stale page is
//! written anew, and its test fails once so that somebody looks at what changed.

mod commands;
mod events;
mod kinds;
mod markdown;
mod metrics;
mod reasons;
mod values;

use std::{fs, path::Path};

/// First line of every generated page.
const NOTICE: &str = "<!-- Generated: `cargo test --test it -- reference::` writes this page. -->\n\n";

/// Every page, with the name of its file.
fn pages() -> Vec<(String, String)> {
    let own = [
        ("reasons.md", reasons::page()),
        ("events.md", events::page()),
        ("metrics.md", metrics::page()),
        ("commands.md", commands::page()),
        ("values.md", values::page()),
    ];
    let own = own.map(|(name, content)| (name.to_owned(), content));
    kinds::pages().into_iter().chain(own).collect()
}

#[test]
fn every_page_is_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/reference");
    let mut stale = Vec::new();
    for (name, content) in pages() {
        let file = folder.join(&name);
        let content = format!("{NOTICE}{}\n", content.trim_end());
        if fs::read_to_string(&file).is_ok_and(|old| old == content) {
            continue;
        }
        fs::create_dir_all(&folder).expect("the folder can be created");
        fs::write(&file, content).expect("a page can be written");
        stale.push(name);
    }
    assert!(
        stale.is_empty(),
        "written anew, review and commit: {}",
        stale.join(", ")
    );
}
