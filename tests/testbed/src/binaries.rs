//! Where kube-apiserver and etcd come from: given, installed, built before, or built now.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    Error,
    cache::{self, on_path},
    go,
};

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

    fn cached_or_built() -> Result<Self, Error> {
        let cache = cache::directory("controlplane", &version(), (GO_MOD, GO_SUM));
        let build = || go::build_control_plane(&module_directory(), &version(), &cache);
        cache::once(&cache, "control plane", || Self::in_directory(&cache).is_some(), build)?;
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
