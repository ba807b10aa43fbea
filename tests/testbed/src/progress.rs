//! Shows that something slow is alive: one line that is rewritten on a terminal, a plain line now and then elsewhere.
//!
//! It writes to the handle of standard error itself, because a test runner captures what `eprintln!` prints and would show
//! it only after a failure.

use std::{
    io::{IsTerminal, Write, stderr},
    pin::pin,
    time::{Duration, Instant},
};

/// Back to the begin of the line, and empties it.
const CLEAR: &str = "\r\x1b[2K";

/// How long a job lasts before its first plain line: what is quick needs none.
const PLAIN_DELAY: Duration = Duration::from_secs(2);

/// How often a plain line follows.
const PLAIN_INTERVAL: Duration = Duration::from_secs(15);

/// A slow job that tells how it is getting on. Dropping it removes its line from a terminal.
pub struct Progress {
    job: String,
    started: Instant,
    terminal: bool,
    next_plain: Instant,
}

impl Progress {
    /// Starts the clock of `job`, which is written in front of each step ("building kube-apiserver").
    pub fn start(job: impl Into<String>) -> Self {
        let started = Instant::now();
        Self {
            job: job.into(),
            started,
            terminal: stderr().is_terminal(),
            next_plain: started + PLAIN_DELAY,
        }
    }

    /// Shows the current step. Call it about once a second, also when the step is the same, so that the seconds move.
    pub fn show(&mut self, step: &str) {
        if self.terminal {
            let line: String = self.line(step).chars().take(terminal_width()).collect();
            write_stderr(&format!("{CLEAR}{line}"));
        } else if Instant::now() >= self.next_plain {
            self.next_plain = Instant::now() + PLAIN_INTERVAL;
            write_stderr(&format!("{}\n", self.line(step)));
        }
    }

    /// Ends the job with a line that stays.
    pub fn finish(self, outcome: &str) {
        let clear = if self.terminal { CLEAR } else { "" };
        write_stderr(&format!("{clear}{}\n", self.line(outcome)));
    }

    /// Runs `work` and shows its seconds meanwhile; what there is to say about its end is the caller's.
    pub async fn follow<T>(mut self, step: &str, work: impl Future<Output = T>) -> T {
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

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            write_stderr(CLEAR);
        }
    }
}

/// One column less than the terminal has, so that the line never wraps and can be rewritten; 79 when it does not know.
fn terminal_width() -> usize {
    let columns = rustix::termios::tcgetwinsize(stderr()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { 79 } else { columns - 1 }
}

/// A closed standard error must not stop the job, so errors are ignored.
fn write_stderr(text: &str) {
    let mut stderr = stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}
