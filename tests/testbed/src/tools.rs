//! Programs that check, install or run what is no Rust: the chart, the image, rules, scripts and workflows. Each comes from
//! an ordinary package registry, once, into the target directory, and says so meanwhile. One that is on `PATH` is not used
//! where its version matters.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use crate::{
    Error,
    cache::{self, on_path},
    go,
    progress::Progress,
};

/// The Go module of helm and actionlint.
const GO_MOD: &str = include_str!("../../tools/go.mod");
const GO_SUM: &str = include_str!("../../tools/go.sum");

/// The Python packages of the checkers.
const REQUIREMENTS: &str = include_str!("../../tools/requirements.txt");

/// Helm, in the version that `tests/tools/go.mod` pins, which it knows as its own: charts may ask for it.
pub fn helm() -> Result<PathBuf, Error> {
    let version = ("helm.sh/helm/v4/internal/version.version", pinned("helm.sh/helm/v4"));
    go_program(("helm", "helm.sh/helm/v4/cmd/helm"), &[version])
}

/// Actionlint, in the version that `tests/tools/go.mod` pins.
pub fn actionlint() -> Result<PathBuf, Error> {
    go_program(("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"), &[])
}

/// A program of the Go module `tests/tools`.
fn go_program(program: (&str, &str), variables: &[(&str, String)]) -> Result<PathBuf, Error> {
    let cache = cache::directory("tools", "go", (GO_MOD, GO_SUM)).join(program.0);
    let file = cache.join(program.0);
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools");
    let build = || go::build(&module, &cache, program, variables);
    cache::once(&cache, program.0, || file.is_file(), build)?;
    Ok(file)
}

/// The version of a Go module that `tests/tools/go.mod` pins.
fn pinned(module: &str) -> String {
    let mut words = GO_MOD.lines().map(str::split_whitespace);
    words
        .find_map(|mut line| (line.next() == Some(module)).then(|| line.next()).flatten())
        .expect("go.mod requires it")
        .to_owned()
}

/// A program of one of the Python packages that `tests/tools/requirements.txt` pins, such as `checkov` or `yamllint`;
/// also `python` itself, for scripts that use one of them.
pub fn python(program: &str) -> Result<PathBuf, Error> {
    let cache = cache::directory("tools", "python", REQUIREMENTS);
    let (environment, finished) = (cache.join("venv"), cache.join("finished"));
    cache::once(
        &cache,
        "Python packages",
        || finished.is_file(),
        || {
            // What an interrupted attempt left.
            let _ = fs::remove_dir_all(&environment);
            let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/requirements.txt");
            fetch(
                "making an environment for Python packages",
                Command::new("python3").args(["-m", "venv"]).arg(&environment),
            )?;
            let mut pip = Command::new(environment.join("bin/pip"));
            pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"])
                .arg(requirements);
            fetch(
                "installing the Python packages of tests/tools/requirements.txt (once)",
                &mut pip,
            )?;
            fs::write(&finished, "").map_err(Error::io("cannot finish the Python packages"))
        },
    )?;
    Ok(environment.join("bin").join(program))
}

/// A program of a Debian package, which is unpacked but not installed: for programs that need no other, such as promtool,
/// whose package would start a server.
pub fn unpacked(program: &str, package: &str) -> Result<PathBuf, Error> {
    if let Some(found) = on_path(program) {
        return Ok(found);
    }
    let cache = cache::directory("tools", package, package);
    let file = cache.join("root/usr/bin").join(program);
    cache::once(
        &cache,
        package,
        || file.is_file(),
        || {
            update()?;
            let mut download = Command::new("apt-get");
            download.args(["download", "-q", package]).current_dir(&cache);
            fetch(
                &format!("downloading the Debian package {package} (once)"),
                &mut download,
            )?;
            let archive = the_archive(&cache)?;
            fetch(
                "unpacking it",
                Command::new("dpkg-deb").arg("-x").arg(archive).arg(cache.join("root")),
            )
        },
    )?;
    Ok(file)
}

/// A program on `PATH`, for which the Debian package is installed when it is missing; that needs root.
pub fn installed(program: &str, package: &str) -> Result<PathBuf, Error> {
    if on_path(program).is_none() {
        let cache = cache::directory("tools", package, package);
        cache::once(
            &cache,
            package,
            || on_path(program).is_some(),
            || {
                update()?;
                let mut install = Command::new("apt-get");
                install.args(["install", "-y", "-q", "--no-install-recommends", package]);
                install.env("DEBIAN_FRONTEND", "noninteractive");
                fetch(&format!("installing the Debian package {package}"), &mut install)
            },
        )?;
    }
    on_path(program).ok_or_else(|| Error::Binaries(format!("{package} has no program {program} on PATH")))
}

/// Runs a program to its end, and fails with what it printed unless it exited with 0.
pub fn run(command: &mut Command) -> Result<Output, Error> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(Error::io(format!("cannot run {name}")))?;
    if output.status.success() {
        return Ok(output);
    }
    let arguments: Vec<_> = command.get_args().map(|argument| argument.to_string_lossy()).collect();
    Err(Error::Binaries(format!(
        "{name} {} ended with {}\n{}{}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// The lists of packages, without which apt knows none on a fresh machine.
fn update() -> Result<(), Error> {
    fetch(
        "reading the lists of Debian packages",
        Command::new("apt-get").args(["update", "-q"]),
    )
}

fn fetch(what: &str, command: &mut Command) -> Result<(), Error> {
    let mut progress = Progress::start(what);
    let running = thread::scope(|scope| {
        let job = scope.spawn(|| run(command));
        while !job.is_finished() {
            progress.show("…");
            thread::sleep(Duration::from_millis(200));
        }
        job.join().expect("running a program does not panic")
    });
    progress.finish(if running.is_ok() { "done" } else { "failed" });
    running.map(|_| ())
}

fn the_archive(directory: &Path) -> Result<PathBuf, Error> {
    let mut entries = fs::read_dir(directory).map_err(Error::io(format!("cannot read {}", directory.display())))?;
    entries
        .find_map(|entry| {
            entry
                .ok()
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|end| end == "deb"))
        })
        .ok_or_else(|| Error::Binaries(format!("apt-get left no package in {}", directory.display())))
}
