//! Changes of identifier and account, and what drift makes of them.

use crate::api::{Claim, DriftPolicy};
use crate::controller::plan::{
    Step,
    tests::fixture::{Case, GENERATED, NAMED, account, applied, claim, edited, entry, kept, new, synced},
};

/// The object after an edit that names this identifier and this account.
fn renamed(identifier: &'static str, username: &str) -> Case {
    edited()
        .at(account(username))
        .but(|facts| facts.wish.identifier = Some(identifier))
}

fn ignoring_drift(case: Case) -> Case {
    case.but(|facts| facts.wish.drift = DriftPolicy::Ignore)
}

#[test]
fn identifier_or_account_change_in_one_step() {
    assert_eq!(renamed("new", "app").next(), "update 115 as new");
    assert_eq!(renamed(NAMED, "web").next(), "update 115 as orders-db");
}

#[test]
fn identifier_and_account_change_in_two_steps_with_the_account_first() {
    assert_eq!(renamed("new", "web").next(), "update 115 as orders-db, for now");
    let moved = Claim {
        username: "web".to_owned(),
        ..claim(Some("115"))
    };
    let second = renamed("new", "web")
        .claims(moved)
        .lists(&[entry("115", NAMED, "web")])
        .but(|facts| {
            let mut halfway = applied();
            halfway.generation = 2;
            halfway.body = "other body".to_owned();
            facts.record.applied = Some(kept(halfway));
        });
    assert_eq!(second.next(), "update 115 as new");
}

#[test]
fn a_named_identifier_that_is_removed_from_the_spec_stays() {
    assert_eq!(edited().unnamed().next(), "update 115 as orders-db");
}

#[test]
fn an_edit_that_would_become_a_takeover_is_refused_even_with_adoption() {
    let ours = entry("115", NAMED, "app");
    for (theirs, edit) in [
        (entry("200", "theirs", "x"), renamed("theirs", "app")),
        (entry("200", "THEIRS ", "x"), renamed("theirs", "app")),
        (entry("200", "theirs", "web"), renamed(NAMED, "web")),
        (entry("200", "", " Web"), renamed(NAMED, "web")),
        (entry("200", "theirs", "web"), renamed("theirs", "web")),
    ] {
        let case = edit.lists(&[ours.clone(), theirs]);
        assert_eq!(case.next(), "AlreadyExists");
        assert!(
            case.finding()
                .message
                .starts_with("this change would take over credential 200"),
            "{}",
            case.finding().message
        );
        assert_eq!(case.adopting().next(), "AlreadyExists");
    }
}

#[test]
fn the_second_step_of_a_change_does_not_take_over_either() {
    let moved = Claim {
        username: "web".to_owned(),
        ..claim(Some("115"))
    };
    let case = renamed("theirs", "web").claims(moved);
    let case = case.lists(&[entry("115", NAMED, "web"), entry("200", "theirs", "x")]);
    assert_eq!(case.next(), "AlreadyExists");
}

#[test]
fn a_reported_difference_stops_every_update() {
    for listed in [entry("115", "renamed", "app"), entry("115", NAMED, "renamed")] {
        let case = edited().lists(&[listed]);
        assert_eq!(case.next(), "Drifted");
        assert!(
            case.finding().message.contains("credential 115 is "),
            "{:?}",
            case.finding()
        );
    }
}

#[test]
fn what_answers_to_our_id_alone_is_not_ours() {
    let reused = entry("115", "theirs", "theirs");
    assert_eq!(edited().lists(&[reused]).next(), "NotFoundInPam");
}

#[test]
fn an_ignored_difference_is_taken_into_the_claim_before_the_identity_changes() {
    let case = ignoring_drift(renamed("new", "app")).lists(&[entry("115", "by-hand", "app")]);
    let Step::Claim(stake) = case.step() else {
        panic!("{:?}", case.step())
    };
    assert_eq!(
        (stake.id.as_deref(), stake.identifier.as_str()),
        (Some("115"), "by-hand")
    );
    assert_eq!(stake.triple, account("app"));
    assert!(stake.keeps_applied, "the password was sent and stays so");
    let brought = Claim {
        identifier: "by-hand".to_owned(),
        ..claim(Some("115"))
    };
    assert_eq!(case.claims(brought).next(), "update 115 as new");
}

#[test]
fn a_lost_identifier_neither_repeats_the_claim_nor_creates_a_second_credential() {
    let lost = [entry("115", "", "app")];
    let case = |identifier, username| ignoring_drift(renamed(identifier, username)).lists(&lost);
    assert_eq!(case(NAMED, "app").next(), "update 115 as orders-db");
    assert_eq!(case("new", "app").next(), "update 115 as new");
    assert_eq!(case(NAMED, "web").next(), "Drifted");
    assert!(
        case(NAMED, "web")
            .finding()
            .message
            .ends_with("would create a second credential")
    );
}

#[test]
fn a_claim_on_what_was_found_again_shows_what_is_listed() {
    let case = new().unnamed().lists(&[entry("115", GENERATED, "APP")]);
    let Step::Claim(stake) = case.step() else {
        panic!("{:?}", case.step())
    };
    assert_eq!(stake.triple, account("APP"));
    assert!(!stake.keeps_applied, "nothing was accepted from this object here");
}

#[test]
fn an_edit_while_the_first_answer_is_missing_keeps_the_credential() {
    let case = new().claims(claim(None)).at(account("web"));
    let case = case.lists(&[entry("115", NAMED, "app")]);
    assert_eq!(case.next(), "claim 115 as orders-db");
}

#[test]
fn an_identity_in_sync_needs_no_listing_at_all() {
    assert_eq!(synced().but(|facts| facts.register = None).next(), "Nothing");
}
