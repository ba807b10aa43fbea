//! Links of a built book and of Markdown documents, and which of them lead nowhere.

use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
};

use super::{files, read};

/// The project's own repository; what follows must be in this one.
const REPOSITORY: &str = "https://github.com/pam-operator/pam-operator/blob/main/";

/// Where the book is published; what follows must be a page of it.
const SITE: &str = "https://pam-operator.dev/docs/";

/// The links of all pages of a built site whose target or fragment is not there, each with its page. What leads to other
/// sites is not looked at, but for the project's own addresses.
pub(super) fn dead_in_site(site: &Path, repository: &Path) -> Vec<String> {
    let mut pages = HashMap::new();
    for page in files(site, "html") {
        let text = read(&page);
        pages.insert(page, text);
    }
    let mut dead = Vec::new();
    // The page for what is not found has links from the root of the site, which tests do not have.
    for (page, text) in pages.iter().filter(|(page, _)| !page.ends_with("404.html")) {
        for link in attributes(text, &["href=\"", "src=\""]) {
            if !leads_somewhere(link, page, site, repository, &pages) {
                dead.push(format!("{}: {link}", page.strip_prefix(site).unwrap_or(page).display()));
            }
        }
    }
    dead.sort();
    dead
}

fn leads_somewhere(link: &str, page: &Path, site: &Path, repository: &Path, pages: &HashMap<PathBuf, String>) -> bool {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let target = if let Some(file) = path.strip_prefix(REPOSITORY) {
        return repository.join(file).exists();
    } else if let Some(rest) = path.strip_prefix(SITE) {
        site.join("docs").join(rest)
    } else if path.contains("://") || path.starts_with("mailto:") || path.starts_with("data:") {
        return true;
    } else if path.is_empty() {
        page.to_owned()
    } else {
        page.parent().unwrap_or(site).join(path)
    };
    let mut target = normal(&target);
    if target.is_dir() {
        target.push("index.html");
    }
    let named = |text: &String| text.contains(&format!("id=\"{fragment}\""));
    match pages.get(&target) {
        Some(text) => fragment.is_empty() || named(text),
        None => target.exists(),
    }
}

/// The relative links of a Markdown document whose file is not there.
pub(super) fn dead_in_document(document: &Path) -> Vec<String> {
    let text = read(document);
    let folder = document.parent().expect("a document lies in a folder");
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
    let dead = local.filter(|link| !folder.join(link.split('#').next().unwrap_or_default()).exists());
    dead.map(ToOwned::to_owned).collect()
}

/// The values of these attributes.
fn attributes<'a>(text: &'a str, starts: &'a [&str]) -> impl Iterator<Item = &'a str> {
    let values = move |start: &&'a str| text.split(*start).skip(1).filter_map(|rest| rest.split('"').next());
    starts.iter().flat_map(values)
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}
