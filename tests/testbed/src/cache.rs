//! What is built or fetched once, and kept in the target directory that all packages share.

use std::{
    env,
    fs::{self, File, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use crate::{Error, progress::Progress};

/// The directory of `kind` and `version` for these contents of the files that say what is to be there.
pub(crate) fn directory(kind: &str, version: &str, contents: impl Hash) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (contents, env::consts::OS, env::consts::ARCH).hash(&mut hasher);
    target_directory()
        .join(kind)
        .join(format!("{version}-{:016x}", hasher.finish()))
}

/// Cargo's target directory.
pub(crate) fn target_directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace.join("target"), |dir| workspace.join(dir))
}

/// Makes in `directory` what is not there yet. Several processes may come here at once (the demo, tests, a benchmark): one
/// makes it, the others wait for that.
pub(crate) fn once(
    directory: &Path,
    what: &str,
    is_there: impl Fn() -> bool,
    make: impl FnOnce() -> Result<(), Error>,
) -> Result<(), Error> {
    if is_there() {
        return Ok(());
    }
    let doing = || Error::io(format!("cannot use {}", directory.display()));
    fs::create_dir_all(directory).map_err(doing())?;
    let lock = File::create(directory.join("lock")).map_err(doing())?;
    wait_for_lock(&lock, what).map_err(doing())?;
    if is_there() { Ok(()) } else { make() }
}

/// The program of this name that the user's `PATH` finds.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
}

fn wait_for_lock(lock: &File, what: &str) -> std::io::Result<()> {
    let mut waiting = None;
    loop {
        match lock.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => waiting
                .get_or_insert_with(|| Progress::start(what))
                .show("waiting for another process that makes it"),
        }
        thread::sleep(Duration::from_secs(1));
    }
    if let Some(progress) = waiting {
        progress.finish("the other process is done");
    }
    Ok(())
}
