//! What the process uses, by the names that all exporters give it. Where the kernel does not say, nothing is shown.

use std::{fmt, fs, time::SystemTime};

use nix::unistd::{SysconfVar, sysconf};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use crate::metrics::table::{CPU, Described, FILES, Kind, MEMORY, STARTED};

/// Reads `/proc/self` at each scrape.
#[derive(Debug)]
pub(super) struct Process {
    started: SystemTime,
}

impl Process {
    /// The process that starts now.
    pub fn now() -> Self {
        Self {
            started: SystemTime::now(),
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let mut show = |described: &Described, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            let help = format!("{}.", described.help);
            let is_counter = described.kind == Kind::Counter;
            let kind = if is_counter {
                MetricType::Counter
            } else {
                MetricType::Gauge
            };
            let metric = encoder.encode_descriptor(described.stem(), &help, None, kind)?;
            if is_counter {
                ConstCounter::new(value).encode(metric)
            } else {
                ConstGauge::new(value).encode(metric)
            }
        };
        let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).ok();
        show(&CPU, read("stat").and_then(|stat| cpu_seconds(&stat)))?;
        show(&MEMORY, read("status").and_then(|status| resident_bytes(&status)))?;
        show(&FILES, open_files())?;
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH);
        show(&STARTED, started.ok().map(|since| since.as_secs_f64()))
    }
}

/// User and system time in `/proc/self/stat` (fields 14 and 15). The second field, the program's name in parentheses, may
/// hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let per_second = u32::try_from(sysconf(SysconfVar::CLK_TCK).ok()??).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / f64::from(per_second))
}

/// The line `VmRSS` of `/proc/self/status`, which is in KiB.
fn resident_bytes(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024.0)
}

fn open_files() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(count).ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_understood() {
        let stat = "41 (a) b) (c) S 1 41 41 0 -1 4194304 900 0 0 0 250 13 0 0 20 0 5 0 81 1 2";
        let per_second = sysconf(SysconfVar::CLK_TCK).expect("known").expect("limited");
        let expected = 263.0 / f64::from(u32::try_from(per_second).expect("a small number"));
        assert_eq!(cpu_seconds(stat), Some(expected));
        assert_eq!(resident_bytes("VmHWM:\t 9 kB\nVmRSS:\t   30 kB\n"), Some(30_720.0));
        assert_eq!((cpu_seconds("nonsense"), resident_bytes("")), (None, None));
    }
}
