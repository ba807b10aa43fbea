//! When a contestant has nothing more to do: by its processor time, which all contestants have.

use std::time::{Duration, Instant};

use testbed::{Error, Operator};

/// How long one look lasts, and the processor time that it may show at rest (the system counts 10 ms at a time).
const WINDOW: Duration = Duration::from_millis(200);
const AT_REST: Duration = Duration::from_millis(10);

/// How many looks in a row have to show rest.
const WINDOWS: u32 = 8;

const DEADLINE: Duration = Duration::from_mins(5);

/// Waits until the contestant is at rest, and says since when.
pub async fn settle(operator: &Operator) -> Result<Instant, Error> {
    let began = Instant::now();
    let (mut since, mut quiet) = (began, 0);
    let mut before = operator.usage()?.cpu;
    while quiet < WINDOWS {
        if began.elapsed() > DEADLINE {
            return Err(Error::Timeout(format!(
                "the contestant is not at rest after {DEADLINE:?}"
            )));
        }
        let from = Instant::now();
        tokio::time::sleep(WINDOW).await;
        let now = operator.usage()?.cpu;
        if now.saturating_sub(before) > AT_REST {
            quiet = 0;
        } else {
            since = if quiet == 0 { from } else { since };
            quiet += 1;
        }
        before = now;
    }
    Ok(since)
}
