//! One run of a scenario with one fault or none, and what has to hold afterwards.

use std::fmt;

use serde_json::{Value, json};

use crate::{
    steps::{
        fault::{Fault, Step},
        run::{Run, effects},
        scenario::Scenario,
        state::State,
    },
    world::{Setting, World},
};

/// Writes to the API server that one fault may cost: to say that something failed, to repeat, to say that it is over; each
/// with an event, on the object and on the connection.
const MOST_WRITES: usize = 8;

/// A scenario, and the step that fails.
pub struct Case {
    scenario: Scenario,
    strike: Option<(Step, Fault)>,
}

/// What a run came to.
pub struct Outcome {
    /// The effects that the scenario took.
    pub steps: Vec<Step>,
    pub state: State,
    /// Requests that changed something in the PAM: POST, DELETE, PUT.
    pub writes: usize,
    pub addressees: Vec<Value>,
    /// Successful writes to the API server.
    pub patches: usize,
    /// All effects, for the words of a failure.
    pub effects: String,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.strike {
            Some((step, fault)) => write!(f, "{:?}, {step}, {fault:?}", self.scenario),
            None => write!(f, "{:?}", self.scenario),
        }
    }
}

/// What is wrong, in words.
pub type Verdict<T> = Result<T, String>;

impl Case {
    /// A run without fault.
    pub fn of(scenario: Scenario) -> Self {
        Self { scenario, strike: None }
    }

    /// A run in which a step fails.
    pub fn with(scenario: Scenario, step: &Step, fault: Fault) -> Self {
        Self {
            scenario,
            strike: Some((step.clone(), fault)),
        }
    }

    /// Runs it.
    pub async fn run(&self) -> Verdict<Outcome> {
        let world = World::with(Setting {
            data: self.scenario.data(),
            tapped: true,
            started: false,
            log_level: "info",
            ..Setting::default()
        })
        .await;
        let terms = json!({"timeout": "3s", "driftCheckInterval": "1s"});
        world.connection("vault", terms).await;
        let mut run = Run {
            world: &world,
            scenario: self.scenario,
            operator: None,
            log: String::new(),
        };
        let outcome = run.all(self.strike.as_ref()).await;
        outcome.map_err(|failure| {
            let log = run.log();
            let lines: Vec<_> = log.lines().collect();
            let end = lines[lines.len().saturating_sub(15)..].join("\n");
            format!("{failure}\neffects:\n{}\nthe end of the log:\n{end}", effects(&world))
        })
    }

    /// Compares a run with the one without a fault; returns how many writes to the PAM were repeated.
    pub fn judge(&self, model: &Outcome, outcome: &Outcome) -> Verdict<usize> {
        self.compare(model, outcome)
            .map_err(|failure| format!("{failure}\neffects:\n{}", outcome.effects))
    }

    fn compare(&self, model: &Outcome, outcome: &Outcome) -> Verdict<usize> {
        let (step, fault) = self.strike.as_ref().expect("a run with a fault is judged");
        if outcome.state != model.state {
            return Err(format!("another end:\n{}", outcome.state.difference(&model.state)));
        }
        if let Some(other) = outcome
            .addressees
            .iter()
            .find(|addressee| !model.addressees.contains(addressee))
        {
            return Err(format!("a POST was about {other}"));
        }
        let most = model.writes + step.repeats(*fault);
        if !(model.writes..=most).contains(&outcome.writes) {
            let expected = model.writes;
            return Err(format!(
                "{} writes to the PAM, {expected} to {most} expected",
                outcome.writes
            ));
        }
        if outcome.patches > model.patches + MOST_WRITES {
            let expected = model.patches;
            return Err(format!(
                "{} writes to the API server, {expected} without a fault",
                outcome.patches
            ));
        }
        Ok(outcome.writes - model.writes)
    }
}
