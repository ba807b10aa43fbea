//! Errors by reaction: what the caller should do next, not where in the code something went wrong.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;

/// A call to the PAM that did not succeed.
///
/// Its text consists of this program's own words, the PAM's code and the HTTP status. Nothing in it comes from the answer's
/// text, a URL, a header or a request body, so it may be logged and written to a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of reaction the failure asks for.
    pub class: Class,
    /// The PAM's own number (`exception.code`, or the four digits before the message), 1000 or more.
    pub code: Option<u16>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Whether the PAM may have done what was asked.
    pub outcome: Outcome,
    /// How long the PAM asked to be left alone (`Retry-After`), at most a day.
    pub retry_after: Option<Duration>,
    /// What exactly, in words of this program.
    pub(super) detail: Option<&'static str>,
    /// Whether a new token may help.
    pub(super) token_rejected: bool,
}

/// Whether a failed call may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The PAM refused, or never saw the request: nothing changed.
    NotExecuted,
    /// The PAM may have done it: repeat the same request, it converges.
    Unknown,
}

/// The reactions that the PAM's failures ask for (contract 4, design 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// 1011: hostname and ip name no active device.
    DeviceNotFound,
    /// 1029: a domain that is not registered.
    DomainNotFound,
    /// 1046: a plugin that is missing or not registered.
    PluginNotFound,
    /// 1047: a plugin's template that is missing or not registered.
    TemplateNotFound,
    /// 1052: another credential has the same hostname and device.
    DuplicateCredential,
    /// 1053: the identifier has characters that this version refuses.
    InvalidIdentifier,
    /// 1042: no username.
    InvalidUsername,
    /// 1004, 1005: no hostname or no ip.
    InvalidDevice,
    /// 1007: no such credential.
    CredentialNotFound,
    /// 1008, or 1017 to a deactivation: it is inactive already.
    AlreadyInactive,
    /// 1043, or 1017 to a reactivation: it is active already.
    AlreadyActive,
    /// 1009, or the same without a number: the authorization does not include this credential.
    NoAccessToCredential,
    /// 1039: the authorization may only read.
    NoWritePermission,
    /// 403, or "not authorized to access this resource": the authorization lacks the resource.
    Forbidden,
    /// Client id, client secret or token are not accepted.
    AuthenticationFailed,
    /// The path leads nowhere: wrong URL or prefix.
    ApiNotFound,
    /// Any other refusal, with the PAM's code when it gave one.
    Rejected,
    /// A JSON answer with status 500: a fault in the PAM, or an owner that does not exist.
    InternalError,
    /// 429.
    RateLimited,
    /// No connection, a time-out, or 502, 503, 504.
    Unavailable,
    /// An answer that is not the PAM's: HTML, broken off, too large, a redirect.
    InvalidResponse,
}

impl Class {
    /// The name, for labels of metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeviceNotFound => "DeviceNotFound",
            Self::DomainNotFound => "DomainNotFound",
            Self::PluginNotFound => "PluginNotFound",
            Self::TemplateNotFound => "TemplateNotFound",
            Self::DuplicateCredential => "DuplicateCredential",
            Self::InvalidIdentifier => "InvalidIdentifier",
            Self::InvalidUsername => "InvalidUsername",
            Self::InvalidDevice => "InvalidDevice",
            Self::CredentialNotFound => "CredentialNotFound",
            Self::AlreadyInactive => "AlreadyInactive",
            Self::AlreadyActive => "AlreadyActive",
            Self::NoAccessToCredential => "NoAccessToCredential",
            Self::NoWritePermission => "NoWritePermission",
            Self::Forbidden => "Forbidden",
            Self::AuthenticationFailed => "AuthenticationFailed",
            Self::ApiNotFound => "ApiNotFound",
            Self::Rejected => "Rejected",
            Self::InternalError => "InternalError",
            Self::RateLimited => "RateLimited",
            Self::Unavailable => "Unavailable",
            Self::InvalidResponse => "InvalidResponse",
        }
    }

    /// What happened, in a few words.
    fn words(self) -> &'static str {
        match self {
            Self::DeviceNotFound => "the PAM has no active device with this hostname and ip",
            Self::DomainNotFound => "a domain is not registered in the PAM",
            Self::PluginNotFound => "a plugin is missing or not registered in the PAM",
            Self::TemplateNotFound => "a plugin template is missing or not registered in the PAM",
            Self::DuplicateCredential => "another credential of the PAM has the same hostname and device",
            Self::InvalidIdentifier => "the PAM does not accept the identifier's characters",
            Self::InvalidUsername => "the PAM does not accept the username",
            Self::InvalidDevice => "the PAM misses the device's hostname or ip",
            Self::CredentialNotFound => "the PAM has no such credential",
            Self::AlreadyInactive => "the credential is inactive already",
            Self::AlreadyActive => "the credential is active already",
            Self::NoAccessToCredential => "the authorization does not include this credential",
            Self::NoWritePermission => "the authorization has no read and write permission for PAM Core",
            Self::Forbidden => "the authorization does not include the PAM Core resource, or not from this address",
            Self::AuthenticationFailed => "the PAM does not accept the client id, the client secret or the token",
            Self::ApiNotFound => {
                "the PAM knows no such path; URL or API prefix are wrong, or the token is not accepted"
            }
            Self::Rejected => "the PAM rejected the request",
            Self::InternalError => "the PAM reported an internal error",
            Self::RateLimited => "the PAM limits the rate of requests",
            Self::Unavailable => "the PAM could not be reached or did not answer in time",
            Self::InvalidResponse => "the answer is not one of a PAM",
        }
    }
}

impl Error {
    /// An error without code and status.
    #[must_use]
    pub fn new(class: Class, outcome: Outcome) -> Self {
        Self {
            class,
            code: None,
            status: None,
            outcome,
            retry_after: None,
            detail: None,
            token_rejected: false,
        }
    }

    pub(super) fn with_status(self, status: StatusCode) -> Self {
        let status = Some(status.as_u16());
        Self { status, ..self }
    }

    /// A failed read: nothing changed, however it ended.
    pub(super) fn having_changed_nothing(self) -> Self {
        let outcome = Outcome::NotExecuted;
        Self { outcome, ..self }
    }

    pub(crate) fn detail(self, detail: &'static str) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class.words())?;
        if let Some(detail) = self.detail {
            write!(f, ": {detail}")?;
        }
        match (self.code, self.status) {
            (Some(code), Some(status)) => write!(f, " (code {code}, HTTP {status})"),
            (Some(code), None) => write!(f, " (code {code})"),
            (None, Some(status)) => write!(f, " (HTTP {status})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
