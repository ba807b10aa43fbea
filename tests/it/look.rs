//! What several campaigns look at: the one credential in the PAM, the status that speaks of it, and what the operator
//! asked of the API server.

use std::{collections::BTreeMap, time::Duration};

use pam_operator::{
    api::{Applied, Claim, PamCredential},
    simulator::{Credential, Entry},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testbed::{Mark, Request, count};
use tokio::time::Instant;

use crate::world::{DEADLINE, World, id, is};

/// A spec whose password is under the key `password` of the Secret of this name.
pub fn content(secret: &str) -> Value {
    json!({"contentSecretRef": {"name": secret, "key": "password"}})
}

/// Creates or replaces the Secret of this name with a password.
pub async fn set_password(world: &World, secret: &str, password: &str) {
    world.secret(secret, json!({"password": password})).await;
}

/// The only credential that the PAM has.
pub fn only(world: &World) -> Credential {
    let [credential] = world.pam.credentials().try_into().unwrap_or_else(|credentials| {
        panic!("the PAM should have one credential: {credentials:?}");
    });
    credential
}

/// A credential's password.
pub fn password(credential: &Credential) -> Option<&str> {
    credential.content.as_ref().map(ExposeSecret::expose_secret)
}

/// What status says that the PAM accepted.
pub fn applied(object: &PamCredential) -> &Applied {
    let status = object.status.as_ref().expect("a status");
    status.applied.as_ref().expect("something was accepted")
}

/// The claim in status.
pub fn claim(object: &PamCredential) -> &Claim {
    let status = object.status.as_ref().expect("a status");
    status.claim.as_ref().expect("a claim")
}

/// The credential that an object's status speaks of, after making sure that everything in status is about that one.
pub fn own(world: &World, object: &PamCredential) -> Credential {
    let credential = world.pam.credential(id(object)).expect("the PAM has it");
    let claim = claim(object);
    assert_eq!(claim.id, object.status.as_ref().and_then(|status| status.id.clone()));
    assert_eq!(Some(&claim.identifier), credential.identifier.as_ref());
    assert_eq!(
        (&claim.hostname, &claim.ip, &claim.username),
        (&credential.hostname, &credential.ip, &credential.username)
    );
    credential
}

/// Waits until the PAM accepted something after what `before` says, and the object is Ready with that.
pub async fn accepted_after(world: &World, before: &PamCredential) -> PamCredential {
    let name = before.metadata.name.as_deref().expect("a name");
    let old = applied(before).clone();
    world
        .until(name, "accepted anew", |object| {
            is(object, "True", Some("Synced")) && *applied(object) != old
        })
        .await
}

/// The requests with which credentials were written, oldest first, once the last of them is over.
pub async fn posts(world: &World) -> Vec<Entry> {
    let over = world
        .pam
        .journal()
        .wait_for(DEADLINE, |entries| entries.iter().all(|entry| entry.ended.is_some()));
    over.await.expect("every request comes to an end");
    world.pam.journal().posts()
}

/// The successful writes of the operator since `mark`, without events, which are written beside everything else.
pub async fn writes(world: &World, mark: Mark) -> BTreeMap<String, usize> {
    let requests = requests(world, mark).await;
    let writes = requests
        .iter()
        .filter(|request| request.is_write() && request.succeeded() && request.resource != "events");
    count(writes)
}

/// Everything that the operator asked of the API server since `mark`.
pub async fn requests(world: &World, mark: Mark) -> Vec<Request> {
    let audit = world.plane.audit();
    audit.since(mark, &world.user).await.expect("the audit log is readable")
}

/// A place in the audit log.
pub async fn mark(world: &World) -> Mark {
    let audit = world.plane.audit();
    audit.mark(&world.user).await.expect("the audit log is readable")
}

/// Waits until the operator asked the API server for something like this after `mark`.
pub async fn requested(world: &World, mark: Mark, described: &str, is_so: impl Fn(&Request) -> bool) {
    within_deadline(described, async || requests(world, mark).await.iter().any(&is_so)).await;
}

/// Waits for something that nobody announces.
pub async fn within_deadline(described: &str, is_so: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "the operator did not {described}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
