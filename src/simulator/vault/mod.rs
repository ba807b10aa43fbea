//! What the PAM keeps and how it decides. Knows nothing of HTTP.

pub mod access;
pub mod body;
pub mod check;
pub mod clock;
pub mod credential;
pub mod listing;
pub mod refusal;
pub mod registry;
pub mod store;
pub mod toggle;
pub mod upsert;

#[cfg(test)]
mod fixture;
