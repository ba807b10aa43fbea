//! What the listings since the PAM's last answer showed of an object's credential: whether it is missing, whether its
//! password was changed, and which differences were corrected already.

use std::time::{Duration, Instant};

use crate::api::{Applied, PamCredentialSpec, PamCredentialStatus, PasswordPolicy, Reason};
use crate::controller::{
    ownership::register::Register,
    plan::{drift::Difference, facts::Watch},
    print::print,
};

/// Pause after a password was enforced, doubled each time that the PAM changes it again.
const FIRST_PAUSE: Duration = Duration::from_mins(1);

/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Most differences that are corrected before the spec changes: whoever makes more of them means it.
const MOST_CORRECTIONS: usize = 8;

/// Listings in a row in which a credential must be missing.
const ABSENCES: u32 = 2;

/// What the listings showed.
#[derive(Debug)]
pub struct Lookout {
    /// When the last answer came; a process that sees the object for the first time begins here.
    answered: Instant,
    /// When the last listing that was looked at began.
    looked: Option<Instant>,
    absences: u32,
    /// The PAM's text for the time of our password, as the first listing after the answer showed it.
    baseline: Option<u64>,
    rotated: bool,
    corrected: Vec<u64>,
    enforced: u32,
    enforce_from: Option<Instant>,
}

impl Lookout {
    /// Nothing was seen yet.
    pub fn new(now: Instant) -> Self {
        Self {
            answered: now,
            looked: None,
            absences: 0,
            baseline: None,
            rotated: false,
            corrected: Vec::new(),
            enforced: 0,
            enforce_from: None,
        }
    }

    /// As the plan sees it.
    pub fn watch(&self) -> Watch<'_> {
        Watch {
            answered: self.answered,
            vanished: self.absences >= ABSENCES,
            rotated: self.rotated,
            corrected: &self.corrected,
            may_correct: self.corrected.len() < MOST_CORRECTIONS,
            enforce_from: self.enforce_from,
        }
    }

    /// Shows a listing of this PAM, for an object with this spec and status.
    pub fn show(
        &mut self,
        spec: Option<&PamCredentialSpec>,
        status: &PamCredentialStatus,
        register: &Register,
        target: &str,
        now: Instant,
    ) {
        let claim = status.claim.as_ref().filter(|claim| claim.target == target);
        let Some(id) = claim.and_then(|claim| claim.id.as_deref()) else {
            return;
        };
        let managed = spec.is_some_and(|spec| {
            spec.content_secret_ref.is_some() && spec.password_policy != Some(PasswordPolicy::CreateOnly)
        });
        let applied = status.applied.as_ref();
        let pushed = applied.filter(|applied| managed && applied.content.is_some());
        let known = pushed.is_some() && status.drifted_because() == Some(Reason::PasswordChangedInPam);
        self.look(register, id, pushed, known, now);
    }

    /// Looks at a listing, once. `pushed` is what the PAM accepted, where it has a password that is managed here;
    /// `known` says that status tells of a change already.
    fn look(&mut self, register: &Register, id: &str, pushed: Option<&Applied>, known: bool, now: Instant) {
        self.rotated |= known;
        if register.began < self.answered || self.looked == Some(register.began) {
            return;
        }
        self.looked = Some(register.began);
        let Some(entry) = register.by_id(id) else {
            // A listing without entries proves nothing.
            self.absences += u32::from(register.has_entries());
            return;
        };
        self.absences = 0;
        let Some(pushed) = pushed else {
            // A password that is not managed here is not ours to speak of.
            self.rotated = false;
            return;
        };
        let seen = print(entry.change.as_ref());
        let baseline = *self
            .baseline
            .get_or_insert_with(|| pushed.change_seen.as_ref().map_or(seen, |text| print(Some(text))));
        self.rotated |= baseline != seen;
        if !self.rotated && self.enforce_from.is_some_and(|from| now > from + pause(self.enforced)) {
            // The password stayed for longer than the last pause: the PAM and the Secret agree again.
            self.enforced = 0;
        }
    }

    /// Compares a listing's text with the one that is known, or takes it for that. Returns whether there is more to see.
    pub fn compare(&mut self, change: Option<&String>, began: Instant) -> bool {
        if self.is_younger(began) {
            return false;
        }
        let seen = print(change);
        self.absences > 0 || *self.baseline.get_or_insert(seen) != seen
    }

    /// Whether the last answer came after a listing began.
    pub fn is_younger(&self, began: Instant) -> bool {
        began < self.answered
    }

    /// The PAM accepted a POST: what was seen before is out of date.
    pub fn answer(&mut self, with_content: bool, now: Instant) {
        self.answered = now;
        self.absences = 0;
        self.baseline = None;
        self.rotated &= !with_content;
    }

    /// A difference was corrected, or cannot be: it is not tried again. A password is enforced again after a pause.
    pub fn correct(&mut self, difference: &Difference, now: Instant) {
        if difference.reason == Reason::PasswordChangedInPam {
            self.enforced += 1;
            self.enforce_from = Some(now + pause(self.enforced));
        } else {
            self.corrected.push(difference.mark);
        }
    }

    /// The spec or a Secret changed, or a person asked: corrections are counted anew.
    pub fn forgive(&mut self) {
        self.corrected.clear();
    }
}

fn pause(enforced: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << enforced.saturating_sub(1).min(16));
    doubled.min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

    use super::*;
    use crate::pam::{Entry, Listing};

    /// A listing that began so many seconds after the first moment, with credential 7 as changed at this time, or with
    /// another one only.
    fn listing(start: Instant, second: u64, change: Option<&str>) -> Register {
        let mut listing = Listing::default();
        listing.push(Entry {
            id: if change.is_some() { "7" } else { "8" },
            identifier: None,
            username: "app",
            hostname: "db",
            ip: "10.0.0.1",
            change,
        });
        let began = start + Duration::from_secs(second);
        Register::new(listing, began, began)
    }

    fn pushed(change_seen: Option<&str>) -> Applied {
        Applied {
            generation: 1,
            time: Time(Timestamp::UNIX_EPOCH),
            body: String::new(),
            content: Some("print".to_owned()),
            key: String::new(),
            change_seen: change_seen.map(str::to_owned),
            secrets: Vec::new(),
        }
    }

    /// What listings at these seconds lead to, each shown twice.
    fn after(start: Instant, lookout: &mut Lookout, changes: &[(u64, Option<&str>)]) -> (bool, bool) {
        for (second, change) in changes {
            let register = listing(start, *second, *change);
            for _ in 0..2 {
                lookout.look(&register, "7", Some(&pushed(None)), false, register.began);
            }
        }
        (lookout.watch().vanished, lookout.watch().rotated)
    }

    #[test]
    fn a_credential_vanishes_when_two_listings_in_a_row_miss_it() {
        let start = Instant::now();
        let look = |changes: &[(u64, Option<&str>)]| after(start, &mut Lookout::new(start), changes).0;
        assert!(!look(&[(1, None)]), "one listing, however often it is looked at");
        assert!(look(&[(1, None), (2, None)]));
        assert!(!look(&[(1, None), (2, Some("a")), (3, None)]));
        assert!(!look(&[(1, None), (2, None), (3, Some("a"))]), "it came back");
    }

    #[test]
    fn a_listing_without_entries_proves_nothing() {
        let start = Instant::now();
        let mut lookout = Lookout::new(start);
        for second in 1..4 {
            let began = start + Duration::from_secs(second);
            let empty = Register::new(Listing::default(), began, began);
            lookout.look(&empty, "7", None, false, began);
        }
        assert!(!lookout.watch().vanished);
    }

    #[test]
    fn a_password_is_rotated_when_its_time_is_another_than_the_first_one_after_the_answer() {
        let start = Instant::now();
        let look = |changes: &[(u64, Option<&str>)]| after(start, &mut Lookout::new(start), changes).1;
        assert!(!look(&[(1, Some("a")), (2, Some("a"))]));
        assert!(look(&[(1, Some("a")), (2, Some("b"))]));
        assert!(
            look(&[(1, Some("a")), (2, Some("b")), (3, Some("a"))]),
            "until it is sent again"
        );
    }

    #[test]
    fn what_was_seen_before_an_answer_is_out_of_date_and_a_rotation_stays_until_the_password_is_sent() {
        let start = Instant::now();
        let mut lookout = Lookout::new(start);
        after(start, &mut lookout, &[(1, Some("a")), (2, Some("b"))]);
        lookout.answer(false, start + Duration::from_secs(3));
        assert_eq!(after(start, &mut lookout, &[(4, Some("b"))]), (false, true));
        lookout.answer(true, start + Duration::from_secs(5));
        let from_before_the_answer = [(4, Some("x")), (4, None)];
        assert_eq!(after(start, &mut lookout, &from_before_the_answer), (false, false));
        assert_eq!(
            after(start, &mut lookout, &[(6, Some("c")), (7, Some("c"))]),
            (false, false)
        );
        assert_eq!(after(start, &mut lookout, &[(8, Some("d"))]), (false, true));
    }

    #[test]
    fn status_knows_more_than_a_new_process() {
        let start = Instant::now();
        let register = listing(start, 1, Some("b"));
        let mut lookout = Lookout::new(start);
        lookout.look(&register, "7", Some(&pushed(Some("a"))), false, start);
        assert!(lookout.watch().rotated, "the baseline in status is another");
        let mut lookout = Lookout::new(start);
        lookout.look(&register, "7", Some(&pushed(None)), true, start);
        assert!(lookout.watch().rotated, "the condition says so");
    }

    #[test]
    fn only_news_wake_an_object() {
        let start = Instant::now();
        let mut lookout = Lookout::new(start);
        let (a, b) = ("a".to_owned(), "b".to_owned());
        let at = |second| start + Duration::from_secs(second);
        assert!(
            !lookout.compare(Some(&a), at(1)),
            "the first one is what the answer left"
        );
        assert!(!lookout.compare(Some(&a), at(2)));
        assert!(lookout.compare(Some(&b), at(3)));
        lookout.answer(true, at(5));
        assert!(!lookout.compare(Some(&b), at(4)), "from before the answer");
    }

    #[test]
    fn a_password_that_the_pam_changes_again_and_again_is_enforced_less_and_less_often() {
        let difference = |reason, mark| Difference {
            reason,
            message: String::new(),
            mark,
        };
        let start = Instant::now();
        let mut lookout = Lookout::new(start);
        let minutes: Vec<u64> = (0..14)
            .map(|mark| {
                lookout.correct(&difference(Reason::PasswordChangedInPam, mark), start);
                lookout
                    .watch()
                    .enforce_from
                    .expect("a pause")
                    .duration_since(start)
                    .as_secs()
                    / 60
            })
            .collect();
        assert_eq!(minutes[..5], [1, 2, 4, 8, 16]);
        assert_eq!(minutes[13], 24 * 60);
        assert!(lookout.watch().may_correct && lookout.watch().corrected.is_empty());
        // It stays for long enough: the next time is the first time again.
        let quiet = 3 * 24 * 3600;
        after(start, &mut lookout, &[(quiet, Some("a")), (quiet + 1, Some("a"))]);
        lookout.correct(&difference(Reason::PasswordChangedInPam, 99), start);
        assert_eq!(lookout.watch().enforce_from, Some(start + Duration::from_mins(1)));
    }

    #[test]
    fn corrections_are_counted_until_the_object_changes() {
        let mut lookout = Lookout::new(Instant::now());
        for mark in 0..8 {
            assert!(lookout.watch().may_correct);
            let reason = Reason::Drifted;
            let message = String::new();
            lookout.correct(&Difference { reason, message, mark }, Instant::now());
        }
        assert!(!lookout.watch().may_correct);
        lookout.forgive();
        assert!(lookout.watch().may_correct);
    }
}
