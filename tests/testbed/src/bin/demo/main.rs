//! `cargo demo`: from nothing to credentials in a PAM, on a real API server, in one process that cleans up after itself.

mod story;

use std::process::ExitCode;

use clap::Parser;

/// Starts a Kubernetes control plane, a simulated PAM and the operator on this machine, applies `examples/`, shows what
/// happens, and stays until Ctrl-C so that you can try more with kubectl
#[derive(Parser)]
#[command(name = "cargo demo --")]
struct Arguments {
    /// End after the story; the exit code is not 0 when something did not become Ready
    #[arg(long)]
    once: bool,
}

fn main() -> ExitCode {
    testbed::program(async || story::tell(Arguments::parse().once).await)
}
