//! Whatever the bytes: an error, never a panic, and half a listing never counts.

use proptest::prelude::*;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use serde_json::Value;

use crate::pam::classify::{Call, classify};
use crate::pam::guard;

/// JSON with the keys that are read, and with anything under them.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC*".prop_map(Value::from),
        "[0-9]{4}: ?[a-z]*".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("response"),
        Just("exception"),
        Just("credential"),
        Just("credentials"),
        Just("message"),
        Just("error"),
        Just("status"),
        Just("code"),
        Just("id"),
        Just("identifier"),
        Just("tag"),
        Just("username"),
        Just("change"),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_parsers_panic(bytes: Vec<u8>, status in 100u16..1000, retry_after: Vec<u8>) {
        let status = StatusCode::from_u16(status).expect("a status");
        let headers = HeaderValue::from_bytes(&retry_after).map(|value| HeaderMap::from_iter([(RETRY_AFTER, value)]));
        let _ = classify(Call::Post, status, &headers.unwrap_or_default(), &bytes);
        let _ = guard::parse(&bytes[..]);
    }

    #[test]
    fn no_json_makes_the_parsers_panic(value in json_value(), status in 100u16..1000, cut: prop::sample::Index) {
        let status = StatusCode::from_u16(status).expect("a status");
        let text = value.to_string();
        let half = &text.as_bytes()[..cut.index(text.len())];
        let _ = guard::parse(text.as_bytes());
        prop_assert!(guard::parse(half).is_err());
        for call in [Call::Token, Call::Post, Call::List, Call::Deactivate, Call::Reactivate] {
            let _ = classify(call, status, &HeaderMap::new(), text.as_bytes());
            prop_assert!(classify(call, status, &HeaderMap::new(), half).is_err());
        }
    }
}
