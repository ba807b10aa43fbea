//! What others check such files with finds nothing: rendered objects, manifests, scripts, the image's recipe, workflows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use testbed::tools;

use crate::chart;

/// Versions of Kubernetes whose schemas the rendered objects must match.
const VERSIONS: [&str; 5] = ["1.33", "1.34", "1.35", "1.36", "1.37"];

/// Checks that the defaults do not pass, each for a reason that the documentation gives:
/// a limit of CPU makes a leader lose its lease; digest and pull policy are the installer's to choose once an image is
/// verified; a policy for the network cannot be right without the address of the PAM.
const LEFT_TO_THE_INSTALLER: &str = "CKV_K8S_11,CKV_K8S_43,CKV_K8S_15,CKV2_K8S_6";

/// With the hardened values only the limit of CPU is missing.
const HARDENED: &str = "CKV_K8S_11";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files of the repository that match these patterns, in git's words.
fn files(patterns: &[&str]) -> Vec<PathBuf> {
    let mut command = Command::new("git");
    command
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "--"])
        .args(patterns);
    let output = tools::run(command.current_dir(root())).expect("the tests run in a clone");
    let names = String::from_utf8(output.stdout).expect("UTF-8");
    let files: Vec<_> = names
        .lines()
        .map(|name| root().join(name))
        .filter(|file| file.exists())
        .collect();
    assert!(!files.is_empty(), "{patterns:?}");
    files
}

/// Runs one of the Python checkers; what it finds fails the test.
fn check(program: &str, flags: &[&str], files: &[PathBuf]) -> String {
    run(&tools::python(program).expect("the checker"), flags, files)
}

fn run(program: &Path, flags: &[&str], files: &[PathBuf]) -> String {
    let mut command = Command::new(program);
    command.args(flags).args(files).current_dir(root());
    let output = tools::run(&mut command).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn rendered_objects_match_the_schemas_of_all_supported_versions() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut rendered = Vec::new();
    for values in chart::features() {
        let mut objects = chart::objects(&chart::render(&values));
        // Kinds of the Prometheus operator and our own are in no schema of Kubernetes.
        let is_foreign =
            |version: &str| version.starts_with("monitoring.coreos.com/") || version.starts_with("pam-operator.dev/");
        objects.retain(|object| !is_foreign(object["apiVersion"].as_str().expect("a version")));
        let file = folder.path().join(values.file_name().expect("a name"));
        let texts = objects
            .iter()
            .map(|object| serde_json::to_string(object).expect("JSON"));
        fs::write(&file, texts.collect::<Vec<_>>().join("\n---\n")).expect("written");
        rendered.push(file);
    }
    for version in VERSIONS {
        let printed = check("kubernetes-validate", &["-k", version, "--strict"], &rendered);
        let passed = printed.lines().filter(|line| line.contains("passed")).count();
        assert!(passed > 10 * rendered.len(), "{version}: {printed}");
    }
}

#[test]
fn checkov_finds_nothing_but_what_is_documented() {
    let hardened = chart::folder().join("values.hardened.yaml");
    for (name, values, skipped) in [
        (
            "defaults",
            chart::folder().join("ci/defaults.yaml"),
            LEFT_TO_THE_INSTALLER,
        ),
        ("hardened", hardened, HARDENED),
    ] {
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join(format!("{name}.yaml"));
        fs::write(&file, chart::render(&values)).expect("written");
        let flags = [
            "--framework",
            "kubernetes",
            "--output",
            "json",
            "--quiet",
            "--skip-check",
            skipped,
            "--file",
        ];
        let report: Value = serde_json::from_str(&check("checkov", &flags, &[file])).expect("JSON");
        assert_eq!(report["summary"]["failed"], 0, "{name}: {report:#}");
        assert!(
            report["summary"]["passed"].as_u64().is_some_and(|passed| passed > 150),
            "{name}: {report:#}"
        );
    }
}

#[test]
fn yaml_is_tidy() {
    // Templates are no YAML before they are rendered; definitions and recorded objects are printed by programs.
    let printed = [
        ":!charts/*/templates/*",
        ":!*crds/*",
        ":!*testdata/*",
        ":!*health_test.yaml",
    ];
    check(
        "yamllint",
        &["--strict"],
        &files(&[&["*.yaml", "*.yml"][..], &printed].concat()),
    );
}

#[test]
fn scripts_pass_shellcheck() {
    let scripts = files(&[".ci/*", "tests/node", "*.sh"]).into_iter().filter(|file| {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.starts_with("#!/usr/bin/env bash") || file.extension().is_some_and(|end| end == "sh")
    });
    check("shellcheck", &["--external-sources"], &scripts.collect::<Vec<_>>());
}

#[test]
fn the_images_recipe_passes_hadolint() {
    check("hadolint", &[], &files(&["Dockerfile"]));
}

#[test]
fn workflows_pass_actionlint_and_zizmor() {
    let workflows = files(&[".github/workflows/*.yml", ".github/workflows/*.yaml"]);
    // Without the path of shellcheck actionlint would take whichever the machine has.
    let shellcheck = tools::python("shellcheck").expect("the checker").display().to_string();
    let actionlint = tools::actionlint().expect("the checker");
    run(&actionlint, &["-shellcheck", &shellcheck, "-pyflakes", ""], &workflows);
    check(
        "zizmor",
        &["--offline", "--no-progress", "--persona=pedantic"],
        &workflows,
    );
}
