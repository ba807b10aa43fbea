//! The one PAM write of a reconcile.

use std::{pin::pin, time::Instant};

use crate::controller::{
    connection::turnstile::Pass,
    credential::{
        Run, Trouble, Way,
        memory::LATE,
        observe::triple,
        render,
        report::{Stamp, finding, progressing},
        secrets::Loaded,
    },
    ownership::{identity::Triple, register::Register, reservations::Key},
    plan::{
        Dispatch, Expected, Finding,
        facts::{Prints, SLOW, Unsure},
    },
};
use crate::{
    api::{AdoptionPolicy, PamCredentialSpec, Reason},
    pam::{Answer, Class, Client, CredentialBody, Error},
};

/// Everything that belongs to one POST.
pub(super) struct Attempt {
    pub(super) way: Way,
    pub(super) dispatch: Dispatch,
    /// Generation that the body was made of, and the request that it answers; the object may be newer by now.
    pub(super) generation: i64,
    pub(super) requested: Option<String>,
    pub(super) triple: Triple,
    pub(super) prints: Prints,
    /// When it was sent.
    pub(super) began: Instant,
    /// An attempt before this one whose outcome is not known.
    pub(super) earlier: Option<Unsure>,
    pub(super) adopts: bool,
    pub(super) names_owner: bool,
}

impl Way {
    /// Whether the connection still leads this way.
    pub(super) fn is_current(&self) -> bool {
        self.link.state().leads_by(&self.client)
    }

    /// Looks at what is known of this PAM, or adds to it; none when the connection leads to another one by now.
    pub(super) fn register<T>(&self, look: impl FnOnce(&mut Register) -> T) -> Option<T> {
        let mut state = self.link.state();
        let current = state.leads_by(&self.client);
        state.register.as_mut().filter(|_| current).map(look)
    }
}

impl Attempt {
    pub(super) fn stamp(&self) -> Stamp {
        Stamp::new(self.generation, self.requested.clone())
    }
}

impl Run<'_> {
    /// Sends the body and records the answer. The place at the PAM is another's as soon as there is one: it must not stand
    /// empty while the API server is written to.
    pub(super) async fn send(&mut self, dispatch: Dispatch) -> Result<Option<Finding>, Trouble> {
        let object = self.object.clone();
        let (Some(way), Some(pass), Ok(spec), Some(Loaded::Values { values, prints })) =
            (self.way.clone(), self.pass.take(), &object.spec, &self.loaded)
        else {
            return Ok(None);
        };
        let terms = &way.terms;
        let own = match &dispatch.expected {
            Expected::Entry(id) => Some(Key::id(&terms.target, id)),
            Expected::New => None,
        };
        let identifier = Key::identifier(&terms.target, &dispatch.identifier);
        let keys = [identifier, Key::triple(&terms.target, &triple(spec))];
        if let Err(rival) = self.secure(own.into_iter().chain(keys)) {
            return Ok(Some(Finding::conflict(&rival)));
        }
        let body = render::body(spec, &dispatch.identifier, values, dispatch.with_content, terms.format);
        let prints = Prints::clone(prints);
        self.memory.note_sent(&dispatch.identifier, &triple(spec));
        let now = Instant::now();
        let sent = (
            dispatch.identifier.clone(),
            prints.body.clone(),
            prints.content.clone().filter(|_| dispatch.with_content),
        );
        // Noted before it is sent: whatever ends this reconcile, the request may have been executed.
        let earlier = self.memory.unsettled.unsure.replace(Unsure {
            settles: now + terms.timeout + LATE,
            sent: Some(sent),
        });
        let attempt = Attempt {
            way,
            dispatch,
            generation: self.object.generation(),
            requested: self.object.requested().map(str::to_owned),
            triple: triple(spec),
            prints,
            began: now,
            earlier,
            adopts: spec.adoption_policy == Some(AdoptionPolicy::Adopt),
            names_owner: names_owner(spec),
        };
        let corrects = attempt.dispatch.corrects.is_some();
        match self.post(&attempt.way.client, &pass, &body, corrects).await? {
            Ok(answer) => self.answered(attempt, answer, pass).await?,
            Err(error) => {
                drop(pass);
                self.failed(attempt, &error).await?;
            }
        }
        Ok(None)
    }

    /// The POST itself; status says so when it takes long.
    async fn post(
        &mut self,
        client: &Client,
        pass: &Pass,
        body: &CredentialBody,
        corrects: bool,
    ) -> Result<Result<Answer, Error>, Trouble> {
        let effects = &self.context.effects;
        let mut post = pin!(effects.post(client, pass, body));
        if corrects {
            // The object is in sync meanwhile.
            return Ok(post.await);
        }
        if let Ok(result) = tokio::time::timeout(SLOW, &mut post).await {
            return Ok(result);
        }
        let stamp = self.stamp();
        let (result, written) = tokio::join!(post, self.write(|status| progressing(status, &stamp)));
        if let Err(trouble) = written {
            tracing::debug!(object = %self.name, error = %trouble, "progress could not be reported");
        }
        Ok(result)
    }

    /// Deactivates our credential and lets the object go.
    pub(super) async fn deactivate(&mut self, id: &str) -> Result<(), Trouble> {
        if self.memory.unsettled.deactivated.as_deref() == Some(id) {
            return self.release(None).await;
        }
        let (Some(way), Some(pass)) = (self.way.clone(), self.pass.take()) else {
            return Ok(());
        };
        let deactivated = self.context.effects.deactivate(&way.client, &pass, id).await;
        drop(pass);
        match deactivated {
            Err(error) if !matches!(error.class, Class::CredentialNotFound | Class::AlreadyInactive) => {
                self.memory.pause(Instant::now(), error.retry_after);
                let (stamp, message) = (self.stamp(), error.to_string());
                self.memory.unsettled.first_failed.get_or_insert_with(Instant::now);
                self.write_result(move |status| finding(status, &stamp, Reason::DeactivationFailed, &message))
                    .await?;
            }
            _ => {
                way.register(|register| register.forget(id));
                self.memory.unsettled.deactivated = Some(id.to_owned());
                tracing::info!(object = %self.name, id, "the credential was deactivated");
                self.release(None).await?;
            }
        }
        Ok(())
    }
}

fn names_owner(spec: &PamCredentialSpec) -> bool {
    spec.additional_settings
        .as_ref()
        .is_some_and(|settings| settings.user_credential_owner.is_some())
}
