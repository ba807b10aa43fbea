//! The `pam-operator` binary.
fn main() {}
