//! The usual object `orders/db` and what surrounds it, as facts that a case changes in one place.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use crate::api::{Applied, Claim, DriftPolicy, Reason, SecretVersion};
use crate::controller::{
    ownership::{
        identity::{Entry, Triple},
        register::Register,
    },
    plan::{
        Await, Dispatch, Expected, Finding, Stake, Step,
        facts::{Content, Facts, LinkState, Prints, Recall, Record, Route, Unsure, Watch, Wish},
        plan,
    },
};
use crate::pam::{self, Listing};

/// The PAM that the object's connection reaches.
pub const PAM: &str = "https://pam.example";

/// Another one.
pub const ELSEWHERE: &str = "https://elsewhere.example";

/// The identifier that the object gets when its spec names none.
pub const GENERATED: &str = "orders_db_7k2m9q4x1p3z";

/// The identifier that most cases name in the spec.
pub const NAMED: &str = "orders-db";

/// The beginning of all time here.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The moment of every observation, in seconds since the beginning.
const NOW: u64 = 3600;

/// The facts about one object.
pub struct Case(pub Facts<'static>);

/// A new object with an identifier of its own, whose Secret was read, at a PAM whose listing is fresh and empty.
pub fn new() -> Case {
    Case(Facts {
        now: ahead(0),
        wish: Wish {
            generation: 1,
            unreadable: None,
            identifier: Some(NAMED),
            generated: GENERATED,
            triple: Some(kept(account("app"))),
            forbidden: &[],
            adopts: false,
            create_only: false,
            enforces: false,
            drift: DriftPolicy::Report,
            deactivates: false,
            finalizer: false,
            suspended: false,
            requested: false,
            deleting: false,
        },
        record: Record::default(),
        content: Content::Rendered(kept(prints("body", "password"))),
        link: Route {
            target: Some(PAM),
            state: LinkState::Ready,
            turn: true,
            interval: Duration::from_mins(10),
            listing_failure: None,
            many_vanished: false,
        },
        rival: None,
        register: None,
        recall: Recall {
            since: ago(9),
            refused: false,
            held_until: None,
            unsure: None,
            release_at: None,
            orphaned: false,
            watch: Watch {
                answered: ago(60),
                vanished: false,
                rotated: false,
                corrected: &[],
                may_correct: true,
                enforce_from: None,
            },
            resigns: false,
        },
    })
    .lists(&[])
}

/// An object whose claim is written and whose POST was not answered.
pub fn claimed() -> Case {
    new().claims(claim(None))
}

/// An object in sync with credential 115.
pub fn synced() -> Case {
    new()
        .claims(claim(Some("115")))
        .lists(&[entry("115", NAMED, "app")])
        .but(|facts| {
            facts.content = Content::Unmoved;
            facts.record.applied = Some(kept(applied()));
            facts.record.generation = 1;
            facts.record.ready = true;
            facts.record.reason = Some(Reason::Synced);
        })
}

/// The same after an edit of what is neither identity nor password.
pub fn edited() -> Case {
    synced().but(|facts| {
        facts.wish.generation = 2;
        facts.content = Content::Rendered(kept(prints("other body", "password")));
    })
}

/// A deleted object whose credential 115 shall be deactivated.
pub fn deleted() -> Case {
    synced().but(|facts| {
        facts.wish.generation = 2;
        facts.wish.deleting = true;
        facts.wish.deactivates = true;
        facts.wish.finalizer = true;
    })
}

impl Case {
    /// The same with one difference.
    pub fn but(mut self, change: impl FnOnce(&mut Facts<'static>)) -> Self {
        change(&mut self.0);
        self
    }

    /// The PAM lists exactly these, just now.
    pub fn lists(self, entries: &[Entry]) -> Self {
        self.listed(entries, 2, 1)
    }

    /// The PAM listed exactly these, in a listing that began and ended so many seconds ago.
    pub fn listed(self, entries: &[Entry], began: u64, ended: u64) -> Self {
        let register = kept(register(entries, ago(began), ago(ended)));
        self.but(|facts| facts.register = Some(register))
    }

    /// Status has this claim, and it verifies; one without id comes from a request that was never answered.
    pub fn claims(self, claim: Claim) -> Self {
        let claim = kept(claim);
        let unanswered = kept(Unsure {
            settles: ago(30),
            sent: None,
        });
        self.but(|facts| {
            facts.record.claim = Some(claim);
            facts.record.proven = true;
            facts.recall.unsure = claim.id.is_none().then_some(unanswered);
        })
    }

    /// The spec names no identifier.
    pub fn unnamed(self) -> Self {
        self.but(|facts| facts.wish.identifier = None)
    }

    /// The spec says adoptionPolicy Adopt.
    pub fn adopting(self) -> Self {
        self.but(|facts| facts.wish.adopts = true)
    }

    /// The spec names this account.
    pub fn at(self, account: Triple) -> Self {
        self.but(|facts| facts.wish.triple = Some(kept(account)))
    }

    /// An earlier request has no known outcome and can arrive for so many more seconds.
    pub fn unsure(self, identifier: &str, body: &str, content: Option<&str>, settles: u64) -> Self {
        let unsure = kept(Unsure {
            settles: ahead(settles),
            sent: Some((identifier.to_owned(), body.to_owned(), content.map(str::to_owned))),
        });
        self.but(|facts| facts.recall.unsure = Some(unsure))
    }

    /// What is planned.
    pub fn step(&self) -> Step {
        plan(&self.0)
    }

    /// What is planned, in a few words.
    pub fn next(&self) -> String {
        told(&self.step())
    }

    /// What status would say.
    pub fn finding(&self) -> Finding {
        match self.step() {
            Step::Report(finding) => finding,
            step => panic!("nothing is reported: {step:?}"),
        }
    }
}

/// A step in a few words, so that a table of them can be read.
fn told(step: &Step) -> String {
    match step {
        Step::Claim(Stake {
            id: Some(id),
            identifier,
            ..
        }) => format!("claim {id} as {identifier}"),
        Step::Claim(Stake {
            adopts: Some(id),
            identifier,
            ..
        }) => format!("claim {identifier} to adopt {id}"),
        Step::Claim(stake) => format!("claim {}", stake.identifier),
        Step::Send(dispatch) => sent(dispatch),
        Step::Report(finding) => finding.reason.to_string(),
        Step::Await(Await::Until(moment)) => format!("wait {} s", (*moment - ahead(0)).as_secs()),
        Step::Await(event) => format!("await {event:?}"),
        Step::Note(Some(difference)) => format!("note {}", difference.reason),
        Step::Note(None) => "note nothing".to_owned(),
        Step::Deactivate(id) => format!("deactivate {id}"),
        Step::Release(None) => "release".to_owned(),
        Step::Release(Some(warning)) => format!("release, {}", warning.as_str()),
        other => format!("{other:?}"),
    }
}

fn sent(dispatch: &Dispatch) -> String {
    let what = match &dispatch.expected {
        Expected::New => "create".to_owned(),
        Expected::Entry(id) => format!("update {id}"),
    };
    let password = if dispatch.with_content { " with password" } else { "" };
    let interim = if dispatch.interim { ", for now" } else { "" };
    format!("{what} as {}{password}{interim}", dispatch.identifier)
}

/// A claim of the usual identity at the usual PAM.
pub fn claim(id: Option<&str>) -> Claim {
    let Triple { hostname, ip, username } = account("app");
    Claim {
        target: PAM.to_owned(),
        id: id.map(str::to_owned),
        identifier: NAMED.to_owned(),
        hostname,
        ip,
        username,
        mac: "judged elsewhere".to_owned(),
    }
}

/// What the PAM accepted of the usual object.
pub fn applied() -> Applied {
    let prints = prints("body", "password");
    Applied {
        generation: 1,
        time: Time(Timestamp::UNIX_EPOCH),
        body: prints.body,
        content: prints.content,
        key: prints.key,
        change_seen: None,
        secrets: prints.secrets,
    }
}

/// Fingerprints of this body and this password, which is in version 1 of Secret `db`.
pub fn prints(body: &str, content: &str) -> Prints {
    let version = secret("1");
    Prints {
        body: body.to_owned(),
        content: Some(content.to_owned()),
        key: "key-a".to_owned(),
        secrets: vec![version.clone()],
        content_source: Some(version),
    }
}

/// A version of the Secret that the password is in.
pub fn secret(version: &str) -> SecretVersion {
    SecretVersion {
        name: "db".to_owned(),
        key: "password".to_owned(),
        uid: "u".to_owned(),
        resource_version: version.to_owned(),
    }
}

/// An account on the usual device.
pub fn account(username: &str) -> Triple {
    Triple {
        hostname: "db.example".to_owned(),
        ip: "10.0.0.1".to_owned(),
        username: username.to_owned(),
    }
}

/// A credential of the PAM on the usual device.
pub fn entry(id: &str, identifier: &str, username: &str) -> Entry {
    Entry {
        id: id.to_owned(),
        identifier: Some(identifier.to_owned()).filter(|text| !text.is_empty()),
        triple: account(username),
        change: None,
    }
}

/// A listing of these entries.
pub fn register(entries: &[Entry], began: Instant, completed: Instant) -> Register {
    let mut listing = Listing::default();
    for entry in entries {
        listing.push(pam::Entry {
            id: &entry.id,
            identifier: entry.identifier.as_deref(),
            username: &entry.triple.username,
            hostname: &entry.triple.hostname,
            ip: &entry.triple.ip,
            change: entry.change.as_deref(),
        });
    }
    Register::new(listing, began, completed)
}

/// So many seconds before the observation.
pub fn ago(seconds: u64) -> Instant {
    *START + Duration::from_secs(NOW - seconds)
}

/// So many seconds after it.
pub fn ahead(seconds: u64) -> Instant {
    *START + Duration::from_secs(NOW + seconds)
}

/// Keeps a value for as long as the tests run, so that facts can point at it.
pub fn kept<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
