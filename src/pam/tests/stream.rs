//! The listing as it arrives.

use axum::body::{Body, Bytes};
use axum::response::Response;
use serde_json::json;

use super::fake::{self, pam, raw, reply};
use crate::pam::{Class, Error, Outcome};

/// A success whose body arrives in pieces of `size` bytes.
fn in_pieces(text: &str, size: usize) -> Response {
    let pieces: Vec<_> = text
        .as_bytes()
        .chunks(size)
        .map(|piece| Ok::<_, Error>(Bytes::copy_from_slice(piece)))
        .collect();
    Response::new(Body::from_stream(futures::stream::iter(pieces)))
}

const TWO: &str = r#"{"credentials":[{"id":"2","username":"ü"},{"id":15,"identifier":"x"}],"response":{"status":200}}"#;

#[tokio::test]
async fn a_listing_arrives_in_pieces() {
    for size in [1, 7, 4096] {
        let (client, journal) = pam(move |_| in_pieces(TWO, size)).await;
        let listing = client.list().await.expect("a listing");
        assert_eq!(listing.entries().map(|entry| entry.id).collect::<Vec<_>>(), ["2", "15"]);
        assert!(listing.complete_with_entries());
        assert_eq!(journal.calls()[0].method, "GET");
    }
}

#[tokio::test]
async fn a_listing_is_complete_or_an_error() {
    for (text, class) in [
        (&TWO[..TWO.len() - 1], Class::InvalidResponse),
        ("", Class::InvalidResponse),
        ("<html>", Class::InvalidResponse),
        ("[]", Class::InvalidResponse),
        ("{}", Class::InvalidResponse),
        (r#"{"credentials":[{"id":"2"}]}"#, Class::InvalidResponse),
        (
            r#"{"credentials":[{"id":"2"}],"response":{"status":400,"error":true,"message":"1009: x"}}"#,
            Class::NoAccessToCredential,
        ),
        (
            r#"{"response":{"status":500,"error":true,"message":"Unexpected error"}}"#,
            Class::InternalError,
        ),
    ] {
        let (client, _) = pam(move |_| in_pieces(text, 4096)).await;
        let error = client.list().await.expect_err(text);
        assert_eq!(
            (error.class, error.outcome, error.status),
            (class, Outcome::NotExecuted, Some(200)),
            "{text}"
        );
    }
    let broken = "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n{\"credentials\":[{\"id\":\"1\"}]";
    let error = fake::client(raw(Some(broken)).await)
        .list()
        .await
        .expect_err("half a listing");
    assert_eq!((error.class, error.status), (Class::InvalidResponse, Some(200)));
}

#[tokio::test]
async fn a_string_without_end_is_not_a_listing() {
    let text = format!(r#"{{"credentials":[{{"id":"{}"#, "x".repeat(1 << 20));
    let (client, _) = pam(move |_| in_pieces(&text, 4096)).await;
    let error = client.list().await.expect_err("no listing");
    assert_eq!((error.class, error.status), (Class::InvalidResponse, Some(200)));
    assert!(error.to_string().contains("larger"), "{error}");
}

#[tokio::test]
async fn nothing_found_is_an_empty_listing() {
    for status in [200, 400] {
        let (client, _) = pam(move |_| {
            let message = "1007: Credential not found";
            reply(
                status,
                &json!({"response": {"status": 400, "message": message, "error": true}}),
            )
        })
        .await;
        let listing = client.list().await.expect("a listing");
        assert!(listing.is_empty() && !listing.complete_with_entries());
    }
}

#[tokio::test]
async fn a_refused_listing_is_an_error() {
    for (status, class) in [
        (400, Class::Rejected),
        (403, Class::Forbidden),
        (404, Class::ApiNotFound),
        (502, Class::Unavailable),
    ] {
        let (client, _) = pam(move |_| reply(status, &json!({"message": "x"}))).await;
        let error = client.list().await.expect_err("refused");
        assert_eq!(
            (error.class, error.outcome, error.status),
            (class, Outcome::NotExecuted, Some(status))
        );
    }
}
