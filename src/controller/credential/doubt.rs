//! What a request leaves behind whose answer is not known: the PAM may have what it brought, whatever status says of the
//! request before it.

use crate::api::{Applied, PamCredentialStatus, Reason};
use crate::controller::{
    ownership::{identity::Entry, register::Register},
    plan::facts::Unsure,
};

/// The generation of no object.
const NEVER: i64 = -1;

/// The entry of the PAM that has our id.
pub fn own_entry(status: &PamCredentialStatus, register: &Register) -> Option<Entry> {
    register.by_id(status.claim.as_ref()?.id.as_deref()?)
}

/// What was accepted last, as far as it still holds after a request whose answer is not known: that may have changed
/// everything in which it differs, so nothing may pass for sent already that was sent before it.
pub fn doubtful(status: &PamCredentialStatus, unsure: Option<&Unsure>) -> Option<Applied> {
    let (claim, applied) = (status.claim.as_ref()?, status.applied.as_ref()?);
    let same_content = match unsure.and_then(|unsure| unsure.sent.as_ref()) {
        Some((identifier, body, content)) => {
            let same_content = content.is_none() || *content == applied.content;
            if *identifier == claim.identifier && *body == applied.body && same_content {
                return None;
            }
            same_content
        }
        // Another process may have sent something that it had no answer to. An unchanged password is never sent again
        // for that.
        None if may_be_unanswered(status) => true,
        None => return None,
    };
    Some(Applied {
        generation: NEVER,
        body: String::new(),
        content: if same_content {
            applied.content.clone()
        } else {
            Some(String::new())
        },
        ..applied.clone()
    })
}

/// Whether status tells of a request that is under way, or of a failure after which the PAM may have done what was asked.
fn may_be_unanswered(status: &PamCredentialStatus) -> bool {
    let unanswered = [Reason::PamUnavailable, Reason::InvalidResponse, Reason::Progressing];
    !status.is_ready() && status.reason().is_some_and(|reason| unanswered.contains(&reason))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::*;
    use crate::controller::credential::report;

    /// A status that accepted body `b` and password `p` under the identifier `i`.
    fn status() -> PamCredentialStatus {
        let claim = json!({"target": "t", "id": "1", "identifier": "i", "hostname": "h", "ip": "a", "username": "u", "mac": "m"});
        let applied = json!({"generation": 1, "time": "2026-01-01T00:00:00Z", "body": "b", "content": "p", "key": "k"});
        serde_json::from_value(json!({"claim": claim, "applied": applied, "conditions": []})).expect("a status")
    }

    fn sent(identifier: &str, body: &str, content: Option<&str>) -> Unsure {
        Unsure {
            settles: Instant::now(),
            sent: Some((identifier.to_owned(), body.to_owned(), content.map(str::to_owned))),
        }
    }

    #[test]
    fn what_was_accepted_is_doubtful_where_an_unanswered_request_differs() {
        let status = status();
        for same in [sent("i", "b", None), sent("i", "b", Some("p"))] {
            assert_eq!(doubtful(&status, Some(&same)), None);
        }
        for (other, content) in [
            (sent("i", "c", None), "p"),
            (sent("j", "b", None), "p"),
            (sent("i", "c", Some("p")), "p"),
            (sent("i", "b", Some("q")), ""),
            (sent("i", "c", Some("q")), ""),
        ] {
            let applied = doubtful(&status, Some(&other)).expect("in doubt");
            assert_eq!((applied.generation, applied.body.as_str()), (NEVER, ""));
            assert_eq!(applied.content.as_deref(), Some(content));
        }
        let unknown = Unsure {
            settles: Instant::now(),
            sent: None,
        };
        assert_eq!(doubtful(&status, Some(&unknown)), None);
        assert_eq!(doubtful(&status, None), None);
    }

    #[test]
    fn a_failure_of_another_process_leaves_a_doubt_of_everything_but_the_password() {
        let stamp = report::Stamp::new(2, None);
        for (reason, doubt) in [
            (Reason::PamUnavailable, true),
            (Reason::InvalidResponse, true),
            (Reason::Progressing, true),
            (Reason::DomainNotFound, false),
            (Reason::RateLimited, false),
        ] {
            let failed = report::finding(status(), &stamp, reason, "it failed");
            let applied = doubtful(&failed, None);
            assert_eq!(applied.is_some(), doubt, "{reason:?}");
            assert!(applied.is_none_or(|applied| applied.content.as_deref() == Some("p")));
        }
    }
}
