//! What must be true in the end: the object is as Ready, or as refused, as a new one with the same spec, and its credential
//! is the same in everything that the spec says.

use std::time::Duration;

use kube::api::{DynamicObject, PostParams};
use pam_operator::{
    api::{
        FINALIZER, PamCredential,
        condition::{READY, STALLED, find},
    },
    simulator::{Credential, Data, Handle, Profile},
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use testbed::wait_for;

use super::steps::{NAME, untyped};
use crate::world::World;

/// How long it may take until everything is well again: a request whose outcome is not known may still arrive for a minute
/// after its time limit, and other content waits for that.
const CONVERGED: Duration = Duration::from_mins(3);

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ready,
    /// The PAM, or a rule of the operator, refuses the spec.
    Refused(String),
}

/// The PAM for the new object, and the object there.
pub(super) struct Fresh {
    pam: Handle,
    outcome: Outcome,
}

/// What an object with this spec becomes in a PAM of its own that has the same credentials of others.
pub(super) async fn fresh(world: &World, number: usize, spec: &Value, data: Data) -> Fresh {
    let name = format!("fresh-{number}");
    let pam = world.vault(&name, Profile::V3_32, data, json!({})).await;
    let mut object = DynamicObject::new(&name, &kube::api::ApiResource::erase::<PamCredential>(&()));
    object.data = json!({"spec": spec});
    object.data["spec"]["connectionRef"] = json!({"name": name});
    // Nothing can be sent twice, so nothing is left over that would be waited for.
    object.data["spec"]["suspend"] = Value::Null;
    let created = untyped(world).create(&PostParams::default(), &object).await;
    created.expect("what one object may have, another may");
    let object = wait_for(&world.api(), &name, "judged", CONVERGED, |object| {
        outcome(object).is_some()
    })
    .await;
    let outcome = outcome(&world.expect(object)).expect("it was just there");
    Fresh { pam, outcome }
}

/// What became of an object with its present spec; none while that is open.
fn outcome(object: &PamCredential) -> Option<Outcome> {
    let conditions = &object.status.as_ref()?.conditions;
    let ready = find(conditions, READY)?;
    if ready.observed_generation != object.metadata.generation {
        return None;
    }
    if ready.status == "True" {
        return (ready.reason == "Synced").then_some(Outcome::Ready);
    }
    find(conditions, STALLED).map(|_| Outcome::Refused(ready.reason.clone()))
}

/// Waits until the object is what the new one is, and compares what they are in their PAMs.
///
/// A process that `forgot` what it sent cannot tell a move of its own, whose answer was lost, from somebody else's. It says
/// so, and a person does what it asks for.
pub(super) async fn compare(world: &World, fresh: &Fresh, foreign: &[u64], forgot: bool) -> Result<Outcome, String> {
    let drifted = Outcome::Refused("Drifted".to_owned());
    let mut object = reach(world, |now| *now == fresh.outcome || (forgot && *now == drifted)).await?;
    if outcome(&object) == Some(drifted) {
        println!("moved by a process that forgot it");
        put_back(world, &object)?;
        object = reach(world, |now| *now == fresh.outcome).await?;
    }
    let ours = ours(&world.pam, foreign);
    let has_finalizer = object
        .metadata
        .finalizers
        .iter()
        .flatten()
        .any(|name| name == FINALIZER);
    let deactivates = serde_json::to_value(&object.spec).expect("JSON")["deletionPolicy"] == "Deactivate";
    if fresh.outcome == Outcome::Ready && has_finalizer != deactivates {
        return Err(format!("finalizer: {has_finalizer}, Deactivate: {deactivates}"));
    }
    match (&fresh.outcome, ours.as_slice()) {
        (Outcome::Ready, [ours]) => {
            let [model] = self::ours(&fresh.pam, foreign)
                .try_into()
                .map_err(|all| format!("{all:?}"))?;
            same(&object, ours, &model)?;
            Ok(Outcome::Ready)
        }
        (Outcome::Refused(_), [] | [_]) => Ok(fresh.outcome.clone()),
        (_, several) => Err(format!("one credential should be ours: {several:#?}")),
    }
}

/// Waits until the object is in a state like this.
async fn reach(world: &World, is_so: impl Fn(&Outcome) -> bool) -> Result<PamCredential, String> {
    let api = world.api();
    let reached = wait_for(&api, NAME, "what a new object with its spec is", CONVERGED, |object| {
        outcome(object).as_ref().is_some_and(&is_so)
    });
    reached.await.map_err(|error| error.to_string())
}

/// Undoes in the PAM what differs from the claim.
fn put_back(world: &World, object: &PamCredential) -> Result<(), String> {
    let claim = object.status.as_ref().and_then(|status| status.claim.clone());
    let claim = claim.ok_or("it has no claim, so nothing can have drifted")?;
    let id = claim.id.as_deref().and_then(|id| id.parse().ok());
    let found = world.pam.edit(id.ok_or("the claim has no id")?, |credential| {
        credential.identifier = Some(claim.identifier);
        credential.hostname = claim.hostname;
        credential.ip = claim.ip;
        credential.username = claim.username;
    });
    found.then_some(()).ok_or_else(|| "the PAM does not have it".to_owned())
}

/// The credentials that are not those of others.
pub(super) fn ours(pam: &Handle, foreign: &[u64]) -> Vec<Credential> {
    let mut credentials = pam.credentials();
    credentials.retain(|credential| !foreign.contains(&credential.id));
    credentials
}

/// Compares in everything that the spec says. What it does not say any more stays as the PAM has it.
fn same(object: &PamCredential, ours: &Credential, model: &Credential) -> Result<(), String> {
    let differs = |field: &str, ours: &dyn std::fmt::Debug, model: &dyn std::fmt::Debug| {
        Err(format!("{field} is {ours:?}, and {model:?} for a new object"))
    };
    let status = object.status.as_ref().ok_or("no status")?;
    if status.id.as_deref() != Some(ours.id.to_string().as_str()) || status.identifier != ours.identifier {
        return Err(format!(
            "status speaks of {:?} {:?}, the PAM has {ours:?}",
            status.id, status.identifier
        ));
    }
    if object.spec.identifier.is_some() && ours.identifier != object.spec.identifier {
        return differs("identifier", &ours.identifier, &object.spec.identifier);
    }
    let identity = |credential: &Credential| {
        let Credential {
            username,
            hostname,
            ip,
            active,
            ..
        } = credential.clone();
        (username, hostname, ip, active)
    };
    if identity(ours) != identity(model) {
        return differs("identity", &identity(ours), &identity(model));
    }
    let spec = serde_json::to_value(&object.spec).expect("JSON");
    let password = |credential: &Credential| credential.content.as_ref().map(|text| text.expose_secret().to_owned());
    let managed = !spec["contentSecretRef"].is_null() && spec["passwordPolicy"] != "CreateOnly";
    if managed && password(ours) != password(model) {
        return differs("password", &password(ours), &password(model));
    }
    for (field, value) in &without_identifiers(&model.fields) {
        let ours = &without_identifiers(&ours.fields)[field];
        if ours != value {
            return differs(field, ours, value);
        }
    }
    Ok(())
}

/// While nobody but the operator acts: an object that says Ready for its present spec has what the spec says in the PAM.
/// The password is left out, whose Secret may have changed a moment ago.
pub(super) async fn honest(world: &World, foreign: &[u64]) -> Result<(), String> {
    let object: PamCredential = world.api().get(NAME).await.expect("it is there");
    let paused = object.spec.suspend == Some(true);
    if outcome(&object) != Some(Outcome::Ready) || paused {
        return Ok(());
    }
    let ours = ours(&world.pam, foreign);
    let [ours] = ours.as_slice() else {
        return Err(format!("Ready, and not one credential: {ours:?}"));
    };
    let spec = &object.spec;
    let listed = |list: &Option<Vec<String>>| list.as_ref().map(|list| list.join(", "));
    let sent = |field: &str| ours.fields.get(field).and_then(Value::as_str).map(str::to_owned);
    let said = [
        (Some(spec.username.clone()), Some(ours.username.clone())),
        (Some(spec.hostname.clone()), Some(ours.hostname.clone())),
        (Some(spec.ip.clone()), Some(ours.ip.clone())),
        (spec.identifier.clone(), ours.identifier.clone()),
        (spec.additional.clone(), sent("additional")),
        (spec.vendor.clone(), sent("vendor")),
        (spec.model.clone(), sent("model")),
        (spec.site.clone(), sent("site")),
        (spec.type_.clone(), sent("type")),
        (spec.domain.clone(), sent("domain")),
        (listed(&spec.tags), sent("tags")),
        (listed(&spec.device_tags), sent("device_tags")),
        (listed(&spec.connectivities), sent("connectivities")),
    ];
    let lie = said.iter().find(|(spec, pam)| spec.is_some() && spec != pam);
    lie.map_or(Ok(()), |(spec, pam)| {
        Err(format!("Ready with {spec:?}, and the PAM has {pam:?}"))
    })
}

/// The fields of a body without the inner identifier, which each object has its own of.
fn without_identifiers(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut fields = fields.clone();
    if let Some(Value::Object(settings)) = fields.get_mut("additional_settings") {
        settings.remove("identifier");
    }
    fields
}
