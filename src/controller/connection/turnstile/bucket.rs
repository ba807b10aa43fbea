//! A token bucket: how many requests a second in the long run, and how many at once after a quiet time.

use std::time::{Duration, Instant};

/// What counts as a whole token, so that rounding delays nobody.
const WHOLE: f64 = 1.0 - 1e-6;

/// The bucket. It has no clock: whoever asks says what time it is.
#[derive(Debug)]
pub struct Bucket {
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self {
            rate: f64::from(per_second),
            burst: f64::from(burst),
            tokens: f64::from(burst),
            at: now,
        }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        let there = self.tokens >= WHOLE;
        if there {
            self.tokens -= 1.0;
        }
        there
    }

    /// Takes a token for a request that does not wait; when there is none, those who come later wait for two. The debt
    /// has a limit, so that they wait no longer than for one full bucket.
    pub fn owe(&mut self, now: Instant) {
        self.refill(now);
        self.tokens = (self.tokens - 1.0).max(-self.burst);
    }

    /// Gives back a token that was not needed.
    pub fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.burst);
    }

    /// When there is a token.
    pub fn ready_at(&mut self, now: Instant) -> Instant {
        self.refill(now);
        now + Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / self.rate)
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.burst);
        self.at = self.at.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(bucket: &mut Bucket, now: Instant) -> usize {
        (0..1000).take_while(|_| bucket.take(now)).count()
    }

    #[test]
    fn gives_a_burst_and_then_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 5, start);
        assert_eq!(takes(&mut bucket, start), 5);
        assert_eq!(bucket.ready_at(start), start + Duration::from_millis(100));
        assert_eq!(takes(&mut bucket, start + Duration::from_millis(99)), 0);
        assert_eq!(takes(&mut bucket, start + Duration::from_millis(300)), 3);
        assert_eq!(
            takes(&mut bucket, start + Duration::from_mins(1)),
            5,
            "never more than the burst"
        );
    }

    #[test]
    fn whoever_comes_at_the_stated_time_gets_a_token() {
        let start = Instant::now();
        for rate in [1, 3, 7, 999] {
            let mut bucket = Bucket::new(rate, 1, start);
            let mut now = start;
            for _ in 0..100 {
                assert!(bucket.take(now), "{rate} a second");
                now = bucket.ready_at(now);
            }
            let expected = Duration::from_secs_f64(100.0 / f64::from(rate));
            let off = (now - start).abs_diff(expected);
            assert!(off < Duration::from_millis(1), "{rate} a second: {off:?}");
        }
    }

    #[test]
    fn what_does_not_wait_is_paid_by_those_who_come_later() {
        let start = Instant::now();
        let mut bucket = Bucket::new(10, 2, start);
        for _ in 0..3 {
            bucket.owe(start);
        }
        assert_eq!(bucket.ready_at(start), start + Duration::from_millis(200));
        for _ in 0..100 {
            bucket.owe(start);
        }
        assert_eq!(
            bucket.ready_at(start),
            start + Duration::from_millis(300),
            "the debt has a limit"
        );
    }

    #[test]
    fn what_was_not_needed_comes_back() {
        let start = Instant::now();
        let mut bucket = Bucket::new(1, 1, start);
        assert!(bucket.take(start));
        bucket.give_back();
        bucket.give_back();
        assert_eq!(takes(&mut bucket, start), 1);
    }

    #[test]
    fn a_clock_that_stands_or_goes_back_gives_nothing() {
        let start = Instant::now();
        let later = start + Duration::from_secs(1);
        let mut bucket = Bucket::new(1, 1, later);
        assert!(bucket.take(later));
        assert!(!bucket.take(start));
        assert!(!bucket.take(later));
    }
}
