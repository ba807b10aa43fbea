//! Where kube-apiserver and etcd come from: given, installed, built before, or built now.

use std::{
    env,
    fs::{self, File, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{Error, go, progress::Progress};

/// The Go module that pins the versions of both programs.
const GO_MOD: &str = include_str!("../../controlplane/go.mod");
const GO_SUM: &str = include_str!("../../controlplane/go.sum");

/// The programs of a control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// Path of the program `kube-apiserver`.
    pub kube_apiserver: PathBuf,
    /// Path of the program `etcd`.
    pub etcd: PathBuf,
}

impl Binaries {
    /// Finds the programs in `KUBEBUILDER_ASSETS`, else on `PATH`, else in the cache under `target/`, else builds them with Go
    /// into that cache. The first time this takes some minutes, and shows it on standard error.
    pub fn find() -> Result<Self, Error> {
        if let Some(assets) = env::var_os("KUBEBUILDER_ASSETS") {
            let assets = PathBuf::from(assets);
            return Self::in_directory(&assets).ok_or_else(|| {
                Error::Binaries(format!(
                    "KUBEBUILDER_ASSETS is {}, but kube-apiserver and etcd are not both there",
                    assets.display()
                ))
            });
        }
        if let (Some(kube_apiserver), Some(etcd)) = (on_path("kube-apiserver"), on_path("etcd")) {
            return Ok(Self { kube_apiserver, etcd });
        }
        Self::cached_or_built()
    }

    fn in_directory(directory: &Path) -> Option<Self> {
        let binaries = Self {
            kube_apiserver: directory.join("kube-apiserver"),
            etcd: directory.join("etcd"),
        };
        (binaries.kube_apiserver.is_file() && binaries.etcd.is_file()).then_some(binaries)
    }

    /// Several processes may come here at once (the demo, tests, a benchmark): one builds, the others wait for it.
    fn cached_or_built() -> Result<Self, Error> {
        let cache = cache_directory();
        if let Some(binaries) = Self::in_directory(&cache) {
            return Ok(binaries);
        }
        let doing = || Error::io(format!("cannot use {}", cache.display()));
        fs::create_dir_all(&cache).map_err(doing())?;
        let lock = File::create(cache.join("lock")).map_err(doing())?;
        wait_for_lock(&lock).map_err(doing())?;
        if Self::in_directory(&cache).is_none() {
            go::build(&module_directory(), &version(), &cache)?;
        }
        Self::in_directory(&cache)
            .ok_or_else(|| Error::Binaries(format!("go build left no binaries in {}", cache.display())))
    }
}

/// The Kubernetes version that the Go module pins, such as `v1.36.3`.
#[must_use]
pub fn version() -> String {
    GO_MOD
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "))
        .and_then(|rest| rest.split_whitespace().next())
        .expect("go.mod requires k8s.io/kubernetes")
        .to_owned()
}

fn module_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../controlplane")
}

/// One directory for each content of the Go module, in the target directory that all packages share.
fn cache_directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), |dir| workspace.join(dir));
    let mut hasher = DefaultHasher::new();
    (GO_MOD, GO_SUM, env::consts::OS, env::consts::ARCH).hash(&mut hasher);
    target
        .join("controlplane")
        .join(format!("{}-{:016x}", version(), hasher.finish()))
}

fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

fn wait_for_lock(lock: &File) -> std::io::Result<()> {
    let mut waiting = None;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => waiting
                .get_or_insert_with(|| Progress::start("control plane"))
                .show("waiting for another process that builds it"),
        }
        thread::sleep(Duration::from_secs(1));
    }
    if let Some(progress) = waiting {
        progress.finish("the other process is done");
    }
    Ok(())
}
