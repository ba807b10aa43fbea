//! A real control plane for the demo, the tests and the benchmarks, and what is needed to work on it.
//!
//! * [`Binaries`] finds kube-apiserver and etcd, or builds them once with Go.
//! * [`ControlPlane`] runs them; [`shared`] is the one that all tests of a process use, each in a namespace of its own.
//! * [`AuditLog`] counts who asked the API server for what. Users are cheap: [`ControlPlane::client_for`] any name, so that
//!   the operator's requests and the test's are told apart.
//! * [`rbac`] lists what the operator is allowed to do.
//! * [`manifest`] applies YAML, [`examples`] has that of the product's examples, [`wait_for`] waits for an object, [`Operator`] runs the operator as a process of its own,
//!   [`simulate_pam`] the PAM in this one.
//! * [`tap`] stands between the operator and both, numbers what leaves the operator, and lets any of it fail.
//! * [`go_baseline`] is the same job as a Go controller, for `cargo bench-scale`.
//! * [`tools`] fetches and runs what checks and installs the chart, the image and the rest that is no Rust.
//!
//! Nothing here outlives the process that started it, however it ends.

mod audit;
mod baseline;
mod binaries;
mod cache;
mod control_plane;
mod credential;
mod error;
pub mod examples;
mod go;
pub mod manifest;
mod namespace;
mod operator;
mod pam;
mod pki;
mod ports;
mod progress;
pub mod rbac;
mod scratch;
pub mod tap;
pub mod tools;
mod usage;
mod wait;

pub use audit::{AuditLog, Mark, Request, count};
pub use baseline::go_baseline;
pub use binaries::{Binaries, version};
pub use control_plane::{ADMIN, ControlPlane, shared};
pub use credential::{has_applied, is_ready};
pub use error::Error;
pub use namespace::{create_namespace, delete_namespace, finalize_namespace};
pub use operator::{Operator, OperatorConfig, program};
pub use pam::simulate_pam;
pub use progress::Progress;
pub use usage::Usage;
pub use wait::{wait_for, wait_until_gone};
