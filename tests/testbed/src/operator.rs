//! The operator under test: the real program as a process of its own, so that it can be killed and measured.

use std::{
    env,
    ffi::OsString,
    fs, iter,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Command, ExitCode, ExitStatus},
    time::{Duration, Instant},
};

use kube::{Client, Config};
use rustix::process::{Pid, Signal, kill_process};

use crate::{Error, Usage, ports::free_port, scratch::Scratch};

const LOG: &str = "operator.log";

/// The first argument by which a program of the testbed is the operator.
const AS_OPERATOR: &str = "operator";

/// How every secret of the tests begins.
const CANARY: &str = "canary-";

/// How long the operator may take until it is ready.
const READY_DEADLINE: Duration = Duration::from_secs(30);

/// How long the operator may take to end after SIGTERM.
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// How the operator is started.
pub struct OperatorConfig {
    /// The program: the binary `pam-operator`, or one that runs the same when given the same arguments.
    pub program: PathBuf,
    /// Its arguments, `run` included and without `--listen`.
    pub args: Vec<OsString>,
    /// Its environment beside `KUBECONFIG`; nothing is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// The kubeconfig, as from [`crate::ControlPlane::kubeconfig_for`].
    pub kubeconfig: String,
}

impl OperatorConfig {
    /// The operator as part of the running program, which has to be a [`program`]. `flags` are those of
    /// `pam-operator run`.
    pub fn of_this_program(kubeconfig: String, flags: &[&str]) -> Result<Self, Error> {
        let program = env::current_exe().map_err(Error::io("cannot find the running program"))?;
        let args = [AS_OPERATOR, "run"].iter().chain(flags).map(OsString::from).collect();
        Ok(Self {
            program,
            args,
            env: Vec::new(),
            kubeconfig,
        })
    }
}

/// The whole of a program that starts the operator as part of itself: the operator, where it was started as such; else
/// `work`, whose error it tells.
pub fn program(work: impl AsyncFnOnce() -> Result<(), Error>) -> ExitCode {
    let mut args = env::args_os().skip(1);
    if args.next().is_some_and(|first| first == AS_OPERATOR) {
        return pam_operator::cli::main(iter::once("pam-operator".into()).chain(args));
    }
    let runtime = tokio::runtime::Runtime::new().expect("the system lets a process have threads");
    match runtime.block_on(work()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A running operator. Dropping it kills it, and so does the end of this process.
pub struct Operator {
    scratch: Scratch,
    pid: u32,
    url: String,
}

impl Operator {
    /// Starts the operator and waits until its `/readyz` answers.
    pub async fn start(config: &OperatorConfig) -> Result<Self, Error> {
        let mut operator = Self::spawn(config)?;
        operator.ready().await?;
        Ok(operator)
    }

    /// Starts the operator and does not wait for it.
    pub fn spawn(config: &OperatorConfig) -> Result<Self, Error> {
        let mut scratch = Scratch::new()?;
        let kubeconfig = scratch.write("kubeconfig", &config.kubeconfig)?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = Command::new(&config.program);
        command
            .args(&config.args)
            .args(["--listen", &address])
            .env_clear()
            .env("KUBECONFIG", kubeconfig)
            .envs(config.env.iter().map(|(name, value)| (name, value)));
        let pid = scratch.spawn(&mut command, LOG)?;
        Ok(Self {
            scratch,
            pid,
            url: format!("http://{address}"),
        })
    }

    /// Waits until `/readyz` answers with success.
    pub async fn ready(&mut self) -> Result<(), Error> {
        self.ready_within(READY_DEADLINE).await
    }

    /// The same for an operator that has very much to read first.
    pub async fn ready_within(&mut self, limit: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + limit;
        let client = self.client()?;
        while get(&client, "/readyz").await.is_err() {
            if let Some(outcome) = self.scratch.exit_of(self.pid)? {
                return Err(self.failure(&format!("ended early ({outcome})")));
            }
            if Instant::now() > deadline {
                return Err(self.failure(&format!("was not ready after {limit:?}")));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The text that the operator's own HTTP server answers with success at `path`, such as `/metrics`.
    pub async fn get(&self, path: &str) -> Result<String, Error> {
        get(&self.client()?, path).await
    }

    fn client(&self) -> Result<Client, Error> {
        let url = self.url.parse().expect("an address on the loopback is a valid URL");
        Client::try_from(Config::new(url)).map_err(Error::kube("cannot make an HTTP client"))
    }

    /// Where the operator's own HTTP server listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that the operator wrote to standard output and standard error so far.
    #[must_use]
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_file()).unwrap_or_default()).into_owned()
    }

    /// The file that [`Self::output`] reads.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.scratch.path().join(LOG)
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What the operator has used so far.
    pub fn usage(&self) -> Result<Usage, Error> {
        Usage::of(self.pid)
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool, Error> {
        Ok(self.scratch.exit_of(self.pid)?.is_some())
    }

    /// Asks the operator to end (SIGTERM), waits for it, and returns what it wrote; an error unless it exits with 0.
    pub async fn stop(mut self) -> Result<String, Error> {
        self.signal(Signal::TERM)?;
        let outcome = self.ended().await?;
        if outcome.success() {
            Ok(self.output())
        } else {
            Err(self.failure(&format!("ended with {outcome}")))
        }
    }

    /// Ends the operator in the middle of what it does (SIGKILL), and returns what it wrote.
    pub async fn kill(mut self) -> Result<String, Error> {
        self.signal(Signal::KILL)?;
        let outcome = self.ended().await?;
        if outcome.signal().is_some() {
            Ok(self.output())
        } else {
            Err(self.failure(&format!("ended with {outcome}")))
        }
    }

    /// Asks the operator to end (SIGTERM) and does not wait for it.
    pub fn terminate(&mut self) -> Result<(), Error> {
        self.signal(Signal::TERM)
    }

    /// Stops the operator where it is (SIGSTOP), and waits until none of its threads runs.
    pub async fn freeze(&mut self) -> Result<(), Error> {
        self.signal(Signal::STOP)?;
        let deadline = Instant::now() + STOP_DEADLINE;
        while !self.is_frozen()? {
            if Instant::now() > deadline {
                return Err(self.failure(&format!("did not stand still within {STOP_DEADLINE:?}")));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Lets a frozen operator go on (SIGCONT).
    pub fn thaw(&mut self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    /// Waits until the operator ends by itself; returns its exit code, none when a signal ended it, and what it wrote.
    pub async fn exit(mut self) -> Result<(Option<i32>, String), Error> {
        let outcome = self.ended().await?;
        Ok((outcome.code(), self.output()))
    }

    fn is_frozen(&self) -> Result<bool, Error> {
        let path = format!("/proc/{}/task", self.pid);
        let doing = || Error::io(format!("cannot read {path}"));
        for thread in fs::read_dir(&path).map_err(doing())? {
            // A thread that has ended meanwhile stands still too.
            let stat = fs::read_to_string(thread.map_err(doing())?.path().join("stat")).unwrap_or_default();
            if !stat.is_empty() && state(&stat) != Some("T") {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn signal(&mut self, signal: Signal) -> Result<(), Error> {
        if self.scratch.exit_of(self.pid)?.is_some() {
            return Ok(());
        }
        let pid = i32::try_from(self.pid)
            .ok()
            .and_then(Pid::from_raw)
            .expect("a child's number is a process id");
        kill_process(pid, signal).map_err(|errno| Error::io("cannot signal the operator")(errno.into()))
    }

    async fn ended(&mut self) -> Result<ExitStatus, Error> {
        let deadline = Instant::now() + STOP_DEADLINE;
        loop {
            if let Some(status) = self.scratch.exit_of(self.pid)? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                return Err(self.failure(&format!("did not end within {STOP_DEADLINE:?}")));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn failure(&self, what: &str) -> Error {
        Error::Start(format!(
            "the operator {what}; the end of its log:\n{}",
            self.scratch.tail(LOG)
        ))
    }
}

impl Drop for Operator {
    /// Whatever a test was about, no operator may have written a secret.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let output = self.output();
            let line = output.lines().find(|line| line.contains(CANARY));
            assert!(line.is_none(), "the operator wrote a secret: {line:?}");
        }
    }
}

async fn get(client: &Client, path: &str) -> Result<String, Error> {
    let request = http::Request::get(path)
        .body(Vec::new())
        .expect("the path is a constant of the caller");
    client
        .request_text(request)
        .await
        .map_err(Error::kube(format!("cannot get {path} of the operator")))
}

/// What a thread does by its `stat` in `/proc` (field 3), such as `R` (it runs) or `T` (it was stopped).
fn state(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_found_behind_any_program_name() {
        let stat = "41 (a) b) (c) S 1 41 41 0 -1 4194304 900 0 0 0 250 13 0 0 20 0 5 0 81 1 2";
        assert_eq!(state(stat), Some("S"));
    }
}
