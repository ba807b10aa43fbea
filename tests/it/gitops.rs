//! What Argo CD, Flux and `kubectl apply` make of our objects: real objects in every state, judged by the scripts and
//! expressions that `gitops/` ships.
//!
//! [`states`] brings objects of the three kinds into every state; [`health`] asks Argo CD's script ([`argo`]), Flux's
//! expressions ([`flux`]) and kstatus ([`kstatus`]) about each, and records them ([`record`]) in `gitops/argocd/`;
//! [`actions`] runs Argo CD's actions; [`apply`] applies manifests again and again; [`files`] keeps files and pages true;
//! [`live`] reads objects from the API server.

mod actions;
mod apply;
mod argo;
mod files;
mod flux;
mod health;
mod kstatus;
mod live;
mod record;
mod states;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A path in the repository.
fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// A file of the repository as text.
fn read(relative: &str) -> String {
    fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// The documents of a YAML file of the repository.
fn documents(relative: &str) -> Vec<Value> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&read(relative)).unwrap_or_else(|error| panic!("{relative} is no YAML: {error}"));
    documents.into_iter().filter(|document| !document.is_null()).collect()
}

/// Writes a generated file anew where it is not as it should be, and returns its name then.
fn renew(relative: &str, content: &str) -> Option<String> {
    if fs::read_to_string(path(relative)).ok().as_deref() == Some(content) {
        return None;
    }
    let file = path(relative);
    fs::create_dir_all(file.parent().expect("a file is in a folder")).expect("the folder can be created");
    fs::write(&file, content).expect("the file can be written");
    Some(relative.to_owned())
}

/// Fails when files had to be written anew.
fn assert_fresh(stale: &[String]) {
    assert!(
        stale.is_empty(),
        "written anew, review and commit: {}",
        stale.join(", ")
    );
}
