//! The PAM's answers, read leniently: versions differ in which keys exist and in whether a number is written as a string.

use serde::Deserialize;

use super::listing::Listing;
use super::scalar::Scalar;

/// Every key of every answer that means something here (contract 2.1). Unknown keys are ignored, missing ones are empty.
///
/// No `Debug`: an answer's texts go nowhere.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope {
    /// In every answer of the PAM itself; absent from the token server's and the gateway's.
    pub response: Option<Response>,
    pub exception: Option<Exception>,
    pub credential: Option<Credential>,
    pub credentials: Listing,
    /// The gateway's and the token server's text.
    pub message: Scalar,
    /// The token server's kind of error, such as `invalid_client`.
    pub error: Scalar,
    pub error_description: Scalar,
}

/// `response`: the outcome in English and in Portuguese.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Response {
    pub status: Scalar,
    pub message: Scalar,
    pub mensagem: Scalar,
    pub error: Scalar,
    pub erro: Scalar,
}

/// `exception`: the number of a refusal.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Exception {
    pub code: Scalar,
    pub message: Scalar,
}

/// `credential`: what a POST created or updated. The older `tag` is not read: it is null after a create and may be the previous
/// identifier after an update (contract 2.2.6), so it says nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Credential {
    pub id: Scalar,
    pub identifier: Scalar,
}

impl Envelope {
    /// Whether the answer calls itself a failure, whatever its HTTP status.
    pub fn reports_error(&self) -> bool {
        let in_response = self
            .response
            .as_ref()
            .is_some_and(|response| response.error.truthy() || response.erro.truthy());
        in_response || self.error.truthy()
    }

    /// Whether number or status in the body are those of a failure, although nothing calls it one.
    pub fn belies_success(&self) -> bool {
        self.code().is_some() || self.status().is_some_and(|status| !(200..300).contains(&status))
    }

    /// The PAM's number: `exception.code`, else the four digits before a message's colon; 1000 or more.
    pub fn code(&self) -> Option<u16> {
        let explicit = self
            .exception
            .as_ref()
            .and_then(|exception| exception.code.as_str().parse().ok());
        explicit
            .filter(|code| *code >= 1000)
            .or_else(|| self.texts().find_map(leading_code))
    }

    /// The status that the body claims.
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref()?.status.as_str().parse().ok()
    }

    /// All texts that may say what went wrong, the most telling first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let response = self
            .response
            .iter()
            .flat_map(|response| [&response.message, &response.mensagem]);
        let exception = self.exception.iter().map(|exception| &exception.message);
        let others = [&self.error, &self.error_description, &self.message];
        response
            .chain(exception)
            .chain(others)
            .map(Scalar::as_str)
            .filter(|text| !text.is_empty())
    }
}

/// `1011: Device not found` has the code 1011.
fn leading_code(text: &str) -> Option<u16> {
    let (digits, _) = text.split_once(':')?;
    let four_digits = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    four_digits
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|code| *code >= 1000)
}
