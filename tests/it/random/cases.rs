//! Which sequences are run: those of some seeds, those that failed once, and in a campaign as many as one likes.

use std::{
    env,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use futures::{FutureExt, StreamExt, stream};
use pam_operator::simulator::{Effect, Operation};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;

use super::{
    Tale, attempt,
    steps::{Step, steps},
};

/// The seeds of every run.
const SEEDS: [u64; 18] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18];

/// Cases at the same time; most of a case is waiting.
const AT_ONCE: usize = 8;

/// A POST that breaks off after it was executed, so that its answer is lost.
fn unanswered() -> Step {
    Step::Fault(Operation::Post, Effect::CutBody, 1)
}

fn change(field: &str, value: &str) -> Step {
    Step::Change((field.to_owned(), json!(value)))
}

/// What failed once, made as short as it still failed.
fn known() -> Vec<(&'static str, Vec<Step>)> {
    let settle = || Step::Settle;
    let (before, after) = (|| change("additional", "before"), || change("additional", "after"));
    let moved = || change("username", "u1");
    let killed = Step::Restart { killed: true };
    vec![
        (
            "a change whose answer is lost, taken back",
            vec![before(), settle(), unanswered(), after(), settle(), before(), settle()],
        ),
        (
            "the same, by a process that did not send it",
            vec![
                before(),
                settle(),
                unanswered(),
                after(),
                settle(),
                killed,
                before(),
                settle(),
            ],
        ),
        (
            "a move whose answer is lost, taken back",
            vec![
                settle(),
                unanswered(),
                moved(),
                settle(),
                change("username", "u0"),
                settle(),
            ],
        ),
        (
            "a move whose answer is lost",
            vec![settle(), unanswered(), moved(), settle(), settle()],
        ),
    ]
}

/// The steps of a seed, which can be made fewer and simpler.
fn tree(seed: u64) -> impl ValueTree<Value = Vec<Step>> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    steps().new_tree(&mut runner).expect("steps")
}

/// Runs the steps, and says what they came to.
async fn told(name: &str, steps: &[Step]) -> Result<Tale, String> {
    let start = Instant::now();
    let result = attempt(steps).await;
    let (count, took) = (steps.len(), start.elapsed());
    match &result {
        Ok(tale) => println!(
            "{name}: {count} steps, {} specs accepted, {} refused by the schema, {} POSTs, {:?} in {took:.0?}",
            tale.accepted, tale.refused, tale.posts, tale.outcomes
        ),
        Err(wrong) => println!("{name} failed after {took:.0?}: {wrong}\nsteps: {steps:#?}"),
    }
    result
}

/// Runs the case of a seed. One that fails is tried with fewer and simpler steps, this often.
async fn seeded(seed: u64, shrink: usize) -> Result<Tale, String> {
    let name = format!("seed {seed}");
    let mut tree = tree(seed);
    let mut steps = tree.current();
    let mut wrong = match told(&name, &steps).await {
        Ok(tale) => return Ok(tale),
        Err(wrong) => wrong,
    };
    for _ in 0..shrink {
        if !tree.simplify() {
            break;
        }
        let fewer = tree.current();
        match told(&name, &fewer).await {
            Err(still) => (steps, wrong) = (fewer, still),
            Ok(_) if !tree.complicate() => break,
            Ok(_) => {}
        }
    }
    Err(format!("{name}: {wrong}\nsteps: {steps:#?}"))
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is a number, not {text}")))
}

/// A seed that nobody chose; it is printed with its case.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("it is after 1970").as_secs()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_state_is_that_of_a_new_object_with_the_last_spec() {
    let shrink = usize::try_from(number("PAM_RANDOM_SHRINK").unwrap_or_default()).expect("a small number");
    let (cases, first) = (number("PAM_RANDOM_CASES"), number("PAM_RANDOM_SEED"));
    let campaign = cases.is_some() || first.is_some();
    let first = first.unwrap_or_else(any_seed);
    let seeds = if campaign {
        (first..first + cases.unwrap_or(1)).collect()
    } else {
        SEEDS.to_vec()
    };
    let known = if campaign { Vec::new() } else { known() };
    let known = known
        .into_iter()
        .map(|(name, steps)| async move { told(name, &steps).await }.boxed_local());
    let seeded = seeds.into_iter().map(|seed| seeded(seed, shrink).boxed_local());
    let results: Vec<_> = stream::iter(known.chain(seeded))
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
    let failed = failed.into_iter().cloned().collect::<Vec<_>>();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}
