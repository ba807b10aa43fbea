//! What others changed in the PAM, and what each policy makes of it.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use crate::api::{DriftPolicy, Reason, condition};
use crate::controller::{
    ownership::identity::Entry,
    plan::{
        Dispatch, Stake, Step,
        drift::Difference,
        facts::{Content, LinkState},
        tests::fixture::{Case, NAMED, account, ago, ahead, applied, claim, edited, entry, kept, prints, synced},
    },
};

fn policy(case: Case, policy: DriftPolicy) -> Case {
    case.but(|facts| facts.wish.drift = policy)
}

fn correcting(case: Case) -> Case {
    policy(case, DriftPolicy::Correct)
}

/// The Secrets were read, as they are before every POST.
fn read(case: Case) -> Case {
    case.but(|facts| facts.content = Content::Rendered(kept(prints("body", "password"))))
}

/// An object in sync whose credential is listed like this.
fn found(entries: &[Entry]) -> Case {
    synced().lists(entries)
}

fn renamed() -> Entry {
    entry("115", NAMED, "renamed")
}

/// An object in sync whose credential was missing twice.
fn vanished() -> Case {
    found(&[entry("1", "other", "other")]).but(|facts| facts.recall.watch.vanished = true)
}

/// An object in sync whose password the PAM changed.
fn rotated() -> Case {
    found(&[entry("115", NAMED, "app")]).but(|facts| facts.recall.watch.rotated = true)
}

fn enforcing(case: Case) -> Case {
    case.but(|facts| facts.wish.enforces = true)
}

/// Status shows this difference already.
fn shown(case: Case, difference: &Difference) -> Case {
    let condition = Condition {
        type_: condition::DRIFTED.to_owned(),
        status: "True".to_owned(),
        reason: difference.reason.as_str().to_owned(),
        message: format!("{}. What to do.", difference.message),
        observed_generation: Some(1),
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
    };
    case.but(|facts| facts.record.drifted = Some(kept(condition)))
}

fn difference(case: &Case) -> Difference {
    match case.step() {
        Step::Note(Some(difference))
        | Step::Send(Dispatch {
            corrects: Some(difference),
            ..
        })
        | Step::Claim(Stake {
            corrects: Some(difference),
            ..
        }) => difference,
        step => panic!("no difference: {step:?}"),
    }
}

#[test]
fn differences_are_noted_and_the_object_stays_ready() {
    let cases: [(Case, &str); 6] = [
        (found(&[renamed()]), "note Drifted"),
        (found(&[entry("115", "renamed", "app")]), "note Drifted"),
        (found(&[entry("115", "", "app")]), "note Drifted"),
        (found(&[entry("115", "theirs", "theirs")]), "note Drifted"),
        (vanished(), "note NotFoundInPam"),
        (rotated(), "note PasswordChangedInPam"),
    ];
    for (case, expected) in cases {
        assert_eq!(case.next(), expected);
        let said = difference(&case);
        assert!(said.message.contains("115"), "{}", said.message);
        assert_eq!(shown(case, &said).next(), "Nothing", "it is said once");
    }
}

#[test]
fn blanks_and_the_case_of_letters_are_no_difference() {
    let mut same = entry("115", " Orders-DB ", "APP");
    same.triple.hostname.push(' ');
    assert_eq!(found(&[same]).next(), "Nothing");
}

#[test]
fn a_difference_that_is_over_is_taken_back() {
    let said = difference(&found(&[renamed()]));
    assert_eq!(shown(synced(), &said).next(), "note nothing");
    let ignored = policy(shown(found(&[renamed()]), &said), DriftPolicy::Ignore);
    assert_eq!(ignored.next(), "note nothing", "the policy came later");
}

#[test]
fn another_difference_takes_the_place_of_the_one_before() {
    let said = difference(&found(&[renamed()]));
    let other = shown(found(&[entry("115", NAMED, "again")]), &said);
    assert_eq!(other.next(), "note Drifted");
    let newer = shown(found(&[renamed()]), &said).but(|facts| {
        facts.wish.generation = 2;
        facts.record.generation = 2;
        let mut current = applied();
        current.generation = 2;
        facts.record.applied = Some(kept(current));
    });
    assert_eq!(
        newer.next(),
        "note Drifted",
        "conditions speak of the present generation"
    );
}

#[test]
fn a_listing_from_before_the_last_answer_says_nothing() {
    let early = found(&[renamed()]).but(|facts| facts.recall.watch.answered = ago(1));
    assert_eq!(early.next(), "Nothing");
}

#[test]
fn a_credential_that_is_missing_once_has_not_vanished() {
    let once = found(&[entry("1", "other", "other")]);
    assert_eq!(once.next(), "Nothing");
    assert_eq!(correcting(read(once)).next(), "Nothing");
}

#[test]
fn ignored_differences_are_neither_noted_nor_corrected() {
    for case in [found(&[renamed()]), vanished(), rotated()] {
        assert_eq!(policy(read(case), DriftPolicy::Ignore).next(), "Nothing");
    }
}

#[test]
fn an_identity_is_corrected_without_the_password() {
    let lost = [renamed(), entry("115", "renamed", "app"), entry("115", "", "app")];
    for listed in lost {
        assert_eq!(correcting(found(std::slice::from_ref(&listed))).next(), "ReadSecrets");
        assert_eq!(correcting(read(found(&[listed]))).next(), "update 115 as orders-db");
    }
}

#[test]
fn what_cannot_be_corrected_without_a_second_credential_is_noted() {
    let theirs = found(&[entry("115", "theirs", "theirs")]);
    assert_eq!(correcting(read(theirs)).next(), "note Drifted");
    let taken = found(&[renamed(), entry("7", "seven", "app")]);
    assert_eq!(correcting(read(taken)).next(), "note Drifted");
}

#[test]
fn each_difference_is_corrected_once() {
    let case = correcting(read(found(&[renamed()])));
    let mark = difference(&case).mark;
    let again = case.but(|facts| facts.recall.watch.corrected = kept([mark]));
    assert_eq!(again.next(), "note Drifted");
    let other = again.lists(&[entry("115", NAMED, "again")]);
    assert_eq!(other.next(), "update 115 as orders-db");
    let tireless = other.but(|facts| facts.recall.watch.may_correct = false);
    assert_eq!(tireless.next(), "note Drifted");
}

#[test]
fn a_vanished_credential_is_created_again_under_its_identifier_with_its_password() {
    let case = correcting(read(vanished()));
    assert_eq!(case.next(), "claim orders-db");
    assert_eq!(difference(&case).reason, Reason::NotFoundInPam);
    let claimed = case
        .claims(claim(None))
        .but(|facts| facts.recall.unsure = None)
        .but(|facts| facts.record.applied = None);
    assert_eq!(claimed.next(), "create as orders-db with password");
}

#[test]
fn a_create_needs_a_fresh_listing_also_as_a_correction() {
    let old = correcting(read(vanished())).listed(&[entry("1", "other", "other")], 50, 45);
    assert_eq!(old.next(), "await Listing");
}

#[test]
fn a_vanished_credential_whose_place_is_taken_is_noted() {
    let taken = vanished().lists(&[entry("7", "theirs", "app")]);
    assert_eq!(correcting(read(taken)).next(), "note NotFoundInPam");
}

#[test]
fn nothing_is_corrected_when_many_vanish_at_once() {
    for case in [vanished(), found(&[renamed()])] {
        let case = correcting(read(case)).but(|facts| facts.link.many_vanished = true);
        assert!(case.next().starts_with("note "), "{}", case.next());
    }
}

#[test]
fn what_is_in_the_way_of_a_correction_does_not_make_the_object_less_ready() {
    let ways: [fn(Case) -> Case; 4] = [
        |case| {
            case.but(|facts| {
                facts.wish.suspended = true;
                facts.record.reason = Some(Reason::Suspended);
            })
        },
        |case| case.but(|facts| facts.link.state = LinkState::Suspended),
        |case| case.but(|facts| facts.link.state = LinkState::NotReady(Reason::AccessDenied, "no")),
        |case| case.but(|facts| facts.wish.forbidden = kept(["type"])),
    ];
    for way in ways {
        assert_eq!(way(correcting(read(found(&[renamed()])))).next(), "note Drifted");
    }
}

#[test]
fn a_correction_waits_for_its_turn_and_the_object_stays_ready() {
    for since in [ago(1), ago(3000)] {
        let case = correcting(read(found(&[renamed()]))).but(|facts| {
            facts.link.turn = false;
            facts.recall.since = since;
        });
        assert_eq!(case.next(), "await Turn");
    }
}

#[test]
fn a_waiting_update_is_held_back_only_where_differences_are_reported() {
    let waiting = || edited().lists(&[renamed()]);
    assert_eq!(waiting().next(), "Drifted");
    for free in [DriftPolicy::Ignore, DriftPolicy::Correct] {
        assert_eq!(policy(waiting(), free).next(), "update 115 as orders-db");
    }
    let taken_over = edited().lists(&[renamed()]).at(account("renamed"));
    assert_eq!(
        taken_over.next(),
        "update 115 as orders-db",
        "the spec says the same now"
    );
}

#[test]
fn only_who_enforces_it_sends_a_rotated_password_again() {
    assert_eq!(correcting(read(rotated())).next(), "note PasswordChangedInPam");
    for drift in [DriftPolicy::Report, DriftPolicy::Correct, DriftPolicy::Ignore] {
        let case = policy(enforcing(read(rotated())), drift);
        assert_eq!(case.next(), "update 115 as orders-db with password");
    }
}

#[test]
fn a_password_is_enforced_again_only_after_a_pause() {
    let soon = enforcing(read(rotated())).but(|facts| facts.recall.watch.enforce_from = Some(ahead(60)));
    assert_eq!(soon.next(), "note PasswordChangedInPam");
    let said = difference(&soon);
    let waiting = shown(soon, &said);
    assert_eq!(waiting.next(), "wait 60 s");
    let over = waiting.but(|facts| facts.recall.watch.enforce_from = Some(ago(1)));
    assert_eq!(over.next(), "update 115 as orders-db with password");
}

#[test]
fn a_rotated_password_goes_along_when_the_identity_is_corrected() {
    let both = correcting(enforcing(read(rotated().lists(&[renamed()]))));
    assert_eq!(both.next(), "update 115 as orders-db with password");
    let reported = enforcing(read(rotated().lists(&[renamed()])));
    assert_eq!(reported.next(), "note Drifted");
}

#[test]
fn who_enforces_a_password_keeps_what_a_change_is_recognised_by() {
    let changed = Entry {
        change: Some("2024-05-03 16:19:53".to_owned()),
        ..entry("115", NAMED, "app")
    };
    let case = enforcing(found(&[changed]));
    assert_eq!(case.next(), r#"Baseline("2024-05-03 16:19:53")"#);
    let kept_already = case.but(|facts| {
        let mut applied = applied();
        applied.change_seen = Some("2024-05-03 16:19:53".to_owned());
        facts.record.applied = Some(kept(applied));
    });
    assert_eq!(kept_already.next(), "Nothing");
    assert_eq!(enforcing(synced()).next(), "Nothing", "a PAM that does not say when");
}

#[test]
fn who_enforces_a_password_sends_one_that_was_left_as_it_is() {
    let left = enforcing(synced()).but(|facts| {
        let mut applied = applied();
        applied.content = None;
        facts.record.applied = Some(kept(applied));
    });
    assert_eq!(left.next(), "ReadSecrets");
    assert_eq!(read(left).next(), "update 115 as orders-db with password");
}

#[test]
fn a_claim_under_a_lost_key_is_signed_anew_only_on_request_and_only_where_all_of_it_is_listed() {
    let lost = || synced().but(|facts| facts.record.proven = false);
    assert_eq!(lost().next(), "Nothing");
    let asked = || lost().but(|facts| facts.recall.resigns = true);
    let Step::Claim(stake) = asked().step() else {
        panic!("{:?}", asked().step())
    };
    assert!(stake.resigns && stake.keeps_applied);
    assert_eq!(stake.id.as_deref(), Some("115"));
    for other in [
        entry("115", "Orders-db", "app"),
        entry("115", NAMED, "App"),
        entry("116", NAMED, "app"),
    ] {
        assert_eq!(asked().lists(&[other]).next(), "Nothing");
    }
    assert_eq!(asked().but(|facts| facts.register = None).next(), "await Listing");
}

/// A Secret that is gone after it was sent has nothing to send, so a correction that needs it is no reason to be less
/// ready: else the next look, at metadata alone, says ready again, and so on without end.
#[test]
fn a_correction_without_its_secret_leaves_the_object_ready() {
    let gone = |case: Case| {
        case.but(|facts| {
            facts.content = Content::Broken {
                reason: Reason::SecretNotFound,
                message: "Secret db does not exist",
                unmoved: true,
            };
        })
    };
    let drifted = correcting(found(&[renamed()]));
    assert_eq!(drifted.next(), "ReadSecrets");
    assert_eq!(gone(drifted).next(), "note Drifted");
    assert_eq!(gone(enforcing(rotated())).next(), "note PasswordChangedInPam");
}

/// The answer to a correction was about another credential: it stays so until a person acts, and is not asked for again.
#[test]
fn an_unexpected_answer_to_a_correction_is_not_recorded_as_ready() {
    let surprised = |case: Case| {
        case.but(|facts| {
            facts.record.ready = false;
            facts.record.reason = Some(Reason::UnexpectedAnswer);
        })
    };
    for case in [correcting(found(&[renamed()])), enforcing(rotated())] {
        let next = surprised(read(case)).next();
        assert!(next != "Record" && !next.contains("update"), "{next}");
    }
}
