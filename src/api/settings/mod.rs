//! The four optional blocks of a credential. A block that is present is sent complete: its booleans that are "always
//! sent"
//! count as false when omitted, because the PAM's reading of a half-filled block is undocumented.

mod additional;
mod execution;
mod jit;
mod session;

pub use additional::{AdditionalSettings, AuthenticationField, Criticality};
pub use execution::ExecutionSettings;
pub use jit::JitSettings;
pub use session::{Macro, SessionSettings};
