//! One listing serves every object: which of them does it concern?
//!
//! Most objects are in the PAM as they left it, and a listing of a hundred thousand credentials must not wake them all.

use std::time::Instant;

use crate::api::{Claim, PamCredentialStatus, PasswordPolicy};
use crate::controller::{
    Credential,
    connection::link::Link,
    context::Context,
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
        let Some(object) = context.credential(&name) else {
            continue;
        };
        let Some((status, claim, id)) = ownership(&object, &terms.target) else {
            continue;
        };
        let entry = register.by_id(id);
        if entry.is_none() && context.memories.is_younger(&name, register.began) {
            continue;
        }
        owned += 1;
        missing += usize::from(entry.is_none());
        if concerns(context, &name, &object, status, claim, entry.as_ref(), register.began) {
            concerned.push(name);
        }
    }
    let too_many = register.has_entries() && missing > FEW && missing * SHARE > owned;
    Sweep {
        concerned,
        vanished: too_many.then_some(Vanished { missing, owned }),
    }
}

/// What an object owns at this PAM.
fn ownership<'a>(object: &'a Credential, target: &str) -> Option<(&'a PamCredentialStatus, &'a Claim, &'a str)> {
    let status = object.status.as_deref()?;
    let claim = status.claim.as_ref().filter(|claim| claim.target == target)?;
    Some((status, claim, claim.id.as_deref()?))
}

fn concerns(
    context: &Context,
    name: &Name,
    object: &Credential,
    status: &PamCredentialStatus,
    claim: &Claim,
    entry: Option<&Entry>,
    began: Instant,
) -> bool {
    let Some(entry) = entry else { return true };
    let same_identity =
        entry.identifier.as_deref() == Some(claim.identifier.as_str()) && entry.triple == Triple::from(claim);
    if !same_identity || status.drifted_because().is_some() {
        return true;
    }
    let enforces = object
        .spec
        .as_ref()
        .is_ok_and(|spec| spec.password_policy == Some(PasswordPolicy::Enforce));
    let applied = status.applied.as_ref();
    let unseen = enforces && applied.is_some_and(|applied| applied.change_seen != entry.change);
    unseen || context.memories.show(name, entry.change.as_ref(), began)
}
