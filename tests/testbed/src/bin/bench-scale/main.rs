//! `cargo bench-scale`: what very many credentials cost, beside the same job as a Go controller does it, on one rig.
//!
//! ```text
//! arguments.rs   what is asked for              contestant.rs   who runs, and how each is started
//! stage.rs       control plane, PAM, objects    fleet.rs        the objects, their changes, and whether the PAM has them
//! pam/           a PAM that costs nothing       view.rs         the objects as the API server has them
//! probe.rs       from a change to its POST      settle.rs       when a contestant has nothing more to do
//! ceiling.rs     what the rig gives at most     scenarios/      what is measured
//! record.rs      figures                        report.rs       as a table and as JSON
//! ```
//!
//! Figures are void unless the PAM has exactly what the objects say and no POST repeated what was sent before. Control
//! plane, PAM and loader share the machine with the contestant, so seconds depend on them too; a contestant's processor time
//! and memory do not.

mod arguments;
mod ceiling;
mod contestant;
mod fleet;
mod pam;
mod probe;
mod record;
mod report;
mod scenarios;
mod settle;
mod stage;
mod view;

use std::process::ExitCode;

use clap::Parser;
use testbed::Error;

use arguments::Arguments;
use stage::Run;

fn main() -> ExitCode {
    testbed::program(async || measure(&Arguments::parse()).await)
}

/// All contestants, one after another in each repetition, so that none has the better hours of the machine. What was
/// measured before a failure is told too.
async fn measure(arguments: &Arguments) -> Result<(), Error> {
    if cfg!(debug_assertions) {
        eprintln!("this is a debug build; `cargo bench-scale` measures a release build");
    }
    let mut records = Vec::new();
    let mut outcome = Ok(());
    'all: for repetition in 1..=arguments.repetitions {
        for contestant in &arguments.contestants {
            let run = Run {
                arguments,
                contestant: *contestant,
                repetition,
            };
            outcome = scenarios::measure(run, &mut records).await;
            if outcome.is_err() {
                break 'all;
            }
        }
    }
    report::print(&records);
    report::write(&records, arguments, &arguments.json)?;
    outcome
}
