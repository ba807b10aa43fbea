//! What happens to an object, its Secrets, its credential and its operator, one thing after another.

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Error,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams},
};
use pam_operator::{
    api::PamCredential,
    simulator::{Credential, Effect, Fault, Operation, Point},
};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};
use testbed::wait_for;

use super::{
    oracle::ours,
    schema::{Change, KEYS, SECRETS, change},
};
use crate::world::World;

/// The object that everything happens to.
pub(super) const NAME: &str = "db";

/// How long a step that lets things settle waits for that; it goes on whether they did or not.
const SETTLING: Duration = Duration::from_secs(4);

/// How long an edit may take to be listed: some times the interval of the listings.
const LISTED: Duration = Duration::from_secs(10);

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A field of the spec gets another value.
    Change(Change),
    /// An earlier spec comes back.
    Back(prop::sample::Index),
    /// A Secret gets other values, or goes.
    Secret(&'static str, Option<[&'static str; 2]>),
    /// Somebody edits our credential in the PAM.
    Edit(Edit),
    /// The next requests to the PAM go wrong.
    Fault(Operation, Effect, u32),
    /// The operator ends and starts again.
    Restart { killed: bool },
    /// Nothing, until the object says what it thinks of its spec.
    Settle,
}

/// What somebody does to our credential in the PAM.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edit {
    Username(&'static str),
    Hostname(&'static str),
    Ip(&'static str),
    Identifier(&'static str),
    Password(&'static str),
    Active(bool),
}

/// What an edit has to be undone.
pub(super) struct Undo {
    id: u64,
    before: Credential,
    after: Credential,
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 6..28)
}

fn step() -> impl Strategy<Value = Step> {
    let values = select(vec!["p0", "p1", "p2", ""]);
    let secret = prop_oneof![4 => [values.clone(), values].prop_map(Some), 1 => Just(None)];
    prop_oneof![
        10 => change().prop_map(Step::Change),
        2 => any::<prop::sample::Index>().prop_map(Step::Back),
        3 => (select(SECRETS.to_vec()), secret).prop_map(|(name, values)| Step::Secret(name, values)),
        3 => edit().prop_map(Step::Edit),
        3 => fault(),
        2 => any::<bool>().prop_map(|killed| Step::Restart { killed }),
        7 => Just(Step::Settle),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        select(vec!["u0", "u1", "renamed"]).prop_map(Edit::Username),
        select(vec!["h0", "h1", "moved"]).prop_map(Edit::Hostname),
        select(vec!["i0", "i1", "moved"]).prop_map(Edit::Ip),
        select(vec!["id-0", "id-1", "renamed"]).prop_map(Edit::Identifier),
        select(vec!["p0", "rotated"]).prop_map(Edit::Password),
        any::<bool>().prop_map(Edit::Active),
    ]
}

fn fault() -> impl Strategy<Value = Step> {
    let executed = any::<bool>();
    let status = (select(vec![429u16, 500, 502, 503, 504]), executed, any::<bool>());
    let effect = prop_oneof![
        3 => Just(Effect::DropBefore),
        1 => Just(Effect::DropAfter),
        3 => status.prop_map(|(code, executed, wait)| Effect::Status {
            code,
            // A gateway that refuses to pass a request on has not done so.
            executed: executed && !matches!(code, 429 | 503),
            retry_after: wait.then(|| "1".to_owned()),
        }),
        1 => Just(Effect::Html { status: 200, executed: false }),
        1 => Just(Effect::TruncatedJson),
        1 => Just(Effect::CutBody),
        1 => Just(Effect::ExpiredToken),
        1 => Just(Effect::RejectedToken),
        1 => Just(Effect::NoRoute),
        1 => select(vec![1011u16, 1039, 1009, 4711]).prop_map(|code| Effect::Refuse {
            code,
            message: "refused".to_owned(),
            status: 400,
        }),
        1 => Just(Effect::Latency { ms: 300, point: Point::After }),
    ];
    let operation = select(vec![
        Operation::Post,
        Operation::Post,
        Operation::List,
        Operation::Token,
    ]);
    (operation, effect, 1u32..4).prop_map(|(operation, effect, times)| Step::Fault(operation, effect, times))
}

/// The spec that an object begins with, and the names of the fields that no step takes out.
pub(super) fn base() -> Value {
    json!({
        "connectionRef": {"name": "vault"}, "username": "u0", "hostname": "h0", "ip": "i0",
        "contentSecretRef": {"name": SECRETS[0], "key": KEYS[0]},
    })
}

/// A spec with one field changed.
pub(super) fn changed(spec: &Value, (field, value): &Change) -> Value {
    let mut spec = spec.clone();
    let fields: &mut Map<_, _> = spec.as_object_mut().expect("a spec is an object");
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.clone(), value.clone());
    }
    spec
}

/// Objects as they are written, whatever their types say.
pub(super) fn untyped(world: &World) -> Api<DynamicObject> {
    Api::namespaced_with(
        world.client.clone(),
        &world.namespace,
        &ApiResource::erase::<PamCredential>(&()),
    )
}

/// Replaces the spec of an object. False when the schema refuses it, and nothing was changed.
pub(super) async fn replace(world: &World, name: &str, spec: &Value) -> bool {
    let patch = json!([{"op": "replace", "path": "/spec", "value": spec}]);
    let patch: Patch<Value> = Patch::Json(serde_json::from_value(patch).expect("a patch"));
    match untyped(world).patch(name, &PatchParams::default(), &patch).await {
        Ok(_) => true,
        Err(Error::Api(status)) if status.code == 422 => false,
        Err(error) => panic!("{error}"),
    }
}

/// Gives a Secret these values, or deletes it.
pub(super) async fn set_secret(world: &World, name: &str, values: Option<[&str; 2]>) {
    if let Some([first, second]) = values {
        return world.secret(name, json!({KEYS[0]: first, KEYS[1]: second})).await;
    }
    let secrets: Api<Secret> = world.api();
    let deleted = secrets.delete(name, &DeleteParams::default()).await;
    let gone = matches!(&deleted, Err(Error::Api(status)) if status.is_not_found());
    assert!(deleted.is_ok() || gone, "{deleted:?}");
}

impl Edit {
    /// Whether the credential is found by something else afterwards.
    fn moves(self) -> bool {
        !matches!(self, Self::Password(_) | Self::Active(_))
    }
}

/// Edits our credential in the PAM, when it is there.
///
/// Between a listing and a POST that relies on it nobody can notice that somebody renames and moves a credential, and the
/// POST makes a second one. So what moves it is done when nothing is under way, and is listed before anything else happens.
/// For the same reason nobody moves a credential of which the operator does not know yet that it came about: nothing would
/// prove whose it is.
pub(super) async fn edit_ours(world: &World, foreign: &[u64], edit: Edit) -> Option<Undo> {
    if edit.moves() {
        settle(world).await;
        let object: PamCredential = world.api().get(NAME).await.expect("it is there");
        object
            .status
            .and_then(|status| status.claim)
            .and_then(|claim| claim.id)?;
    }
    let undo = apply(world, ours(&world.pam, foreign).pop()?, edit);
    if edit.moves() {
        // One may be under way that began before.
        let count = world.pam.journal().count(Operation::List) + 2;
        let listed = world.pam.journal().wait_for_count(Operation::List, count, LISTED);
        if listed.await.is_err() {
            println!("not listed: {edit:?}");
        }
    }
    Some(undo)
}

fn apply(world: &World, before: Credential, edit: Edit) -> Undo {
    let (id, mut after) = (before.id, before.clone());
    world.pam.edit(id, |credential| {
        match edit {
            Edit::Username(name) => name.clone_into(&mut credential.username),
            Edit::Hostname(name) => name.clone_into(&mut credential.hostname),
            Edit::Ip(address) => address.clone_into(&mut credential.ip),
            Edit::Identifier(identifier) => credential.identifier = Some(identifier.to_owned()),
            Edit::Password(password) => credential.content = Some(password.into()),
            Edit::Active(active) => credential.active = active,
        }
        after = credential.clone();
    });
    Undo { id, before, after }
}

impl Undo {
    /// Puts back what still is as the edit left it.
    pub(super) fn run(self, world: &World) {
        let Self { id, before, after } = self;
        world.pam.edit(id, |credential| {
            let put_back = |now: &mut String, before: String, after: &String| {
                if now == after {
                    *now = before;
                }
            };
            put_back(&mut credential.username, before.username, &after.username);
            put_back(&mut credential.hostname, before.hostname, &after.hostname);
            put_back(&mut credential.ip, before.ip, &after.ip);
            if credential.identifier == after.identifier {
                credential.identifier = before.identifier;
            }
            if credential.active == after.active {
                credential.active = before.active;
            }
        });
    }
}

/// Waits until the object says anything final about its spec as it is now, but not for long.
pub(super) async fn settle(world: &World) {
    let judged = |object: &PamCredential| {
        let status = object.status.as_ref();
        status.is_some_and(|status| {
            status.observed_generation == object.metadata.generation
                && status
                    .conditions
                    .iter()
                    .any(|condition| condition.type_ == "Ready" && condition.reason != "Progressing")
        })
    };
    let settled = wait_for(&world.api::<PamCredential>(), NAME, "judged", SETTLING, judged).await;
    if let Err(error) = settled {
        println!("not settled: {}", error.to_string().lines().next().unwrap_or_default());
    }
}

/// Strikes the next requests.
pub(super) fn strike(world: &World, operation: Operation, effect: &Effect, times: u32) {
    world
        .pam
        .faults()
        .add(Fault::new(effect.clone()).on(operation).next(times));
}
