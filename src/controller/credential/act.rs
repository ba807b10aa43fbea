//! The one PAM write of a reconcile, and what its answer means.

use std::{pin::pin, sync::Arc, time::Instant};

use crate::controller::{
    connection::{
        link::{Call, Problem},
        turnstile::Pass,
    },
    credential::{
        Run, Trouble, Way,
        memory::LATE,
        observe::triple,
        reaction::{Reaction, may_have_happened, reaction},
        render,
        report::{Stamp, accepted, finding, noted, progressing, refused},
        secrets::Loaded,
    },
    ownership::{
        identity::{Entry, Triple},
        register::Register,
        reservations::Key,
    },
    plan::{
        Dispatch, Expected, Finding,
        drift::Difference,
        facts::{Prints, SLOW, Unsure},
    },
};
use crate::{
    api::{AdoptionPolicy, Claim, PamCredentialSpec, Reason},
    pam::{Answer, AnswerKind, Class, Client, CredentialBody, Error, Outcome},
};

/// Everything that belongs to one POST.
struct Attempt {
    way: Way,
    pass: Arc<Pass>,
    dispatch: Dispatch,
    /// Generation that the body was made of, and the request that it answers; the object may be newer by now.
    generation: i64,
    requested: Option<String>,
    triple: Triple,
    prints: Prints,
    /// When it was sent.
    began: Instant,
    /// An attempt before this one whose outcome is not known.
    earlier: Option<Unsure>,
    adopts: bool,
    names_owner: bool,
}

impl Way {
    /// Whether the connection still leads this way.
    fn is_current(&self) -> bool {
        self.link.state().leads_by(&self.client)
    }

    /// Looks at what is known of this PAM, or adds to it; none when the connection leads to another one by now.
    fn register<T>(&self, look: impl FnOnce(&mut Register) -> T) -> Option<T> {
        let mut state = self.link.state();
        let current = state.leads_by(&self.client);
        state.register.as_mut().filter(|_| current).map(look)
    }
}

impl Attempt {
    fn stamp(&self) -> Stamp {
        Stamp::new(self.generation, self.requested.clone())
    }
}

impl Run<'_> {
    /// Sends the body and records the answer.
    pub(super) async fn send(&mut self, dispatch: Dispatch) -> Result<Option<Finding>, Trouble> {
        let object = self.object.clone();
        let (Some(way), Some(pass), Ok(spec), Some(Loaded::Values { values, prints })) =
            (self.way.clone(), self.pass.clone(), &object.spec, &self.loaded)
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
        let earlier = self.memory.unsure.replace(Unsure {
            settles: now + terms.timeout + LATE,
            sent: Some(sent),
        });
        let attempt = Attempt {
            way,
            pass,
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
        match self.post(&attempt.way.client, &attempt.pass, &body).await? {
            Ok(answer) => self.answered(attempt, answer).await?,
            Err(error) => self.failed(attempt, &error).await?,
        }
        Ok(None)
    }

    /// The POST itself; status says so when it takes long.
    async fn post(
        &mut self,
        client: &Client,
        pass: &Pass,
        body: &CredentialBody,
    ) -> Result<Result<Answer, Error>, Trouble> {
        let effects = &self.context.effects;
        let mut post = pin!(effects.post(client, pass, body));
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

    async fn answered(&mut self, mut attempt: Attempt, answer: Answer) -> Result<(), Trouble> {
        let surprise = surprise(&attempt, &answer);
        if attempt.way.is_current() && attempt.way.link.succeeded(Call::Write) {
            self.context.wake.connection(&attempt.way.link.key);
        }
        if let (Some(surprise), false) = (&surprise, attempt.adopts) {
            return self.unexpected(&attempt, surprise.clone()).await;
        }
        // What was updated without being listed is inactive, or invisible to us.
        if surprise.is_some() || attempt.dispatch.reactivates {
            match self
                .context
                .effects
                .reactivate(&attempt.way.client, &attempt.pass, &answer.id)
                .await
            {
                Err(mut error) if error.class != Class::AlreadyActive => {
                    // Whatever became of the PUT: the POST before it was accepted, and its claim stays.
                    error.outcome = Outcome::Unknown;
                    return self.failed(attempt, &error).await;
                }
                _ => {}
            }
        }
        learn(&attempt, &answer.id);
        self.memory.succeed(attempt.dispatch.with_content, Instant::now());
        if let Some(difference) = &attempt.dispatch.corrects {
            self.corrected(difference);
        }
        // An attempt before this one can still arrive: what differs from it has to wait (design 3, "Answers").
        self.memory.unsure = attempt
            .earlier
            .take()
            .filter(|earlier| earlier.settles > Instant::now());
        let stamp = attempt.stamp();
        let Attempt {
            way,
            dispatch,
            triple,
            prints,
            ..
        } = attempt;
        let claim = self.context.installation.sign(
            &self.name,
            Claim {
                target: way.terms.target.clone(),
                id: Some(answer.id),
                identifier: dispatch.identifier,
                hostname: triple.hostname,
                ip: triple.ip,
                username: triple.username,
                mac: String::new(),
            },
        );
        let connection = way.link.key.to_status();
        self.write_result(move |status| {
            let (with_content, interim) = (dispatch.with_content, dispatch.interim);
            accepted(
                status,
                &stamp,
                claim.clone(),
                connection.clone(),
                &prints,
                with_content,
                interim,
            )
        })
        .await?;
        Ok(())
    }

    /// The answer was about another credential than the POST was meant for. Nothing is taken over, and a person must look.
    async fn unexpected(&mut self, attempt: &Attempt, surprise: String) -> Result<(), Trouble> {
        self.memory.unsure = None;
        self.memory.pause_refused(Instant::now());
        let stamp = attempt.stamp();
        self.write_result(move |status| finding(status, &stamp, Reason::UnexpectedAnswer, &surprise))
            .await
    }

    /// A difference that others made is ended, or about to be: it is not tried again.
    pub(super) fn corrected(&mut self, difference: &Difference) {
        self.memory.correct(difference, Instant::now());
        self.context.metrics.corrected(difference.reason.as_str());
        tracing::info!(object = %self.name, reason = difference.reason.as_str(), "a difference in the PAM was corrected");
        let note = format!("Corrected: {}.", difference.message);
        self.context
            .events
            .publish(&*self.object, difference.reason.as_str(), false, &note);
    }

    async fn failed(&mut self, attempt: Attempt, error: &Error) -> Result<(), Trouble> {
        let now = Instant::now();
        if !may_have_happened(error) {
            self.memory.unsure.clone_from(&attempt.earlier);
        } else if let (Class::InternalError, Some(unsure)) = (error.class, &mut self.memory.unsure) {
            // The PAM itself has answered: this request is over, and only one before it could still arrive.
            unsure.settles = attempt.earlier.as_ref().map_or(now, |earlier| earlier.settles);
        }
        let mut reaction = reaction(error);
        if error.class == Class::InternalError {
            self.memory.internal_errors += 1;
            if attempt.names_owner && self.memory.internal_errors > 1 {
                reaction = Reaction::Refused(Reason::OwnerNotFound);
            }
        }
        let reason = match reaction {
            Reaction::Transient(reason) => {
                self.memory.pause(now, error.retry_after);
                reason
            }
            Reaction::Refused(reason) => {
                self.memory.pause_refused(now);
                reason
            }
            Reaction::Doubtful(_) => {
                self.memory.pause_refused(now);
                attempt.way.link.want(&self.name);
                Reason::AccessDenied
            }
            Reaction::ConnectionRefused(reason) => {
                self.refuse_connection(&attempt.way, reason, error, now);
                Reason::ConnectionNotReady
            }
        };
        let definite = !may_have_happened(error) && !matches!(reaction, Reaction::Transient(_));
        let gives_up_claim = definite && nothing_earlier(&attempt, now);
        if gives_up_claim {
            self.memory.unsure = None;
        }
        let message = match reaction {
            // The words that every other object of the connection uses too.
            Reaction::ConnectionRefused(reason) => format!("{reason}: {}", write_refused(error)),
            _ => error.to_string(),
        };
        let stamp = attempt.stamp();
        if let Some(difference) = attempt.dispatch.corrects {
            // What the object asks for was accepted before, so it stays ready; only the difference stays too.
            if !matches!(reaction, Reaction::Transient(_)) {
                self.memory.correct(&difference, now);
            }
            let message = format!("{}, and could not be corrected: {message}", difference.message);
            return self
                .write_result(move |status| noted(status, &stamp, Some((difference.reason, &message))))
                .await;
        }
        self.write_result(move |status| refused(status, &stamp, reason, &message, gives_up_claim))
            .await
    }

    fn refuse_connection(&self, way: &Way, reason: Reason, error: &Error, now: Instant) {
        let problem = Problem {
            call: Call::Write,
            reason,
            message: write_refused(error),
            stalled: true,
        };
        if way.is_current() && way.link.failed(problem, now) {
            self.context.wake.connection(&way.link.key);
        }
    }

    /// Deactivates our credential and lets the object go.
    pub(super) async fn deactivate(&mut self, id: &str) -> Result<(), Trouble> {
        if self.memory.deactivated.as_deref() == Some(id) {
            return self.release(None).await;
        }
        let (Some(way), Some(pass)) = (self.way.clone(), self.pass.clone()) else {
            return Ok(());
        };
        match self.context.effects.deactivate(&way.client, &pass, id).await {
            Err(error) if !matches!(error.class, Class::CredentialNotFound | Class::AlreadyInactive) => {
                self.memory.pause(Instant::now(), error.retry_after);
                let (stamp, message) = (self.stamp(), error.to_string());
                self.memory.first_failed.get_or_insert_with(Instant::now);
                self.write_result(move |status| finding(status, &stamp, Reason::DeactivationFailed, &message))
                    .await?;
            }
            _ => {
                way.register(|register| register.forget(id));
                self.memory.deactivated = Some(id.to_owned());
                tracing::info!(object = %self.name, id, "the credential was deactivated");
                self.release(None).await?;
            }
        }
        Ok(())
    }
}

/// Other objects must see at once what this one has.
fn learn(attempt: &Attempt, id: &str) {
    let entry = Entry {
        id: id.to_owned(),
        identifier: Some(attempt.dispatch.identifier.clone()),
        triple: attempt.triple.clone(),
        change: None,
    };
    attempt.way.register(|register| register.learn(entry, Instant::now()));
}

/// Whether no attempt before this one can have created anything: there was none, or it can no longer arrive and a
/// listing begun after it shows nothing of it.
fn nothing_earlier(attempt: &Attempt, now: Instant) -> bool {
    let Some(earlier) = &attempt.earlier else {
        return true;
    };
    let listed_since = attempt.way.register(|register| register.began >= earlier.settles);
    attempt.dispatch.expected == Expected::New && earlier.settles <= now && listed_since == Some(true)
}

/// Why an answer is not the one that was expected, if so.
fn surprise(attempt: &Attempt, answer: &Answer) -> Option<String> {
    if let Some(identifier) = answer
        .identifier
        .as_ref()
        .filter(|identifier| **identifier != attempt.dispatch.identifier)
    {
        return Some(format!(
            "the PAM answered with identifier {identifier} instead of {}",
            attempt.dispatch.identifier
        ));
    }
    match &attempt.dispatch.expected {
        Expected::Entry(id) if *id != answer.id => {
            Some(format!("the PAM answered with id {} instead of {id}", answer.id))
        }
        Expected::Entry(_) => None,
        Expected::New => {
            // A listing that was still under way when the POST began may show what the POST created.
            let listed = attempt
                .way
                .register(|register| register.completed <= attempt.began && register.by_id(&answer.id).is_some());
            let updated = answer.message == AnswerKind::Updated && attempt.earlier.is_none();
            (listed == Some(true) || updated).then(|| {
                format!(
                    "the PAM updated credential {} instead of creating one: it exists and is not listed",
                    answer.id
                )
            })
        }
    }
}

fn write_refused(error: &Error) -> String {
    format!("a write was refused: {error}")
}

fn names_owner(spec: &PamCredentialSpec) -> bool {
    spec.additional_settings
        .as_ref()
        .is_some_and(|settings| settings.user_credential_owner.is_some())
}
