//! What a failed POST means for the object, its connection and the next attempt.

use crate::{
    api::Reason,
    pam::{Class, Error, Outcome},
};

/// Who has to do what after a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The PAM refused this body: a person must act, and it is tried again only now and then.
    Refused(Reason),
    /// The authorization may not write at all: nobody can go on, and one waiting object finds out when that changes.
    ConnectionRefused(Reason),
    /// The PAM refused this call in a way that could concern all: the next token and listing tell.
    Doubtful(Reason),
    /// It may work later.
    Transient(Reason),
}

/// The reaction to a failed call (design 2.3, contract 4).
pub fn reaction(error: &Error) -> Reaction {
    match error.class {
        Class::DeviceNotFound => Reaction::Refused(Reason::DeviceNotFound),
        Class::DomainNotFound => Reaction::Refused(Reason::DomainNotFound),
        Class::PluginNotFound => Reaction::Refused(Reason::PluginNotFound),
        Class::TemplateNotFound => Reaction::Refused(Reason::TemplateNotFound),
        Class::DuplicateCredential => Reaction::Refused(Reason::DuplicateCredential),
        Class::InvalidIdentifier => Reaction::Refused(Reason::InvalidIdentifier),
        Class::InvalidUsername => Reaction::Refused(Reason::InvalidUsername),
        Class::InvalidDevice => Reaction::Refused(Reason::InvalidDevice),
        Class::NoAccessToCredential => Reaction::Refused(Reason::AccessDenied),
        Class::CredentialNotFound | Class::AlreadyInactive | Class::AlreadyActive | Class::Rejected => {
            Reaction::Refused(Reason::Rejected)
        }
        Class::NoWritePermission => Reaction::ConnectionRefused(Reason::AccessDenied),
        Class::Forbidden => Reaction::Doubtful(Reason::AccessDenied),
        Class::AuthenticationFailed => Reaction::Doubtful(Reason::AuthenticationFailed),
        Class::ApiNotFound => Reaction::Doubtful(Reason::ApiNotFound),
        Class::RateLimited => Reaction::Transient(Reason::RateLimited),
        Class::InternalError | Class::Unavailable => Reaction::Transient(Reason::PamUnavailable),
        Class::InvalidResponse => Reaction::Transient(Reason::InvalidResponse),
    }
}

/// The reason on the connection when its token or its listing failed, and whether a person must act. Any refusal of
/// the listing counts: without it nothing can be judged.
pub fn connection_reaction(error: &Error) -> (Reason, bool) {
    match reaction(error) {
        Reaction::Transient(reason) => (reason, false),
        Reaction::ConnectionRefused(reason) | Reaction::Doubtful(reason) => (reason, true),
        Reaction::Refused(_) => (Reason::AccessDenied, true),
    }
}

/// Whether the PAM may have done what was asked.
pub fn may_have_happened(error: &Error) -> bool {
    error.outcome == Outcome::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_reaction_on_object_and_connection() {
        use Reaction::{ConnectionRefused, Doubtful, Refused, Transient};
        let cases = [
            (Class::DeviceNotFound, Refused(Reason::DeviceNotFound)),
            (Class::DomainNotFound, Refused(Reason::DomainNotFound)),
            (Class::PluginNotFound, Refused(Reason::PluginNotFound)),
            (Class::TemplateNotFound, Refused(Reason::TemplateNotFound)),
            (Class::DuplicateCredential, Refused(Reason::DuplicateCredential)),
            (Class::InvalidIdentifier, Refused(Reason::InvalidIdentifier)),
            (Class::InvalidUsername, Refused(Reason::InvalidUsername)),
            (Class::InvalidDevice, Refused(Reason::InvalidDevice)),
            (Class::CredentialNotFound, Refused(Reason::Rejected)),
            (Class::AlreadyInactive, Refused(Reason::Rejected)),
            (Class::AlreadyActive, Refused(Reason::Rejected)),
            (Class::NoAccessToCredential, Refused(Reason::AccessDenied)),
            (Class::NoWritePermission, ConnectionRefused(Reason::AccessDenied)),
            (Class::Forbidden, Doubtful(Reason::AccessDenied)),
            (Class::AuthenticationFailed, Doubtful(Reason::AuthenticationFailed)),
            (Class::ApiNotFound, Doubtful(Reason::ApiNotFound)),
            (Class::Rejected, Refused(Reason::Rejected)),
            (Class::InternalError, Transient(Reason::PamUnavailable)),
            (Class::RateLimited, Transient(Reason::RateLimited)),
            (Class::Unavailable, Transient(Reason::PamUnavailable)),
            (Class::InvalidResponse, Transient(Reason::InvalidResponse)),
        ];
        for (class, expected) in cases {
            let error = Error::new(class, Outcome::NotExecuted);
            assert_eq!(reaction(&error), expected, "{class:?}");
            // A connection without listing can judge nothing, so whatever refuses that stalls it.
            let on_connection = match expected {
                Transient(reason) => (reason, false),
                Doubtful(reason) | ConnectionRefused(reason) => (reason, true),
                Refused(_) => (Reason::AccessDenied, true),
            };
            assert_eq!(connection_reaction(&error), on_connection, "{class:?}");
        }
    }

    #[test]
    fn reasons_agree_with_reactions_on_who_has_to_act() {
        let classes = [
            Class::DomainNotFound,
            Class::NoWritePermission,
            Class::Forbidden,
            Class::Unavailable,
        ];
        for class in classes {
            let (reason, stalled) = connection_reaction(&Error::new(class, Outcome::NotExecuted));
            assert_eq!(reason.is_stalled(), stalled, "{class:?}");
        }
    }
}
