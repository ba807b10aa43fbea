//! Nobody's credential but one's own: whatever an object declares and whatever its status says, the credentials of
//! others stay as they are, to the letter.

mod adoption;
mod copied;
mod edits;
mod existing;
mod forged;
mod moved;
mod permissions;
mod restored;
mod rivals;
mod unexpected;

use pam_operator::{
    api::PamCredential,
    simulator::{Credential, Handle, NewCredential, Operation},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::world::{World, message};

/// The device of the usual object.
const DEVICE: (&str, &str) = ("db.example.com", "10.0.0.1");

/// A credential that belongs to somebody else, and everything that the PAM had of it in the beginning.
struct Foreign {
    id: u64,
    before: String,
}

impl Foreign {
    /// Registers a credential on the usual device, with a password.
    fn register(pam: &Handle, identifier: &str, username: &str) -> Self {
        Self::add(pam, foreign(identifier, username))
    }

    fn add(pam: &Handle, credential: NewCredential) -> Self {
        let id = pam.add(credential);
        let before = everything(pam, id);
        Self { id, before }
    }

    /// Fails unless the credential is as it was, password and history included.
    fn is_untouched(&self, pam: &Handle) {
        assert_eq!(everything(pam, self.id), self.before);
    }
}

/// Somebody else's credential on the usual device.
fn foreign(identifier: &str, username: &str) -> NewCredential {
    NewCredential {
        identifier: Some(identifier.to_owned()),
        content: Some("their-password".into()),
        ..NewCredential::new(DEVICE.0, DEVICE.1, username)
    }
}

/// All that the PAM has of a credential; the simulator's own words, and what those leave out.
fn everything(pam: &Handle, id: u64) -> String {
    let credential = pam.credential(id).expect("it cannot be deleted");
    let (password, view, custody) = (password(&credential), &credential.view, &credential.custody);
    format!("{credential:?} {password:?} {view:?} {custody:?}")
}

/// The password of a credential in the PAM.
fn password(credential: &Credential) -> Option<&str> {
    credential.content.as_ref().map(ExposeSecret::expose_secret)
}

/// The spec of an object with a password, changed by `change`.
fn with_password(change: &Value) -> Value {
    let mut spec = json!({"contentSecretRef": {"name": "ours", "key": "password"}});
    let fields = spec.as_object_mut().expect("an object");
    fields.extend(change.as_object().expect("an object").clone());
    spec
}

/// The Secret that [`with_password`] names.
async fn secret(world: &World) {
    world.secret("ours", json!({"password": "our-password"})).await;
}

/// How many POSTs arrived.
fn posts(pam: &Handle) -> u64 {
    pam.journal().count(Operation::Post)
}

/// Fails unless the finding names this credential of the PAM.
fn names(object: &PamCredential, id: u64) {
    assert!(message(object).contains(&format!("{id} (")), "{}", message(object));
}
