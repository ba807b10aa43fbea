//! The body of `POST pam/credential`.

use std::io;

use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::settings::{AdditionalSettings, ExecutionSettings, JitSettings, SessionSettings};

/// Everything that the PAM accepts for one credential, with the wire's names and types (seeds, contract 2.2.1).
///
/// `None` means that the field is not sent and the PAM keeps what it has. `Debug` shows no secret.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CredentialBody {
    /// The credential's identifier. Always sent: older versions give a fresh one to an update without it (contract 5.1).
    pub identifier: String,
    /// The account's name. An empty one would become the PAM's default `usr`.
    pub username: String,
    /// Name of the device.
    pub hostname: String,
    /// Address of the device: any text, not only an IP address.
    pub ip: String,
    /// The password. Never empty: what the PAM does then is undocumented.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose")]
    pub content: Option<SecretString>,
    /// Additional information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional: Option<String>,
    /// Tags of the credential, see [`join`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Type of the credential, such as `Local User`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<String>,
    /// Domain of the credential; must be registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Id of the parent credential (not a password).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_password: Option<i64>,
    /// Type of the device.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Vendor of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Model of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Site of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Domain of the device; several with `,` and no blank after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_domain: Option<String>,
    /// Tags of the device, see [`join`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_tags: Option<String>,
    /// Connectivities of the device such as `SSH:22, HTTPS:443`, see [`join`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectivities: Option<String>,
    /// Log-in expression such as `SSH:EXPECT:FILL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_remote_config: Option<String>,
    /// Password change and reconciliation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_settings: Option<ExecutionSettings>,
    /// Sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_settings: Option<SessionSettings>,
    /// Owner, one-time passwords and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_settings: Option<AdditionalSettings>,
    /// Just-in-time accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jit_settings: Option<JitSettings>,
}

impl CredentialBody {
    /// The body as JSON, the fields in the order of the struct: equal bodies give equal bytes.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut length = Length(0);
        serde_json::to_writer(&mut length, self).expect("strings, numbers and booleans can be written as JSON");
        // Exactly as large as needed: a buffer that grows leaves copies of the secrets behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
        serde_json::to_writer(&mut *bytes, self).expect("strings, numbers and booleans can be written as JSON");
        bytes
    }
}

/// Joins a list as the seeds do (`api, app`; `SSH:22, HTTPS:443`). An empty list gives an empty text, which is sent.
#[must_use]
pub fn join<S: AsRef<str>>(items: &[S]) -> String {
    items.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

/// Writes a secret into the body, the one place where it leaves its wrapper.
#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
pub(super) fn expose<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(ExposeSecret::expose_secret).serialize(serializer)
}

/// Counts bytes.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
