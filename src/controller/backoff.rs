//! Pauses between attempts, never the same for two that failed together.

use std::time::Duration;

use rand::RngExt;

/// First pause after a failure, doubled with each one that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// Longest pause after failures that may pass by themselves.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Pause before a refused call is tried again: an administrator may have mended the PAM (design 2.3).
pub const REFUSED_PAUSE: Duration = Duration::from_mins(10);

/// The pause after this many failures in a row.
pub fn backoff(failures: u32) -> Duration {
    backoff_up_to(LONGEST_PAUSE, failures)
}

/// The same with another limit.
pub fn backoff_up_to(longest: Duration, failures: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(10));
    jittered(doubled.min(longest))
}

/// A duration give or take a fifth, so that what failed together does not come back together.
pub fn jittered(duration: Duration) -> Duration {
    duration.mul_f64(rand::rng().random_range(0.8..1.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        for (failures, seconds) in [(1, 2.0), (2, 4.0), (5, 32.0), (9, 300.0), (1000, 300.0)] {
            let pause = backoff(failures).as_secs_f64();
            assert!(pause >= seconds * 0.8 && pause <= seconds * 1.2, "{failures}: {pause}");
        }
    }
}
