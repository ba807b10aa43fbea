//! pam-operator: a `PamCredential` object becomes exactly one credential in senhasegura (Segura) PAM Core.
//!
//! # The way of an object
//!
//! ```text
//!   kubectl apply                                                                 the PAM
//!        |                                                                           ^
//!        v                                                                           | POST iso/pam/credential
//!     watch.rs ------> credential/mod.rs ------> observe.rs ------> plan/ ------> act.rs ----> effects.rs
//!        ^                   ^   (the loop)  (facts: object,     (pure: the          |    (lease, turnstile)
//!        |                   |                Secrets, listing,   next step)         v
//!     track.rs               |                memory)                            answer.rs
//!     (index: who refers     |                                                       v
//!     to what)               +-------------- write.rs ------> status <------- report.rs (pure: the new status)
//! ```
//!
//! All of these are in `controller/`; see its own map.
//!
//! # Where what is
//!
//! * [`api`]: the custom resources, their schema rules, conditions and reasons. Knows nothing of HTTP or of controllers.
//! * [`pam`]: the client of the PAM's HTTP API. Knows nothing of Kubernetes.
//! * [`controller`]: observe, plan, act, report; the map of its files is in its own documentation.
//! * [`simulator`]: a PAM Core for demos and tests. Shares nothing with [`pam`], so that each catches the other's mistakes.
//! * [`leader`]: who acts when several processes run. Knows nothing of what they do.
//! * [`permissions`]: what of the API server all of that needs, as data; [`selftest`]: whether an installation has it.
//! * [`cli`], [`server`], [`metrics`]: the command line, the operator's own HTTP server, its metrics.
//! * `selector`, `names`, `limited`: label selectors as texts, what can be a name, requests with a deadline.
//!
//! # Invariants
//!
//! * Arrows point one way: `controller` uses `pam`, `api` and `leader`; nothing uses `controller` but `cli`; `simulator` uses
//!   nothing of ours.
//! * A POST goes out only after the claim that makes its result ours is in status, and only when a listing says that it
//!   hits our own credential or nothing (`controller/plan/approach.rs`).
//! * The plan is a pure function. Every effect leaves through `controller/effects.rs`, and none without a valid lease.
//! * Secrets are `secrecy` types from the first byte on; no error, log line, event, status, metric or URL contains one.
//! * Ready is True only when the PAM accepted exactly this generation and this Secret content.

pub mod api;
pub mod cli;
pub mod controller;
pub mod leader;
mod limited;
pub mod metrics;
mod names;
pub mod pam;
pub mod permissions;
mod selector;
pub mod selftest;
pub mod server;
pub mod simulator;
