//! One reconcile of a credential: observe, plan, act, report, until nothing is left to do or something must be waited for.

mod act;
mod answer;
mod doubt;
mod lookout;
pub mod memory;
pub mod observe;
pub mod reaction;
pub mod render;
pub mod report;
mod secrets;
mod write;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::controller::{
    Credential,
    connection::{
        link::Link,
        terms::Terms,
        turnstile::{Pass, Turnstile},
    },
    context::Context,
    control::Failed,
    credential::{
        memory::Memory,
        report::{Stamp, noted, refused, synced},
        secrets::Loaded,
    },
    guarded::is_older,
    ownership::identity::Name,
    plan::{
        Await, Finding, Step,
        drift::Difference,
        facts::{FRESH, SLOW},
    },
    queue::Action,
    track,
};
use crate::{api::Reason, pam::Client};

/// Longest duration of a reconcile beside the PAM's own time limit: some requests to the API server.
const DEADLINE: Duration = Duration::from_mins(1);

/// Most steps of one reconcile; the longest way (finalizer, claim, POST, result, second POST) has fewer.
const MOST_STEPS: usize = 16;

/// What goes wrong outside of the PAM; the reconcile is repeated after a pause.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The API server refused or did not answer.
    #[error("a request to the API server failed: {0}")]
    Api(#[from] kube::Error),
    /// The reconcile took too long.
    #[error("the reconcile did not end in time")]
    Deadline,
    /// The steps lead nowhere.
    #[error("the reconcile did not come to an end")]
    Endless,
    /// Others write to the object all the time.
    #[error("the object changes faster than its status can be written")]
    Contended,
    /// The object does not exist any more; another one may have its name.
    #[error("the object is gone")]
    Gone,
}

/// One reconcile.
pub struct Run<'a> {
    pub(super) context: &'a Context,
    pub(super) name: Name,
    pub(super) object: Arc<Credential>,
    pub(super) memory: Box<Memory>,
    /// When what is seen first was there; what is seen later is new.
    pub(super) woken: Option<Instant>,
    pub(super) loaded: Option<Loaded>,
    pub(super) way: Option<Way>,
    /// What stands before the PAM.
    pub(super) turnstile: Option<Arc<Turnstile>>,
    /// The permission to call it, until it has answered.
    pub(super) pass: Option<Pass>,
    /// The reconcile ends because the object's turn has not come.
    queued: bool,
}

/// How the PAM was reached when the last step was planned. What is done goes this way and no other: a connection that
/// changes meanwhile leads to a PAM that nobody looked at.
#[derive(Clone)]
pub struct Way {
    pub(super) link: Arc<Link>,
    pub(super) terms: Arc<Terms>,
    pub(super) client: Arc<Client>,
}

/// Reconciles an object, woken at that moment, and says when to come back.
pub async fn reconcile(
    name: Name,
    woken: Instant,
    object: Credential,
    context: Arc<Context>,
) -> Result<Action, Failed> {
    let object = Arc::new(object);
    let mut memory = context.memories.take(&name, &object, Instant::now());
    if !context.shard.owns(&object) && memory.unsettled.unrecorded.is_none() {
        context.memories.put(name.clone(), memory);
        track::handed_over(&context, &name, &object);
        return Ok(Action::await_change());
    }
    if memory.gone {
        context.memories.put(name, memory);
        return Ok(Action::await_change());
    }
    let object = match memory.newest.take() {
        Some(newest) if is_older(object.version(), newest.version()) => {
            memory.newest = Some(newest.clone());
            newest
        }
        _ => object,
    };
    let mut run = Run {
        context: &context,
        name,
        object,
        memory,
        woken: Some(woken),
        loaded: None,
        way: None,
        turnstile: None,
        pass: None,
        queued: false,
    };
    let time = run.terms().map_or(Duration::ZERO, |terms| terms.timeout) * 2 + DEADLINE;
    let result = tokio::time::timeout(time, run.drive())
        .await
        .unwrap_or(Err(Trouble::Deadline));
    let result = match result {
        Ok(action) => Ok(action),
        Err(Trouble::Gone) => {
            tracing::debug!(object = %run.name, "the object is gone");
            run.memory.gone = true;
            Ok(Action::await_change())
        }
        Err(trouble) => {
            let pause = run.memory.pause_for_trouble();
            tracing::warn!(object = %run.name, error = %trouble, pause = ?pause, "the reconcile is repeated");
            Err(Failed { pause })
        }
    };
    if let Some(turnstile) = run.turnstile.filter(|_| !run.queued) {
        turnstile.forget(&run.name);
    }
    let (name, is_recorded) = (run.name, run.memory.unsettled.unrecorded.is_none());
    context.memories.put(name.clone(), run.memory);
    // While this was under way nothing was remembered of the object, and so it was not woken if it became another shard's.
    // A result of ours is written before it is let go.
    if is_recorded && let Some(object) = context.foreign(&name) {
        track::handed_over(&context, &name, &object);
    }
    result
}

impl Run<'_> {
    async fn drive(&mut self) -> Result<Action, Trouble> {
        for _ in 0..MOST_STEPS {
            self.record_result().await?;
            let step = self.next_step();
            // Asked after the step was planned: a connection that is taken from us meanwhile looks as if it did not exist.
            if !self.context.shard.owns(&self.object) {
                return Ok(Action::await_change());
            }
            if waits_for(&step) == Some(Await::Turn) && self.takes_turn() {
                continue;
            }
            match step {
                Step::Send(_) | Step::Deactivate(_) if !self.confirm().await? => {}
                Step::Nothing => {
                    self.memory.verify();
                    return Ok(Action::await_change());
                }
                Step::Await(until) => return Ok(self.wait(until)),
                Step::ReadSecrets => self.load().await?,
                Step::Record => self.record().await?,
                Step::Report(finding) => return self.report(finding).await,
                Step::Note(difference) => self.note(difference).await?,
                Step::Baseline(change) => self.baseline(change).await?,
                Step::AddFinalizer => self.set_finalizer(true).await?,
                Step::RemoveFinalizer => self.set_finalizer(false).await?,
                Step::Claim(stake) => {
                    if let Some(finding) = self.claim(stake).await? {
                        return self.report(finding).await;
                    }
                }
                Step::Send(dispatch) => {
                    if let Some(finding) = self.send(dispatch).await? {
                        return self.report(finding).await;
                    }
                }
                Step::Deactivate(id) => self.deactivate(&id).await?,
                Step::Release(warning) => self.release(warning).await?,
            }
        }
        Err(Trouble::Endless)
    }

    pub(super) fn terms(&self) -> Option<Arc<Terms>> {
        self.link()?.state().terms.clone()
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp::new(self.object.generation(), self.object.requested().map(str::to_owned))
    }

    /// Waits, and comes back when a wait for the PAM gets so long that status has to say so.
    pub(super) fn wait(&mut self, until: Await) -> Action {
        match (until, self.link()) {
            (Await::Turn, _) if self.object.metadata.deletion_timestamp.is_some() => return self.wait_with_deletion(),
            (Await::Until(moment), _) => return Action::requeue(moment.saturating_duration_since(Instant::now())),
            (Await::NextListing, Some(link)) => {
                link.ride(&self.name);
                return Action::await_change();
            }
            (Await::Listing, Some(link)) => link.want(&self.name),
            (Await::Connection | Await::Listing | Await::NextListing | Await::Turn, _) => {}
        }
        let patience = (self.memory.since + SLOW).saturating_duration_since(Instant::now());
        if patience.is_zero() {
            Action::await_change()
        } else {
            Action::requeue(patience)
        }
    }

    /// Asks for the object's turn. Without one the object stands in the queue from now on, and is woken when it comes.
    fn takes_turn(&mut self) -> bool {
        let turnstile = self.turnstile.as_ref();
        self.pass = turnstile.and_then(|turnstile| turnstile.enter(&self.name));
        self.queued = self.pass.is_none();
        !self.queued
    }

    /// Whether status may say that the object waits for the PAM. While the PAM is down the connection says it for all.
    pub(super) fn may_speak(&self, found: &Finding) -> bool {
        let waits = matches!(found.until, Some(Await::Listing | Await::Turn));
        !waits || self.link().is_none_or(|link| link.state().may_speak(&self.name))
    }

    /// A turn that does not come because the PAM is down is a failure too: after the deletion timeout the object goes.
    fn wait_with_deletion(&mut self) -> Action {
        let now = Instant::now();
        if self
            .turnstile
            .as_ref()
            .is_some_and(|turnstile| turnstile.cause().is_some())
        {
            self.memory.unsettled.first_failed.get_or_insert(now);
        }
        let release = self
            .memory
            .unsettled
            .first_failed
            .map(|first| first + self.context.rules.deletion_timeout);
        let release = release.map_or(FRESH, |release| release.saturating_duration_since(now));
        Action::requeue(release)
    }

    /// Nothing has to be sent, and status shall say so.
    async fn record(&mut self) -> Result<(), Trouble> {
        let stamp = self.stamp();
        let (wants_content, suspended) = match &self.object.spec {
            Ok(spec) => (spec.content_secret_ref.is_some(), spec.suspend == Some(true)),
            Err(_) => (false, false),
        };
        self.memory.verify();
        self.write(move |status| synced(status, &stamp, wants_content, suspended))
            .await?;
        Ok(())
    }

    /// Says what others changed in the PAM, or that it is over.
    async fn note(&mut self, difference: Option<Difference>) -> Result<(), Trouble> {
        let stamp = self.stamp();
        self.write(move |status| {
            let shown = difference
                .as_ref()
                .map(|difference| (difference.reason, difference.message.as_str()));
            noted(status, &stamp, shown)
        })
        .await?;
        Ok(())
    }

    /// Keeps the text by which a change of an enforced password is recognised.
    async fn baseline(&mut self, change: String) -> Result<(), Trouble> {
        self.write(move |mut status| {
            if let Some(applied) = &mut status.applied {
                applied.change_seen = Some(change);
            }
            status
        })
        .await?;
        Ok(())
    }

    /// Says why nothing is sent.
    async fn report(&mut self, found: Finding) -> Result<Action, Trouble> {
        if found.reason == Reason::DeactivationFailed {
            return self.report_undeactivated(found).await;
        }
        if let Some(until) = found.until.filter(|_| !self.may_speak(&found)) {
            return Ok(self.wait(until));
        }
        let stamp = self.stamp();
        let (reason, message) = (found.reason, found.message);
        // A claim of which nothing can have arrived has nothing to show, and the next process must not take what is
        // somebody else's for its trace.
        let gives_up_claim = reason == Reason::AlreadyExists && self.memory.unsettled.unsure.is_none();
        if !self
            .write(move |status| refused(status, &stamp, reason, &message, gives_up_claim))
            .await?
        {
            return Ok(Action::requeue(Duration::ZERO));
        }
        Ok(found.until.map_or_else(Action::await_change, |until| self.wait(until)))
    }
}

/// What a step waits for, whether or not it says something before.
fn waits_for(step: &Step) -> Option<Await> {
    match step {
        Step::Await(until) => Some(*until),
        Step::Report(found) => found.until,
        _ => None,
    }
}
