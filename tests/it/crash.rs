//! Whatever happens between claim, POST and result: one credential in the PAM, as the object says, and a status that
//! tells of it.

mod conflict;
mod kill;
pub mod rights;
mod unanswered;
