//! The closed set of reasons that conditions and events give, each with its meaning and what a person should do about
//! it.

use std::fmt;

use schemars::JsonSchema;

/// Why a condition is as it is. The comments of the variants are the meanings that the documentation prints.
#[derive(Clone, Copy, Debug, Eq, Hash, JsonSchema, Ord, PartialEq, PartialOrd)]
pub enum Reason {
    /// The PAM accepted this generation and this content; for a connection: its settings and client.
    Synced,
    /// `spec.suspend` of the object or of its connection.
    Suspended,
    /// A request is under way.
    Progressing,
    /// The connection that is named does not exist.
    ConnectionNotFound,
    /// The connection exists and cannot be used now.
    ConnectionNotReady,
    /// The `ClusterPamConnection` does not allow the object's namespace.
    ConnectionNotAllowed,
    /// The `ClusterPamConnection` does not allow what the object uses.
    NotPermitted,
    /// The connection's URL, CA bundle, client certificate or another setting cannot be used.
    InvalidConnection,
    /// A Secret or `ConfigMap` that is named does not exist.
    SecretNotFound,
    /// The Secret lacks the key, or its value is empty or not UTF-8.
    SecretKeyNotFound,
    /// The credential exists in the PAM and is not this object's.
    AlreadyExists,
    /// Another object of this cluster owns the same credential.
    Conflict,
    /// The PAM answered with another id or identifier than expected, or updated where nothing was listed.
    UnexpectedAnswer,
    /// 1011: no active device has this hostname and ip.
    DeviceNotFound,
    /// 1029: a domain is not registered.
    DomainNotFound,
    /// 1046: a plugin is missing or not registered.
    PluginNotFound,
    /// 1047: a template is missing or not registered.
    TemplateNotFound,
    /// 1052: another credential has the same hostname and device.
    DuplicateCredential,
    /// 1053: the PAM does not accept the identifier's characters.
    InvalidIdentifier,
    /// 1042: the PAM does not accept the user name.
    InvalidUsername,
    /// 1004, 1005: the PAM does not accept hostname or ip.
    InvalidDevice,
    /// The PAM failed repeatedly on a request that names an owner.
    OwnerNotFound,
    /// Any other refusal of the PAM.
    Rejected,
    /// 1009, 1039 or 403: the authorization does not reach so far.
    AccessDenied,
    /// The PAM did not accept the connection's client.
    AuthenticationFailed,
    /// The PAM has no such path.
    ApiNotFound,
    /// The PAM could not be reached, or answered that it failed.
    PamUnavailable,
    /// 429: too many requests.
    RateLimited,
    /// The answer was not the PAM's: HTML, cut off, or too large.
    InvalidResponse,
    /// User name, hostname, ip or identifier were changed in the PAM.
    Drifted,
    /// The PAM changed the password after it was sent.
    PasswordChangedInPam,
    /// The credential vanished from the PAM's list.
    NotFoundInPam,
    /// The credential of a deleted object could not be deactivated yet.
    DeactivationFailed,
}

impl Reason {
    /// Every reason, in the order in which documentation lists them.
    pub const ALL: [Self; 33] = [
        Self::Synced,
        Self::Suspended,
        Self::Progressing,
        Self::ConnectionNotFound,
        Self::ConnectionNotReady,
        Self::ConnectionNotAllowed,
        Self::NotPermitted,
        Self::InvalidConnection,
        Self::SecretNotFound,
        Self::SecretKeyNotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::UnexpectedAnswer,
        Self::DeviceNotFound,
        Self::DomainNotFound,
        Self::PluginNotFound,
        Self::TemplateNotFound,
        Self::DuplicateCredential,
        Self::InvalidIdentifier,
        Self::InvalidUsername,
        Self::InvalidDevice,
        Self::OwnerNotFound,
        Self::Rejected,
        Self::AccessDenied,
        Self::AuthenticationFailed,
        Self::ApiNotFound,
        Self::PamUnavailable,
        Self::RateLimited,
        Self::InvalidResponse,
        Self::Drifted,
        Self::PasswordChangedInPam,
        Self::NotFoundInPam,
        Self::DeactivationFailed,
    ];

    /// The reason as conditions and events carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::ConnectionNotFound => "ConnectionNotFound",
            Self::ConnectionNotReady => "ConnectionNotReady",
            Self::ConnectionNotAllowed => "ConnectionNotAllowed",
            Self::NotPermitted => "NotPermitted",
            Self::InvalidConnection => "InvalidConnection",
            Self::SecretNotFound => "SecretNotFound",
            Self::SecretKeyNotFound => "SecretKeyNotFound",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::UnexpectedAnswer => "UnexpectedAnswer",
            Self::DeviceNotFound => "DeviceNotFound",
            Self::DomainNotFound => "DomainNotFound",
            Self::PluginNotFound => "PluginNotFound",
            Self::TemplateNotFound => "TemplateNotFound",
            Self::DuplicateCredential => "DuplicateCredential",
            Self::InvalidIdentifier => "InvalidIdentifier",
            Self::InvalidUsername => "InvalidUsername",
            Self::InvalidDevice => "InvalidDevice",
            Self::OwnerNotFound => "OwnerNotFound",
            Self::Rejected => "Rejected",
            Self::AccessDenied => "AccessDenied",
            Self::AuthenticationFailed => "AuthenticationFailed",
            Self::ApiNotFound => "ApiNotFound",
            Self::PamUnavailable => "PamUnavailable",
            Self::RateLimited => "RateLimited",
            Self::InvalidResponse => "InvalidResponse",
            Self::Drifted => "Drifted",
            Self::PasswordChangedInPam => "PasswordChangedInPam",
            Self::NotFoundInPam => "NotFoundInPam",
            Self::DeactivationFailed => "DeactivationFailed",
        }
    }

    /// Whether a person must act before the object can go on.
    ///
    /// The caller decides where it depends on more than the reason: `Drifted` stalls a waiting update under driftPolicy
    /// Report, and an `AccessDenied` of the connection makes its objects wait with `ConnectionNotReady`.
    #[must_use]
    pub fn is_stalled(self) -> bool {
        self.is_refusal()
            || matches!(
                self,
                Self::ConnectionNotAllowed
                    | Self::NotPermitted
                    | Self::InvalidConnection
                    | Self::AlreadyExists
                    | Self::Conflict
                    | Self::UnexpectedAnswer
                    | Self::AuthenticationFailed
                    | Self::ApiNotFound
            )
    }

    /// Whether the object goes on by itself: a request is under way, or what it waits for is watched or tried again.
    #[must_use]
    pub fn is_reconciling(self) -> bool {
        matches!(
            self,
            Self::Progressing
                | Self::ConnectionNotFound
                | Self::ConnectionNotReady
                | Self::SecretNotFound
                | Self::SecretKeyNotFound
                | Self::PamUnavailable
                | Self::RateLimited
                | Self::InvalidResponse
        )
    }

    /// The reason with this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Whether the PAM refused what the object asked for: it is tried again only now and then.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::DeviceNotFound
                | Self::DomainNotFound
                | Self::PluginNotFound
                | Self::TemplateNotFound
                | Self::DuplicateCredential
                | Self::InvalidIdentifier
                | Self::InvalidUsername
                | Self::InvalidDevice
                | Self::OwnerNotFound
                | Self::Rejected
                | Self::AccessDenied
        )
    }

    /// What a person should do; ends with a full stop.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Synced => "Nothing to do.",
            Self::Suspended => "Set spec.suspend to false to continue.",
            Self::Progressing => "Wait for the answer of the PAM.",
            Self::ConnectionNotFound => "Create the connection, or correct kind and name in spec.connectionRef.",
            Self::ConnectionNotReady => "See the conditions of the connection; this object continues by itself.",
            Self::ConnectionNotAllowed => {
                "Ask the administrators of the ClusterPamConnection to add this namespace to spec.allowedNamespaces, \
                 or use another connection."
            }
            Self::NotPermitted => {
                "Remove what is not permitted, or ask the administrators of the ClusterPamConnection to add it to \
                 spec.allow."
            }
            Self::InvalidConnection => {
                "Correct what the message names in the connection's spec, or in the Secret or ConfigMap it refers to."
            }
            Self::SecretNotFound => "Create what is missing, or correct its name; this object continues by itself.",
            Self::SecretKeyNotFound => {
                "Add the key with a value that is UTF-8 and not empty, or correct its name; this object continues by \
                 itself."
            }
            Self::AlreadyExists => {
                "Choose another identifier, username, hostname or ip; or set spec.adoptionPolicy to Adopt if this \
                 object shall take the credential over."
            }
            Self::Conflict => {
                "Keep only one of the two objects, or give this one another identifier, username, hostname or ip."
            }
            Self::UnexpectedAnswer => {
                "Look for a credential in the PAM with this identifier, or this username, hostname and ip, that is \
                 inactive or not visible to the authorization: activate it, show it to the authorization or rename \
                 it; or set spec.adoptionPolicy to Adopt to take it over."
            }
            Self::DeviceNotFound => {
                "Create or enable the device in the PAM, or correct spec.hostname and spec.ip: both must be as the \
                 PAM has them."
            }
            Self::DomainNotFound => "Register the domain in the PAM, or correct spec.domain or spec.deviceDomain.",
            Self::PluginNotFound => "Name plugins that are registered in the PAM in executionSettings and jitSettings.",
            Self::TemplateNotFound => {
                "Name templates that are registered in the PAM in executionSettings and jitSettings."
            }
            Self::DuplicateCredential => {
                "Another credential has this username on this device under another identifier: use its identifier, or \
                 change username, hostname or ip."
            }
            Self::InvalidIdentifier => "Use only letters, digits, _ and - in spec.identifier.",
            Self::InvalidUsername => "Correct spec.username.",
            Self::InvalidDevice => "Correct spec.hostname and spec.ip.",
            Self::OwnerNotFound => "Name an existing user of the PAM in additionalSettings.userCredentialOwner.",
            Self::Rejected => "Correct the spec after the message; the PAM's own log says more.",
            Self::AccessDenied => {
                "Give the PAM authorization of this client read and write permission on PAM Core, listing included, \
                 and access to the credential."
            }
            Self::AuthenticationFailed => {
                "Correct clientId and clientSecret in the connection's Secret, and check that the authorization is \
                 enabled and allows this client's address."
            }
            Self::ApiNotFound => "Correct spec.url and spec.apiPrefix of the connection.",
            Self::PamUnavailable => {
                "Check that the PAM runs and that the network lets the operator reach it; it is tried again by \
                 itself."
            }
            Self::RateLimited => {
                "Nothing to do: it is tried again by itself. Lower spec.rateLimit of the connection if this is \
                 frequent."
            }
            Self::InvalidResponse => {
                "Check that spec.url of the connection is the PAM itself, not a login page or a proxy; it is tried \
                 again by itself."
            }
            Self::Drifted => {
                "Undo the change in the PAM, or take it over into the spec; or set spec.driftPolicy to Correct to \
                 send the spec again."
            }
            Self::PasswordChangedInPam => {
                "Put the new password into the Secret; or set spec.passwordPolicy to Enforce to send the Secret's \
                 again."
            }
            Self::NotFoundInPam => {
                "Check in the PAM whether it was deleted, deactivated or hidden from the authorization; or set \
                 spec.driftPolicy to Correct to create it again."
            }
            Self::DeactivationFailed => {
                "Mend what the message names; it is tried again by itself, and after --deletion-timeout the object \
                 goes without it."
            }
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
