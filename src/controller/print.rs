//! What is only to be told from others is kept as a number.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The hash of something; it is the same for as long as this process lives.
pub fn print(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
