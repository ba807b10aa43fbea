//! What the PAM's answer to a POST means for the object, its connection and its claim.

use std::time::Instant;

use crate::controller::{
    connection::{
        link::{Call, Problem},
        turnstile::Pass,
    },
    credential::{
        Run, Trouble, Way,
        act::Attempt,
        reaction::{Reaction, may_have_happened, reaction},
        report::{accepted, finding, noted, refused},
    },
    ownership::{identity::Entry, reservations::Key},
    plan::{Expected, Finding, drift::Difference},
};
use crate::{
    api::Reason,
    pam::{Answer, AnswerKind, Class, Error, Outcome},
};

impl Run<'_> {
    /// The PAM accepted the body.
    pub(super) async fn answered(&mut self, mut attempt: Attempt, answer: Answer, pass: Pass) -> Result<(), Trouble> {
        let surprise = surprise(&attempt, &answer);
        if attempt.way.is_current() && attempt.way.link.succeeded(Call::Write) {
            self.context.wake.connection(&attempt.way.link.key);
        }
        if let (Some(surprise), false) = (&surprise, attempt.adopts) {
            return self.unexpected(&attempt, surprise.clone()).await;
        }
        if surprise.is_some() {
            // It may be what another object of this cluster owns.
            let target = &attempt.way.terms.target;
            let identifier = Key::identifier(target, &attempt.dispatch.identifier);
            let keys = [
                Key::id(target, &answer.id),
                identifier,
                Key::triple(target, &attempt.triple),
            ];
            if let Err(rival) = self.secure(keys) {
                return self.unexpected(&attempt, Finding::conflict(&rival).message).await;
            }
        }
        // What was updated without being listed is inactive, or invisible to us; also where an attempt before this one
        // may have made it, as the activation that was to follow that one may have failed.
        let unlisted = attempt.dispatch.expected == Expected::New && answer.message == AnswerKind::Updated;
        if surprise.is_some() || attempt.dispatch.reactivates || (attempt.adopts && unlisted) {
            match self
                .context
                .effects
                .reactivate(&attempt.way.client, &pass, &answer.id)
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
        drop(pass);
        learn(&attempt, &answer.id);
        self.memory.succeed(attempt.dispatch.with_content, Instant::now());
        if let Some(difference) = &attempt.dispatch.corrects {
            self.corrected(difference);
        }
        // An attempt before this one can still arrive: what differs from it has to wait (design 3, "Answers").
        self.memory.unsettled.unsure = attempt
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
        let claim = self.signed(&way.terms.target, Some(answer.id), dispatch.identifier, triple);
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
        let now = Instant::now();
        self.memory.unsettled.unsure = None;
        self.memory.pause_refused(now);
        if let Some(difference) = &attempt.dispatch.corrects {
            self.memory.correct(difference, now);
        }
        let stamp = attempt.stamp();
        self.write_result(move |status| finding(status, &stamp, Reason::UnexpectedAnswer, &surprise))
            .await
    }

    /// A difference that others made is ended, or about to be: it is not tried again.
    pub(super) fn corrected(&mut self, difference: &Difference) {
        self.memory.correct(difference, Instant::now());
        self.context.metrics.corrected(difference.reason.as_str());
        tracing::info!(object = %self.name, reason = difference.reason.as_str(), "a difference in the PAM is corrected");
        let note = format!("The object's values are sent again: {}.", difference.message);
        self.context
            .events
            .publish(&*self.object, difference.reason.as_str(), false, &note);
    }

    /// It did not, or nobody knows.
    pub(super) async fn failed(&mut self, attempt: Attempt, error: &Error) -> Result<(), Trouble> {
        let now = Instant::now();
        if !may_have_happened(error) {
            self.memory.unsettled.unsure.clone_from(&attempt.earlier);
        } else if let (Class::InternalError, Some(unsure)) = (error.class, &mut self.memory.unsettled.unsure) {
            // The PAM itself has answered: this request is over, and only one before it could still arrive.
            unsure.settles = attempt.earlier.as_ref().map_or(now, |earlier| earlier.settles);
        }
        let mut reaction = reaction(error);
        if error.class == Class::InternalError {
            self.memory.unsettled.internal_errors += 1;
            if attempt.names_owner && self.memory.unsettled.internal_errors > 1 {
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
            self.memory.unsettled.unsure = None;
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
