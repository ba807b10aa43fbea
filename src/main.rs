//! The `pam-operator` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    pam_operator::cli::main(std::env::args_os())
}
