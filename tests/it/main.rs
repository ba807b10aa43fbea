//! Integration tests: the real operator, a real API server, and a simulated PAM over https.

mod canary;
mod control_plane;
mod cost;
mod crash;
mod errors;
mod examples;
mod image;
mod input;
mod leadership;
mod lifecycle;
mod look;
mod manifests;
mod ownership;
mod policies;
mod protection;
mod random;
mod requests;
mod rounds;
mod stale;
mod steps;
mod tap;
mod tenancy;
mod vaults;
mod world;
