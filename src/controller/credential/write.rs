//! What a reconcile writes to the API server: status, claim and finalizer, each only if the object is still the one
//! that was looked at.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::api::{
    Claim, PamCredentialStatus, Reason,
    condition::{self, READY},
};
use crate::controller::{
    Credential,
    connection::link::{Health, Link},
    credential::{
        Run, Trouble, Way,
        memory::StatusChange,
        observe::held,
        report::{claimed, finding, patch, resigned},
    },
    ownership::{
        identity::{Name, Triple},
        register::Register,
        reservations::{Hold, Key},
    },
    plan::{
        Finding, Stake, Warning,
        facts::{FRESH, Unsure},
    },
    queue::{Action, Lane},
};

/// How often a result is tried on an object that others write at the same time.
const MOST_CONFLICTS: usize = 8;

impl Run<'_> {
    /// Writes a status that was planned for the object as it was seen. When somebody else wrote meanwhile, the object
    /// is read again and false says that the plan has to be made anew.
    pub(super) async fn write(
        &mut self,
        change: impl FnOnce(PamCredentialStatus) -> PamCredentialStatus,
    ) -> Result<bool, Trouble> {
        let old = self.object.status.clone();
        let new = change(old.as_deref().cloned().unwrap_or_default());
        let Some(patch) = patch(old.as_deref(), &new) else {
            return Ok(true);
        };
        let written = self
            .context
            .effects
            .patch_credential_status(&self.name, self.object.version(), patch)
            .await;
        let done = self.settle(written).await?;
        if done {
            self.announce(old.as_deref(), &new);
        }
        Ok(done)
    }

    /// Writes the result of a PAM call, whatever happened to the object meanwhile; what cannot be written now is
    /// written first next time.
    pub(super) async fn write_result(
        &mut self,
        change: impl Fn(PamCredentialStatus) -> PamCredentialStatus + Send + Sync + 'static,
    ) -> Result<(), Trouble> {
        self.memory.unsettled.unrecorded = Some(StatusChange(Arc::new(change)));
        self.record_result().await
    }

    /// Writes a result that is not in status yet.
    pub(super) async fn record_result(&mut self) -> Result<(), Trouble> {
        for _ in 0..MOST_CONFLICTS {
            let Some(change) = self.memory.unsettled.unrecorded.clone() else {
                return Ok(());
            };
            if self.write(|status| (change.0)(status)).await? {
                self.memory.unsettled.unrecorded = None;
            }
        }
        Err(Trouble::Contended)
    }

    /// Writes down what is about to be ours, unless another object was faster.
    pub(super) async fn claim(&mut self, stake: Stake) -> Result<Option<Finding>, Trouble> {
        let Some(Way { link, terms, .. }) = self.way.clone() else {
            return Ok(None);
        };
        let claim = self.signed(
            &terms.target,
            stake.id.clone(),
            stake.identifier.clone(),
            stake.triple.clone(),
        );
        let adopted = stake.adopts.as_ref().map(|id| Key::id(&terms.target, id));
        if let Err(rival) = self.secure(held(&claim).into_iter().map(|(key, _)| key).chain(adopted)) {
            return Ok(Some(Finding::conflict(&rival)));
        }
        if stake.id.is_none() {
            self.forget_unsure(&terms.target);
        }
        self.renew_listing(&link);
        let stamp = self.stamp();
        let written = self
            .write(move |status| {
                if stake.resigns {
                    return resigned(status, claim);
                }
                claimed(status, &stamp, claim, link.key.to_status(), stake.keeps_applied)
            })
            .await?;
        if let (Some(difference), true) = (&stake.corrects, written) {
            self.corrected(difference);
        }
        Ok(None)
    }

    /// Asks for the next listing before this one is too old for those who come after this object: thousands of new objects
    /// would wait for it every half minute, and say so in status.
    fn renew_listing(&self, link: &Link) {
        if !self.context.wake.credentials.has_backlog() {
            return;
        }
        let ends = |register: &mut Register| register.ends(FRESH / 2, Instant::now());
        let ends = link.state().register.as_mut().is_some_and(ends);
        if ends {
            link.want_listing();
        }
    }

    /// The claim that this object owns this credential of this PAM.
    pub(super) fn signed(&self, target: &str, id: Option<String>, identifier: String, triple: Triple) -> Claim {
        let claim = Claim {
            target: target.to_owned(),
            id,
            identifier,
            hostname: triple.hostname,
            ip: triple.ip,
            username: triple.username,
            mac: String::new(),
        };
        self.context.installation.sign(&self.name, claim)
    }

    /// A new claim begins with what nothing of an earlier one can be mistaken for: a request that went to another PAM, or
    /// that arrived long before the listing which the claim was planned by.
    fn forget_unsure(&mut self, target: &str) {
        let status = self.object.status.as_deref();
        let claim = status.and_then(|status| status.claim.as_ref());
        let elsewhere = claim.is_some_and(|claim| claim.target != target);
        let over = Instant::now();
        let is_over = |unsure: &Unsure| elsewhere || unsure.settles + FRESH <= over;
        self.memory.unsettled.unsure = self.memory.unsettled.unsure.take().filter(|unsure| !is_over(unsure));
    }

    /// Takes the first place at everything that a write will make ours, and holds it while the write is under way.
    /// The object that has it already is the error; the plan need not know of it, when the two come to one credential by
    /// different texts.
    pub(super) fn secure(&self, keys: impl IntoIterator<Item = Key>) -> Result<(), Name> {
        let status = self.object.status.as_deref();
        let claim = status
            .and_then(|status| status.claim.as_ref())
            .filter(|_| self.is_proven(status));
        let owned = claim.into_iter().flat_map(held);
        let keys: Vec<_> = owned.chain(keys.into_iter().map(|key| (key, Hold::Claimed))).collect();
        let woken = self
            .context
            .reservations()
            .secure(&self.name, self.object.created(), &keys)?;
        for name in woken {
            self.context.wake_credential(&name, Lane::Reference);
        }
        Ok(())
    }

    /// Puts the finalizer on or takes it off.
    pub(super) async fn set_finalizer(&mut self, present: bool) -> Result<(), Trouble> {
        let written = self
            .context
            .effects
            .patch_finalizers(&self.object, &self.name, present)
            .await;
        self.settle(written).await?;
        Ok(())
    }

    /// Says why a deleted object still stands, and counts the time from the first failure.
    pub(super) async fn report_undeactivated(&mut self, found: Finding) -> Result<Action, Trouble> {
        let now = Instant::now();
        let first = *self.memory.unsettled.first_failed.get_or_insert(now);
        if self.is_orphaned().await? {
            self.memory.orphaned = true;
            return Ok(Action::requeue(Duration::ZERO));
        }
        if self.may_speak(&found) {
            let stamp = self.stamp();
            let message = found.message;
            self.write(move |status| finding(status, &stamp, Reason::DeactivationFailed, &message))
                .await?;
        }
        if let Some(until) = found.until {
            self.wait(until);
        }
        let release = (first + self.context.rules.deletion_timeout).saturating_duration_since(now);
        Ok(Action::requeue(self.memory.pause_for_trouble().min(release)))
    }

    /// Whether the namespace goes away, and what the deactivation needs is gone before it.
    async fn is_orphaned(&self) -> Result<bool, Trouble> {
        let gone = self.link().is_none_or(|link| {
            matches!(&link.state().health, Health::Unusable(problem) if problem.reason == Reason::SecretNotFound)
        });
        Ok(gone && self.context.effects.is_terminating(self.name.namespace()).await?)
    }

    /// Lets a deleted object go.
    pub(super) async fn release(&mut self, warning: Option<Warning>) -> Result<(), Trouble> {
        // Before it is done, because a process that dies in between must have told of it.
        if let Some(warning) = warning
            && self.memory.unsettled.told.replace(warning) != Some(warning)
        {
            let id = self.object.status.as_ref().and_then(|status| status.id.clone());
            tracing::warn!(object = %self.name, id, why = warning.as_str(), "the object was released and its credential was left alone");
            self.context.metrics.released(warning.as_str());
            self.context
                .events
                .publish(&*self.object, Reason::DeactivationFailed.as_str(), true, warning.text());
        }
        self.set_finalizer(false).await?;
        Ok(())
    }

    /// Reads the object again when this process knows it from a list alone: that may be older than what the process before
    /// this one wrote, and what was sent must not be sent again. True when there was no need.
    pub(super) async fn confirm(&mut self) -> Result<bool, Trouble> {
        if self.memory.confirmed {
            return Ok(true);
        }
        self.read_again().await?;
        Ok(false)
    }

    /// Takes note of what the API server has now. False when somebody else wrote, and the object was read again.
    async fn settle(&mut self, written: kube::Result<Credential>) -> Result<bool, Trouble> {
        match written {
            Ok(object) => {
                self.see(object);
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.is_not_found() => Err(Trouble::Gone),
            Err(kube::Error::Api(status)) if status.is_conflict() => {
                self.read_again().await?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read_again(&mut self) -> Result<(), Trouble> {
        let found = self.context.effects.read_credential(&self.name).await?;
        // Another object under the same name starts anew, with nothing that belongs to this one.
        let same = found.filter(|object| object.uid() == self.object.uid());
        self.see(same.ok_or(Trouble::Gone)?);
        Ok(())
    }

    /// Tells of a transition, in the log and as an event.
    fn announce(&mut self, old: Option<&PamCredentialStatus>, new: &PamCredentialStatus) {
        let before = old.map(|old| old.conditions.as_slice()).unwrap_or_default();
        let trouble = self.memory.trouble;
        self.memory.trouble = self
            .context
            .events
            .announce(&*self.object, before, &new.conditions, trouble);
        let ready =
            |conditions| condition::find(conditions, READY).map(|ready| (ready.status.clone(), ready.reason.clone()));
        let now = ready(&new.conditions);
        if now != ready(before) || old.and_then(|old| old.applied.as_ref()) != new.applied.as_ref() {
            let (status, reason) = now.unwrap_or_default();
            tracing::info!(object = %self.name, ready = status, reason, id = new.id, generation = new.observed_generation, "status");
        }
    }

    fn see(&mut self, object: Credential) {
        self.object = Arc::new(object);
        self.memory.newest = Some(self.object.clone());
        self.memory.confirmed = true;
    }
}
