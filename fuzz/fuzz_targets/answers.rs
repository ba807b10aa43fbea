//! Everything that parses what a PAM sends: envelope, listing, errors and `Retry-After`.

#![no_main]

libfuzzer_sys::fuzz_target!(|answer: &[u8]| pam_operator::pam::fuzzing::parse(answer));
