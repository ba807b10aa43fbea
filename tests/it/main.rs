//! Integration tests: the real operator, a real API server, and a simulated PAM over https.

mod alerts;
mod canary;
mod control_plane;
mod cost;
mod crash;
mod errors;
mod examples;
mod input;
mod leadership;
mod lifecycle;
mod look;
mod manifests;
mod metrics;
mod ownership;
mod policies;
mod protection;
mod random;
mod requests;
mod rounds;
mod selftest;
mod stale;
mod steps;
mod tap;
mod tenancy;
mod vaults;
mod world;
