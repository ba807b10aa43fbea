//! What the tests of this folder share: a PAM with one device of each kind of question.

use serde_json::{Value, json};

use crate::simulator::{
    data::{Client, Data, Device, NewCredential},
    switches::{Behaviour, Profile, Switches},
    vault::{body::CredentialPost, credential::Credential, refusal::Refusal, store::Store, upsert::Written},
};

/// Every profile.
pub const PROFILES: [Profile; 3] = [Profile::V3_32, Profile::V3_33, Profile::V4_0];

/// A PAM with the devices `db` (10.0.0.1) and `web` (10.0.0.2) and one registered name of everything else.
pub fn pam(profile: Profile, switches: &Switches) -> Store {
    let names = |name: &str| vec![name.to_owned()];
    let data = Data {
        devices: vec![Device::new("db", "10.0.0.1"), Device::new("web", "10.0.0.2")],
        domains: vec!["lab".to_owned(), "corp".to_owned()],
        plugins: names("SSH"),
        templates: names("3COM"),
        owners: names("admin"),
        ..Data::default()
    };
    let behaviour = Behaviour::new(profile, switches);
    Store::new(&data, behaviour).expect("the data are consistent")
}

/// A client that may do everything.
pub fn client() -> Client {
    Client::new("operator", "secret")
}

/// The body of a POST for `username` on `db`, with `more` on top.
pub fn body(username: &str, more: &Value) -> Value {
    let mut body = json!({"username": username, "hostname": "db", "ip": "10.0.0.1"});
    let fields = body.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    body
}

impl Store {
    /// A POST by [`client`].
    pub fn send(&mut self, body: &Value) -> Result<Written, Refusal> {
        self.post(&CredentialPost::new(body), &client())
    }

    /// A credential on `db` that an administrator registered; returns its id.
    pub fn given(&mut self, identifier: Option<&str>, username: &str) -> u64 {
        self.register(NewCredential {
            identifier: identifier.map(str::to_owned),
            content: Some("before".into()),
            ..NewCredential::new("db", "10.0.0.1", username)
        })
    }

    /// A stored credential.
    pub fn at(&self, id: u64) -> &Credential {
        self.get(id).expect("the test has made it")
    }

    /// How many credentials there are.
    pub fn len(&self) -> usize {
        self.all().count()
    }
}
