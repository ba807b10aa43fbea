//! The listing: reduced while it is read, complete or nothing.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::pam::envelope::Envelope;
use crate::pam::guard;
use crate::pam::{Entry, Listing};

fn parse(text: &str) -> serde_json::Result<Envelope> {
    guard::parse(text.as_bytes())
}

fn listing(text: &str) -> Listing {
    parse(text).map(|envelope| envelope.credentials).expect("a listing")
}

fn entry() -> Entry<'static> {
    Entry {
        id: "",
        identifier: None,
        username: "",
        hostname: "",
        ip: "",
        change: None,
    }
}

#[test]
fn keeps_what_identifies_a_credential() {
    let text = r#"{"code":200,"response":{"status":200,"message":"2 credentials found","error":false},
        "credentials":[
        {"id":"2","identifier":"018f3fe6","username":"u","expiration":"2024-05-16T17:31:29-03:00",
         "change":"2024-05-03 16:19:53","view":null,"hostname":"gmail.com","management_ip":"mail.google.com",
         "type":"Local User","type_code":"1","automatic_change":false,"connectivity":"","extra":{"a":[1,{"b":2}]}},
        {"hostname":"h","id":15,"tag":"old","username":"ü \"x\"","management_ip":"10.0.0.1","change":""}],
        "tenant":"Segura"}"#;
    let listing = listing(text);
    let expected = [
        Entry {
            id: "2",
            identifier: Some("018f3fe6"),
            username: "u",
            hostname: "gmail.com",
            ip: "mail.google.com",
            change: Some("2024-05-03 16:19:53"),
        },
        Entry {
            id: "15",
            identifier: Some("old"),
            username: "ü \"x\"",
            hostname: "h",
            ip: "10.0.0.1",
            change: None,
        },
    ];
    assert_eq!(listing.entries().collect::<Vec<_>>(), expected);
    assert!(listing.complete_with_entries());
}

#[test]
fn an_entry_that_lacks_a_field_still_counts() {
    let listing = listing(
        r#"{"credentials":[{"id":"1","identifier":null,"username":null,"hostname":["x"],"management_ip":{"a":1}},
        {},{"username":"u","identifier":"","tag":"t"},{"id":1.5,"username":true,"identifier":"i","tag":"t"}]}"#,
    );
    let expected = [
        Entry { id: "1", ..entry() },
        entry(),
        Entry {
            username: "u",
            identifier: Some("t"),
            ..entry()
        },
        Entry {
            id: "1.5",
            username: "true",
            identifier: Some("i"),
            ..entry()
        },
    ];
    assert_eq!(listing.entries().collect::<Vec<_>>(), expected);
}

#[test]
fn the_order_of_the_keys_does_not_matter() {
    let response = r#""response":{"status":400,"error":true,"message":"1009: No access to credential"}"#;
    let credentials = r#""credentials":[{"id":"1"}]"#;
    for text in [
        format!("{{{response},{credentials}}}"),
        format!("{{{credentials},{response}}}"),
    ] {
        let envelope = parse(&text).expect("an envelope");
        assert_eq!(
            (envelope.code(), envelope.reports_error(), envelope.credentials.len()),
            (Some(1009), true, 1)
        );
    }
}

#[test]
fn nothing_listed_proves_nothing() {
    for text in [
        r#"{"response":{"status":200,"error":false},"credentials":[]}"#,
        r#"{"response":{"status":200,"error":false},"credentials":null}"#,
        r#"{"response":{"status":200,"error":false},"credentials":{}}"#,
        r#"{"response":{"status":200,"error":false}}"#,
    ] {
        let listing = listing(text);
        assert!(listing.is_empty() && !listing.complete_with_entries(), "{text}");
    }
}

/// PHP writes an array whose keys have gaps as an object.
#[test]
fn an_object_of_entries_is_a_list() {
    let listing = listing(r#"{"credentials":{"0":{"id":"1"},"7":{"id":"8"}}}"#);
    assert_eq!(listing.entries().map(|entry| entry.id).collect::<Vec<_>>(), ["1", "8"]);
}

#[test]
fn only_a_complete_listing_counts() {
    let text = r#"{"credentials":[{"id":"1","username":"u"},{"id":"2"}],"response":{"status":200,"error":false}}"#;
    assert!(parse(text).is_ok());
    for end in 0..text.len() {
        assert!(parse(&text[..end]).is_err(), "{}", &text[..end]);
    }
    for wrong in [
        format!("{text}x"),
        format!("{text}{text}"),
        text.replace(r#"{"id":"2"}"#, "7"),
        text.replace(r#"{"id":"2"}"#, "null"),
        r#"{"credentials":"none"}"#.to_owned(),
        r#"{"credentials":[],"credentials":[]}"#.to_owned(),
        r#"{"credentials":{"id":"1"}}"#.to_owned(),
    ] {
        assert!(parse(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn strings_and_nesting_are_bounded() {
    let string = |length: usize| format!(r#"{{"credentials":[{{"id":"{}"}}]}}"#, "\\\"".repeat(length / 2));
    assert!(parse(&string(64 << 10)).is_ok());
    assert!(parse(&string((64 << 10) + 2)).is_err_and(|error| error.is_io()));
    let nested = |depth| format!(r#"{{"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(63)).is_ok());
    assert!(parse(&nested(64)).is_err_and(|error| error.is_io()));
    let brackets_in_strings = format!(r#"{{"x":"{}"}}"#, "[{".repeat(1000));
    assert!(parse(&brackets_in_strings).is_ok());
}

#[test]
fn a_hundred_thousand_entries_take_a_few_bytes_each() {
    let mut text = String::from(r#"{"code":200,"response":{"status":200,"error":false},"credentials":["#);
    for index in 0..100_000 {
        let comma = if index == 0 { "" } else { "," };
        write!(
            text,
            r#"{comma}{{"id":"{index}","identifier":"018f97f9-a3c2-7271-bcf9-{index:012}","username":"service-{index}",
            "expiration":null,"change":"2024-05-03 16:19:53","view":"2024-05-24 16:26:09","hostname":"host-{index}.example.com",
            "management_ip":"10.11.12.13","type":"Local User","type_code":"1","device_model":"Debian","device_type":"Server",
            "device_vendor":"Debian","automatic_change":false,"connectivity":"SSH","connectivity_code":"1"}}"#
        )
        .expect("a String takes every text");
    }
    text.push_str("]}");
    let listing = listing(&text);
    assert_eq!(listing.len(), 100_000);
    let last = listing.entries().last().expect("an entry");
    assert_eq!((last.id, last.hostname), ("99999", "host-99999.example.com"));
    assert!(listing.allocated() < 24 << 20, "{} bytes", listing.allocated());
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,12}", "[a-z0-9.@\"\\\\-]{0,20}"]
}

proptest! {
    #[test]
    fn reads_back_what_was_written(
        rows in prop::collection::vec((scalar(), scalar(), scalar(), scalar(), scalar(), scalar()), 0..20)
    ) {
        let wire: Vec<Value> = rows.iter().map(|(id, identifier, username, hostname, ip, change)| json!({
            "change": change, "id": id, "type": "x", "management_ip": ip, "username": username, "hostname": hostname,
            "identifier": identifier,
        })).collect();
        let listing = listing(&json!({"credentials": wire, "response": {}}).to_string());
        let mut expected = Listing::default();
        for (id, identifier, username, hostname, ip, change) in &rows {
            expected.push(Entry { id, identifier: Some(identifier), username, hostname, ip, change: Some(change) });
        }
        prop_assert_eq!(listing.len(), rows.len());
        for (entry, row) in listing.entries().zip(&rows) {
            prop_assert_eq!((entry.id, entry.identifier.unwrap_or_default(), entry.username), (&*row.0, &*row.1, &*row.2));
            prop_assert_eq!((entry.hostname, entry.ip, entry.change.unwrap_or_default()), (&*row.3, &*row.4, &*row.5));
        }
        prop_assert!(listing == expected);
    }
}
