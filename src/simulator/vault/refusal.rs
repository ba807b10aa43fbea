//! What the PAM refuses, with the codes and texts of its documents (contract 4.1).

use std::borrow::Cow;

/// A refusal: HTTP status, code and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// HTTP status of the answer.
    pub status: u16,
    /// `exception.code`; from 1000 on it also stands in front of the text.
    pub code: u16,
    /// The text.
    pub message: Cow<'static, str>,
}

impl Refusal {
    /// A business error: HTTP 400.
    const fn business(code: u16, message: &'static str) -> Self {
        Self {
            status: 400,
            code,
            message: Cow::Borrowed(message),
        }
    }

    /// An error without a code of its own: the HTTP status takes its place.
    const fn generic(status: u16, message: &'static str) -> Self {
        Self {
            status,
            code: status,
            message: Cow::Borrowed(message),
        }
    }
}

pub(crate) const HOSTNAME_MISSING: Refusal = Refusal::business(1004, "The device's hostname was not informed");
pub(crate) const IP_MISSING: Refusal = Refusal::business(1005, "The device's IP was not informed");
pub(crate) const NOT_FOUND: Refusal = Refusal::business(1007, "Credential not found");
pub(crate) const INACTIVE: Refusal = Refusal::business(1008, "Credential inactive");
pub(crate) const NO_ACCESS: Refusal = Refusal::business(1009, "No access to credential");
pub(crate) const NOT_A_CREDENTIAL: Refusal = Refusal::business(1010, "The item is not a credential");
pub(crate) const DEVICE_NOT_FOUND: Refusal = Refusal::business(1011, "Device not found");
pub(crate) const SHARED_INACTIVE: Refusal = Refusal::business(1017, "Credential inactive");
pub(crate) const SHARED_ACTIVE: Refusal = Refusal::business(1017, "Credential is already active");
pub(crate) const DOMAIN_NOT_FOUND: Refusal = Refusal::business(
    1029,
    "It is not possible to enter a domain that has not been previously registered",
);
pub(crate) const READ_ONLY: Refusal = Refusal::business(1039, "Without PAM Configuration Access permission");
pub(crate) const USERNAME_MISSING: Refusal = Refusal::business(1042, "Invalid username");
pub(crate) const ACTIVE: Refusal = Refusal::business(1043, "Credential is already activated");
pub(crate) const PLUGIN_NOT_FOUND: Refusal = Refusal::business(1046, "Plugin not informed");
pub(crate) const TEMPLATE_NOT_FOUND: Refusal = Refusal::business(1047, "Template plugin not informed");
/// Its text is not published; this one says what the seeds give as its cause.
pub(crate) const DUPLICATE: Refusal =
    Refusal::business(1052, "A credential with the same hostname and device has been found");
pub(crate) const BAD_IDENTIFIER: Refusal = Refusal::business(
    1053,
    "The identifier can only contain letters, numbers, \"_\" and \"-\".",
);
pub(crate) const NOT_AUTHORIZED: Refusal = Refusal::generic(500, "You are not authorized to access this resource.");
pub(crate) const UNEXPECTED: Refusal = Refusal::generic(500, "Unexpected error");
pub(crate) const UNKNOWN_PATH: Refusal = Refusal::generic(404, "Resource sub not found");
