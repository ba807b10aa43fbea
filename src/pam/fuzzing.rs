//! What holds for every answer, whatever its bytes: checked by the property tests, and by the fuzz target in `fuzz/`
//! (with the feature `fuzzing`, which no release has).

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

use super::classify::{Call, classify, judge};
use super::envelope::Envelope;
use super::error::Error;
use super::guard;

/// Most bytes of memory for each byte of a listing: `{},` costs a row, which a vector may hold room for twice, and a number
/// such as `1e15` has 16 digits.
const MOST_PER_BYTE: usize = 24;

/// Memory that the smallest listing may take: the first room of its text and of its rows.
const LEAST: usize = 256;

/// Takes an answer as text: a line with the call's letter, the HTTP status and the `Retry-After`, then the body.
///
/// # Panics
/// When the parsers break one of their promises.
pub fn parse(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (line, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let call = match words.next().and_then(<[u8]>::first) {
        Some(b'T') => Call::Token,
        Some(b'L') => Call::List,
        Some(b'D') => Call::Deactivate,
        Some(b'R') => Call::Reactivate,
        _ => Call::Post,
    };
    let status = words.next().and_then(|status| StatusCode::from_bytes(status).ok());
    let _ = examine(
        call,
        status.unwrap_or(StatusCode::OK),
        words.next().unwrap_or_default(),
        body,
    );
}

/// Parses an answer in every way and checks what must hold. The outcome is that of the call.
pub(super) fn examine(call: Call, status: StatusCode, retry_after: &[u8], body: &[u8]) -> Result<Envelope, Error> {
    let header = HeaderValue::from_bytes(retry_after).ok();
    let headers: HeaderMap = header.into_iter().map(|value| (RETRY_AFTER, value)).collect();

    let whole: Option<Envelope> = serde_json::from_slice(body).ok();
    let streamed = guard::parse(body);
    if let Ok(envelope) = &streamed {
        let allocated = envelope.credentials.allocated();
        assert!(allocated <= LEAST + MOST_PER_BYTE * body.len(), "{allocated} bytes");
        let whole = whole
            .as_ref()
            .expect("what can be parsed in chunks can be parsed at once");
        assert!(whole.credentials == envelope.credentials, "chunks make no difference");
    }

    let streams = call == Call::List && status.is_success();
    let outcome = if streams {
        judge(call, status, &headers, streamed.ok())
    } else {
        classify(call, status, &headers, body)
    };
    match &outcome {
        Ok(envelope) => {
            assert!(status.is_success() && whole.is_some() && !envelope.reports_error());
            assert!(call != Call::List || !envelope.belies_success());
        }
        Err(error) => {
            assert_eq!(error.status, Some(status.as_u16()));
            assert!(error.code.is_none_or(|code| code >= 1000));
            assert!(error.retry_after.is_none_or(|wait| wait <= Duration::from_hours(24)));
            assert!(error.to_string().is_ascii(), "only words of this module");
        }
    }
    outcome
}
