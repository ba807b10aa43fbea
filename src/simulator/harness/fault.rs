//! A fault: what goes wrong, with which requests, how often. Its JSON form is the body of `POST /_simulator/faults`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::simulator::harness::entry::Operation;

/// A point in the life of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Point {
    /// It arrived and was not executed yet.
    #[default]
    Before,
    /// It was executed and not answered yet.
    After,
}

/// What goes wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The request waits for `ms` milliseconds; it goes on even when its client is gone.
    Latency {
        /// How long.
        ms: u64,
        /// Where.
        #[serde(default)]
        point: Point,
    },
    /// The connection is dropped; nothing was executed.
    DropBefore,
    /// The request is executed, then the connection is dropped.
    DropAfter,
    /// An HTTP status: 500 with the PAM's "Unexpected error" envelope, any other with a gateway's message.
    Status {
        /// The status.
        code: u16,
        /// Whether the request is executed nevertheless.
        #[serde(default)]
        executed: bool,
        /// The `Retry-After` header: seconds or a date.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// A page of HTML in place of the answer.
    Html {
        /// Its HTTP status.
        status: u16,
        /// Whether the request is executed nevertheless.
        #[serde(default)]
        executed: bool,
    },
    /// Executed; the answer is a complete HTTP message that holds the first half of the JSON.
    TruncatedJson,
    /// Executed; the connection is dropped after the first half of the answer's body.
    CutBody,
    /// 401 "Token expired"; at the token endpoint "Client authentication failed".
    ExpiredToken,
    /// 401 "Invalid signature"; at the token endpoint "Client authentication failed".
    RejectedToken,
    /// 404 "no Route matched with those values".
    NoRoute,
    /// Not executed; the PAM refuses with this code, known or not.
    Refuse {
        /// `exception.code`.
        code: u16,
        /// The text after the code.
        message: String,
        /// The HTTP status.
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// Executed; the answer is changed by this JSON merge patch (null removes a key).
    Amend(Value),
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Times {
    /// Each matching request, until cleared.
    #[default]
    Always,
    /// The next matching requests.
    Next(u32),
    /// A share of the matching requests, chosen by a seeded generator.
    Share {
        /// Probability, 0 to 1.
        of: f64,
        /// Seed.
        seed: u64,
    },
}

/// A fault and the requests that it strikes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only this operation; omitted: every one.
    #[serde(default)]
    pub on: Option<Operation>,
    /// Only requests for this identifier (sent, or of the selected credential).
    #[serde(default)]
    pub identifier: Option<String>,
    /// What goes wrong.
    pub effect: Effect,
    /// How often.
    #[serde(default)]
    pub times: Times,
}

impl Fault {
    /// A fault of every request, until cleared.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self {
            on: None,
            identifier: None,
            effect,
            times: Times::Always,
        }
    }

    /// Only this operation.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self {
            on: Some(operation),
            ..self
        }
    }

    /// Only requests for this identifier.
    #[must_use]
    pub fn identifier(self, identifier: &str) -> Self {
        Self {
            identifier: Some(identifier.to_owned()),
            ..self
        }
    }

    /// Only the next `count` matching requests.
    #[must_use]
    pub fn next(self, count: u32) -> Self {
        Self {
            times: Times::Next(count),
            ..self
        }
    }

    /// Only a share (0 to 1) of the matching requests.
    #[must_use]
    pub fn share(self, of: f64, seed: u64) -> Self {
        Self {
            times: Times::Share { of, seed },
            ..self
        }
    }

    pub(crate) fn matches(&self, operation: Operation, identifier: Option<&str>) -> bool {
        self.on.is_none_or(|on| on == operation)
            && self
                .identifier
                .as_deref()
                .is_none_or(|wanted| identifier == Some(wanted))
    }
}

fn bad_request() -> u16 {
    400
}
