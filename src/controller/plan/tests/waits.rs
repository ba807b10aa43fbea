//! What has to be there before anything is sent: connection, listing, and the end of earlier requests.

use crate::api::Reason;
use crate::controller::plan::{
    Await,
    facts::{Content, LinkState},
    tests::fixture::{Case, NAMED, account, ago, ahead, claimed, deleted, edited, entry, new, synced},
};

fn reached(case: Case, state: LinkState<'static>) -> Case {
    case.but(|facts| facts.link.state = state)
}

#[test]
fn every_state_of_the_connection_has_its_answer() {
    let not_ready = LinkState::NotReady(Reason::AuthenticationFailed, "the token request failed");
    for (state, expected) in [
        (LinkState::Missing, "ConnectionNotFound"),
        (LinkState::NotAllowed, "ConnectionNotAllowed"),
        (LinkState::Suspended, "Suspended"),
        (LinkState::Unknown, "await Connection"),
        (not_ready, "ConnectionNotReady"),
        (LinkState::Ready, "update 115 as orders-db"),
    ] {
        assert_eq!(reached(edited(), state).next(), expected);
        assert_eq!(
            reached(synced(), state).next(),
            "Nothing",
            "nothing to send is nothing to say"
        );
    }
    assert_eq!(
        reached(edited(), not_ready).finding().message,
        "AuthenticationFailed: the token request failed"
    );
    let missing = reached(synced(), LinkState::Missing).but(|facts| facts.link.target = None);
    assert_eq!(missing.next(), "Nothing");
    let unreadable = edited().but(|facts| facts.link.target = None);
    assert_eq!(unreadable.next(), "await Connection");
}

#[test]
fn suspend_stops_what_waits_to_be_sent() {
    let suspended = |case: Case| case.but(|facts| facts.wish.suspended = true);
    for case in [new(), claimed(), edited()] {
        assert_eq!(suspended(case).next(), "Suspended");
    }
    let recorded = suspended(synced()).but(|facts| facts.record.reason = Some(Reason::Suspended));
    assert_eq!(recorded.next(), "Nothing");
    assert_eq!(suspended(synced()).next(), "Record", "status says that it is suspended");
    let released = synced().but(|facts| facts.record.reason = Some(Reason::Suspended));
    assert_eq!(released.next(), "Record", "and that it no longer is");
}

#[test]
fn what_is_forbidden_is_said_before_secrets_are_read() {
    let forbidden = |case: Case| {
        case.but(|facts| {
            facts.wish.forbidden = &["model"];
            facts.content = Content::Unread;
        })
    };
    assert_eq!(forbidden(new()).next(), "NotPermitted");
    assert_eq!(
        reached(forbidden(new()), LinkState::NotAllowed).next(),
        "ConnectionNotAllowed"
    );
}

#[test]
fn a_new_identity_needs_a_listing_that_began_after_everything_was_there() {
    let free = |began, ended| new().listed(&[], began, ended).next();
    assert_eq!(free(9, 5), "claim orders-db");
    assert_eq!(free(10, 5), "await Listing", "it began before the object was seen");
    let long_known = |began, ended| {
        let case = new().but(|facts| {
            facts.recall.since = ago(300);
            facts.record.generation = 1;
        });
        case.listed(&[], began, ended).next()
    };
    assert_eq!(long_known(60, 30), "claim orders-db");
    assert_eq!(long_known(60, 31), "await Listing", "it is too old");
    assert_eq!(new().but(|facts| facts.register = None).next(), "await Listing");
}

#[test]
fn a_change_of_identity_needs_a_new_listing_and_any_other_update_does_not() {
    let ours = [entry("115", NAMED, "app")];
    let old = |case: Case| case.listed(&ours, 600, 599);
    assert_eq!(old(edited()).next(), "update 115 as orders-db");
    assert_eq!(old(edited().at(account("web"))).next(), "await Listing");
    assert_eq!(
        old(edited().but(|facts| facts.wish.identifier = Some("new"))).next(),
        "await Listing"
    );
    assert_eq!(old(claimed()).next(), "await Listing", "nothing was confirmed yet");
    assert_eq!(
        old(edited().but(|facts| facts.record.proven = false)).next(),
        "await Listing"
    );
}

#[test]
fn an_update_needs_a_listing_of_this_interval() {
    let ours = [entry("115", NAMED, "app")];
    assert_eq!(edited().listed(&ours, 700, 690).next(), "update 115 as orders-db");
    assert_eq!(edited().listed(&ours, 700, 691).next(), "await Listing");
}

#[test]
fn a_listing_that_cannot_be_had_is_said_and_still_waited_for() {
    let case = new().but(|facts| {
        facts.register = None;
        facts.link.listing_failure = Some((Reason::PamUnavailable, "the listing failed"));
    });
    assert_eq!(case.finding().reason, Reason::PamUnavailable);
    assert_eq!(case.finding().until, Some(Await::Listing));
    let listed = new().but(|facts| facts.link.listing_failure = Some((Reason::PamUnavailable, "later")));
    assert_eq!(
        listed.next(),
        "claim orders-db",
        "one that is fresh enough still counts"
    );
}

#[test]
fn a_pause_is_kept_and_its_end_is_the_end() {
    let held = |until| edited().but(|facts| facts.recall.held_until = Some(until));
    assert_eq!(held(ahead(20)).next(), "wait 20 s");
    assert_eq!(held(ahead(0)).next(), "update 115 as orders-db");
}

#[test]
fn other_content_waits_for_a_request_that_may_still_arrive() {
    let same = || claimed().unsure(NAMED, "body", Some("password"), 60);
    assert_eq!(
        same().next(),
        "create as orders-db with password",
        "the same POST converges"
    );
    let other_spec = claimed().unsure(NAMED, "an older body", Some("password"), 60);
    assert_eq!(other_spec.next(), "Progressing");
    let other_password = claimed().unsure(NAMED, "body", Some("an older password"), 60);
    assert_eq!(other_password.next(), "Progressing");
    let other_identifier = claimed().unsure("older", "body", Some("password"), 60);
    assert_eq!(other_identifier.next(), "Progressing");
    let settled = claimed().unsure(NAMED, "an older body", Some("password"), 0);
    assert_eq!(settled.next(), "create as orders-db with password");
    let without_password = edited().unsure(NAMED, "other body", None, 60);
    assert_eq!(without_password.next(), "update 115 as orders-db");
    let both = claimed()
        .unsure(NAMED, "an older body", None, 60)
        .but(|facts| facts.recall.held_until = Some(ahead(90)));
    assert_eq!(both.next(), "wait 90 s");
}

#[test]
fn findings_that_the_pam_can_change_ride_on_the_next_listing() {
    let taken = new().lists(&[entry("7", NAMED, "x")]);
    let vanished = edited().lists(&[]);
    let drifted = edited().lists(&[entry("115", NAMED, "x")]);
    for case in [taken, vanished, drifted] {
        assert_eq!(case.finding().until, Some(Await::NextListing), "{:?}", case.finding());
    }
    let not_allowed = reached(new(), LinkState::NotAllowed);
    assert_eq!(not_allowed.finding().until, None, "the connection itself wakes it");
}

#[test]
fn a_wait_for_the_pam_that_gets_long_is_said() {
    let waiting = |seconds| {
        new().but(|facts| {
            facts.register = None;
            facts.recall.since = ago(seconds);
        })
    };
    assert_eq!(waiting(9).next(), "await Listing");
    assert_eq!(waiting(11).finding().reason, Reason::Progressing);
    assert_eq!(waiting(11).finding().until, Some(Await::Listing));
    let told = waiting(11).but(|facts| facts.record.generation = 1);
    assert_eq!(told.next(), "await Listing", "status says already why it is not ready");
    let unchecked = |seconds| waiting(seconds).but(|facts| facts.link.state = LinkState::Unknown);
    assert_eq!(unchecked(9).next(), "await Connection");
    assert_eq!(unchecked(11).finding().until, Some(Await::Connection));
}

#[test]
fn whoever_would_call_the_pam_waits_for_its_turn_before_it_writes_or_reads_anything() {
    let waiting = |case: Case| case.but(|facts| facts.link.turn = false);
    for case in [new(), claimed(), edited(), deleted()] {
        assert_ne!(case.next(), "await Turn");
        assert_eq!(waiting(case).next(), "await Turn");
    }
    let unread = |case: Case| case.but(|facts| facts.content = Content::Unread);
    assert_eq!(unread(new()).next(), "ReadSecrets");
    assert_eq!(waiting(unread(new())).next(), "await Turn");
    let guarded = waiting(new().but(|facts| facts.wish.deactivates = true));
    assert_eq!(guarded.next(), "await Turn", "before the finalizer too");
    assert_eq!(waiting(synced()).next(), "Nothing", "who does not call needs no turn");
    assert_eq!(waiting(new().lists(&[entry("7", NAMED, "x")])).next(), "AlreadyExists");
}

#[test]
fn who_is_ready_with_what_was_before_says_when_its_turn_takes_long_to_come() {
    let waiting = |case: Case, seconds| {
        case.but(|facts| {
            facts.link.turn = false;
            facts.recall.since = ago(seconds);
        })
    };
    assert_eq!(waiting(edited(), 9).next(), "await Turn");
    let finding = waiting(edited(), 11).finding();
    assert_eq!(
        (finding.reason, finding.until),
        (Reason::Progressing, Some(Await::Turn))
    );
    assert_eq!(
        waiting(new().listed(&[], 9, 1), 11).next(),
        "await Turn",
        "it is not Ready, as its status says"
    );
}

/// What status says is all that keeps the same POST from somebody else's credential.
#[test]
fn an_unexpected_answer_is_not_forgotten_over_what_passes_by_itself() {
    let surprised = |case: Case| {
        case.but(|facts| {
            facts.record.reason = Some(Reason::UnexpectedAnswer);
            facts.record.generation = 1;
            facts.recall.unsure = None;
        })
    };
    let down = |case: Case| case.but(|facts| facts.link.state = LinkState::NotReady(Reason::AccessDenied, "no"));
    assert_eq!(down(new()).next(), "ConnectionNotReady");
    assert_eq!(down(surprised(claimed())).next(), "await NextListing");
    let asked = down(surprised(claimed())).but(|facts| facts.wish.requested = true);
    assert_eq!(asked.next(), "ConnectionNotReady");
}

#[test]
fn an_update_of_what_is_missing_once_looks_again_before_it_says_so() {
    let missing = || edited().lists(&[entry("1", "other", "other")]);
    assert_eq!(missing().next(), "await Listing");
    assert_eq!(
        missing().but(|facts| facts.recall.watch.vanished = true).next(),
        "NotFoundInPam"
    );
}
