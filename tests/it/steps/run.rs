//! A run under way: what the user does, what the operator makes of it, and whether that lasts.

use std::time::Duration;

use pam_operator::simulator::{Entry, Operation};
use serde_json::{Value, json};
use testbed::{
    Error, Operator,
    tap::{Effect, Fate, LIST, Strike, TOKEN},
};

use crate::{
    look::posts,
    steps::{
        case::{Outcome, Verdict},
        fault::{Fault, Step},
        scenario::{Scenario, ready},
        state::{State, addressees, whole},
    },
    world::World,
};

/// How long anything in a run may take.
const DEADLINE: Duration = Duration::from_mins(3);

/// Listings after which nothing else comes.
const SILENT_LISTINGS: usize = 3;

/// A run under way.
pub struct Run<'a> {
    pub world: &'a World,
    pub scenario: Scenario,
    pub operator: Option<Operator>,
    /// What operators wrote that are no more.
    pub log: String,
}

impl Run<'_> {
    /// The whole of it.
    pub async fn all(&mut self, strike: Option<&(Step, Fault)>) -> Verdict<Outcome> {
        let world = self.world;
        self.begin().await?;
        let foreign = self.foreign();
        let (first, first_write) = (world.tap().effects().len(), writes(world).await.len());
        let armed = strike.map(|(step, fault)| world.tap().strike(&step.kind, step.nth, step.blow(*fault)));
        self.act(armed.as_ref(), strike.is_some_and(|(_, fault)| fault.kills()))
            .await?;
        let acted = world.tap().effects().len();
        self.silence().await?;
        let state = State::of(world).await;
        let effects = world.tap().effects();
        let patches = effects[first..].iter().filter(|effect| is_patch(effect)).count();
        let written = writes(world).await.split_off(first_write);

        self.restart().await?;
        let restarted = State::of(world).await;
        if restarted != state {
            return Err(format!("a restart changed it:\n{}", restarted.difference(&state)));
        }
        self.change().await?;
        if self.foreign() != foreign {
            return Err(format!(
                "foreign credentials changed: {foreign:?} to {:?}",
                self.foreign()
            ));
        }
        let steps = effects[first..]
            .iter()
            .filter(|effect| !is_look(effect) || effect.number <= acted);
        Ok(Outcome {
            steps: Step::of(&steps.cloned().collect::<Vec<_>>()),
            state,
            writes: written.len(),
            addressees: addressees(world, &written),
            patches,
            effects: self::effects(world),
        })
    }

    /// Brings about what is there before, down to the last event.
    async fn begin(&mut self) -> Verdict<()> {
        let (world, scenario) = (self.world, self.scenario);
        if !scenario.is_cold() {
            self.operator = Some(world.launch());
        }
        text(scenario.prepare(world).await)?;
        // That of the connection: an object that becomes Ready without trouble has none.
        let events = usize::from(!scenario.is_cold());
        let written = |effects: &[Effect]| {
            let events_there = effects.iter().filter(|effect| effect.kind == "create events");
            events_there.filter(|effect| effect.succeeded()).count() >= events
        };
        text(world.tap().wait_for("prepared", DEADLINE, written).await)
    }

    /// Lets the user act while the fault strikes, and waits until both are over and done with.
    async fn act(&mut self, strike: Option<&Strike>, kills: bool) -> Verdict<()> {
        let (world, scenario) = (self.world, self.scenario);
        if self.operator.is_none() {
            self.operator = Some(world.launch());
        }
        let landed = async {
            let Some(strike) = strike else { return Ok(()) };
            let landed = tokio::time::timeout(DEADLINE, strike.landed()).await;
            landed.map_err(|_| Error::Timeout("the fault never struck".to_owned()))
        };
        let user = async {
            let (acted, landed) = tokio::join!(scenario.act(world), landed);
            acted.and(landed)
        };
        let mut user = Box::pin(user);
        let mut alive = kills;
        let mut acted = false;
        while !acted || alive {
            tokio::select! {
                () = async { strike.expect("only a strike kills").landed().await }, if alive => {
                    alive = false;
                    self.die().await?;
                    strike.expect("only a strike kills").heal();
                    self.operator = Some(world.launch());
                }
                result = &mut user, if !acted => {
                    text(result)?;
                    acted = true;
                }
                ended = self.ended() => ended?,
            }
        }
        let mut end = Box::pin(scenario.finished(world));
        loop {
            tokio::select! {
                result = &mut end => return text(result),
                ended = self.ended() => ended?,
            }
        }
    }

    async fn die(&mut self) -> Verdict<()> {
        let operator = self.operator.take().expect("one runs");
        self.log += &text(operator.kill().await)?;
        Ok(())
    }

    /// Starts the operator again when it has ended by itself, as Kubernetes would: it does so when it cannot read or make
    /// the identity of its installation.
    async fn ended(&mut self) -> Verdict<()> {
        loop {
            let operator = self.operator.as_mut().expect("one runs");
            if text(operator.has_ended())? {
                self.log += &operator.output();
                if !operator.output().contains("the installation's identity") {
                    return Err("the operator ended".to_owned());
                }
                self.operator = Some(self.world.launch());
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until some listings in a row were followed by nothing else.
    async fn silence(&self) -> Verdict<()> {
        let is_silent = |effects: &[Effect]| {
            let after = effects.iter().rev().take_while(|effect| is_look(effect));
            let listings = after.filter(|effect| effect.kind == LIST && effect.succeeded());
            listings.count() >= SILENT_LISTINGS
        };
        let from = self.world.tap().effects().len();
        let since = |effects: &[Effect]| is_silent(&effects[from..]);
        text(self.world.tap().wait_for("silent", DEADLINE, since).await)
    }

    /// A restart costs a token and listings.
    async fn restart(&mut self) -> Verdict<()> {
        let operator = self.operator.take().expect("one runs");
        self.log += &text(operator.stop().await)?;
        let from = self.world.tap().effects().len();
        let mut operator = self.world.launch();
        let ready = operator.ready().await;
        self.operator = Some(operator);
        text(ready)?;
        let listed = |effects: &[Effect]| {
            let listings = effects[from..].iter().filter(|effect| effect.kind == LIST);
            listings.filter(|effect| effect.succeeded()).count() >= 2
        };
        text(self.world.tap().wait_for("listed", DEADLINE, listed).await)?;
        let effects = self.world.tap().effects();
        match effects[from..].iter().find(|effect| !is_look(effect)) {
            Some(effect) => Err(format!("a restart did {}", effect.kind)),
            None => Ok(()),
        }
    }

    /// The next change costs one POST and one patch, and goes to the credential that status speaks of.
    async fn change(&self) -> Verdict<()> {
        let (world, name) = (self.world, self.scenario.survivor());
        let before = text(ready(world, name).await)?;
        let (from, posted) = (world.tap().effects().len(), posts(world).await.len());
        world.change(name, json!({"additional": "afterwards"})).await;
        let after = text(ready(world, name).await)?;
        let (before, after) = (before.status.unwrap_or_default(), after.status.unwrap_or_default());
        if (&before.id, &before.identifier) != (&after.id, &after.identifier) {
            return Err(format!(
                "the next change went from {:?} to {:?}",
                before.identifier, after.identifier
            ));
        }
        // The object is seen as ready before the operator is told that it is.
        let answered = |effects: &[Effect]| effects.iter().all(|effect| effect.fate != Fate::UnderWay);
        text(world.tap().wait_for("answered", DEADLINE, answered).await)?;
        let effects = world.tap().effects();
        let patches = effects[from..].iter().filter(|effect| is_patch(effect)).count();
        let cost = (posts(world).await.len() - posted, patches);
        if cost != (1, 1) {
            return Err(format!("the next change cost {cost:?} POSTs and patches"));
        }
        let id = after.id.and_then(|id| id.parse().ok());
        let credential = id.and_then(|id| world.pam.credential(id)).ok_or("it is not there")?;
        if credential.fields["additional"] != "afterwards" {
            return Err("the next change did not arrive".to_owned());
        }
        Ok(())
    }

    fn foreign(&self) -> Vec<Value> {
        let credentials = self.world.pam.credentials();
        credentials.iter().take(2).map(whole).collect()
    }

    /// What all operators of the run wrote.
    pub fn log(&self) -> String {
        self.log.clone() + &self.operator.as_ref().map(Operator::output).unwrap_or_default()
    }
}

/// The requests that change something in the PAM, once the last of them is over.
async fn writes(world: &World) -> Vec<Entry> {
    posts(world).await;
    let mut entries = world.pam.journal().entries();
    entries.retain(|entry| {
        matches!(
            entry.operation,
            Operation::Post | Operation::Delete | Operation::Put | Operation::Reveal
        )
    });
    entries
}

/// Whether it only looks at the PAM.
fn is_look(effect: &Effect) -> bool {
    effect.kind == LIST || effect.kind == TOKEN
}

/// Whether it changed an object.
fn is_patch(effect: &Effect) -> bool {
    !effect.is_pam() && effect.kind != "create events" && effect.succeeded()
}

/// The last effects, a line each.
pub fn effects(world: &World) -> String {
    let effects = world.tap().effects();
    let lines = effects[effects.len().saturating_sub(40)..].iter();
    let line = |effect: &Effect| {
        let mark = if effect.struck { " <- struck" } else { "" };
        format!("{} {} {:?}{mark}", effect.number, effect.kind, effect.fate)
    };
    lines.map(line).collect::<Vec<_>>().join("\n")
}

fn text<T>(result: Result<T, Error>) -> Verdict<T> {
    result.map_err(|error| error.to_string())
}
