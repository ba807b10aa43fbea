//! Further simulated PAMs beside the world's own, each behind a connection of its own: one operator serves them all, and
//! the cases of a table do not meet each other.

use std::{collections::BTreeSet, path::Path};

use pam_operator::simulator::{self, Client, Config, Data, Entry, Handle, Profile, Tls};
use serde_json::{Value, json};

use crate::world::{CLIENT, CLIENT_SECRET, World};

/// The versions of the PAM, each with the name and the API prefix of a connection to it.
pub const PROFILES: [(&str, Profile, &str); 3] = [
    ("v3-32", Profile::V3_32, "iso"),
    ("v3-33", Profile::V3_33, "api"),
    ("v4-0", Profile::V4_0, "api"),
];

/// What the simulator of the examples knows: devices, domains, plugins, templates and owners of the PAM's documents. Its
/// client is the world's, and sees only what it creates or `visible` names.
pub fn documented(visible: Option<BTreeSet<u64>>) -> Data {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simulator.yaml");
    let mut data = Data::read(&file).expect("the example can be read");
    data.clients = vec![Client {
        credentials: visible,
        ..Client::new(CLIENT, CLIENT_SECRET)
    }];
    data
}

impl World {
    /// A further PAM, and the connection `name` to it, whose spec is changed by a merge patch.
    pub async fn vault(&self, name: &str, profile: Profile, data: Data, change: Value) -> Handle {
        let (pam, mut spec) = self.pam_beside(name, profile, data).await;
        crate::world::merge(&mut spec, change);
        self.connection(name, spec).await;
        pam
    }

    /// A further PAM, and how the spec of the connection `name` to it differs from the usual one.
    pub async fn pam_beside(&self, name: &str, profile: Profile, data: Data) -> (Handle, Value) {
        let pam = simulator::start(Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            profile,
            tls: Tls::InMemory,
            data,
        })
        .await
        .expect("the simulator starts");
        let bundle = format!("{name}-ca");
        self.config_map(&bundle, "ca.crt", pam.ca_pem().expect("the simulator speaks https"))
            .await;
        let spec = json!({"url": pam.url(), "tls": {"caBundleRef": {"name": bundle}}});
        (pam, spec)
    }
}

/// The POSTs for a user name, oldest first.
pub fn posts(pam: &Handle, username: &str) -> Vec<Entry> {
    let mut posts = pam.journal().posts();
    posts.retain(|post| post.body["username"] == username);
    posts
}
