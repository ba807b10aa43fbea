//! What can go wrong in the testbed, in words that a developer can act on.

use std::{fmt, io};

use kube::core::Status;

/// Anything that kept the testbed from doing what it was asked for.
///
/// `Debug` prints the same text as `Display`: test runners print errors by `Debug`, and a person reads them there.
#[derive(thiserror::Error)]
pub enum Error {
    /// The binaries of the control plane are neither there nor could they be built; the text says what to install.
    #[error("{0}")]
    Binaries(String),
    /// The control plane or the operator did not start, or ended early; the text holds the end of its log.
    #[error("{0}")]
    Start(String),
    /// The API server refused a request, or could not be reached.
    #[error("{doing}: {}", kube_text(source))]
    Kube {
        /// What was being done.
        doing: String,
        /// The client's error, with the API server's answer if there was one.
        source: Box<kube::Error>,
    },
    /// A manifest is not what the API server could take.
    #[error("{0}")]
    Manifest(String),
    /// Something did not come true before its deadline; the text holds what was seen last.
    #[error("{0}")]
    Timeout(String),
    /// A file, a process or a socket.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The system's error.
        source: io::Error,
    },
    /// A certificate or key could not be made.
    #[error("cannot issue a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

impl Error {
    /// Puts `doing` before a system error, for use in `map_err`.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io {
            doing: doing.into(),
            source,
        }
    }

    /// Puts `doing` before an error of the Kubernetes client, for use in `map_err`.
    pub fn kube(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        |source| Self::Kube {
            doing: doing.into(),
            source: Box::new(source),
        }
    }

    /// The API server's answer, when it answered and refused: what a test of a bad manifest looks at.
    #[must_use]
    pub fn status(&self) -> Option<&Status> {
        match self {
            Self::Kube { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => Some(status),
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The API server's message alone where there is one: the client's own text repeats the whole answer after it.
fn kube_text(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} ({})", status.message, status.code),
        other => other.to_string(),
    }
}
