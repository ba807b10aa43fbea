//! What a listing was compared with, so that the next one is compared with what changed, and nothing else is opened.

#[cfg(doc)]
use crate::controller::ownership::register::Register;

/// An entry of a listing, as far as it has to be told from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Under which the register finds it.
    pub key: u64,
    /// The entry as it was listed ([`Register::mark`]).
    pub mark: u64,
}

/// What a memory says to whoever compares a listing.
#[derive(Clone, Copy, Debug)]
pub struct Glimpse {
    /// How often the memory was put back until then.
    pub(super) turns: u32,
    /// What was compared since the last reconcile.
    pub compared: Option<Compared>,
}
