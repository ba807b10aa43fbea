//! What a fault does to an effect.

use http::{
    Response, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::json;

use super::leg::{Body, full};

/// A fault of one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blow {
    /// Whether the request is passed on, and takes effect, before anything goes wrong.
    pub executed: bool,
    /// What the operator gets to see.
    pub then: Then,
}

/// What the operator gets in place of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing until the fault is healed, or the operator gives up or dies; then the connection is cut.
    Hold,
    /// A connection that breaks.
    Cut,
    /// Another answer.
    Refuse(Refusal),
}

/// Another answer than the one that was deserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 409: from the API server a conflict of versions, from before the PAM a gateway's text.
    Conflict,
    /// 429 with `Retry-After: 1`.
    TooMany,
    /// 500: from the API server a status, from the PAM its envelope with "Unexpected error".
    Internal,
    /// 500 with a text that neither of them writes.
    Foreign,
}

impl Blow {
    /// The request waits before it is passed on, and never is.
    pub const HOLD_BEFORE: Self = Self {
        executed: false,
        then: Then::Hold,
    };

    /// The request takes effect, and its answer waits and never comes.
    pub const HOLD_AFTER: Self = Self {
        executed: true,
        then: Then::Hold,
    };

    /// The request takes effect, and the connection breaks before the answer.
    pub const CUT_AFTER: Self = Self {
        executed: true,
        then: Then::Cut,
    };

    /// The request is refused and has no effect.
    #[must_use]
    pub const fn refuse(refusal: Refusal) -> Self {
        Self {
            executed: false,
            then: Then::Refuse(refusal),
        }
    }
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal | Self::Foreign => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer as the API server would write it.
    pub(super) fn of_api(self) -> Response<Body> {
        let reason = match self {
            Self::Conflict => "Conflict",
            Self::TooMany => "TooManyRequests",
            Self::Internal => "InternalError",
            Self::Foreign => return self.text(),
        };
        self.json(&json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "the tap refuses this request", "reason": reason, "code": self.status().as_u16(),
        }))
    }

    /// The answer as the PAM would write it, or what stands before it.
    pub(super) fn of_pam(self) -> Response<Body> {
        match self {
            Self::Internal => self.json(&json!({
                "code": 500,
                "response": {"status": 500, "message": "Unexpected error", "error": true, "error_code": 1, "detail": ""},
                "exception": {"code": 500, "message": "Check the index log system error for more details", "detail": null},
            })),
            Self::Conflict | Self::TooMany | Self::Foreign => self.text(),
        }
    }

    fn json(self, body: &serde_json::Value) -> Response<Body> {
        self.response("application/json", body.to_string())
    }

    fn text(self) -> Response<Body> {
        self.response("text/plain", "the tap refuses this request".to_owned())
    }

    fn response(self, content_type: &str, body: String) -> Response<Body> {
        let mut response = Response::builder()
            .status(self.status())
            .header(CONTENT_TYPE, content_type);
        if self == Self::TooMany {
            response = response.header(RETRY_AFTER, "1");
        }
        response.body(full(body)).expect("the parts are constants")
    }
}
