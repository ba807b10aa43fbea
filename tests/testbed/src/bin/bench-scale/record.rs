//! Figures of one scenario, one contestant, one repetition.

use std::time::Duration;

use serde::Serialize;
use testbed::Usage;

use crate::{contestant::Contestant, stage::Run};

/// What was measured.
#[derive(Serialize)]
pub struct Record {
    pub scenario: &'static str,
    pub contestant: Contestant,
    pub repetition: u32,
    pub objects: u32,
    /// Why the figures count for nothing, if they do.
    pub void: Option<String>,
    pub figures: Vec<Figure>,
}

/// One number.
#[derive(Serialize)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub value: f64,
}

impl Record {
    /// Without figures yet.
    pub fn new(run: Run<'_>, scenario: &'static str, objects: u32, void: Option<String>) -> Self {
        Self {
            scenario,
            contestant: run.contestant,
            repetition: run.repetition,
            objects,
            void,
            figures: Vec::new(),
        }
    }

    /// Adds a number.
    pub fn number(&mut self, name: impl Into<String>, unit: &'static str, value: f64) {
        self.figures.push(Figure {
            name: name.into(),
            unit,
            value,
        });
    }

    /// Adds a count.
    pub fn count(&mut self, name: &str, count: usize) {
        self.number(name, "", number(count));
    }

    /// Adds a duration, in seconds.
    pub fn seconds(&mut self, name: &str, duration: Duration) {
        self.number(name, "s", duration.as_secs_f64());
    }

    /// Adds processor time for each of `count`.
    pub fn cpu_each(&mut self, name: &str, cpu: Duration, count: u32) {
        self.number(name, "ms", cpu.as_secs_f64() * 1000.0 / f64::from(count.max(1)));
    }

    /// Adds memory.
    pub fn memory(&mut self, usage: Usage) {
        self.number("RSS at rest", "MiB", mebibytes(usage.rss));
        self.number("peak RSS", "MiB", mebibytes(usage.peak_rss));
    }

    /// Adds the distribution of durations.
    pub fn percentiles(&mut self, name: &str, mut durations: Vec<Duration>) {
        durations.sort();
        for (percent, what) in [(50, "median"), (99, "p99"), (100, "worst")] {
            // The smallest that so many percent do not exceed.
            let place = (durations.len() * percent).div_ceil(100).saturating_sub(1);
            if let Some(duration) = durations.get(place) {
                self.number(format!("{name}, {what}"), "ms", duration.as_secs_f64() * 1000.0);
            }
        }
    }
}

/// A count as a figure.
pub fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("nothing here is counted beyond 32 bits"))
}

fn mebibytes(bytes: u64) -> f64 {
    let kibibytes = u32::try_from(bytes / 1024).expect("no process here has 4 TiB");
    f64::from(kibibytes) / 1024.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_durations() {
        let run = Run {
            arguments: &clap::Parser::parse_from(["bench-scale"]),
            contestant: Contestant::Ours,
            repetition: 1,
        };
        let mut record = Record::new(run, "S3", 1, None);
        record.percentiles("all", (1..=200).map(Duration::from_millis).collect());
        let values: Vec<_> = record.figures.iter().map(|figure| figure.value.round()).collect();
        assert_eq!(values, [100.0, 198.0, 200.0]);
    }
}
