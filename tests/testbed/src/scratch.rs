//! A temporary directory and the processes that live in it, which do not outlive this process.
//!
//! Nobody can clean up after itself once it was killed, a test's `static` is never dropped, and Linux' "signal on the
//! parent's death" follows the thread that forked, which in a test runner ends with its test. So a small shell waits at
//! the end of a pipe whose other end only this process holds. However this process ends, the pipe closes with it, and the
//! shell kills the processes and removes the directory.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

use crate::Error;

/// Each line read is the whole list of processes to kill; the last one counts. Removing is repeated while a process that
/// is being killed still writes.
const GUARD: &str = r#"
pids=
while read -r line; do pids=$line; done
[ -z "$pids" ] || kill -KILL $pids
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$1" && exit
    sleep 0.2
done
"#;

/// A temporary directory with its processes. Dropping it kills them and removes it.
pub(crate) struct Scratch {
    path: PathBuf,
    children: Vec<Child>,
    guard: Child,
    pipe: Option<ChildStdin>,
}

impl Scratch {
    /// Makes the directory and starts its guard.
    pub(crate) fn new() -> Result<Self, Error> {
        let directory = tempfile::Builder::new()
            .prefix("pam-operator-testbed-")
            .tempdir()
            .map_err(Error::io("cannot make a temporary directory"))?;
        // A process group of its own, so that Ctrl-C in the terminal does not reach the guard.
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "testbed-guard"])
            .arg(directory.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Error::io("cannot start sh, which cleans up after the testbed"))?;
        let pipe = guard.stdin.take();
        Ok(Self {
            path: directory.keep(),
            children: Vec::new(),
            guard,
            pipe,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the directory and returns its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        std::fs::write(&path, text).map_err(Error::io(format!("cannot write {}", path.display())))?;
        Ok(path)
    }

    /// Starts a process in the directory, with standard output and standard error in the file `log` there, and returns its
    /// process id.
    pub(crate) fn spawn(&mut self, command: &mut Command, log: &str) -> Result<u32, Error> {
        let path = self.path.join(log);
        let doing = || Error::io(format!("cannot write {}", path.display()));
        let output = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(doing())?;
        let errors = output.try_clone().map_err(doing())?;
        let child = command
            .current_dir(&self.path)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(Error::io(format!("cannot start {}", command.get_program().display())))?;
        let pid = child.id();
        self.children.push(child);
        self.tell_guard()?;
        Ok(pid)
    }

    /// How a process that was started here ended, if it has.
    pub(crate) fn exit_of(&mut self, pid: u32) -> Result<Option<ExitStatus>, Error> {
        let child = self
            .children
            .iter_mut()
            .find(|child| child.id() == pid)
            .expect("the process was started here");
        let status = child.try_wait().map_err(Error::io("cannot look after a process"))?;
        if status.is_some() {
            // The number may be given to another process from now on, so the guard has to forget it.
            self.tell_guard()?;
        }
        Ok(status)
    }

    /// The end of a log in the directory, for an error message.
    pub(crate) fn tail(&self, log: &str) -> String {
        let text = std::fs::read(self.path.join(log)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn tell_guard(&mut self) -> Result<(), Error> {
        let running = self.children.iter_mut().filter_map(|child| match child.try_wait() {
            Ok(None) => Some(child.id().to_string()),
            _ => None,
        });
        let pids = running.collect::<Vec<_>>().join(" ");
        let pipe = self.pipe.as_mut().expect("the pipe is closed only by drop");
        writeln!(pipe, "{pids}").map_err(Error::io("the guard of the testbed is gone"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.pipe = None;
        let _ = self.guard.wait();
        for child in &mut self.children {
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dropping closes the pipe, which is all that the system does when this process is killed.
    #[test]
    fn processes_and_files_go_with_the_pipe() {
        let mut scratch = Scratch::new().expect("a scratch directory");
        let path = scratch.path().to_owned();
        let pid = scratch
            .spawn(Command::new("sleep").arg("600"), "log")
            .expect("a process");
        assert_eq!(scratch.exit_of(pid).expect("a child"), None);
        assert!(path.join("log").exists());
        scratch.pipe = None;
        assert!(scratch.guard.wait().expect("a child").success());
        assert!(!path.exists());
        assert!(!scratch.children[0].wait().expect("a child").success(), "it was killed");
    }

    #[test]
    fn an_early_end_is_seen_with_the_end_of_the_log() {
        let mut scratch = Scratch::new().expect("a scratch directory");
        let pid = scratch
            .spawn(Command::new("sh").args(["-c", "echo why; exit 3"]), "log")
            .expect("a process");
        let status = loop {
            if let Some(status) = scratch.exit_of(pid).expect("a child") {
                break status;
            }
            std::thread::yield_now();
        };
        assert_eq!((status.code(), scratch.tail("log").as_str()), (Some(3), "why"));
    }
}
