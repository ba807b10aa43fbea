//! Who a credential is: the identifier, the triple, and the object that declares it.
//!
//! The PAM's matching of these texts is undocumented, so two judgements exist side by side: *exact*, for what we
//! wrote ourselves, and *loose* (trimmed, case-folded), for everything that could be somebody else's.

use std::{fmt, sync::Arc};

use crate::{api::Claim, pam};

/// Namespace and name of an object: for a `PamCredential` what a claim, a fingerprint and a generated identifier are bound
/// to. One text that all clones share, because indexes, lines and memories name each object several times.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// Names the object `name` in `namespace`; the namespace of a cluster's object is empty.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self(format!("{namespace}/{name}").into())
    }

    /// The object's namespace.
    pub fn namespace(&self) -> &str {
        self.parts().0
    }

    /// The object's name.
    pub fn name(&self) -> &str {
        self.parts().1
    }

    /// Whether both are one text, not only equal ones.
    #[cfg(test)]
    pub fn shares(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// No namespace has a slash.
    fn parts(&self) -> (&str, &str) {
        self.0.split_once('/').unwrap_or(("", &self.0))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The device and the account on it: the second key by which the PAM finds a credential (seeds, "Preencher os
/// parâmetros hostname, ip e username").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Triple {
    /// Name of the device.
    pub hostname: String,
    /// Management address of the device, any text.
    pub ip: String,
    /// Account on the device.
    pub username: String,
}

impl Triple {
    /// Whether the PAM might take both for the same account.
    pub fn resembles(&self, other: &Triple) -> bool {
        self.folded() == other.folded()
    }

    /// The three texts as loose comparison sees them.
    pub fn folded(&self) -> [String; 3] {
        [fold(&self.hostname), fold(&self.ip), fold(&self.username)]
    }
}

impl fmt::Display for Triple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{} ({})", self.username, self.hostname, self.ip)
    }
}

impl From<&Claim> for Triple {
    fn from(claim: &Claim) -> Self {
        Self {
            hostname: claim.hostname.clone(),
            ip: claim.ip.clone(),
            username: claim.username.clone(),
        }
    }
}

/// A credential as the PAM lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The PAM's id.
    pub id: String,
    /// The identifier; old entries have none.
    pub identifier: Option<String>,
    /// Device and account.
    pub triple: Triple,
    /// When the password was changed, in the PAM's own words: compared, never interpreted.
    pub change: Option<String>,
}

impl From<pam::Entry<'_>> for Entry {
    fn from(entry: pam::Entry<'_>) -> Self {
        Self {
            id: entry.id.to_owned(),
            identifier: entry.identifier.filter(|text| !text.is_empty()).map(str::to_owned),
            triple: Triple {
                hostname: entry.hostname.to_owned(),
                ip: entry.ip.to_owned(),
                username: entry.username.to_owned(),
            },
            change: entry.change.map(str::to_owned),
        }
    }
}

/// A text as loose comparison sees it.
pub fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triples_resemble_each_other_in_other_case_and_with_blanks_around() {
        let ours = Triple {
            hostname: "Linkedin".into(),
            ip: "linkedin.com".into(),
            username: "john".into(),
        };
        let theirs = Triple {
            hostname: " LINKEDIN".into(),
            ip: "linkedin.com ".into(),
            username: "John".into(),
        };
        assert!(ours.resembles(&theirs));
        assert!(!ours.resembles(&Triple {
            username: "johnny".into(),
            ..theirs
        }));
    }
}
