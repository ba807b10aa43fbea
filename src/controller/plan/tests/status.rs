//! What happens when nothing has to be sent, and the place of the finalizer.

use crate::api::Reason;
use crate::controller::plan::{
    facts::Content,
    tests::fixture::{Case, claimed, edited, entry, kept, new, prints, synced},
};

/// The object whose spec says deletionPolicy Deactivate.
fn deactivating(case: Case) -> Case {
    case.but(|facts| facts.wish.deactivates = true)
}

fn with_finalizer(case: Case) -> Case {
    case.but(|facts| facts.wish.finalizer = true)
}

#[test]
fn what_is_in_sync_is_left_in_peace() {
    assert_eq!(synced().next(), "Nothing");
    assert_eq!(with_finalizer(deactivating(synced())).next(), "Nothing");
}

#[test]
fn a_generation_that_changes_nothing_in_the_pam_is_only_recorded() {
    let policy_changed = edited().but(|facts| facts.content = Content::Rendered(kept(prints("body", "password"))));
    assert_eq!(policy_changed.next(), "Record");
}

#[test]
fn a_status_that_says_otherwise_is_put_right() {
    for reason in [None, Some(Reason::ConnectionNotReady), Some(Reason::AlreadyExists)] {
        assert_eq!(synced().but(|facts| facts.record.reason = reason).next(), "Record");
    }
    assert_eq!(synced().but(|facts| facts.record.generation = 0).next(), "Record");
    assert_eq!(synced().but(|facts| facts.wish.requested = true).next(), "Record");
}

#[test]
fn the_finalizer_is_there_before_anything_of_ours_can_be_in_the_pam() {
    assert_eq!(deactivating(new()).next(), "AddFinalizer");
    assert_eq!(with_finalizer(deactivating(new())).next(), "claim orders-db");
    assert_eq!(deactivating(claimed()).next(), "AddFinalizer");
    assert_eq!(deactivating(edited()).next(), "AddFinalizer");
    assert_eq!(deactivating(synced()).next(), "AddFinalizer", "the policy came later");
}

#[test]
fn an_object_that_may_not_have_its_credential_gets_no_finalizer() {
    let taken = deactivating(new()).lists(&[entry("7", "theirs", "app")]);
    assert_eq!(taken.next(), "AlreadyExists");
    let suspended = deactivating(new()).but(|facts| facts.wish.suspended = true);
    assert_eq!(suspended.next(), "Suspended");
}

#[test]
fn the_finalizer_goes_with_its_policy() {
    assert_eq!(with_finalizer(synced()).next(), "RemoveFinalizer");
    assert_eq!(with_finalizer(edited()).next(), "RemoveFinalizer");
    assert_eq!(with_finalizer(new()).next(), "RemoveFinalizer");
}

#[test]
fn a_spec_that_cannot_be_read_is_said_and_touches_nothing() {
    let unreadable = with_finalizer(synced()).but(|facts| {
        facts.wish.unreadable = Some("unknown variant");
        facts.wish.triple = None;
    });
    assert_eq!(unreadable.next(), "Rejected");
    assert_eq!(unreadable.finding().message, "the spec cannot be read: unknown variant");
}
