//! What the register finds, and what answers make of it.

use super::*;
use crate::pam;

fn account(username: &str) -> Triple {
    Triple {
        hostname: "db".to_owned(),
        ip: "10.0.0.1".to_owned(),
        username: username.to_owned(),
    }
}

fn entry(id: &str, identifier: &str, username: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        identifier: Some(identifier.to_owned()).filter(|text| !text.is_empty()),
        triple: account(username),
        change: None,
    }
}

/// A listing of these entries that began at this moment and took a second.
fn listed(entries: &[Entry], began: Instant) -> Register {
    let mut listing = Listing::default();
    for entry in entries {
        listing.push(pam::Entry {
            id: &entry.id,
            identifier: entry.identifier.as_deref(),
            username: &entry.triple.username,
            hostname: &entry.triple.hostname,
            ip: &entry.triple.ip,
            change: None,
        });
    }
    Register::new(listing, began, began + Duration::from_secs(1))
}

fn ids(entries: &[Entry]) -> Vec<&str> {
    let mut ids: Vec<_> = entries.iter().map(|entry| entry.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_post_hits_what_has_its_identifier_or_its_account() {
    let register = listed(
        &[
            entry("1", "a", "app"),
            entry("2", "b", "web"),
            entry("3", "A ", "x"),
            entry("4", "", " APP"),
            entry("5", "c", "other"),
        ],
        Instant::now(),
    );
    let hits = |identifier, username| register.hits(identifier, &account(username));
    assert_eq!(ids(&hits("a", "app")), ["1", "3", "4"], "each once");
    assert_eq!(ids(&hits("b", "nobody")), ["2"]);
    assert_eq!(ids(&hits("nothing", "web")), ["2"]);
    assert_eq!(ids(&hits("c", "web")), ["2", "5"]);
    assert!(hits("nothing", "nobody").is_empty());
}

#[test]
fn its_end_is_told_once() {
    let began = Instant::now();
    let (mut register, age) = (listed(&[], began), Duration::from_secs(15));
    let after = |seconds: u64| began + Duration::from_secs(1 + seconds);
    assert!(!register.ends(age, after(15)));
    assert!(register.ends(age, after(16)));
    assert!(!register.ends(age, after(17)));
}

#[test]
fn all_three_texts_make_the_account() {
    let register = listed(&[entry("1", "a", "app")], Instant::now());
    let elsewhere = [
        Triple {
            hostname: "db2".to_owned(),
            ..account("app")
        },
        Triple {
            ip: "10.0.0.2".to_owned(),
            ..account("app")
        },
        account("app2"),
    ];
    for triple in elsewhere {
        assert!(register.by_triple(&triple).is_empty(), "{triple}");
    }
}

#[test]
fn an_id_is_found_to_the_letter() {
    let register = listed(&[entry("115", "a", "app"), entry("1150", "b", "web")], Instant::now());
    assert_eq!(register.by_id("115"), Some(entry("115", "a", "app")));
    assert_eq!(register.by_id("11"), None);
    assert_eq!(register.by_id(""), None);
}

#[test]
fn the_mark_of_an_entry_is_another_when_anything_in_it_is() {
    let began = Instant::now();
    let mark = |entry: Entry| listed(&[entry], began).mark(Register::key("1"), "pam");
    let first = mark(entry("1", "a", "app"));
    assert!(first.is_some());
    assert_eq!(mark(entry("1", "a", "app")), first);
    let others = [entry("1", "A", "app"), entry("1", "a", "App"), entry("2", "a", "app")];
    for other in others {
        assert_ne!(mark(other), first);
    }
    let mut register = listed(&[entry("1", "a", "app")], began);
    assert_ne!(register.mark(Register::key("1"), "other"), first, "another PAM");
    register.learn(entry("1", "a", "app"), began);
    assert_eq!(
        register.mark(Register::key("1"), "pam"),
        None,
        "what answers say since is not what was listed"
    );
}

#[test]
fn an_entry_without_identifier_answers_to_no_identifier() {
    let register = listed(&[entry("1", "", "app")], Instant::now());
    assert!(register.by_identifier("").is_empty());
    assert_eq!(register.by_id("1"), Some(entry("1", "", "app")));
}

#[test]
fn an_answer_replaces_what_was_listed() {
    let began = Instant::now();
    let mut register = listed(&[entry("1", "a", "app")], began);
    register.learn(entry("1", "b", "web"), began);
    assert!(register.hits("a", &account("app")).is_empty());
    assert_eq!(register.hits("b", &account("x")), [entry("1", "b", "web")]);
    register.learn(entry("1", "c", "web"), began);
    assert!(register.by_identifier("b").is_empty());
    assert_eq!(ids(&register.hits("c", &account("web"))), ["1"]);
    register.learn(entry("2", "d", "new"), began);
    assert_eq!(ids(&register.hits("d", &account("web"))), ["1", "2"]);
}

#[test]
fn what_is_forgotten_is_as_it_was_listed() {
    let began = Instant::now();
    let mut register = listed(&[entry("1", "a", "app")], began);
    register.learn(entry("1", "b", "web"), began);
    register.learn(entry("2", "c", "new"), began);
    register.forget("1");
    register.forget("2");
    register.forget("3");
    assert_eq!(register.by_id("1"), Some(entry("1", "a", "app")));
    assert_eq!(register.by_id("2"), None);
    assert!(register.hits("c", &account("new")).is_empty());
    assert!(register.by_identifier("b").is_empty());
}

#[test]
fn the_next_listing_takes_over_what_was_answered_after_it_began() {
    let start = Instant::now();
    let second = |n| start + Duration::from_secs(n);
    let mut before = listed(&[], start);
    before.learn(entry("1", "early", "early"), second(1));
    before.learn(entry("2", "late", "late"), second(10));
    before.learn(entry("3", "later", "later"), second(11));
    let after = listed(&[entry("3", "as-listed", "x")], second(10)).succeed(before);
    assert_eq!(after.by_id("1"), None, "the listing would have had it");
    assert_eq!(
        after.by_id("2"),
        Some(entry("2", "late", "late")),
        "it may have missed it"
    );
    assert_eq!(after.by_id("3"), Some(entry("3", "later", "later")));
    assert!(after.by_identifier("as-listed").is_empty());
}

#[test]
fn a_register_is_as_old_as_its_completion() {
    let began = Instant::now();
    let register = listed(&[], began);
    assert_eq!(register.age(began + Duration::from_secs(31)), Duration::from_secs(30));
    assert_eq!(register.age(began), Duration::ZERO);
}
