//! What a process has used, from `/proc` (Linux).

use std::{fs, time::Duration};

use crate::Error;

/// What a process has used since it started.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time of all its threads, in user and kernel mode; resolution 10 ms.
    pub cpu: Duration,
    /// The memory that it has resident, in bytes.
    pub rss: u64,
    /// The most memory that it ever had resident, in bytes.
    pub peak_rss: u64,
}

impl Usage {
    /// That of the process with this number.
    pub(crate) fn of(pid: u32) -> Result<Self, Error> {
        let read = |name: &str| {
            let path = format!("/proc/{pid}/{name}");
            fs::read_to_string(&path).map_err(Error::io(format!("cannot read {path}")))
        };
        let ticks = cpu_ticks(&read("stat")?);
        let status = read("status")?;
        Ok(Self {
            cpu: Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()),
            rss: kib(&status, "VmRSS:") * 1024,
            peak_rss: kib(&status, "VmHWM:") * 1024,
        })
    }
}

/// User and system time in `/proc/<pid>/stat` (fields 14 and 15), in clock ticks. The second field, the program's name in
/// parentheses, may hold anything.
fn cpu_ticks(stat: &str) -> u64 {
    let (_, after_name) = stat.rsplit_once(')').unwrap_or_default();
    after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

/// A line of `/proc/<pid>/status`, in KiB: `VmRSS:` is resident now, `VmHWM:` was at most.
fn kib(status: &str, key: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_any_program_name() {
        let stat = "41 (a) b) (c) S 1 41 41 0 -1 4194304 900 0 0 0 250 13 0 0 20 0 5 0 81 1 2";
        assert_eq!(cpu_ticks(stat), 263);
    }

    #[test]
    fn memory_is_told_now_and_at_its_most() {
        let status = "VmPeak:\t  900000 kB\nVmHWM:\t   31820 kB\nVmRSS:\t   30000 kB\n";
        assert_eq!((kib(status, "VmRSS:"), kib(status, "VmHWM:")), (30000, 31820));
    }
}
