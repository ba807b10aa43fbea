//! What a connection's status was made to say, and how often it has to be said again.
//!
//! Two installations that see the same ClusterPamConnection judge it by Secrets of their own, and each would undo the other's
//! status without end. So whoever finds its own words gone says them again, but after a pause that grows.

use std::time::{Duration, Instant};

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use crate::controller::backoff::{LONGEST_PAUSE, backoff};

/// What was said last.
#[derive(Debug, Default)]
pub struct Statement {
    /// UID of the connection.
    uid: String,
    conditions: Vec<Condition>,
    /// When the same may be said again.
    again: Option<Instant>,
    times: u32,
}

impl Statement {
    /// How long to wait before this may be said; none when it may be said now.
    #[must_use]
    pub fn pause(&self, uid: &str, conditions: &[Condition], now: Instant) -> Option<Duration> {
        let again = self.again.filter(|_| self.is(uid, conditions))?;
        again.checked_duration_since(now).filter(|pause| !pause.is_zero())
    }

    /// This was said.
    pub fn said(&mut self, uid: &str, conditions: &[Condition], now: Instant) {
        let soon = self.again.is_some_and(|again| now < again + LONGEST_PAUSE);
        self.times = if soon && self.is(uid, conditions) {
            self.times + 1
        } else {
            1
        };
        uid.clone_into(&mut self.uid);
        self.conditions = conditions.to_vec();
        self.again = Some(now + backoff(self.times));
    }

    /// Whether it is the same but for the times of transitions, which change when somebody else's words come between.
    fn is(&self, uid: &str, conditions: &[Condition]) -> bool {
        let said = |condition: &Condition| Condition {
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            ..condition.clone()
        };
        self.uid == uid && self.conditions.iter().map(said).eq(conditions.iter().map(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(reason: &str, second: i64) -> [Condition; 1] {
        [Condition {
            type_: "Ready".to_owned(),
            status: "False".to_owned(),
            reason: reason.to_owned(),
            message: String::new(),
            observed_generation: Some(1),
            last_transition_time: Time(Timestamp::from_second(second).expect("a time")),
        }]
    }

    #[test]
    fn the_same_is_said_again_after_pauses_that_grow_and_something_else_at_once() {
        let (mut statement, mut now) = (Statement::default(), Instant::now());
        assert_eq!(statement.pause("uid", &ready("SecretNotFound", 0), now), None);
        let mut total = Duration::ZERO;
        for second in 0..12 {
            statement.said("uid", &ready("SecretNotFound", second), now);
            let pause = statement
                .pause("uid", &ready("SecretNotFound", second + 1), now)
                .expect("a pause");
            assert_eq!(statement.pause("uid", &ready("Synced", 0), now), None);
            assert_eq!(statement.pause("another", &ready("SecretNotFound", 0), now), None);
            now += pause;
            total += pause;
            assert_eq!(statement.pause("uid", &ready("SecretNotFound", 0), now), None);
        }
        assert!(total > Duration::from_mins(20), "{total:?}");
    }

    #[test]
    fn after_a_long_quiet_time_the_pause_is_short_again() {
        let (mut statement, now) = (Statement::default(), Instant::now());
        for _ in 0..10 {
            statement.said("uid", &ready("Synced", 0), now);
        }
        let later = now + 3 * LONGEST_PAUSE;
        statement.said("uid", &ready("Synced", 0), later);
        assert!(statement.pause("uid", &ready("Synced", 0), later).expect("a pause") < Duration::from_secs(3));
    }
}
