//! `cargo campaign`: the tests that look for what nobody thought of, for much longer than `cargo test` does.
//!
//! They are the same tests; only their numbers are others. Each prints its seed, its figures and what it found.

use std::{
    env,
    process::{Command, ExitCode},
};

use clap::Parser;

/// Breaks the operator in every way that its tests know, for about an hour on two cores
#[derive(Parser)]
#[command(name = "cargo campaign --")]
struct Arguments {
    /// Rounds of kill -9 under load
    #[arg(long, default_value_t = 50)]
    rounds: u32,

    /// Objects that are changed meanwhile
    #[arg(long, default_value_t = 100)]
    objects: u32,

    /// Sequences of random operations
    #[arg(long, default_value_t = 150)]
    cases: u32,

    /// Objects that wait for a PAM that is down
    #[arg(long, default_value_t = 2000)]
    waiting: u32,

    /// How long it is down, in seconds
    #[arg(long, default_value_t = 60)]
    outage: u32,
}

/// The tests that a campaign consists of.
const TESTS: [&str; 4] = ["steps::", "rounds::", "random::", "protection::storm"];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["test", "--package", "pam-operator", "--test", "it", "--"])
        // One after another: each fills the machine by itself, and their output stays readable.
        .args(["--nocapture", "--test-threads=1"])
        .args(TESTS)
        .env("PAM_KILL_ROUNDS", arguments.rounds.to_string())
        .env("PAM_KILL_OBJECTS", arguments.objects.to_string())
        .env("PAM_RANDOM_CASES", arguments.cases.to_string())
        .env("PAM_STORM_OBJECTS", arguments.waiting.to_string())
        .env("PAM_STORM_SECONDS", arguments.outage.to_string())
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: cargo cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}
