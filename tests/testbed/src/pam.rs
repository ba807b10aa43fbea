//! The PAM of demo and benchmarks.

use pam_operator::simulator::{self, Data, Handle, Profile, Tls};

use crate::Error;

/// Starts the simulator with version 3.32 on a free port of the loopback address, behind https with an authority of its own.
pub async fn simulate_pam(data: Data) -> Result<Handle, Error> {
    let config = simulator::Config {
        listen: ([127, 0, 0, 1], 0).into(),
        profile: Profile::V3_32,
        tls: Tls::InMemory,
        data,
    };
    simulator::start(config)
        .await
        .map_err(|error| Error::Start(format!("the simulated PAM: {error}")))
}
