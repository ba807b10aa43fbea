//! Crash at every step (after Sieve): each effect of each scenario fails in each way, once before and once after it took
//! effect, and the end is the same as without the fault.
//!
//! * [`scenario`]: what a user does, and when it is done. A further scenario is a variant there and one test here.
//! * [`fault`]: in which ways an effect fails, and what that may cost.
//! * [`case`]: one run of a scenario with one fault or none, and what has to hold afterwards.
//! * [`run`]: the run itself: act, fall silent, restart, change.
//! * [`state`]: the end state, in a form that two runs have in common.

mod case;
mod fault;
mod run;
mod scenario;
mod state;

use std::time::Instant;

use futures::future::join_all;
use tokio::sync::Semaphore;

use crate::steps::{case::Case, scenario::Scenario};

pub use state::whole;

/// Runs under way at the same time, in all tests of this process together. Most of a run is waiting.
static PLACES: Semaphore = Semaphore::const_new(32);

/// What the runs of a scenario came to.
#[derive(Default)]
struct Tally {
    steps: usize,
    cases: usize,
    /// Writes to the PAM that were repeated after a death or an unknown outcome.
    repeated: usize,
    failures: Vec<String>,
}

/// Runs a scenario without a fault, and then with each fault of each of its steps.
async fn every_step(scenario: Scenario) -> Tally {
    let model = {
        let _place = PLACES.acquire().await.expect("nobody closes it");
        Case::of(scenario).run().await
    };
    let model = model.unwrap_or_else(|failure| panic!("{scenario:?} without a fault: {failure}"));
    let cases = model
        .steps
        .iter()
        .flat_map(|step| step.faults().into_iter().map(|fault| Case::with(scenario, step, fault)));
    let runs = cases.map(async |case| {
        let _place = PLACES.acquire().await.expect("nobody closes it");
        let judged = case.run().await.and_then(|outcome| case.judge(&model, &outcome));
        judged.map_err(|failure| format!("{case}: {failure}"))
    });
    let results = join_all(runs).await;
    let mut tally = Tally {
        steps: model.steps.len(),
        cases: results.len(),
        ..Tally::default()
    };
    for result in results {
        match result {
            Ok(repeated) => tally.repeated += repeated,
            Err(failure) => tally.failures.push(failure),
        }
    }
    tally
}

/// The same for several scenarios at once.
async fn every_step_of(scenarios: &[Scenario]) {
    let start = Instant::now();
    let tallies = join_all(scenarios.iter().map(|scenario| every_step(*scenario))).await;
    for (scenario, tally) in scenarios.iter().zip(&tallies) {
        println!(
            "steps: {scenario:?}: {} steps, {} cases, {} PAM writes repeated",
            tally.steps, tally.cases, tally.repeated
        );
    }
    let failures: Vec<_> = tallies.iter().flat_map(|tally| tally.failures.clone()).collect();
    let cases: usize = tallies.iter().map(|tally| tally.cases).sum();
    let count = failures.len();
    assert!(
        failures.is_empty(),
        "{count} of {cases} cases failed\n{}",
        failures.join("\n\n")
    );
    let steps: usize = tallies.iter().map(|tally| tally.steps).sum();
    println!(
        "steps: {} scenarios, {steps} steps, {cases} cases, nothing lost, after {:.0?}",
        scenarios.len(),
        start.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_brings_a_credential_under_an_object() {
    every_step_of(&[Scenario::ColdStart, Scenario::Creation, Scenario::Adoption]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_changes_a_credential() {
    every_step_of(&[
        Scenario::SpecChange,
        Scenario::SecretChange,
        Scenario::IdentityChange,
        Scenario::Correction,
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_ends_an_object_and_of_the_policy_for_that() {
    every_step_of(&[Scenario::Deletion, Scenario::PolicySwitch]).await;
}
