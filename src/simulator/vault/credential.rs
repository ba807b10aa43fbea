//! A credential as the PAM keeps it.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::simulator::{harness::redact::redact_fields, vault::clock::Clock};

/// The stored credential. `Debug` shows fingerprints where secrets are.
#[derive(Clone)]
pub struct Credential {
    /// Its id; on the wire a decimal string.
    pub id: u64,
    /// Its identifier.
    pub identifier: Option<String>,
    /// User name.
    pub username: String,
    /// The device's name.
    pub hostname: String,
    /// The device's address.
    pub ip: String,
    /// Whether it is active.
    pub active: bool,
    /// The password.
    pub content: Option<SecretString>,
    /// How often a password was written, by anybody.
    pub content_writes: u64,
    /// When the password was last written: `YYYY-MM-DD HH:MM:SS` of the PAM's clock, without zone; never twice the same.
    pub change: Option<String>,
    /// When the password was last disclosed by the API.
    pub view: Option<String>,
    /// The client that has custody.
    pub custody: Option<String>,
    /// The client that created it.
    pub created_by: Option<String>,
    /// All other fields of the body as they were sent, settings objects included (with their secrets: compare, never print).
    pub fields: Map<String, Value>,
}

impl Credential {
    /// The type of the credential, `Local User` unless another was sent.
    #[must_use]
    pub fn credential_type(&self) -> &str {
        self.fields
            .get("credential_type")
            .and_then(Value::as_str)
            .unwrap_or("Local User")
    }

    /// Whether this is an SSH key, which the credential calls refuse (1010) but the listing contains.
    #[must_use]
    pub fn is_ssh_key(&self) -> bool {
        self.credential_type() == "SSH Key"
    }

    /// Writes a password, also the same one again: that too is a change (contract 5.2).
    pub(crate) fn write_content(&mut self, content: Option<SecretString>, clock: &mut Clock) {
        self.content = content;
        self.content_writes += 1;
        self.change = Some(clock.stamp());
    }

    /// Whether the PAM rotates the password by itself.
    #[must_use]
    pub fn automatic_change(&self) -> bool {
        self.fields
            .get("execution_settings")
            .and_then(|settings| settings.get("automatic_change"))
            == Some(&true.into())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("identifier", &self.identifier)
            .field("username", &self.username)
            .field("hostname", &self.hostname)
            .field("ip", &self.ip)
            .field("active", &self.active)
            .field("change", &self.change)
            .field("content_writes", &self.content_writes)
            .field("fields", &redact_fields(&self.fields))
            .finish_non_exhaustive()
    }
}
