//! Whose is it? Every row of the PAM's decision table (contract 5.1) against everything that an object may have to
//! show for itself.
//!
//! The rows, for the identifier I and the account T that would be sent:
//!
//! 1. I and T belong to credential 115.
//! 2. I belongs to 115, T to nobody.
//! 3. I belongs to 115, T to 200.
//! 4. I belongs to nobody, T to 200.
//! 5. I and T belong to nobody.
//!
//! Rows 6 and 7 are about requests without identifier; the operator sends none.

use crate::api::{Claim, DriftPolicy, Reason};
use crate::controller::{
    ownership::identity::{Entry, Name},
    plan::tests::fixture::{Case, ELSEWHERE, GENERATED, NAMED, claim, claimed, edited, entry, kept, new},
};

/// What the PAM lists in each row for this identifier and the account `app`.
fn rows(identifier: &str) -> [Vec<Entry>; 5] {
    let stranger = entry("200", "theirs", "app");
    [
        vec![entry("115", identifier, "app")],
        vec![entry("115", identifier, "other")],
        vec![entry("115", identifier, "other"), stranger.clone()],
        vec![stranger],
        vec![],
    ]
}

/// Compares what is planned in each row.
fn check(object: impl Fn() -> Case, identifier: &str, expected: [&str; 5]) {
    let planned = rows(identifier).map(|entries| object().lists(&entries).next());
    assert_eq!(planned, expected);
}

const TAKEN: &str = "AlreadyExists";

#[test]
fn an_object_without_a_claim_has_nothing_to_show() {
    check(new, NAMED, [TAKEN, TAKEN, TAKEN, TAKEN, "claim orders-db"]);
}

#[test]
fn adoption_takes_one_credential_but_never_two() {
    let expected = [
        "claim orders-db to adopt 115",
        "claim orders-db to adopt 115",
        TAKEN,
        "claim orders-db to adopt 200",
        "claim orders-db",
    ];
    check(|| new().adopting(), NAMED, expected);
}

#[test]
fn without_an_identifier_in_the_spec_an_adopted_credential_keeps_its_own() {
    let case = new().unnamed().adopting();
    let case = case.lists(&[entry("200", "theirs", "app")]);
    assert_eq!(case.next(), "claim theirs to adopt 200");
    let case = case.lists(&[entry("200", "", "app")]);
    assert_eq!(case.next(), format!("claim {GENERATED} to adopt 200"));
}

#[test]
fn what_the_connection_does_not_permit_is_not_even_looked_at() {
    let object = || {
        new()
            .adopting()
            .but(|facts| facts.wish.forbidden = &["adoptionPolicy", "model"])
    };
    check(object, NAMED, ["NotPermitted"; 5]);
    let message = object().finding().message;
    assert_eq!(message, "the connection does not allow adoptionPolicy, model");
}

#[test]
fn the_identifier_that_only_we_can_compute_is_proof_enough_with_its_account() {
    let claimed = format!("claim 115 as {GENERATED}");
    let created = format!("claim {GENERATED}");
    check(|| new().unnamed(), GENERATED, [&claimed, TAKEN, TAKEN, TAKEN, &created]);
}

#[test]
fn a_claim_without_id_has_its_identifier_and_account() {
    let expected = [
        "update 115 as orders-db with password",
        TAKEN,
        TAKEN,
        TAKEN,
        "create as orders-db with password",
    ];
    check(claimed, NAMED, expected);
    let unknown_outcome = || claimed().unsure(NAMED, "body", Some("password"), 60);
    check(unknown_outcome, NAMED, expected);
}

#[test]
fn a_claim_without_id_adopts_where_adoption_is_permitted() {
    let expected = [
        "update 115 as orders-db with password",
        "update 115 as orders-db with password",
        TAKEN,
        "update 200 as orders-db with password",
        "create as orders-db with password",
    ];
    check(|| claimed().adopting(), NAMED, expected);
}

#[test]
fn a_claim_with_id_has_that_credential_and_no_other() {
    let expected = ["update 115 as orders-db", "Drifted", "Drifted", TAKEN, "NotFoundInPam"];
    check(edited, NAMED, expected);
}

#[test]
fn a_difference_that_may_be_overwritten_is_but_never_at_the_cost_of_another_credential() {
    let expected = [
        "update 115 as orders-db",
        "update 115 as orders-db",
        TAKEN,
        TAKEN,
        "NotFoundInPam",
    ];
    check(
        || edited().but(|facts| facts.wish.drift = DriftPolicy::Ignore),
        NAMED,
        expected,
    );
}

#[test]
fn a_vanished_credential_may_be_replaced_by_an_adopted_one() {
    let expected = [
        "update 115 as orders-db",
        "Drifted",
        "Drifted",
        "claim orders-db to adopt 200",
        "NotFoundInPam",
    ];
    check(|| edited().adopting(), NAMED, expected);
    let recreated = edited().adopting().lists(&[entry("200", NAMED, "app")]);
    assert_eq!(recreated.next(), "claim orders-db to adopt 200");
}

#[test]
fn a_claim_of_another_target_has_only_what_is_the_same_to_the_letter() {
    let elsewhere = |id: &str| Claim {
        target: ELSEWHERE.to_owned(),
        ..claim(Some(id))
    };
    let expected = ["claim 115 as orders-db", TAKEN, TAKEN, TAKEN, "claim orders-db"];
    check(|| edited().claims(elsewhere("115")), NAMED, expected);
    check(
        || edited().claims(elsewhere("7")),
        NAMED,
        [TAKEN, TAKEN, TAKEN, TAKEN, "claim orders-db"],
    );
    for listed in [entry("115", "Orders-DB", "app"), entry("115", NAMED, "App")] {
        assert_eq!(edited().claims(elsewhere("115")).lists(&[listed]).next(), TAKEN);
    }
    let unanswered = Claim {
        target: ELSEWHERE.to_owned(),
        ..claim(None)
    };
    check(
        || edited().claims(unanswered.clone()),
        NAMED,
        [TAKEN, TAKEN, TAKEN, TAKEN, "claim orders-db"],
    );
}

#[test]
fn a_claim_that_does_not_verify_proves_nothing() {
    let expected = [TAKEN, TAKEN, TAKEN, TAKEN, "claim orders-db"];
    check(|| edited().but(|facts| facts.record.proven = false), NAMED, expected);
    check(|| claimed().but(|facts| facts.record.proven = false), NAMED, expected);
}

#[test]
fn what_is_taken_is_judged_loosely() {
    let disguises = [
        entry("115", "ORDERS-DB", "x"),
        entry("115", " orders-db ", "x"),
        entry("115", "x", "APP"),
        entry("115", "x", " app"),
        entry("115", "Orders-Db", "App"),
    ];
    for disguise in disguises {
        assert_eq!(new().lists(&[disguise]).next(), TAKEN);
    }
}

#[test]
fn what_is_ours_may_be_normalised_by_the_pam() {
    let shouted = entry("115", NAMED, "APP");
    let case = claimed().lists(std::slice::from_ref(&shouted));
    assert_eq!(case.next(), "update 115 as orders-db with password");
    assert_eq!(edited().lists(&[shouted]).next(), "update 115 as orders-db");
    assert_eq!(
        edited().lists(&[entry("115", "ORDERS-DB", "app")]).next(),
        "update 115 as orders-db"
    );
    assert_eq!(
        claimed().lists(&[entry("115", "ORDERS-DB", "app")]).next(),
        TAKEN,
        "identifiers that we chose come back as they were sent"
    );
}

#[test]
fn the_finding_names_what_is_in_the_way() {
    let one = new().lists(&[entry("115", NAMED, "other")]).finding();
    assert_eq!(
        one.message,
        "the PAM has this credential already: 115 (other@db.example (10.0.0.1))"
    );
    let [_, _, both, ..] = rows(NAMED);
    let two = new().lists(&both).finding();
    assert_eq!(
        two.message,
        "identifier and account belong to several credentials of the PAM: \
         115 (other@db.example (10.0.0.1)), 200 (app@db.example (10.0.0.1))"
    );
}

#[test]
fn an_unexpected_answer_is_not_provoked_again() {
    let surprised = || {
        claimed().but(|facts| {
            facts.record.generation = 1;
            facts.record.reason = Some(Reason::UnexpectedAnswer);
            facts.recall.unsure = None;
        })
    };
    assert_eq!(surprised().next(), "await NextListing");
    let create = "create as orders-db with password";
    assert_eq!(
        surprised().adopting().next(),
        create,
        "who may adopt takes what answers"
    );
    assert_eq!(surprised().but(|facts| facts.wish.generation = 2).next(), create);
    assert_eq!(surprised().but(|facts| facts.wish.requested = true).next(), create);
    assert_eq!(
        surprised().unsure(NAMED, "body", Some("password"), 60).next(),
        create,
        "an update is no surprise after a request of unknown outcome"
    );
    let shown = surprised().lists(&[entry("115", NAMED, "app")]);
    assert_eq!(shown.next(), TAKEN, "an answered claim without id made nothing");
}

#[test]
fn another_object_of_the_cluster_goes_before_the_pam() {
    let rival = kept(Name::new("billing", "db"));
    let case = new()
        .lists(&[entry("115", NAMED, "app")])
        .but(|facts| facts.rival = Some(rival));
    assert_eq!(case.next(), "Conflict");
    assert_eq!(
        case.finding().message,
        "PamCredential billing/db declares the same credential and goes first"
    );
    assert_eq!(edited().but(|facts| facts.rival = Some(rival)).next(), "Conflict");
}
