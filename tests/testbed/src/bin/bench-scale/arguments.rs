//! What the command line says.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};

use crate::contestant::Contestant;

/// Measures what very many credentials cost, on a real API server and against a PAM that costs nothing
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo bench-scale --")]
pub struct Arguments {
    /// How many credentials there are
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(2..))]
    pub objects: u32,

    /// How often everything is done; contestants take turns
    #[arg(long, default_value_t = 1)]
    pub repetitions: u32,

    /// How long the PAM takes for a POST, in milliseconds
    #[arg(long, default_value_t = 0)]
    pub pam_latency: u64,

    /// Who runs
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Contestant::Ours, Contestant::GoTuned])]
    pub contestants: Vec<Contestant>,

    /// What is measured
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Scenario::value_variants().to_vec())]
    pub scenarios: Vec<Scenario>,

    /// S3, S4: how many changes are made, half of them in specs and half in Secrets; at most half of the objects
    #[arg(long, default_value_t = 400)]
    pub changes: u32,

    /// S3, S4, S10: changes a second
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rate: u32,

    /// The objects that scenarios share have the deletion policy Deactivate, a write more for each; S9 then deletes these
    #[arg(long)]
    pub deactivate: bool,

    /// S2: how long nothing happens, in seconds
    #[arg(long, default_value_t = 600)]
    pub idle: u64,

    /// S4, S7: how many Secrets are rotated at once; at most half of the objects
    #[arg(long, default_value_t = 1000)]
    pub rotated: u32,

    /// S6: credentials of the tenant that has many
    #[arg(long, default_value_t = 9000)]
    pub tenant_a: u32,

    /// S6: credentials of the tenant that has few
    #[arg(long, default_value_t = 100)]
    pub tenant_b: u32,

    /// S8: how long the PAM is down, in seconds
    #[arg(long, default_value_t = 60)]
    pub outage: u64,

    /// Requests: how many credentials there are while each request is counted
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub counted: u32,

    /// The operator to run, in place of the one that this program was built with
    #[arg(long)]
    pub operator: Option<PathBuf>,

    /// A flag of `pam-operator run`, such as `--operator-flag=--concurrency=64`; several are possible
    #[arg(long)]
    pub operator_flag: Vec<String>,

    /// Where the figures go
    #[arg(long, default_value = "target/bench-scale.json")]
    pub json: PathBuf,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Scenario {
    /// Requests to the API server for each object, by the audit log
    Requests,
    /// All objects are new
    S1,
    /// Nothing happens
    S2,
    /// From a change to its POST, when idle
    S3,
    /// The same while everything else is busy: after a restart, and while many Secrets change
    S4,
    /// A restart over objects that have not changed
    S5,
    /// A small tenant beside a large one, when both move to another PAM that takes 100 requests a second
    S6,
    /// Many Secrets change at once
    S7,
    /// The PAM is down for a while
    S8,
    /// All objects are deleted and their credentials deactivated
    S9,
    /// The leader is killed, and stopped
    S10,
}

impl Arguments {
    /// Whether this is to be measured.
    pub fn has(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }

    /// The PAM's time for a POST.
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.pam_latency)
    }

    /// How many of the objects are changed one by one.
    pub fn probes(&self) -> u32 {
        self.changes.min(self.objects / 2)
    }

    /// How many Secrets are changed at once.
    pub fn rotations(&self) -> u32 {
        self.rotated.min(self.objects / 2)
    }
}
