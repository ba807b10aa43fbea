use std::collections::BTreeSet;

use super::*;

#[test]
fn all_lists_each_reason_once() {
    let distinct: BTreeSet<_> = Reason::ALL.into_iter().collect();
    assert_eq!(distinct.len(), Reason::ALL.len());
}

#[test]
fn is_spelt_as_the_variant() {
    for reason in Reason::ALL {
        assert_eq!(reason.as_str(), format!("{reason:?}"));
    }
}

#[test]
fn waits_for_a_person_or_goes_on_or_is_known_to_do_neither() {
    let neither = [
        Reason::Synced,
        Reason::Suspended,
        Reason::Drifted,
        Reason::PasswordChangedInPam,
        Reason::NotFoundInPam,
        Reason::DeactivationFailed,
    ];
    for reason in Reason::ALL {
        let answers = [reason.is_stalled(), reason.is_reconciling(), neither.contains(&reason)];
        assert_eq!(answers.into_iter().filter(|yes| *yes).count(), 1, "{reason}");
    }
}

#[test]
fn remedies_are_short_sentences() {
    for reason in Reason::ALL {
        let remedy = reason.remedy();
        assert!(
            remedy.starts_with(char::is_uppercase) && remedy.ends_with('.'),
            "{reason}: {remedy}"
        );
        assert!(remedy.len() < 300 && !remedy.contains("  "), "{reason}: {remedy}");
    }
}
