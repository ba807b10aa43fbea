//! What a user does, and when it is done.

use std::time::Duration;

use pam_operator::{
    api::{FINALIZER, PamCredential},
    simulator::{Data, NewCredential},
};
use serde_json::{Value, json};
use testbed::{Error, wait_for, wait_until_gone};

use crate::{
    look::{applied, set_password},
    world::{World, data, id, is, merge},
};

/// How long an object may take until it is as it should be. The longest way: a change that has to wait until an earlier
/// request can no longer arrive (its time limit and a minute).
const PATIENCE: Duration = Duration::from_mins(3);

/// The object that everything happens to.
pub const NAME: &str = "db";

/// Where somebody moves the credential in the PAM.
const MOVED: &str = "moved.example.com";

/// An object that nothing happens to.
pub const WITNESS: &str = "witness";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// The operator starts for the first time, on an object that is there already.
    ColdStart,
    /// An object without identifier whose credential goes with it.
    Creation,
    SpecChange,
    SecretChange,
    /// Another identifier, then another device.
    IdentityChange,
    /// A credential that was made by hand.
    Adoption,
    /// Somebody moved the credential in the PAM.
    Correction,
    Deletion,
    /// From Retain to Deactivate and back.
    PolicySwitch,
}

impl Scenario {
    /// What the PAM has before. The first two entries belong to others, on the device that the object is about.
    pub fn data(self) -> Data {
        let foreign = |username: &str, identifier: Option<&str>| NewCredential {
            identifier: identifier.map(str::to_owned),
            content: Some(format!("canary-of-{username}").into()),
            ..NewCredential::new("db.example.com", "10.0.0.1", username)
        };
        let mut credentials = vec![
            foreign("foreign-one", Some("foreign-one")),
            foreign("foreign-two", None),
        ];
        if self == Self::Adoption {
            credentials.push(foreign(NAME, Some("made-by-hand")));
        }
        Data { credentials, ..data() }
    }

    /// Whether the operator starts with the scenario.
    pub fn is_cold(self) -> bool {
        self == Self::ColdStart
    }

    /// The objects that are ready before.
    pub fn prepared(self) -> &'static [&'static str] {
        match self {
            Self::ColdStart | Self::Creation | Self::Adoption => &[],
            Self::Deletion => &[NAME, WITNESS],
            Self::SpecChange | Self::SecretChange | Self::IdentityChange | Self::Correction | Self::PolicySwitch => {
                &[NAME]
            }
        }
    }

    /// Makes what is there before, and waits until it is ready where the operator runs.
    pub async fn prepare(self, world: &World) -> Result<(), Error> {
        set_password(world, NAME, "canary-first").await;
        if self.is_cold() {
            world.create(NAME, self.spec()).await;
        }
        for name in self.prepared() {
            let mut spec = self.spec();
            merge(&mut spec, json!({"identifier": format!("orders-{name}")}));
            world.create(name, spec).await;
            ready(world, name).await?;
        }
        Ok(())
    }

    /// What the user does. Each step begins when the operator is done with the one before.
    pub async fn act(self, world: &World) -> Result<(), Error> {
        match self {
            Self::ColdStart => {}
            Self::Creation | Self::Adoption => {
                world.create(NAME, self.spec()).await;
            }
            Self::SpecChange => {
                world.change(NAME, json!({"additional": "changed"})).await;
            }
            Self::SecretChange => {
                let before = applied(&ready(world, NAME).await?).clone();
                set_password(world, NAME, "canary-second").await;
                until(world, "ready with another password", |object| {
                    is(object, "True", Some("Synced")) && *applied(object) != before
                })
                .await?;
            }
            Self::IdentityChange => {
                world.change(NAME, json!({"identifier": "orders-renamed"})).await;
                ready(world, NAME).await?;
                let moved = json!({"hostname": "new.example.com", "ip": "10.0.0.2"});
                world.change(NAME, moved).await;
            }
            Self::Correction => {
                let id = id(&ready(world, NAME).await?);
                assert!(
                    world
                        .pam
                        .edit(id, |credential| MOVED.clone_into(&mut credential.hostname))
                );
            }
            Self::Deletion => world.delete(NAME).await,
            Self::PolicySwitch => {
                world.change(NAME, json!({"deletionPolicy": "Deactivate"})).await;
                until(world, "ready with a finalizer", |object| {
                    is(object, "True", None) && has_finalizer(object)
                })
                .await?;
                world.change(NAME, json!({"deletionPolicy": null})).await;
            }
        }
        self.finished(world).await
    }

    /// Waits until the scenario has come to its end.
    pub async fn finished(self, world: &World) -> Result<(), Error> {
        let finalizer = self == Self::Creation;
        if self == Self::Correction {
            let journal = world.pam.journal();
            let is_corrected = || {
                world
                    .pam
                    .credentials()
                    .iter()
                    .all(|credential| credential.hostname != MOVED)
            };
            let corrected = journal.wait_for(PATIENCE, |_| is_corrected()).await;
            corrected.map_err(|_| Error::Timeout("the credential was not moved back".to_owned()))?;
        }
        match self {
            Self::Deletion => wait_until_gone(&world.api::<PamCredential>(), NAME, PATIENCE).await,
            _ => until(world, "ready at the end", |object| {
                is(object, "True", Some("Synced")) && has_finalizer(object) == finalizer
            })
            .await
            .map(drop),
        }
    }

    /// The object that is there at the end.
    pub fn survivor(self) -> &'static str {
        if self == Self::Deletion { WITNESS } else { NAME }
    }

    fn spec(self) -> Value {
        let mut spec = json!({
            "contentSecretRef": {"name": NAME, "key": "password"}, "additional": "before", "tags": ["orders"],
        });
        let more = match self {
            Self::ColdStart => json!({"identifier": "orders-db"}),
            Self::Creation | Self::Deletion => json!({"deletionPolicy": "Deactivate"}),
            Self::Adoption => json!({"adoptionPolicy": "Adopt"}),
            Self::Correction => json!({"driftPolicy": "Correct"}),
            Self::SpecChange | Self::SecretChange | Self::IdentityChange | Self::PolicySwitch => json!({}),
        };
        merge(&mut spec, more);
        spec
    }
}

/// Waits until an object is ready as it is.
pub async fn ready(world: &World, name: &str) -> Result<PamCredential, Error> {
    let is_so = |object: &PamCredential| is(object, "True", Some("Synced"));
    wait_for(&world.api(), name, "ready", PATIENCE, is_so).await
}

async fn until(world: &World, described: &str, is_so: impl Fn(&PamCredential) -> bool) -> Result<PamCredential, Error> {
    wait_for(&world.api(), NAME, described, PATIENCE, is_so).await
}

fn has_finalizer(object: &PamCredential) -> bool {
    object
        .metadata
        .finalizers
        .iter()
        .flatten()
        .any(|finalizer| finalizer == FINALIZER)
}
