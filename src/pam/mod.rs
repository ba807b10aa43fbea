//! The client of the PAM Core HTTP API ("A2A", version 1): what the operator says to the PAM and what it hears back.
//!
//! It knows nothing of Kubernetes. One [`Client`] stands for one connection: one pool of sockets, one cached token, one set
//! of address rules. Its calls are the four that the operator needs: create or update ([`Client::post`]), the listing
//! ([`Client::list`]), deactivate and reactivate. Reading a single credential is absent on purpose: that call discloses the
//! password and takes custody of it.
//!
//! Invariants:
//! * Passwords, one-time-password seeds, client secrets and tokens are `secrecy` types from the first byte to the socket.
//! * An [`Error`] is made of this module's own words, a code and a status: never of text from an answer, a URL or a body.
//! * No redirect is followed, no answer is read without a size limit, no address is dialled that [`AddressPolicy`] refuses.
//!
//! ```text
//! client.rs     the calls                 token.rs      one token per client, single flight
//! body.rs       the POST body             settings.rs   its four blocks of settings
//! envelope.rs   the PAM's answers         classify.rs   ... and which error they are
//! listing.rs    all credentials, compact  guard.rs      ... within limits while they arrive
//! transport.rs  TLS, proxy, deadlines     failure.rs    ... and which error their failures are
//! address.rs    which hosts               resolver.rs   ... after name resolution too
//! options.rs    what a connection is      error.rs      errors by reaction
//! scalar.rs     numbers written as strings, and the reverse
//! fuzzing.rs    what holds for every answer, for tests only
//! ```

mod address;
mod body;
mod classify;
mod client;
mod envelope;
mod error;
mod failure;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
mod listing;
mod options;
mod resolver;
mod scalar;
mod settings;
mod token;
mod transport;

#[cfg(test)]
mod tests;

pub use address::{AddressError, AddressPolicy, HostPattern, InvalidHostPattern, target};
pub use body::{CredentialBody, join};
pub use client::{Answer, AnswerKind, Client, LISTING_DEADLINE};
pub use error::{Class, Error, Outcome};
pub use listing::{Entry, Listing};
pub use options::{ApiPrefix, ConfigError, Options};
pub use settings::{
    AdditionalFields, AdditionalSettings, AuthenticationField, ExecutionSettings, JitSettings, Macro, SessionSettings,
};
pub use transport::install_crypto_provider;
