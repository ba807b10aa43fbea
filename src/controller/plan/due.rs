//! What has to be sent, judged by what the PAM accepted before.

use crate::api::{Applied, Reason};
use crate::controller::plan::facts::{Content, Facts, Prints};

/// What has to be sent.
pub enum Due<'a> {
    /// Nothing.
    Nothing,
    /// The Secrets must be read to know.
    Unknown,
    /// A Secret or a key is missing or unusable.
    Broken(Reason, &'a str),
    /// This.
    Send(Change),
}

/// What differs from what the PAM accepted.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// Nothing was accepted from this object at this PAM yet.
    pub first: bool,
    /// The password has to go along.
    pub content: bool,
}

/// What has to be sent: what differs from what the PAM accepted.
pub fn due<'a>(facts: &Facts<'a>) -> Due<'a> {
    let (wish, record) = (&facts.wish, &facts.record);
    let claim = record
        .claim
        .filter(|claim| facts.link.target.is_none_or(|target| claim.target == target));
    let (Some(claim), Some(applied)) = (claim, record.applied) else {
        return Due::Send(Change {
            first: true,
            content: true,
        });
    };
    let identified = wish.identifier.is_none_or(|identifier| identifier == claim.identifier);
    let owes_content = owes_content(facts, applied);
    let current = applied.generation == wish.generation && identified && !owes_content;
    match &facts.content {
        Content::Unmoved | Content::Broken { unmoved: true, .. } if current => Due::Nothing,
        Content::Unmoved | Content::Unread | Content::Absent => Due::Unknown,
        Content::Broken { reason, message, .. } => Due::Broken(*reason, message),
        Content::Rendered(prints) => {
            let content = !wish.create_only && content_moved(applied, prints, owes_content);
            let body = body_moved(applied, prints, wish.generation);
            if content || body || !identified {
                Due::Send(Change { first: false, content })
            } else {
                Due::Nothing
            }
        }
    }
}

/// Whether a password that was never sent has to be: nobody else knows whether the PAM has it, so only who is asked to,
/// or who enforces it, sends it.
fn owes_content(facts: &Facts, applied: &Applied) -> bool {
    let wish = &facts.wish;
    (wish.requested || wish.enforces) && applied.content.is_none() && !wish.create_only
}

/// Whether anything but the password is another than the PAM accepted. Fingerprints under another key cannot be
/// compared, so generation and versions decide: a lost key must not push everything again.
fn body_moved(applied: &Applied, prints: &Prints, generation: i64) -> bool {
    if applied.key == prints.key {
        return applied.body != prints.body;
    }
    applied.generation != generation || prints.secrets.iter().any(|version| !applied.secrets.contains(version))
}

/// Whether the password is another one than the PAM accepted, by its fingerprint or, failing that, its version.
fn content_moved(applied: &Applied, prints: &Prints, owed: bool) -> bool {
    let Some(content) = &prints.content else {
        return false;
    };
    match &applied.content {
        Some(before) if applied.key == prints.key => before != content,
        before => {
            let source = prints.content_source.as_ref();
            let moved = source.is_some_and(|source| !applied.secrets.contains(source));
            moved || (owed && before.is_none())
        }
    }
}
