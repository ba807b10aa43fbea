//! Whatever the bytes: an error, never a panic, and half a listing never counts. What holds for every answer is in
//! `fuzzing.rs`; here are the answers.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use reqwest::StatusCode;
use serde_json::Value;

use crate::pam::classify::Call;
use crate::pam::fuzzing::{self, examine};
use crate::pam::guard;

/// Stands in every text of an answer, and in no text of ours.
const CANARY: &str = "c4n4ry";

const DAY: Duration = Duration::from_hours(24);

/// What mutations put in: numbers that are long when written out, depth, half a text.
const SNIPPETS: [&str; 12] = [
    "null",
    "1e308",
    "-1e-308",
    "\"1011: c4n4ry\"",
    "[",
    "{",
    "}",
    "\"",
    "\\u0000",
    "{},{},{},",
    "true,",
    "\u{feff}",
];

fn call() -> impl Strategy<Value = Call> {
    select(vec![
        Call::Token,
        Call::Post,
        Call::List,
        Call::Deactivate,
        Call::Reactivate,
    ])
}

/// JSON with the keys that are read, and with anything under them.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC*".prop_map(|text| Value::from(format!("{text}{CANARY}"))),
        "[0-9]{4}: ?[a-z]*".prop_map(|text| Value::from(format!("{text}{CANARY}"))),
    ];
    let key = select(vec![
        "response",
        "exception",
        "credential",
        "credentials",
        "message",
        "error",
        "status",
        "code",
        "id",
        "identifier",
        "tag",
        "username",
        "change",
    ]);
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Real answers, as the fuzz target takes them.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let files = fs::read_dir(folder).expect("the seeds of the fuzz target");
    let seeds = files.map(|file| fs::read(file.expect("a file").path()).expect("a readable file"));
    seeds.collect()
}

/// One change of bytes.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Cut(Index, Index),
    Repeat(Index, Index),
    Insert(Index, &'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        (at(), at()).prop_map(|(from, to)| Mutation::Cut(from, to)),
        (at(), at()).prop_map(|(from, to)| Mutation::Repeat(from, to)),
        (at(), select(SNIPPETS.to_vec())).prop_map(|(at, snippet)| Mutation::Insert(at, snippet)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    let place = |index: &Index| index.index(bytes.len() + 1);
    let range = |from: &Index, to: &Index| {
        let (from, to) = (place(from), place(to));
        from.min(to)..from.max(to)
    };
    match mutation {
        Mutation::Flip(at, bits) => {
            let at = place(at);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= bits;
            }
        }
        Mutation::Cut(from, to) => {
            let range = range(from, to);
            bytes.drain(range);
        }
        Mutation::Repeat(from, to) => {
            let range = range(from, to);
            let copy = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, copy);
        }
        Mutation::Insert(at, snippet) => {
            let at = place(at);
            bytes.splice(at..at, snippet.bytes());
        }
    }
}

/// What an answer with this `Retry-After` asks for.
fn retry_after(text: &str) -> Option<Duration> {
    let outcome = examine(Call::Post, StatusCode::TOO_MANY_REQUESTS, text.as_bytes(), b"{}");
    outcome.err().expect("429 is no success").retry_after
}

#[test]
fn the_seeds_are_what_the_fuzz_target_takes() {
    let seeds = seeds();
    assert!(seeds.len() >= 10, "{}", seeds.len());
    for seed in &seeds {
        fuzzing::parse(seed);
    }
}

/// A number that is written out in hundreds of digits, in every field of every entry.
#[test]
fn numbers_take_no_more_memory_than_they_have_bytes() {
    let entry = r#"{"id":1e308,"tag":-1e-308,"identifier":1e300,"username":1e16,"hostname":1e-300,"change":5e-324},"#;
    let body = format!(r#"{{"credentials":[{}{{}}]}}"#, entry.repeat(1000));
    let listed = guard::parse(body.as_bytes()).expect("a listing").credentials;
    assert_eq!((listed.len(), listed.get(0).id), (1001, "1e308"));
    let _ = examine(Call::List, StatusCode::OK, b"", body.as_bytes());
}

proptest! {
    #[test]
    fn no_bytes_make_the_parsers_panic(bytes: Vec<u8>, call in call(), status in 100u16..1000, retry_after: Vec<u8>) {
        let status = StatusCode::from_u16(status).expect("a status");
        let _ = examine(call, status, &retry_after, &bytes);
        fuzzing::parse(&bytes);
    }

    #[test]
    fn no_json_makes_the_parsers_panic(value in json_value(), call in call(), status in 100u16..1000, cut: Index) {
        let status = StatusCode::from_u16(status).expect("a status");
        let text = value.to_string();
        let half = &text.as_bytes()[..cut.index(text.len())];
        prop_assert!(guard::parse(half).is_err());
        prop_assert!(examine(call, status, b"", half).is_err());
        if let Err(error) = examine(call, status, CANARY.as_bytes(), text.as_bytes()) {
            let told = format!("{error} {error:?}");
            prop_assert!(!told.contains(CANARY), "{}", told);
        }
    }

    #[test]
    fn no_mutation_of_a_real_answer_makes_the_parsers_panic(
        seed in select(seeds()),
        mutations in prop::collection::vec(mutation(), 1..8),
    ) {
        let mut bytes = seed;
        for mutation in &mutations {
            mutate(&mut bytes, mutation);
        }
        fuzzing::parse(&bytes);
    }

    #[test]
    fn seconds_are_believed_up_to_a_day(seconds: u64, zeros in 0usize..40) {
        let expected = Some(Duration::from_secs(seconds).min(DAY));
        prop_assert_eq!(retry_after(&format!("{}{seconds}", "0".repeat(zeros))), expected);
        prop_assert_eq!(retry_after(&format!(" {seconds}\t")), expected);
        let huge = format!("{seconds}{}", "9".repeat(20 + zeros));
        prop_assert_eq!(retry_after(&huge), Some(DAY));
    }

    #[test]
    fn dates_are_believed_up_to_a_day(seconds in 0u64..400_000, past: bool) {
        let (now, by) = (SystemTime::now(), Duration::from_secs(seconds));
        let moment = if past { now - by } else { now + by };
        let wait = retry_after(&httpdate::fmt_http_date(moment)).expect("a date");
        let expected = if past { Duration::ZERO } else { by.min(DAY) };
        // A date has no fractions of a second, and the clock goes on; a slow machine is no failure.
        prop_assert!(wait <= expected && wait + Duration::from_secs(10) >= expected, "{:?} {:?}", wait, expected);
    }

    #[test]
    fn what_is_neither_seconds_nor_a_date_asks_for_nothing(text in "[a-zA-Z,.:+-][ -~]{0,40}") {
        prop_assume!(httpdate::parse_http_date(text.trim()).is_err() && text.trim().parse::<u64>().is_err());
        prop_assert_eq!(retry_after(&text), None);
    }
}
