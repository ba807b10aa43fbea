//! The life of an object: what reaches the PAM, and what status says of it.

mod conditions;
mod creation;
mod deletion;
mod identity;
mod passwords;
mod patience;
mod suspension;
mod unreadable;
