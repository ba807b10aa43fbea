//! Integration tests: the real operator, a real API server, and a simulated PAM over https.

mod control_plane;
mod examples;
mod lifecycle;
mod manifests;
mod world;
