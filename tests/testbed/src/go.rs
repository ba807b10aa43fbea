//! Builds programs from Go modules of the project, and shows how far it is.

use std::{
    collections::VecDeque,
    fs,
    io::{self, BufRead, BufReader},
    iter,
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use crate::{Error, progress::Progress};

const ETCD: (&str, &str) = ("etcd", "go.etcd.io/etcd/server/v3");
const KUBE_APISERVER: (&str, &str) = ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver");

/// How many of the last lines of a failed build an error shows.
const ERROR_LINES: usize = 20;

/// Builds kube-apiserver and etcd from the Go module in `module` into the directory `into`. `version` is the Kubernetes
/// version: clients parse the server's, so it has to be a real one; the rest is fixed to make builds repeatable.
pub(crate) fn build_control_plane(module: &Path, version: &str, into: &Path) -> Result<(), Error> {
    let variables = kubernetes_variables(version);
    build(module, into, ETCD, &variables)?;
    build(module, into, KUBE_APISERVER, &variables)
}

fn require_go() -> Result<(), Error> {
    match Command::new("go").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Error::Binaries(
            "the demo and the tests run on a real kube-apiserver and etcd, and the tests of the chart with helm; these are \
             built once into target/, for which there is no working `go` command: install Go 1.26 or later \
             (https://go.dev/dl); for the first two it is enough to set KUBEBUILDER_ASSETS to a directory that holds them"
                .to_owned(),
        )),
    }
}

/// Builds a program, with values set into variables of its packages, under another name first, so that an interrupted
/// build leaves nothing that looks finished.
pub(crate) fn build(
    module: &Path,
    into: &Path,
    (program, package): (&str, &str),
    variables: &[(&str, String)],
) -> Result<(), Error> {
    require_go()?;
    let unfinished = into.join(format!("{program}.unfinished"));
    let mut progress = Progress::start(format!("building {program} (once)"));
    // One dot a package: the most that go can compile. This also downloads the modules.
    let packages = run(go(module).args(["list", "-deps", "-f", ".", package]), 0, &mut progress)?
        .lines()
        .count();
    let mut build = go(module);
    build.args([
        "build",
        "-v",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        &ldflags(variables),
        "-o",
    ]);
    run(build.arg(&unfinished).arg(package), packages, &mut progress)?;
    let finished = into.join(program);
    fs::rename(&unfinished, &finished).map_err(Error::io(format!("cannot write {}", finished.display())))?;
    progress.finish("done");
    Ok(())
}

/// Runs a `go` command, shows its standard error as progress and returns its standard output, which has to be small.
fn run(command: &mut Command, packages: usize, progress: &mut Progress) -> Result<String, Error> {
    let doing = || Error::io("cannot run go");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(doing())?;
    let stderr = child.stderr.take().expect("standard error is piped");
    let last_lines = follow(&read_lines(stderr), packages, progress);
    let output = child.wait_with_output().map_err(doing())?;
    if !output.status.success() {
        let text = Vec::from(last_lines).join("\n");
        return Err(Error::Binaries(format!(
            "cannot build: go ended with {}; the first build needs the Go module proxy\n{text}",
            output.status
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A `go` command in the module that neither a workspace of the developer nor a missing C compiler can disturb.
fn go(module: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(module)
        .stdin(Stdio::null())
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0");
    command
}

fn kubernetes_variables(version: &str) -> Vec<(&'static str, String)> {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let values = [
        ("k8s.io/component-base/version.gitVersion", version),
        ("k8s.io/component-base/version.gitMajor", major),
        ("k8s.io/component-base/version.gitMinor", minor),
        ("k8s.io/component-base/version.gitCommit", "unknown"),
        ("k8s.io/component-base/version.gitTreeState", "clean"),
        ("k8s.io/component-base/version.buildDate", "1970-01-01T00:00:00Z"),
    ];
    values.map(|(name, value)| (name, value.to_owned())).to_vec()
}

fn ldflags(variables: &[(&str, String)]) -> String {
    let values = variables.iter().map(|(name, value)| format!(" -X {name}={value}"));
    iter::once("-s -w".to_owned()).chain(values).collect()
}

fn read_lines(stderr: impl io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// Shows each package that go compiles (`go build -v` prints one a line) until go closes its output; returns its last lines.
fn follow(lines: &Receiver<String>, packages: usize, progress: &mut Progress) -> VecDeque<String> {
    let mut step = "preparing".to_owned();
    let mut compiled = 0;
    let mut last_lines = VecDeque::new();
    loop {
        match lines.recv_timeout(Duration::from_secs(1)) {
            Ok(line) => {
                if line.starts_with("go: ") {
                    step.clone_from(&line);
                } else {
                    compiled += 1;
                    step = format!("{compiled} of at most {packages} packages, {line}");
                }
                last_lines.push_back(line);
                if last_lines.len() > ERROR_LINES {
                    last_lines.pop_front();
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return last_lines,
        }
        progress.show(&step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_given_as_clients_parse_it() {
        let flags = ldflags(&kubernetes_variables("v1.36.3"));
        assert!(
            flags.starts_with("-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 "),
            "{flags}"
        );
        assert!(
            flags.contains(".gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 "),
            "{flags}"
        );
    }
}
