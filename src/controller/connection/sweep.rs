//! One listing serves every object: which of them does it concern?
//!
//! Most objects are in the PAM as they left it, and a listing of a hundred thousand credentials must not wake them all, nor open
//! them: what was listed as it was before tells nothing new.

use serde::Deserialize;

use crate::api::{Claim, PasswordPolicy, condition::DRIFTED};
use crate::controller::{
    connection::link::Link,
    context::Context,
    credential::memory::compared::Compared,
    index::{Reference, Referrer},
    ownership::{
        identity::{Entry, Name, Triple},
        register::Register,
    },
};

/// So many credentials, and this share of all, may vanish at once before nothing is corrected any more (design 3, "The
/// listing"): more than that is a PAM restored from a backup, or an authorization that sees less.
const FEW: usize = 10;
const SHARE: usize = 10;

/// How many of the credentials of a connection's objects its PAM does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vanished {
    /// Those that are missing.
    pub missing: usize,
    /// Those that objects own.
    pub owned: usize,
}

/// What a listing means for the objects of its connection.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The objects that have to look themselves.
    pub concerned: Vec<Name>,
    /// Too many are missing.
    pub vanished: Option<Vanished>,
}

/// Compares a listing with what the objects of a connection own.
pub fn sweep(context: &Context, link: &Link, register: &Register) -> Sweep {
    let Some(terms) = link.state().terms.clone() else {
        return Sweep::default();
    };
    let (mut concerned, mut owned, mut missing) = (Vec::new(), 0, 0);
    for referrer in context.index.referrers(&Reference::Connection(link.key.clone())) {
        let Referrer::Credential(name) = referrer else { continue };
        match look(context, &name, register, &terms.target) {
            Verdict::OwnsNothing => continue,
            Verdict::Unreadable => {}
            Verdict::AsBefore => {
                owned += 1;
                continue;
            }
            Verdict::Listed => owned += 1,
            Verdict::Missing => {
                owned += 1;
                missing += 1;
            }
        }
        concerned.push(name);
    }
    let too_many = register.has_entries() && missing > FEW && missing * SHARE > owned;
    Sweep {
        concerned,
        vanished: too_many.then_some(Vanished { missing, owned }),
    }
}

/// What a listing says of one object.
enum Verdict {
    /// Nothing of its own is to be expected in it.
    OwnsNothing,
    /// Its own credential is listed and tells nothing new.
    AsBefore,
    /// Its own credential is listed, and the object has to look.
    Listed,
    /// Its own credential is not listed, and the object has to look.
    Missing,
    /// What the object says cannot be compared, so that it has to look.
    Unreadable,
}

fn look(context: &Context, name: &Name, register: &Register, target: &str) -> Verdict {
    let before = context.memories.glimpse(name);
    let known = before.and_then(|memory| memory.compared);
    if known.is_some_and(|known| register.mark(known.key, target) == Some(known.mark)) {
        return Verdict::AsBefore;
    }
    let Some(object) = context.credentials.get(name) else {
        return Verdict::OwnsNothing;
    };
    let Some(seen) = object.part::<Seen>() else {
        return Verdict::Unreadable;
    };
    let Some((claim, id)) = seen.ownership(target) else {
        return Verdict::OwnsNothing;
    };
    let Some(entry) = register.by_id(id) else {
        let is_younger = context.memories.is_younger(name, register.began);
        return if is_younger {
            Verdict::OwnsNothing
        } else {
            Verdict::Missing
        };
    };
    if seen.differs(claim, &entry) || context.memories.show(name, entry.change.as_ref(), register.began) {
        return Verdict::Listed;
    }
    let key = Register::key(id);
    if let (Some(before), Some(mark)) = (before, register.mark(key, target)) {
        let compared = Compared { key, mark };
        context.memories.compared(name, before, compared, register.began);
    }
    Verdict::AsBefore
}

/// What is compared of an object; all of it is opened only where somebody has to look.
#[derive(Deserialize)]
struct Seen {
    spec: SeenSpec,
    status: Option<SeenStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenSpec {
    password_policy: Option<PasswordPolicy>,
}

#[derive(Deserialize)]
struct SeenStatus {
    claim: Option<Claim>,
    applied: Option<SeenApplied>,
    #[serde(default)]
    conditions: Vec<SeenCondition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SeenApplied {
    change_seen: Option<String>,
}

#[derive(Deserialize)]
struct SeenCondition {
    #[serde(rename = "type")]
    type_: String,
}

impl Seen {
    /// What the object owns at this PAM, and its id there.
    fn ownership(&self, target: &str) -> Option<(&Claim, &str)> {
        let claim = self.status.as_ref()?.claim.as_ref();
        let claim = claim.filter(|claim| claim.target == target)?;
        Some((claim, claim.id.as_deref()?))
    }

    /// Whether the object has to look at this entry of its own, whatever was remembered of it.
    fn differs(&self, claim: &Claim, entry: &Entry) -> bool {
        let same_identity =
            entry.identifier.as_deref() == Some(claim.identifier.as_str()) && entry.triple == Triple::from(claim);
        !same_identity || self.is_drifted() || self.enforces_other_than(entry.change.as_ref())
    }

    fn is_drifted(&self) -> bool {
        let conditions = self.status.iter().flat_map(|status| &status.conditions);
        conditions.into_iter().any(|condition| condition.type_ == DRIFTED)
    }

    /// Whether a password is enforced that was changed at another time than this.
    fn enforces_other_than(&self, change: Option<&String>) -> bool {
        let applied = self.status.as_ref().and_then(|status| status.applied.as_ref());
        self.spec.password_policy == Some(PasswordPolicy::Enforce)
            && applied.is_some_and(|applied| applied.change_seen.as_ref() != change)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        api::PamCredential,
        controller::{packed::Arrival, store::Watched},
    };

    fn seen(object: Value) -> Option<Seen> {
        let object: Arrival<PamCredential> = serde_json::from_value(object).expect("readable as far as it goes");
        object.keep().part()
    }

    #[test]
    fn what_is_compared_is_what_the_object_says() {
        let claim = json!({
            "target": "https://pam", "id": "7", "identifier": "a", "hostname": "db", "ip": "10.0.0.1", "username": "app",
            "mac": "m",
        });
        let object = seen(json!({
            "metadata": {"name": "db"},
            "spec": {"connectionRef": {"name": "pam"}, "passwordPolicy": "Enforce"},
            "status": {
                "id": "7", "claim": claim,
                "applied": {"generation": 1, "changeSeen": "noon"},
                "conditions": [{"type": "Ready", "reason": "Synced"}, {"type": "Drifted", "reason": "Drifted"}],
            },
        }))
        .expect("readable");
        assert_eq!(object.ownership("https://pam").map(|(_, id)| id), Some("7"));
        assert!(object.ownership("https://other").is_none());
        assert!(object.is_drifted());
        assert!(!object.enforces_other_than(Some(&"noon".to_owned())));
        assert!(object.enforces_other_than(None) && object.enforces_other_than(Some(&"later".to_owned())));
    }

    #[test]
    fn an_object_without_status_owns_nothing_and_an_unreadable_one_cannot_be_compared() {
        let new = seen(json!({"metadata": {"name": "db"}, "spec": {}})).expect("readable");
        assert!(new.ownership("https://pam").is_none() && !new.is_drifted());
        assert!(seen(json!({"metadata": {"name": "db"}, "spec": 7})).is_none());
    }
}
