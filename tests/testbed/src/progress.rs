//! Shows that something slow is alive: one line that is rewritten on a terminal, a plain line now and then elsewhere.
//!
//! It writes to the handle of standard error itself, because a test runner captures what `eprintln!` prints and would show
//! it only after a failure.

use std::{
    io::{IsTerminal, Write, stderr},
    pin::pin,
    time::{Duration, Instant},
};

/// How often a plain line is written where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(15);

/// A slow job that tells how it is getting on.
pub struct Progress {
    job: String,
    started: Instant,
    terminal: bool,
    last_plain: Option<Instant>,
}

impl Progress {
    /// Starts the clock of `job`, which is written in front of each step ("building kube-apiserver").
    pub fn start(job: impl Into<String>) -> Self {
        Self {
            job: job.into(),
            started: Instant::now(),
            terminal: stderr().is_terminal(),
            last_plain: None,
        }
    }

    /// Shows the current step. Call it about once a second, also when the step is the same, so that the seconds move.
    pub fn show(&mut self, step: &str) {
        if self.terminal {
            let line: String = self.line(step).chars().take(terminal_width()).collect();
            write_stderr(&format!("\r\x1b[2K{line}"));
        } else if self.last_plain.is_none_or(|at| at.elapsed() >= PLAIN_INTERVAL) {
            self.last_plain = Some(Instant::now());
            write_stderr(&format!("{}\n", self.line(step)));
        }
    }

    /// Ends the job with a line that stays.
    pub fn finish(self, outcome: &str) {
        let clear = if self.terminal { "\r\x1b[2K" } else { "" };
        write_stderr(&format!("{clear}{}\n", self.line(outcome)));
    }

    /// Runs `work` and shows its seconds meanwhile; what it says at the end is the caller's.
    pub async fn follow<T>(&mut self, step: &str, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            self.show(step);
            if let Ok(outcome) = tokio::time::timeout(Duration::from_secs(1), &mut work).await {
                return outcome;
            }
        }
    }

    fn line(&self, step: &str) -> String {
        format!("{} [{:>3} s] {step}", self.job, self.started.elapsed().as_secs())
    }
}

/// One column less than the terminal has, so that the line never wraps and can be rewritten.
fn terminal_width() -> usize {
    rustix::termios::tcgetwinsize(stderr()).map_or(79, |size| usize::from(size.ws_col).saturating_sub(1).max(20))
}

/// A closed standard error must not stop the job, so errors are ignored.
fn write_stderr(text: &str) {
    let mut stderr = stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}
