//! So many requests a second, one after another: each has a moment of its own, in the order of arrival.

use std::time::{Duration, Instant};

/// Hands out moments.
pub struct Pace {
    interval: Duration,
    next: Instant,
}

impl Pace {
    /// `per_second` moments in each second.
    pub fn new(per_second: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / per_second.max(1),
            next: Instant::now(),
        }
    }

    /// The moment for a request that arrives at `now`.
    pub fn turn(&mut self, now: Instant) -> Instant {
        let turn = self.next.max(now);
        self.next = turn + self.interval;
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_together_is_served_one_after_another() {
        let mut pace = Pace::new(100);
        let now = pace.next + Duration::from_secs(1);
        let turns: Vec<_> = (0..3).map(|_| pace.turn(now) - now).collect();
        assert_eq!(turns, [0, 10, 20].map(Duration::from_millis));
    }
}
