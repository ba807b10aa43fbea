//! What to do next about the lease: a pure function of what was seen of it, and when.
//!
//! Clocks of machines are never compared. Another holder's lease has expired when this process saw no sign of life in it
//! for its whole duration by its own clock; its own lease counts from before the request that renewed it was sent. So the
//! holder stops believing in its lease before anybody else begins to doubt it.

use std::{fmt, time::Duration};

use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

/// How long a lease is good without a sign of life.
pub const DURATION: Duration = Duration::from_secs(15);

/// How long a holder tries to renew before it gives up; the rest of the duration is for its work to end.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);

/// The pause between two looks at the lease, or two renewals.
pub const RETRY: Duration = Duration::from_secs(2);

/// What was found at the lease.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// This.
    Lease(LeaseSpec),
    /// There is none.
    Absent,
    /// Nobody knows: a request failed.
    Unknown,
}

/// What to do without the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bid {
    /// Create it.
    Create,
    /// Take it, as this transition.
    Take(i32),
    /// Look again after this time.
    Wait(Duration),
}

/// What to do with the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Renew it.
    Renew,
    /// Try to renew it again after this time.
    Wait(Duration),
    /// Nothing any more.
    Leave(Loss),
}

/// Why a lease is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Somebody else has it.
    Taken(String),
    /// Somebody deleted it.
    Deleted,
    /// It could not be renewed in time.
    Late,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(holder) if holder.is_empty() => f.write_str("somebody released it"),
            Self::Taken(holder) => write!(f, "{holder} holds it"),
            Self::Deleted => f.write_str("somebody deleted it"),
            Self::Late => write!(f, "it could not be renewed within {RENEW_DEADLINE:?}"),
        }
    }
}

/// What a process without the lease knows of it.
#[derive(Debug)]
pub struct Candidate {
    identity: String,
    /// Another holder's lease as it was seen last, and when it was first seen like this.
    seen: Option<(LeaseSpec, Instant)>,
}

impl Candidate {
    /// Knows nothing yet.
    pub fn new(identity: String) -> Self {
        Self { identity, seen: None }
    }

    /// What to do about this finding.
    pub fn bid(&mut self, finding: &Finding, now: Instant) -> Bid {
        let lease = match finding {
            Finding::Lease(lease) => lease,
            // To delete a lease is not to release it: who held it does not know yet.
            Finding::Absent => return self.expiry(now).map_or(Bid::Create, Bid::Wait),
            Finding::Unknown => return Bid::Wait(RETRY),
        };
        let transitions = lease.lease_transitions.unwrap_or_default();
        match holder(lease) {
            "" => return Bid::Take(transitions + 1),
            // The answer to the request that wrote it was lost.
            own if own == self.identity => return Bid::Take(transitions),
            _ => {}
        }
        if self.seen.as_ref().is_none_or(|(before, _)| before != lease) {
            self.seen = Some((lease.clone(), now));
        }
        self.expiry(now).map_or(Bid::Take(transitions + 1), Bid::Wait)
    }

    /// When to look again at what another holder has; none when that has expired, or was never seen.
    fn expiry(&self, now: Instant) -> Option<Duration> {
        let (lease, since) = self.seen.as_ref()?;
        let left = (*since + duration(lease)).saturating_duration_since(now);
        (!left.is_zero()).then(|| left.min(RETRY))
    }
}

/// What to do about a finding for who holds the lease since a request that was sent at that moment.
pub fn duty(identity: &str, since: Instant, finding: &Finding, now: Instant) -> Duty {
    let left = (since + RENEW_DEADLINE).saturating_duration_since(now);
    match finding {
        _ if left.is_zero() => Duty::Leave(Loss::Late),
        Finding::Lease(lease) if holder(lease) == identity => Duty::Renew,
        Finding::Lease(lease) => Duty::Leave(Loss::Taken(holder(lease).to_owned())),
        Finding::Absent => Duty::Leave(Loss::Deleted),
        Finding::Unknown => Duty::Wait(RETRY.min(left)),
    }
}

/// Who holds a lease; empty when nobody does.
pub fn holder(lease: &LeaseSpec) -> &str {
    lease.holder_identity.as_deref().unwrap_or_default()
}

/// How long its holder believes in a lease.
fn duration(lease: &LeaseSpec) -> Duration {
    let seconds = lease.lease_duration_seconds.and_then(|seconds| seconds.try_into().ok());
    seconds.map_or(DURATION, Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::MicroTime, jiff::Timestamp};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A lease renewed at that second of the holder's own clock, whatever that is.
    fn lease(holder: &str, renewed: i64) -> Finding {
        Finding::Lease(LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            renew_time: Some(MicroTime(Timestamp::from_second(renewed).expect("a time"))),
            lease_duration_seconds: Some(15),
            lease_transitions: Some(3),
            ..LeaseSpec::default()
        })
    }

    fn candidate() -> Candidate {
        Candidate::new("we".to_owned())
    }

    #[test]
    fn a_free_lease_is_taken_at_once() {
        let now = Instant::now();
        assert_eq!(candidate().bid(&Finding::Absent, now), Bid::Create);
        assert_eq!(candidate().bid(&lease("", 0), now), Bid::Take(4));
        assert_eq!(
            candidate().bid(&Finding::Lease(LeaseSpec::default()), now),
            Bid::Take(1)
        );
    }

    #[test]
    fn a_release_ends_the_wait_at_once() {
        let (mut candidate, now) = (candidate(), Instant::now());
        assert_eq!(candidate.bid(&lease("other", 0), now), Bid::Wait(RETRY));
        assert_eq!(candidate.bid(&lease("", 1), now + SECOND), Bid::Take(4));
    }

    #[test]
    fn a_lease_without_a_sign_of_life_for_its_duration_is_taken_over() {
        let (mut candidate, start) = (candidate(), Instant::now());
        for seconds in [0, 2, 4, 6, 8, 10, 12] {
            assert_eq!(
                candidate.bid(&lease("other", 0), start + SECOND * seconds),
                Bid::Wait(RETRY)
            );
        }
        assert_eq!(
            candidate.bid(&lease("other", 0), start + SECOND * 14),
            Bid::Wait(SECOND)
        );
        assert_eq!(candidate.bid(&lease("other", 0), start + SECOND * 15), Bid::Take(4));
    }

    #[test]
    fn every_sign_of_life_begins_the_wait_anew() {
        let (mut candidate, start) = (candidate(), Instant::now());
        candidate.bid(&lease("other", 0), start);
        candidate.bid(&lease("other", 1), start + SECOND * 14);
        assert_eq!(
            candidate.bid(&lease("other", 1), start + SECOND * 28),
            Bid::Wait(SECOND)
        );
        candidate.bid(&lease("third", 1), start + SECOND * 28);
        assert_eq!(
            candidate.bid(&lease("third", 1), start + SECOND * 42),
            Bid::Wait(SECOND)
        );
        assert_eq!(candidate.bid(&lease("third", 1), start + SECOND * 43), Bid::Take(4));
    }

    /// Its renewTime is an hour ahead, or long ago: only whether it changes matters.
    #[test]
    fn the_clocks_of_others_do_not_matter() {
        for renewed in [0, Timestamp::now().as_second() + 3600] {
            let (mut candidate, start) = (candidate(), Instant::now());
            assert_eq!(candidate.bid(&lease("other", renewed), start), Bid::Wait(RETRY));
            assert_eq!(candidate.bid(&lease("other", renewed), start + DURATION), Bid::Take(4));
        }
    }

    #[test]
    fn the_duration_is_the_one_that_its_holder_believes_in() {
        let (mut candidate, start) = (candidate(), Instant::now());
        let patient = Finding::Lease(LeaseSpec {
            holder_identity: Some("other".to_owned()),
            lease_duration_seconds: Some(60),
            ..LeaseSpec::default()
        });
        candidate.bid(&patient, start);
        assert_eq!(candidate.bid(&patient, start + SECOND * 59), Bid::Wait(SECOND));
        assert_eq!(candidate.bid(&patient, start + SECOND * 60), Bid::Take(1));
    }

    #[test]
    fn a_deleted_lease_is_waited_for_as_one_that_is_held() {
        let (mut candidate, start) = (candidate(), Instant::now());
        candidate.bid(&lease("other", 0), start);
        assert_eq!(candidate.bid(&Finding::Absent, start + SECOND * 14), Bid::Wait(SECOND));
        assert_eq!(candidate.bid(&Finding::Absent, start + SECOND * 15), Bid::Create);
    }

    #[test]
    fn what_nobody_knows_is_looked_at_again() {
        let (mut candidate, start) = (candidate(), Instant::now());
        candidate.bid(&lease("other", 0), start);
        // Not even the longest silence of the API server says anything about the holder.
        assert_eq!(candidate.bid(&Finding::Unknown, start + SECOND * 60), Bid::Wait(RETRY));
    }

    #[test]
    fn a_lease_with_our_name_is_ours_without_a_transition() {
        assert_eq!(candidate().bid(&lease("we", 0), Instant::now()), Bid::Take(3));
    }

    #[test]
    fn what_is_held_is_renewed() {
        let now = Instant::now();
        assert_eq!(duty("we", now, &lease("we", 0), now + SECOND * 9), Duty::Renew);
    }

    #[test]
    fn what_is_held_is_lost_to_whoever_wrote_another_name() {
        let now = Instant::now();
        for holder in ["other", ""] {
            let taken = Duty::Leave(Loss::Taken(holder.to_owned()));
            assert_eq!(duty("we", now, &lease(holder, 0), now), taken);
        }
        assert_eq!(duty("we", now, &Finding::Absent, now), Duty::Leave(Loss::Deleted));
    }

    #[test]
    fn a_failed_renewal_is_repeated_until_the_renew_deadline() {
        let now = Instant::now();
        for (seconds, expected) in [
            (2, Duty::Wait(RETRY)),
            (9, Duty::Wait(SECOND)),
            (10, Duty::Leave(Loss::Late)),
        ] {
            assert_eq!(duty("we", now, &Finding::Unknown, now + SECOND * seconds), expected);
        }
    }

    /// As after a standstill of the process: whatever was seen last, nothing is sent any more.
    #[test]
    fn after_the_renew_deadline_nothing_is_renewed() {
        let now = Instant::now();
        let late = duty("we", now, &lease("we", 0), now + RENEW_DEADLINE);
        assert_eq!(late, Duty::Leave(Loss::Late));
    }

    /// The holder leaves before its lease is over, and that is before anybody else can have waited for its duration.
    #[test]
    fn who_holds_the_lease_leaves_before_another_one_comes() {
        assert!(RENEW_DEADLINE + RETRY < DURATION);
    }
}
