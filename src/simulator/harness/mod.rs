//! What tests hold in their hands: faults, holds and the journal.

pub mod entry;
pub mod fault;
pub mod faults;
pub mod hold;
pub mod journal;
pub mod redact;
