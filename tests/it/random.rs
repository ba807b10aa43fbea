//! Sequences of random operations (after Acto): the end state depends on the last spec alone, an error state is left when its
//! cause is mended, and an earlier spec gives the earlier state.
//!
//! A case is a seed. `cargo test` runs those of [`SEEDS`]; a campaign runs others:
//!
//! ```text
//! PAM_RANDOM_CASES=200 PAM_RANDOM_SEED=1000 cargo test --test it -- random:: --nocapture
//! PAM_RANDOM_SHRINK=40 PAM_RANDOM_CASES=1 PAM_RANDOM_SEED=1017 cargo test --test it -- random:: --nocapture
//! ```

mod oracle;
mod schema;
mod steps;

use std::{env, panic::AssertUnwindSafe, time::Instant};

use futures::{FutureExt, StreamExt, stream};
use kube::{
    Api,
    api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams},
};
use pam_operator::{
    api::{PamConnection, PamCredential, RECONCILE_REQUESTED_AT},
    simulator::{Data, Device, Effect, NewCredential, Operation},
};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Value, json};

use self::{
    oracle::{Outcome, compare, fresh, honest, ours},
    schema::{KNOWN, SECRETS},
    steps::{NAME, Step, base, changed, edit_ours, replace, set_secret, settle, steps, strike, untyped},
};
use crate::world::{Setting, World, data};

/// The cases of every run. Those that failed once stay here.
const SEEDS: &[u64] = &[1, 2, 3, 4, 5, 6, 7, 8];

/// Cases at the same time; most of a case is waiting.
const AT_ONCE: usize = 8;

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
        devices: Vec::<Device>::new(),
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
        let outcome = compare(&world, &fresh, &foreign).await;
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

/// The steps of a seed, which can be made fewer and simpler.
fn tree(seed: u64) -> impl ValueTree<Value = Vec<Step>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    steps().new_tree(&mut runner).expect("steps")
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

/// Runs the case of a seed, and says what it came to.
async fn case(seed: u64, shrink: usize) -> Result<Tale, String> {
    let mut tree = tree(seed);
    let start = Instant::now();
    match attempt(&tree.current()).await {
        Ok(tale) => {
            println!(
                "seed {seed}: {} steps, {} specs accepted, {} refused by the schema, {} POSTs, {:?} in {:.0?}",
                tree.current().len(),
                tale.accepted,
                tale.refused,
                tale.posts,
                tale.outcomes,
                start.elapsed()
            );
            Ok(tale)
        }
        Err(wrong) => {
            let (mut steps, mut wrong) = (tree.current(), wrong);
            println!(
                "seed {seed} failed after {:.0?}: {wrong}\nsteps: {steps:#?}",
                start.elapsed()
            );
            for _ in 0..shrink {
                if !tree.simplify() {
                    break;
                }
                let fewer = tree.current();
                println!("seed {seed}: trying {} steps", fewer.len());
                match attempt(&fewer).await {
                    Err(still) => (steps, wrong) = (fewer, still),
                    Ok(_) if !tree.complicate() => break,
                    Ok(_) => {}
                }
            }
            Err(format!("seed {seed}: {wrong}\nsteps: {steps:#?}"))
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is a number, not {text}")),
    )
}

/// A case that failed once.
async fn again(steps: &[Step]) {
    if let Err(wrong) = attempt(steps).await {
        panic!("{wrong}\nsteps: {steps:#?}");
    }
}

/// A POST that breaks off after it was executed, so that its answer is lost.
fn unanswered() -> Step {
    Step::Fault(Operation::Post, Effect::CutBody, 1)
}

fn change(field: &str, value: &str) -> Step {
    Step::Change((field.to_owned(), json!(value)))
}

/// What was sent and never answered is in the PAM, perhaps; who goes back to the spec before it has to send that again.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_answer_is_lost_is_not_undone_by_saying_nothing() {
    let (before, after) = (change("additional", "before"), change("additional", "after"));
    again(&[
        before.clone(),
        Step::Settle,
        unanswered(),
        after,
        Step::Settle,
        before,
        Step::Settle,
    ])
    .await;
}

/// The same where the operator died meanwhile and remembers nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nor_by_a_process_that_did_not_send_it() {
    let (before, after) = (change("additional", "before"), change("additional", "after"));
    let killed = Step::Restart { killed: true };
    let steps = [
        before.clone(),
        Step::Settle,
        unanswered(),
        after,
        Step::Settle,
        killed,
        before,
        Step::Settle,
    ];
    again(&steps).await;
}

/// The same for the account itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_whose_answer_is_lost_can_be_taken_back() {
    let steps = [
        Step::Settle,
        unanswered(),
        change("username", "u1"),
        Step::Settle,
        change("username", "u0"),
        Step::Settle,
    ];
    again(&steps).await;
}

/// A move whose answer is lost arrives, and what the PAM lists then is no drift.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_whose_answer_is_lost_is_finished() {
    again(&[
        Step::Settle,
        unanswered(),
        change("username", "u1"),
        Step::Settle,
        Step::Settle,
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_state_is_that_of_a_new_object_with_the_last_spec() {
    let shrink = usize::try_from(number("PAM_RANDOM_SHRINK").unwrap_or_default()).expect("a small number");
    let seeds: Vec<u64> = match (number("PAM_RANDOM_CASES"), number("PAM_RANDOM_SEED")) {
        (None, None) => SEEDS.to_vec(),
        (cases, first) => {
            let first = first.unwrap_or_else(rand_seed);
            (first..first + cases.unwrap_or(1)).collect()
        }
    };
    let results: Vec<_> = stream::iter(seeds)
        .map(|seed| case(seed, shrink))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let tales: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
    let sum = |count: fn(&Tale) -> usize| tales.iter().map(|tale| count(tale)).sum::<usize>();
    println!(
        "{} of {} cases as they should be: {} specs accepted, {} refused by the schema",
        tales.len(),
        results.len(),
        sum(|tale| tale.accepted),
        sum(|tale| tale.refused)
    );
    let failed: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(
        failed.is_empty(),
        "{}",
        failed.iter().map(|text| text.as_str()).collect::<Vec<_>>().join("\n\n")
    );
}

/// A seed that nobody chose; it is printed with its case.
fn rand_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}
