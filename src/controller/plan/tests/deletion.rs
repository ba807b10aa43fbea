//! The end of an object: only what is ours by a fresh listing is deactivated, and nobody is kept for ever.

use crate::api::{Claim, Reason};
use crate::controller::plan::{
    Await,
    facts::LinkState,
    tests::fixture::{Case, ELSEWHERE, GENERATED, NAMED, account, ago, ahead, claim, deleted, entry, new, synced},
};

fn reached(state: LinkState<'static>) -> Case {
    deleted().but(|facts| facts.link.state = state)
}

/// A deleted object with finalizer that has nothing in its status.
fn stranger() -> Case {
    new().but(|facts| {
        facts.wish.deleting = true;
        facts.wish.deactivates = true;
        facts.wish.finalizer = true;
    })
}

#[test]
fn without_finalizer_there_is_nothing_to_do() {
    assert_eq!(synced().but(|facts| facts.wish.deleting = true).next(), "Nothing");
    assert_eq!(deleted().but(|facts| facts.wish.finalizer = false).next(), "Nothing");
}

#[test]
fn retain_lets_go_without_a_look() {
    let retained = reached(LinkState::Missing).but(|facts| {
        facts.wish.deactivates = false;
        facts.register = None;
    });
    assert_eq!(retained.next(), "release");
}

#[test]
fn what_is_ours_is_deactivated() {
    assert_eq!(deleted().next(), "deactivate 115");
    assert_eq!(
        deleted().lists(&[entry("115", "renamed", "APP")]).next(),
        "deactivate 115"
    );
    assert_eq!(
        deleted().lists(&[entry("115", NAMED, "moved")]).next(),
        "deactivate 115"
    );
    let unanswered = deleted().claims(claim(None));
    assert_eq!(unanswered.next(), "deactivate 115");
    let generated = stranger().lists(&[entry("115", GENERATED, "app")]);
    assert_eq!(generated.next(), "deactivate 115");
    let renamed_pam = deleted().claims(Claim {
        target: ELSEWHERE.to_owned(),
        ..claim(Some("115"))
    });
    assert_eq!(renamed_pam.next(), "deactivate 115");
}

#[test]
fn what_is_absent_is_done() {
    assert_eq!(deleted().lists(&[]).next(), "release");
    assert_eq!(deleted().claims(claim(None)).lists(&[]).next(), "release");
    assert_eq!(stranger().next(), "release");
}

#[test]
fn what_is_not_ours_is_left_alone_and_said() {
    let reused = deleted().lists(&[entry("115", "theirs", "theirs")]);
    assert_eq!(reused.next(), "release, not_ours");
    let forged = deleted().but(|facts| facts.record.proven = false);
    assert_eq!(forged.next(), "release, not_ours");
    assert_eq!(forged.lists(&[]).next(), "release, not_ours", "who knows what it has");
    let moved = deleted().claims(Claim {
        target: ELSEWHERE.to_owned(),
        ..claim(Some("115"))
    });
    let moved = moved.lists(&[entry("115", NAMED, "theirs")]);
    assert_eq!(moved.next(), "release, not_ours");
    assert_eq!(
        moved.lists(&[]).next(),
        "release, not_ours",
        "its credential is at the other PAM"
    );
}

#[test]
fn an_object_that_was_refused_leaves_the_credential_that_it_did_not_get() {
    let refused = stranger().lists(&[entry("7", NAMED, "app")]);
    assert_eq!(refused.next(), "release");
    let adopting = stranger().adopting().lists(&[entry("7", NAMED, "app")]);
    assert_eq!(adopting.next(), "release", "it was permitted, but it never happened");
}

#[test]
fn the_listing_must_have_begun_after_the_deletion_was_seen() {
    let ours = [entry("115", NAMED, "app")];
    assert_eq!(deleted().listed(&ours, 9, 8).next(), "deactivate 115");
    assert_eq!(deleted().listed(&ours, 10, 8).next(), "await Listing");
    assert_eq!(deleted().listed(&[], 10, 8).next(), "await Listing");
    assert_eq!(deleted().but(|facts| facts.register = None).next(), "await Listing");
    let long_known = deleted().but(|facts| facts.recall.since = ago(300));
    assert_eq!(long_known.listed(&ours, 60, 31).next(), "await Listing");
}

#[test]
fn the_deletion_waits_for_a_request_that_may_still_arrive_and_looks_after_it() {
    let late = deleted().unsure(NAMED, "body", None, 60);
    assert_eq!(late.next(), "wait 60 s");
    let held = deleted()
        .unsure(NAMED, "body", None, 60)
        .but(|facts| facts.recall.held_until = Some(ahead(5)));
    assert_eq!(held.next(), "wait 60 s");
    let paused = deleted().but(|facts| facts.recall.held_until = Some(ahead(5)));
    assert_eq!(paused.next(), "wait 5 s");
    let settled = deleted().unsure(NAMED, "body", None, 0);
    assert_eq!(settled.next(), "await Listing", "the listing may have been too early");
    assert_eq!(
        settled.listed(&[entry("115", NAMED, "app")], 0, 0).next(),
        "deactivate 115"
    );
}

#[test]
fn a_connection_that_cannot_be_used_is_said_until_the_timeout() {
    let not_ready = LinkState::NotReady(Reason::SecretNotFound, "Secret vault-client does not exist");
    for (state, message) in [
        (LinkState::Missing, "the connection does not exist"),
        (LinkState::NotAllowed, "the connection is not for this namespace"),
        (not_ready, "SecretNotFound: Secret vault-client does not exist"),
    ] {
        let finding = reached(state).finding();
        assert_eq!(
            (finding.reason, finding.message.as_str()),
            (Reason::DeactivationFailed, message)
        );
        let late = reached(state).but(|facts| facts.recall.release_at = Some(ahead(0)));
        assert_eq!(late.next(), "release, timed_out");
        let early = reached(state).but(|facts| facts.recall.release_at = Some(ahead(1)));
        assert_eq!(early.next(), "DeactivationFailed");
        let orphaned = reached(state).but(|facts| facts.recall.orphaned = true);
        assert_eq!(orphaned.next(), "release, orphaned");
    }
    assert_eq!(reached(LinkState::Unknown).next(), "await Connection");
}

#[test]
fn suspend_does_not_stop_a_deletion() {
    assert_eq!(reached(LinkState::Suspended).next(), "deactivate 115");
    assert_eq!(
        deleted().but(|facts| facts.wish.suspended = true).next(),
        "deactivate 115"
    );
}

#[test]
fn a_listing_that_cannot_be_had_is_said_and_still_waited_for() {
    let case = deleted().but(|facts| {
        facts.register = None;
        facts.link.listing_failure = Some((Reason::PamUnavailable, "the listing failed"));
    });
    assert_eq!(case.finding().reason, Reason::DeactivationFailed);
    assert_eq!(case.finding().until, Some(Await::Listing));
}

#[test]
fn a_spec_that_cannot_be_read_hinders_no_deletion() {
    let unreadable = deleted().but(|facts| {
        facts.wish.unreadable = Some("unknown variant");
        facts.wish.triple = None;
        facts.wish.identifier = None;
    });
    assert_eq!(unreadable.next(), "deactivate 115");
}

#[test]
fn an_edit_that_was_never_accepted_does_not_lead_the_deletion_astray() {
    let edited = deleted()
        .at(account("theirs"))
        .but(|facts| facts.wish.identifier = Some("theirs"))
        .lists(&[entry("115", NAMED, "app"), entry("7", "theirs", "theirs")]);
    assert_eq!(edited.next(), "deactivate 115");
}
