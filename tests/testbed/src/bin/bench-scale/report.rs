//! All records as a table for people, and as JSON for whoever compares.

use std::{collections::BTreeSet, fs, path::Path, thread};

use serde_json::json;
use testbed::Error;

use crate::{arguments::Arguments, contestant::Contestant, record::Record};

const FIRST_COLUMN: usize = 66;
const COLUMN: usize = 28;

/// Prints for each scenario a line for each figure, with a column for each contestant: the median, and the spread where
/// there are several repetitions. `!` marks figures that are void.
pub fn print(records: &[Record]) {
    let scenarios = in_order(records.iter().map(|record| record.scenario));
    for scenario in scenarios {
        let records: Vec<_> = records.iter().filter(|record| record.scenario == scenario).collect();
        let contestants: BTreeSet<_> = records.iter().map(|record| record.contestant).collect();
        let objects = records.iter().map(|record| record.objects).max().unwrap_or_default();
        let names = contestants.iter().map(|contestant| contestant.name().to_owned());
        println!("{}", line(&format!("{scenario}, {objects} objects"), names));
        let figures = records.iter().flat_map(|record| &record.figures);
        for (name, unit) in in_order(figures.map(|figure| (figure.name.as_str(), figure.unit))) {
            let cells = contestants.iter().map(|contestant| cell(&records, *contestant, name));
            println!("{}", line(&format!("  {name} {unit}"), cells));
        }
        for record in &records {
            if let Some(reason) = &record.void {
                println!(
                    "  ! {}, repetition {}: {reason}",
                    record.contestant.name(),
                    record.repetition
                );
            }
        }
        println!();
    }
}

/// Writes everything.
pub fn write(records: &[Record], arguments: &Arguments, file: &Path) -> Result<(), Error> {
    let kernel = fs::read_to_string("/proc/version").unwrap_or_default();
    let document = json!({
        "machine": {
            "cores": thread::available_parallelism().map_or(0, usize::from),
            "kernel": kernel.trim(),
        },
        "versions": {"pam-operator": env!("CARGO_PKG_VERSION"), "kubernetes": testbed::version()},
        "build": if cfg!(debug_assertions) { "debug" } else { "release" },
        "flags": format!("{arguments:?}"),
        "records": records,
    });
    let text = serde_json::to_string_pretty(&document).expect("records are plain data");
    fs::write(file, text).map_err(Error::io(format!("cannot write {}", file.display())))
}

fn line(first: &str, cells: impl Iterator<Item = String>) -> String {
    let first = format!("{first:<FIRST_COLUMN$}");
    cells.fold(first, |line, cell| format!("{line}{cell:>COLUMN$}"))
}

fn cell(records: &[&Record], contestant: Contestant, name: &str) -> String {
    let records: Vec<_> = records
        .iter()
        .filter(|record| record.contestant == contestant)
        .collect();
    let figures = records.iter().flat_map(|record| &record.figures);
    let mut values: Vec<_> = figures
        .filter(|figure| figure.name == name)
        .map(|figure| figure.value)
        .collect();
    values.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return "-".to_owned();
    };
    let is_void = records.iter().any(|record| record.void.is_some());
    let mark = if is_void { " !" } else { "" };
    let median = show(f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]));
    if values.len() == 1 {
        format!("{median}{mark}")
    } else {
        format!("{median} ({} to {}){mark}", show(*first), show(*last))
    }
}

fn show(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value}")
    } else if value < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}

/// Each of them once, in the order of their first appearance.
fn in_order<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}
