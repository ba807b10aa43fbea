//! `cargo bench-core`: how fast a changed Secret reaches the PAM, and what a thousand credentials cost.
//!
//! The operator runs as a process of its own, with its default flags, in the same build as this program: a release build by
//! the alias. Control plane and simulator share the machine with it, so seconds depend on them too; the operator's processor
//! time and memory do not.

mod convergence;
mod latency;
mod scene;

use std::process::ExitCode;

use clap::Parser;
use testbed::Error;

/// Measures the operator on a real API server, against the simulated PAM
#[derive(Parser)]
#[command(name = "cargo bench-core --")]
struct Arguments {
    /// How many credentials converge
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    objects: u32,

    /// How often the Secret changes
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    changes: u32,
}

fn main() -> ExitCode {
    testbed::program(async || measure(&Arguments::parse()).await)
}

async fn measure(arguments: &Arguments) -> Result<(), Error> {
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build; `cargo bench-core` measures a release build");
    }
    let scene = scene::Scene::set().await?;
    convergence::measure(&scene, arguments.objects).await?.print();
    latency::measure(&scene, arguments.changes).await?.print();
    Ok(())
}
