//! Updates of a `PamCredential`, laid over the spec that `before` gave.

use serde_json::{Value, json};

pub(super) struct Update {
    /// Whether `status.claim` exists.
    pub(super) claimed: bool,
    pub(super) before: &'static str,
    /// A merge patch: null takes a field out.
    pub(super) after: &'static str,
    /// What the refusal says; none when the update is accepted.
    pub(super) refused: Option<&'static str>,
}

const fn accepted(before: &'static str, after: &'static str) -> Update {
    Update {
        claimed: true,
        before,
        after,
        refused: None,
    }
}

const fn refused(before: &'static str, after: &'static str, says: &'static str) -> Update {
    Update {
        claimed: true,
        before,
        after,
        refused: Some(says),
    }
}

const CONNECTION: &str = "spec.connectionRef may not change once status.claim exists";
const IDENTITY: &str = "identifier may not change together with username, hostname or ip";

#[rustfmt::skip]
pub(super) const CASES: &[Update] = &[
    refused("{}", "connectionRef: {name: other}", CONNECTION),
    refused("{}", "connectionRef: {kind: ClusterPamConnection}", CONNECTION),
    refused("connectionRef: {kind: ClusterPamConnection, name: vault}", "connectionRef: {kind: null}", CONNECTION),
    refused("connectionRef: {kind: ClusterPamConnection, name: vault}", "connectionRef: {kind: PamConnection}", CONNECTION),
    accepted("{}", "connectionRef: {kind: PamConnection}"),
    accepted("connectionRef: {kind: PamConnection, name: vault}", "connectionRef: {kind: null}"),
    Update { claimed: false, ..accepted("{}", "connectionRef: {kind: ClusterPamConnection, name: other}") },

    refused("identifier: a", "{identifier: b, username: other}", IDENTITY),
    refused("identifier: a", "{identifier: b, hostname: other}", IDENTITY),
    refused("identifier: a", "{identifier: b, ip: other}", IDENTITY),
    refused("{}", "{identifier: b, username: other}", IDENTITY),
    refused("identifier: a", "{identifier: null, ip: other}", IDENTITY),
    Update { claimed: false, ..refused("identifier: a", "{identifier: b, ip: other}", IDENTITY) },
    accepted("identifier: a", "identifier: b"),
    accepted("{}", "identifier: b"),
    accepted("identifier: a", "identifier: null"),
    accepted("identifier: a", "{identifier: a, username: other, hostname: other, ip: other}"),
    accepted("{}", "{username: other, hostname: other, ip: other}"),
    accepted("identifier: a", "{identifier: b, tags: [new], suspend: true}"),
];

/// A status with a claim, as the operator writes it before the first POST.
pub(super) fn claimed_status() -> Value {
    json!({ "claim": {
        "target": "https://pam.example.com", "identifier": "a", "hostname": "gmail.com", "ip": "mail.google.com",
        "username": "dleite5", "mac": "0123456789abcdef",
    } })
}
