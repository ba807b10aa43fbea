//! Gathers the facts about one object, and asks the plan.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::api::{
    AdoptionPolicy, Applied, DeletionPolicy, DriftPolicy, FINALIZER, PamCredentialSpec, PamCredentialStatus,
    PasswordPolicy, Reason, SecretVersion,
    condition::{DRIFTED, find},
};
use crate::controller::{
    connection::{
        link::{Call, Health, Link, Problem, State},
        terms::{Standing, Terms},
    },
    credential::{
        Run, Way,
        doubt::{doubtful, own_entry},
        memory::Inputs,
        render,
        secrets::Loaded,
    },
    ownership::{
        identity::{Name, Triple},
        reservations::{Hold, Key},
    },
    plan::{
        Await, Step,
        facts::{Content, Facts, LinkState, Recall, Record, Route, Wish},
        plan,
    },
    print::print,
    queue::Lane,
    track::link_key,
};

/// What was looked up for the facts to point at.
struct Sight<'a> {
    spec: Option<&'a PamCredentialSpec>,
    status: Option<&'a PamCredentialStatus>,
    proven: bool,
    /// What was accepted, in place of what status says of it.
    doubtful: Option<Applied>,
    /// What differs in the PAM is of our own making.
    own_doing: bool,
    terms: Option<&'a Terms>,
    route: LinkState<'a>,
    generated: String,
    triple: Option<Triple>,
    forbidden: Vec<&'static str>,
}

impl Run<'_> {
    /// The next step for the object as it is now.
    pub fn next_step(&mut self) -> Step {
        let now = Instant::now();
        let object = self.object.clone();
        let (spec, status) = (object.spec.as_deref().ok(), object.status.as_deref());
        let link = self.link();
        let state = link.as_deref().map(Link::state);
        let versions = self.versions(spec, status);
        let epoch = state.as_ref().map_or(0, |state| state.epoch);
        // Of a hundred thousand objects that a start finds, the last one is looked at minutes after the first, and needs no
        // listing more for that.
        let seen = self.woken.take().unwrap_or(now);
        if self.memory.note(self.inputs(&versions, epoch), seen) {
            // Spec or Secrets changed while a call was under way: what was read before is not what they say now.
            self.loaded = None;
        }

        let terms = state.as_ref().and_then(|state| state.terms.clone());
        self.take_way(link.as_ref(), state.as_deref());
        let problem = state.as_ref().and_then(|state| problem(state));
        let health = state.as_ref().map(|state| state.health.clone());
        let register = state.as_ref().and_then(|state| state.register.as_ref());
        if let (Some(status), Some(register), Some(terms)) = (status, register, &terms) {
            self.memory.lookout.show(spec, status, register, &terms.target, now);
        }
        let sight = Sight {
            spec,
            status,
            proven: self.is_proven(status),
            doubtful: status.and_then(|status| doubtful(status, self.memory.unsettled.unsure.as_ref())),
            own_doing: status
                .filter(|_| self.memory.unsettled.unsure.is_some())
                .and_then(|status| own_entry(status, register?))
                .is_some_and(|entry| self.memory.may_have_made(&entry)),
            terms: terms.as_deref(),
            route: self.route(health.as_ref(), problem.as_ref(), terms.as_deref()),
            generated: self.generated(terms.as_deref()),
            triple: spec.map(triple),
            forbidden: match (spec, &terms) {
                (Some(spec), Some(terms)) => render::forbidden(spec, &terms.permissions),
                _ => Vec::new(),
            },
        };
        let rival = self.stand_in_line(&sight);
        let outage = state.as_ref().and_then(|state| state.outage.clone());
        // That no write is made is no reason why there should be no listing.
        let unlisted = outage.filter(|outage| outage.call != Call::Write);
        let mut facts = Facts {
            now,
            wish: self.wish(&sight),
            record: record(&sight),
            content: self.content(&versions, &sight),
            link: Route {
                target: sight.terms.map(|terms| terms.target.as_str()),
                state: sight.route,
                interval: sight.terms.map_or(Duration::ZERO, |terms| terms.interval),
                many_vanished: state.as_ref().is_some_and(|state| state.vanished.is_some()),
                turn: self.pass.is_some(),
                listing_failure: unlisted.as_ref().map(|outage| (outage.reason, outage.message.as_str())),
            },
            rival: rival.as_ref(),
            register,
            recall: Recall {
                since: self.memory.since,
                held_until: self.memory.unsettled.held_until,
                refused: self.memory.unsettled.refused,
                unsure: self.memory.unsettled.unsure.as_ref(),
                release_at: self
                    .memory
                    .unsettled
                    .first_failed
                    .map(|first| first + self.context.rules.deletion_timeout),
                orphaned: self.memory.orphaned,
                watch: self.memory.lookout.watch(),
                resigns: self.context.resigns,
            },
        };
        let step = plan(&facts);
        let refused = matches!(&step, Step::Report(found) if found.reason == Reason::ConnectionNotReady)
            && problem.as_ref().is_some_and(|problem| problem.call == Call::Write);
        if !refused {
            return step;
        }
        // The write itself tells whether it is allowed again, so only who would come to it may try.
        facts.link.state = LinkState::Ready;
        let attempt = plan(&facts);
        let blocked = matches!(
            attempt,
            Step::Report(_) | Step::Await(Await::Until(_) | Await::NextListing)
        );
        if !blocked && link.as_deref().is_some_and(|link| link.may_probe(&self.name)) {
            attempt
        } else {
            step
        }
    }

    /// Takes the way that the connection leads now, and what stands before its PAM.
    fn take_way(&mut self, link: Option<&Arc<Link>>, state: Option<&State>) {
        self.way = link.zip(state).and_then(|(link, state)| {
            Some(Way {
                link: link.clone(),
                terms: state.terms.clone()?,
                client: state.client.clone()?,
            })
        });
        self.turnstile = state.and_then(|state| state.turnstile.clone());
        // A pass of a connection that changed since is worth nothing at the one that it is now.
        let turnstile = self.turnstile.as_ref();
        self.pass = self
            .pass
            .take()
            .filter(|pass| turnstile.is_some_and(|turnstile| pass.leads_through(turnstile)));
    }

    /// The connection, if it exists.
    pub fn link(&self) -> Option<Arc<Link>> {
        self.context.links.get(&link_key(&self.object, self.name.namespace())?)
    }

    /// The identifier that this installation generates for the object.
    fn generated(&self, terms: Option<&Terms>) -> String {
        self.context
            .installation
            .identifier(terms.and_then(|terms| terms.prefix.as_deref()), &self.name)
    }

    pub(super) fn is_proven(&self, status: Option<&PamCredentialStatus>) -> bool {
        let claim = status.and_then(|status| status.claim.as_ref());
        claim.is_some_and(|claim| self.context.installation.verify(&self.name, claim))
    }

    /// The versions of the Secrets that the spec names, by metadata alone.
    fn versions(
        &self,
        spec: Option<&PamCredentialSpec>,
        status: Option<&PamCredentialStatus>,
    ) -> Vec<Option<SecretVersion>> {
        let Some(spec) = spec else { return Vec::new() };
        let references = render::references(spec, sends_content(spec, status)).into_iter();
        let version = |name: &str, key: &str| self.context.secret_version(self.name.namespace(), name, key);
        references
            .map(|reference| version(&reference.name, &reference.key))
            .collect()
    }

    fn inputs(&self, versions: &[Option<SecretVersion>], connection: u64) -> Inputs {
        Inputs {
            generation: self.object.generation(),
            secrets: print(versions),
            connection,
            deleting: self.object.metadata.deletion_timestamp.is_some(),
            requested: print(self.object.requested()),
        }
    }

    fn route<'a>(&self, health: Option<&Health>, problem: Option<&'a Problem>, terms: Option<&Terms>) -> LinkState<'a> {
        let deleting = self.object.metadata.deletion_timestamp.is_some();
        let namespace = self.name.namespace();
        let standing = terms.map(|terms| terms.standing(namespace, || self.context.namespaces.sight(namespace)));
        match (health, terms) {
            (None, _) => LinkState::Missing,
            _ if standing == Some(Standing::NotAllowed) => LinkState::NotAllowed,
            _ if standing == Some(Standing::Unknown) => LinkState::Unknown,
            // A deletion needs the PAM, suspended or not, and has to know when it cannot have it.
            (_, Some(terms)) if terms.suspended && (problem.is_none() || !deleting) => LinkState::Suspended,
            (Some(Health::Unknown), _) => LinkState::Unknown,
            (Some(_), _) => problem.map_or(LinkState::Ready, |p| LinkState::NotReady(p.reason, &p.message)),
        }
    }

    fn wish<'a>(&'a self, sight: &'a Sight<'a>) -> Wish<'a> {
        let spec = sight.spec;
        let handled = sight
            .status
            .and_then(|status| status.last_handled_reconcile_at.as_deref());
        Wish {
            generation: self.object.generation(),
            unreadable: self
                .object
                .spec
                .as_ref()
                .err()
                .map(|unreadable| unreadable.message.as_str()),
            identifier: spec.and_then(|spec| spec.identifier.as_deref()),
            generated: &sight.generated,
            triple: sight.triple.as_ref(),
            forbidden: &sight.forbidden,
            adopts: spec.is_some_and(|spec| spec.adoption_policy == Some(AdoptionPolicy::Adopt)),
            create_only: spec.is_some_and(|spec| spec.password_policy == Some(PasswordPolicy::CreateOnly)),
            enforces: spec.is_some_and(|spec| {
                spec.password_policy == Some(PasswordPolicy::Enforce) && spec.content_secret_ref.is_some()
            }),
            drift: match spec.and_then(|spec| spec.drift_policy) {
                // Nobody else has to undo it, and the next update does.
                _ if sight.own_doing => DriftPolicy::Ignore,
                policy => policy.unwrap_or_default(),
            },
            deactivates: match &self.object.spec {
                Ok(spec) => spec.deletion_policy == Some(DeletionPolicy::Deactivate),
                Err(unreadable) => unreadable.text("deletionPolicy") == Some("Deactivate"),
            },
            finalizer: self
                .object
                .metadata
                .finalizers
                .iter()
                .flatten()
                .any(|finalizer| finalizer == FINALIZER),
            suspended: spec.is_some_and(|spec| spec.suspend == Some(true)),
            requested: self
                .object
                .requested()
                .is_some_and(|requested| handled != Some(requested)),
            deleting: self.object.metadata.deletion_timestamp.is_some(),
        }
    }

    fn content<'a>(&'a self, versions: &[Option<SecretVersion>], sight: &Sight<'a>) -> Content<'a> {
        let applied = sight.status.and_then(|status| status.applied.as_ref());
        // A Secret that is gone after it was sent has nothing to send.
        let unmoved = versions
            .iter()
            .flatten()
            .all(|version| applied.is_some_and(|applied| applied.secrets.contains(version)));
        match &self.loaded {
            Some(Loaded::Values { prints, .. }) => Content::Rendered(prints),
            Some(Loaded::Broken { reason, message }) => Content::Broken {
                reason: *reason,
                message,
                unmoved,
            },
            None if applied.is_none() && versions.contains(&None) => Content::Absent,
            None if unmoved || self.memory.is_verified() => Content::Unmoved,
            None => Content::Unread,
        }
    }

    /// Puts the object in line for what it holds and what it wants, and wakes those whose turn that makes it.
    fn stand_in_line(&self, sight: &Sight) -> Option<Name> {
        let claim = sight
            .status
            .and_then(|status| status.claim.as_ref())
            .filter(|_| sight.proven);
        let mut keys = claim.map(held).unwrap_or_default();
        let may_want = !matches!(
            sight.route,
            LinkState::Missing | LinkState::NotAllowed | LinkState::Suspended
        ) && sight.forbidden.is_empty()
            && self.object.metadata.deletion_timestamp.is_none();
        if let (Some(spec), Some(terms), Some(triple), true) = (sight.spec, sight.terms, &sight.triple, may_want)
            && spec.suspend != Some(true)
        {
            let kept = claim
                .filter(|claim| claim.target == terms.target)
                .map(|claim| claim.identifier.as_str());
            let identifier = spec.identifier.as_deref().or(kept).unwrap_or(&sight.generated);
            keys.push((Key::identifier(&terms.target, identifier), Hold::Wanted));
            keys.push((Key::triple(&terms.target, triple), Hold::Wanted));
        }
        let mut reservations = self.context.reservations();
        for name in reservations.enter(&self.name, self.object.created(), &keys) {
            self.context.wake_credential(&name, Lane::Reference);
        }
        reservations.rival(&self.name).cloned()
    }
}

/// What a proven claim holds.
pub fn held(claim: &crate::api::Claim) -> Vec<(Key, Hold)> {
    let id = claim.id.as_deref().map(|id| Key::id(&claim.target, id));
    let identifier = Key::identifier(&claim.target, &claim.identifier);
    let triple = Key::triple(&claim.target, &claim.into());
    id.into_iter()
        .chain([identifier, triple])
        .map(|key| (key, Hold::Claimed))
        .collect()
}

/// Whether the password is still managed: with CreateOnly, only until the create.
pub fn sends_content(spec: &PamCredentialSpec, status: Option<&PamCredentialStatus>) -> bool {
    let created = status.is_some_and(|status| status.applied.is_some());
    spec.password_policy != Some(PasswordPolicy::CreateOnly) || !created
}

/// The triple of a spec.
pub fn triple(spec: &PamCredentialSpec) -> Triple {
    Triple {
        hostname: spec.hostname.clone(),
        ip: spec.ip.clone(),
        username: spec.username.clone(),
    }
}

fn problem(state: &State) -> Option<Problem> {
    match &state.health {
        Health::Unusable(problem) => Some(problem.clone()),
        Health::Unknown | Health::Ready => None,
    }
}

fn record<'a>(sight: &'a Sight<'a>) -> Record<'a> {
    let Some(status) = sight.status else {
        return Record::default();
    };
    Record {
        claim: status.claim.as_ref(),
        proven: sight.proven,
        applied: sight.doubtful.as_ref().or(status.applied.as_ref()),
        generation: status.observed_generation.unwrap_or_default(),
        ready: status.is_ready(),
        reason: status.reason(),
        drifted: find(&status.conditions, DRIFTED),
    }
}
