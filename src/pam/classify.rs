//! Answers to errors: the PAM's number before its text, its text before the HTTP status (contract 4.3).

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::envelope::Envelope;
use super::error::{Class, Error, Outcome};

/// What was asked; some numbers mean one thing to one call and another to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Token,
    Post,
    List,
    Deactivate,
    Reactivate,
}

/// The longest `Retry-After` that is believed.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Judges a whole answer: its envelope when the call succeeded, else the error.
pub(super) fn classify(call: Call, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<Envelope, Error> {
    judge(call, status, headers, serde_json::from_slice(body).ok())
}

/// Judges an answer whose body was parsed; `None` stands for one that is not JSON.
pub(super) fn judge(
    call: Call,
    status: StatusCode,
    headers: &HeaderMap,
    envelope: Option<Envelope>,
) -> Result<Envelope, Error> {
    let error = match envelope.filter(|_| !status.is_redirection()) {
        None => not_json(status),
        Some(envelope) if !status.is_success() || envelope.reports_error() => refusal(call, status, &envelope),
        // Nothing may pass for an empty listing that says anything but success.
        Some(envelope) if call == Call::List && envelope.belies_success() => refusal(call, status, &envelope),
        // The token server alone answers without the PAM's envelope, in which a status is never missing (contract 2.1).
        Some(envelope) if envelope.status().is_some() || call == Call::Token => return Ok(envelope),
        Some(_) => Error::new(Class::InvalidResponse, Outcome::Unknown).detail("it is JSON, but no envelope of a PAM"),
    };
    let retry_after = retry_after(headers, SystemTime::now());
    Err(Error {
        retry_after,
        ..error.with_status(status)
    })
}

/// A refusal in JSON.
fn refusal(call: Call, status: StatusCode, envelope: &Envelope) -> Error {
    if let Some(code) = envelope.code() {
        let error = Error::new(class_of_code(call, code), Outcome::NotExecuted);
        return Error {
            code: Some(code),
            ..error
        };
    }
    // HTTP 200 over a failure: the body knows better.
    let claimed = envelope.status().and_then(|claimed| StatusCode::from_u16(claimed).ok());
    let effective = if status.is_success() {
        claimed.unwrap_or(status)
    } else {
        status
    };
    let error = envelope
        .texts()
        .find_map(known_text)
        .unwrap_or_else(|| by_status(call, effective));
    let token_rejected = error.token_rejected || matches!(status.as_u16(), 401 | 403);
    Error {
        token_rejected,
        ..error
    }
}

fn class_of_code(call: Call, code: u16) -> Class {
    match (code, call) {
        (1004 | 1005, _) => Class::InvalidDevice,
        (1007, _) => Class::CredentialNotFound,
        (1017 | 1043, Call::Reactivate) | (1043, _) => Class::AlreadyActive,
        (1008 | 1017, _) => Class::AlreadyInactive,
        (1009, _) => Class::NoAccessToCredential,
        (1011, _) => Class::DeviceNotFound,
        (1029, _) => Class::DomainNotFound,
        (1039, _) => Class::NoWritePermission,
        (1042, _) => Class::InvalidUsername,
        (1046, _) => Class::PluginNotFound,
        (1047, _) => Class::TemplateNotFound,
        (1052, _) => Class::DuplicateCredential,
        (1053, _) => Class::InvalidIdentifier,
        _ => Class::Rejected,
    }
}

/// Texts that come without a number, as lower-case beginnings: the gateway's, the token server's, and those that the seeds
/// describe without one (in Portuguese, their language).
const KNOWN_TEXTS: [(&str, Class); 15] = [
    ("client authentication failed", Class::AuthenticationFailed),
    ("invalid_client", Class::AuthenticationFailed),
    ("invalid signature", Class::AuthenticationFailed),
    ("no route matched", Class::ApiNotFound),
    ("resource sub not found", Class::ApiNotFound),
    ("resource/sub-resource not found", Class::ApiNotFound),
    ("you are not authorized to access this resource", Class::Forbidden),
    ("without pam configuration access permission", Class::NoWritePermission),
    (
        "usuário não possui permissão de criação e alteração",
        Class::NoWritePermission,
    ),
    ("no access to credential", Class::NoAccessToCredential),
    (
        "sua autorização não possui acesso à credencial",
        Class::NoAccessToCredential,
    ),
    ("device not found", Class::DeviceNotFound),
    ("dispositivo não encontrado", Class::DeviceNotFound),
    ("request timed out", Class::Unavailable),
    ("unexpected error", Class::InternalError),
];

/// Those by which the gateway refuses a token.
const TOKEN_REFUSED: [&str; 2] = ["invalid signature", "no route matched"];

fn known_text(text: &str) -> Option<Error> {
    let text = text.trim().to_lowercase();
    let (known, class) = KNOWN_TEXTS.into_iter().find(|(known, _)| text.starts_with(known))?;
    let outcome = match class {
        Class::Unavailable | Class::InternalError => Outcome::Unknown,
        _ => Outcome::NotExecuted,
    };
    let token_rejected = TOKEN_REFUSED.contains(&known);
    Some(Error {
        token_rejected,
        ..Error::new(class, outcome)
    })
}

/// A refusal in JSON that says nothing known.
fn by_status(call: Call, status: StatusCode) -> Error {
    match status.as_u16() {
        400 if call == Call::Token => Error::new(Class::AuthenticationFailed, Outcome::NotExecuted),
        404 => Error::new(Class::ApiNotFound, Outcome::NotExecuted),
        401 | 403 | 408 | 429 | 502..=504 => not_json(status),
        400..=499 => Error::new(Class::Rejected, Outcome::NotExecuted),
        500..=599 => Error::new(Class::InternalError, Outcome::Unknown),
        _ => Error::new(Class::Rejected, Outcome::Unknown).detail("it says neither code nor reason"),
    }
}

/// An answer that is not JSON: a gateway's or a proxy's, or one that broke off. Only a status that speaks for itself counts.
fn not_json(status: StatusCode) -> Error {
    match status.as_u16() {
        401 => Error {
            token_rejected: true,
            ..Error::new(Class::AuthenticationFailed, Outcome::NotExecuted)
        },
        403 => Error {
            token_rejected: true,
            ..Error::new(Class::Forbidden, Outcome::NotExecuted)
        },
        408 | 502 | 504 => Error::new(Class::Unavailable, Outcome::Unknown),
        429 => Error::new(Class::RateLimited, Outcome::NotExecuted),
        503 => Error::new(Class::Unavailable, Outcome::NotExecuted),
        300..=399 => {
            Error::new(Class::InvalidResponse, Outcome::NotExecuted).detail("a redirect, which is never followed")
        }
        400..=499 => Error::new(Class::InvalidResponse, Outcome::NotExecuted).detail("not JSON, or broken off"),
        _ => Error::new(Class::InvalidResponse, Outcome::Unknown).detail("not JSON, or broken off"),
    }
}

/// `Retry-After` in seconds or as an HTTP date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A number that is too large for the type is a long time too.
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => LONGEST_RETRY_AFTER,
        Err(_) => httpdate::parse_http_date(text)
            .ok()?
            .duration_since(now)
            .unwrap_or_default(),
    };
    Some(wait.min(LONGEST_RETRY_AFTER))
}
