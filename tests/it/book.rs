//! The book in `docs/` and its Portuguese beginning: both build without a warning, every page is reachable, no link leads
//! nowhere, what they name of the program and the chart exists, and every manifest that they show is a file that a test
//! applies.

mod commands;
mod links;
mod names;
mod quickstart;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use mdbook_driver::MDBook;
use tracing::Level;

/// The books, each with its own `book.toml`.
const BOOKS: [&str; 2] = ["docs", "docs/pt-BR"];

/// Folders whose files tests apply: here `examples::`, those of the chart, and those of Argo CD and Flux.
const TESTED: [&str; 3] = ["examples/", "charts/", "gitops/"];

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with this extension.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("readable").path()) {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What is written to it, for whoever holds a clone.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no writer panics").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Builds a book into `into`, and returns what was warned of.
fn build(book: &str, into: &Path) -> String {
    let said = Said::default();
    let writer = said.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let mut book = MDBook::load(repository().join(book)).expect("a book");
        book.config.build.build_dir = into.into();
        book.build().expect("it builds");
    });
    let said = said.0.lock().expect("no writer panics");
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn they_build_without_warnings_and_no_link_leads_nowhere() {
    let site = tempfile::tempdir().expect("a temporary folder");
    for (book, folder) in BOOKS.into_iter().zip(["docs", "docs/pt-BR"]) {
        let warnings = build(book, &site.path().join(folder));
        assert_eq!(warnings, "", "{book}");
    }
    let dead = links::dead_in_site(site.path(), &repository());
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn a_warning_would_be_seen() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("writable");
    fs::create_dir(folder.path().join("src")).expect("writable");
    write("book.toml", "[book]\ntitle = \"x\"\n");
    write("src/SUMMARY.md", "# Summary\n\n* [x](x.md)\n");
    write("src/x.md", "{{#include nothing.yaml}}\n\n[gone](gone.md)\n");
    let book = folder.path().to_str().expect("a path in UTF-8");
    let site = folder.path().join("docs");
    let warnings = build(book, &site);
    assert!(warnings.contains("nothing.yaml"), "{warnings}");
    let dead = links::dead_in_site(&site, folder.path());
    assert!(dead.iter().any(|link| link.contains("gone.html")), "{dead:?}");
}

#[test]
fn every_page_is_in_the_summary() {
    for book in BOOKS {
        let source = repository().join(book).join("src");
        let summary = read(&source.join("SUMMARY.md"));
        for page in files(&source, "md") {
            let name = page
                .strip_prefix(&source)
                .expect("a page of the book")
                .display()
                .to_string();
            assert!(
                name == "SUMMARY.md" || summary.contains(&format!("({name})")),
                "{book}: {name} is not in SUMMARY.md"
            );
        }
    }
}

#[test]
fn no_link_of_the_other_documents_leads_nowhere() {
    for document in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] {
        let dead = links::dead_in_document(&repository().join(document));
        assert!(dead.is_empty(), "{document}: {}", dead.join("\n"));
    }
}

#[test]
fn every_manifest_that_is_shown_is_a_file_that_another_test_reads_or_applies() {
    let pages = files(&repository().join("docs"), "md");
    let mut shown = 0;
    for page in pages.into_iter().chain([repository().join("README.md")]) {
        for block in fenced(&read(&page), "yaml") {
            let include = block
                .strip_prefix("{{#include ")
                .and_then(|rest| rest.strip_suffix("}}"))
                .unwrap_or_else(|| panic!("{}: not a file of the repository:\n{block}", page.display()));
            let file = page.parent().expect("in a folder").join(include);
            let file = file
                .canonicalize()
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            let file = file
                .strip_prefix(repository())
                .expect("in the repository")
                .display()
                .to_string();
            assert!(
                TESTED.iter().any(|folder| file.starts_with(folder)),
                "{}: no test applies {file}",
                page.display()
            );
            shown += 1;
        }
    }
    assert!(shown > 5, "only {shown} manifests are shown");
}

/// The fenced blocks of a language, without their fences.
fn fenced<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks
        .filter_map(|block| {
            let (info, content) = block.split_once('\n')?;
            (info.split([',', ' ']).next() == Some(language)).then_some(content.trim_end())
        })
        .collect()
}

#[test]
fn fenced_blocks_are_found() {
    let text = "a\n```yaml\nx: 1\n```\nb\n```console\n$ ls\n```\n```yaml,ignore\ny: 2\n```\n";
    assert_eq!(fenced(text, "yaml"), ["x: 1", "y: 2"]);
}
