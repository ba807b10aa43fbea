//! Sequences of random operations (after Acto): the end state depends on the last spec alone, an error state is left when its
//! cause is mended, and an earlier spec gives the earlier state.
//!
//! A case is a seed. `cargo test` runs some, and what failed once (`cases.rs`); a campaign runs others:
//!
//! ```text
//! PAM_RANDOM_CASES=200 PAM_RANDOM_SEED=1000 cargo test --test it -- random:: --nocapture
//! PAM_RANDOM_SHRINK=40 PAM_RANDOM_CASES=1 PAM_RANDOM_SEED=1017 cargo test --test it -- random:: --nocapture
//! ```

mod cases;
mod oracle;
mod schema;
mod steps;

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
};
use pam_operator::{
    api::{PamConnection, PamCredential, RECONCILE_REQUESTED_AT},
    simulator::{Data, NewCredential, Operation},
};
use serde_json::{Value, json};

use self::{
    oracle::{Outcome, compare, fresh, honest, ours},
    schema::{KNOWN, SECRETS},
    steps::{NAME, Step, base, changed, edit_ours, replace, set_secret, settle, strike, untyped},
};
use crate::world::{Setting, World, data};

/// What one case did.
#[derive(Default)]
struct Tale {
    accepted: usize,
    refused: usize,
    posts: u64,
    outcomes: Vec<Outcome>,
}

/// The PAM of every case: what it knows, and what belongs to others.
fn pam() -> Data {
    let names = || KNOWN.map(str::to_owned).to_vec();
    let foreign = |identifier: &str, username: &str| NewCredential {
        identifier: Some(identifier.to_owned()),
        content: Some("their-password".into()),
        ..NewCredential::new("h0", "i0", username)
    };
    Data {
        domains: names(),
        plugins: names(),
        templates: names(),
        owners: names(),
        credentials: vec![foreign("their-identifier", "other"), foreign("another", "theirs")],
        ..data()
    }
}

/// Everything that the PAM has of the credentials of others.
fn everything(world: &World, foreign: &[u64]) -> Vec<String> {
    let of = |id: &u64| world.pam.credential(*id).expect("nobody removes it");
    let credentials = foreign.iter().map(of);
    credentials
        .map(|credential| format!("{credential:?} {:?}", credential.view))
        .collect()
}

/// Runs the steps, mends everything, and compares; the error says what is wrong.
async fn run(steps: &[Step]) -> Result<Tale, String> {
    let mut world = World::with(Setting {
        data: pam(),
        started: false,
        log_level: "info",
        ..Setting::default()
    })
    .await;
    let quick = json!({"driftCheckInterval": "2s", "timeout": "2s"});
    world.connection("vault", quick).await;
    let foreign: Vec<_> = world.pam.credentials().iter().map(|credential| credential.id).collect();
    let before = everything(&world, &foreign);
    world.run().await;
    for name in SECRETS {
        set_secret(&world, name, Some(["p0", "p1"])).await;
    }
    let mut tale = Tale::default();
    let forgot = steps.iter().any(|step| matches!(step, Step::Restart { .. }));
    let mut specs = vec![base()];
    create(&world, &specs[0]).await;
    let mut undo = Vec::new();
    for step in steps {
        let wanted = match step {
            Step::Change(change) => Some(changed(specs.last().expect("the first"), change)),
            Step::Back(index) => Some(specs[index.index(specs.len())].clone()),
            Step::Secret(name, values) => {
                set_secret(&world, name, *values).await;
                None
            }
            Step::Edit(edit) => {
                undo.extend(edit_ours(&world, &foreign, *edit).await);
                None
            }
            Step::Fault(operation, effect, times) => {
                strike(&world, *operation, effect, *times);
                None
            }
            Step::Restart { killed } => {
                if *killed {
                    world.kill().await;
                } else {
                    world.stop().await;
                }
                world.run().await;
                None
            }
            Step::Settle => {
                settle(&world).await;
                if undo.is_empty() {
                    honest(&world, &foreign)
                        .await
                        .map_err(|lie| explain(&world, &lie, &Value::Null))?;
                }
                None
            }
        };
        if let Some(spec) = wanted {
            if replace(&world, NAME, &spec).await {
                tale.accepted += 1;
                specs.push(spec);
            } else {
                tale.refused += 1;
            }
        }
        if ours(&world.pam, &foreign).len() > 1 {
            return Err(format!("after {step:?} more than one credential is ours"));
        }
    }
    world.pam.faults().clear();
    while let Some(edit) = undo.pop() {
        edit.run(&world);
    }
    for (number, spec) in [specs[specs.len() - 1].clone(), specs[0].clone()].iter().enumerate() {
        let spec = sound(spec);
        mend(&world, &spec, number).await;
        let fresh = fresh(&world, number, &spec, pam()).await;
        let outcome = compare(&world, &fresh, &foreign, forgot).await;
        tale.outcomes
            .push(outcome.map_err(|wrong| explain(&world, &wrong, &spec))?);
    }
    if everything(&world, &foreign) != before {
        return Err("a credential of somebody else was touched".to_owned());
    }
    tale.posts = world.pam.journal().count(Operation::Post);
    world.stop().await;
    Ok(tale)
}

async fn create(world: &World, spec: &Value) {
    let mut object = DynamicObject::new(NAME, &ApiResource::erase::<PamCredential>(&()));
    object.data = json!({"spec": spec});
    let created = untyped(world).create(&PostParams::default(), &object).await;
    created.expect("the object is accepted");
}

/// The spec without what nobody but its author can mend: another's credential, no connection, a pause.
fn sound(spec: &Value) -> Value {
    let mut spec = spec.clone();
    spec["connectionRef"] = json!({"name": "vault"});
    if spec["username"] == "theirs" {
        spec["username"] = json!("u2");
    }
    let fields = spec.as_object_mut().expect("an object");
    fields.remove("suspend");
    if fields
        .get("identifier")
        .is_some_and(|identifier| identifier == "their-identifier")
    {
        fields.remove("identifier");
    }
    spec
}

/// Gives the object its spec, Secrets that have everything, and what asks for another attempt of what was refused.
async fn mend(world: &World, spec: &Value, number: usize) {
    let values = [format!("first-{number}"), format!("second-{number}")];
    for name in SECRETS {
        set_secret(world, name, Some([&values[0], &values[1]])).await;
    }
    if !replace(world, NAME, spec).await {
        // Identity changes in two steps: the account under the old identifier, then the identifier.
        let now = untyped(world).get(NAME).await.expect("it is there");
        let between = changed(spec, &("identifier".to_owned(), now.data["spec"]["identifier"].clone()));
        for spec in [&between, spec] {
            assert!(replace(world, NAME, spec).await, "it was accepted before: {spec}");
        }
    }
    let connections: Api<PamConnection> = world.api();
    let patience = json!({"spec": {"timeout": format!("{}s", 3 + number)}});
    let patched = connections
        .patch("vault", &PatchParams::default(), &Patch::Merge(patience))
        .await;
    patched.expect("the connection is accepted");
    let again = json!({"metadata": {"annotations": {(RECONCILE_REQUESTED_AT): format!("mended-{number}")}}});
    let asked = untyped(world)
        .patch(NAME, &PatchParams::default(), &Patch::Merge(again))
        .await;
    asked.expect("the annotation is accepted");
}

/// What is needed to see why.
fn explain(world: &World, wrong: &str, spec: &Value) -> String {
    let log = world
        .operator
        .as_ref()
        .map(testbed::Operator::output)
        .unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    let end = lines[lines.len().saturating_sub(30)..].join("\n");
    let credentials = world.pam.credentials();
    format!("{wrong}\nspec: {spec}\nthe PAM: {credentials:#?}\nthe end of the log:\n{end}")
}

/// Runs a case; a panic is a failure like any other.
async fn attempt(steps: &[Step]) -> Result<Tale, String> {
    let result = AssertUnwindSafe(run(steps)).catch_unwind().await;
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(text.unwrap_or_else(|| "it panicked".to_owned()))
    })
}
