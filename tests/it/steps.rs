//! Crash at every step (after Sieve): each effect of each scenario fails in each way, once before and once after it took
//! effect, and the end is the same as without the fault.
//!
//! * [`scenario`]: what a user does, and when it is done. A further scenario is a variant there and one test here.
//! * [`fault`]: in which ways an effect fails, and what that may cost.
//! * [`case`]: one run of a scenario with one fault or none, and what has to hold afterwards.
//! * [`state`]: the end state, in a form that two runs have in common.

mod case;
mod fault;
mod scenario;
mod state;

use std::sync::Arc;

use futures::{StreamExt, stream};
use tokio::sync::Semaphore;

use crate::steps::{case::Case, scenario::Scenario};

pub use state::whole;

/// Runs under way at the same time, in all tests of this process together. Most of a run is waiting.
static PLACES: Semaphore = Semaphore::const_new(32);

/// Runs a scenario without a fault, and then with each fault of each of its steps.
async fn every_step(scenario: Scenario) {
    let model = {
        let _place = PLACES.acquire().await.expect("nobody closes it");
        let outcome = Case::of(scenario).run().await;
        Arc::new(outcome.unwrap_or_else(|failure| panic!("{scenario:?} without a fault: {failure}")))
    };
    let cases: Vec<_> = model
        .steps
        .iter()
        .flat_map(|step| step.faults().into_iter().map(|fault| Case::with(scenario, step, fault)))
        .collect();
    let count = cases.len();
    let runs = stream::iter(cases).map(|case| {
        let model = model.clone();
        async move {
            let _place = PLACES.acquire().await.expect("nobody closes it");
            let judged = case.run().await.and_then(|outcome| case.judge(&model, &outcome));
            judged.map_err(|failure| format!("{case}: {failure}"))
        }
    });
    let results: Vec<_> = runs.buffer_unordered(count.max(1)).collect().await;
    let (costs, failures): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let failures: Vec<_> = failures.into_iter().filter_map(Result::err).collect();
    assert!(
        failures.is_empty(),
        "{scenario:?}: {} of {count} cases failed\n{}",
        failures.len(),
        failures.join("\n\n")
    );
    let repeated: usize = costs.into_iter().filter_map(Result::ok).sum();
    println!(
        "steps: {scenario:?}: {} steps, {count} cases, nothing lost; {repeated} PAM writes repeated after a death or an unknown outcome",
        model.steps.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_operator_that_starts_on_new_objects() {
    every_step(Scenario::ColdStart).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_creation_with_a_generated_identifier_and_a_finalizer() {
    every_step(Scenario::Creation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_of_spec_and_secret() {
    every_step(Scenario::SpecChange).await;
    every_step(Scenario::SecretChange).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_change_of_identity() {
    every_step(Scenario::IdentityChange).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_adoption() {
    every_step(Scenario::Adoption).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_correction_of_drift() {
    every_step(Scenario::Correction).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_deletion_that_deactivates_and_a_switch_of_the_policy() {
    every_step(Scenario::Deletion).await;
    every_step(Scenario::PolicySwitch).await;
}
