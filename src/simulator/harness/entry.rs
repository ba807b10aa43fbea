//! One entry of the journal.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// POST of the token endpoint.
    Token,
    /// GET of all credentials.
    List,
    /// GET of one credential: discloses the password and takes custody.
    Reveal,
    /// POST of a credential.
    Post,
    /// DELETE of a credential: deactivates it.
    Delete,
    /// PUT of a credential: reactivates it.
    Put,
    /// Anything else.
    Unknown,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Position in the order of arrival, from 1.
    pub seq: u64,
    /// When the request had arrived completely.
    #[serde(serialize_with = "as_text")]
    pub time: Timestamp,
    /// What it asks for.
    pub operation: Operation,
    /// HTTP method.
    pub method: String,
    /// Path without query.
    pub path: String,
    /// The client that the token belongs to, or that asks for one.
    pub client: Option<String>,
    /// The identifier that was sent, or that the selected credential has.
    pub identifier: Option<String>,
    /// The body, secrets replaced by fingerprints; null when there is none or it cannot be parsed.
    pub body: Value,
    /// Whether the PAM carried it out (a refusal counts); false when a fault kept it from that.
    pub executed: bool,
    /// HTTP status of the answer; none while there is no answer, and for ever when the connection was dropped.
    pub status: Option<u16>,
    /// The PAM's error code in the answer.
    pub code: Option<u16>,
    /// The id of the credential that the answer is about.
    pub id: Option<u64>,
    /// When the simulator was done with it, answered or dropped; none while it is under way.
    #[serde(serialize_with = "as_optional_text")]
    pub ended: Option<Timestamp>,
}

/// What is known of a request when it arrives.
pub(crate) struct Arrival<'a> {
    pub operation: Operation,
    pub method: &'a str,
    pub path: &'a str,
    pub client: Option<String>,
    pub identifier: Option<String>,
    pub body: &'a Value,
}

/// What became of a request.
#[derive(Default)]
pub(crate) struct Fate {
    pub executed: bool,
    pub status: Option<u16>,
    pub code: Option<u16>,
    pub id: Option<u64>,
}

fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[allow(clippy::ref_option, reason = "serde passes the field by reference")]
fn as_optional_text<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}
