//! The chart: what it renders, what it refuses, and what it installs on a real API server.

mod installed;
mod objects;
mod roles;
mod tour;
mod upgrade;
mod values;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use testbed::{Error, tools};

/// The release in every test, and its namespace.
const RELEASE: &str = "pam-operator";

/// The chart's folder.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/pam-operator")
}

/// The values files that each switch on one feature, in the order of their names.
pub fn features() -> Vec<PathBuf> {
    let mut files = testbed::manifest::yaml_files(&folder().join("ci")).expect("one file for each feature");
    files.push(folder().join("values.hardened.yaml"));
    files
}

/// What the chart renders for a file of values.
pub fn render(values: &Path) -> String {
    template(&["--values", &values.display().to_string()]).expect("the chart renders")
}

/// The objects that the chart renders with these flags of helm.
pub fn rendered(flags: &[&str]) -> Vec<Value> {
    objects(&template(flags).expect("the chart renders"))
}

/// The objects of a YAML stream.
pub fn objects(text: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).expect("valid YAML");
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// Those of a kind.
pub fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// The one of a kind and name.
pub fn one<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = of_kind(objects, kind)
        .into_iter()
        .find(|object| object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// `helm template`, or why helm refuses.
pub fn template(flags: &[&str]) -> Result<String, Error> {
    let chart = folder().display().to_string();
    helm(
        &[&["template", RELEASE, &chart, "--namespace", RELEASE], flags].concat(),
        None,
    )
}

/// Runs helm as the administrator of `kubeconfig`, or without a cluster, and returns what it prints.
pub fn helm(arguments: &[&str], kubeconfig: Option<&Path>) -> Result<String, Error> {
    // Helm looks for its own settings, of which there shall be none.
    let home = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(tools::helm()?);
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin");
    if let Some(kubeconfig) = kubeconfig {
        command.env("KUBECONFIG", kubeconfig);
    }
    let output = tools::run(&mut command)?;
    Ok(String::from_utf8(output.stdout).expect("helm prints UTF-8"))
}
