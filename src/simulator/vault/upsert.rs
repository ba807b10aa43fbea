//! POST credential: the decision table of contract 5.1.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::simulator::{
    data::{Client, NewCredential},
    switches::{Collision, ContentRule, InactiveOnPost, PartialSettings, WithoutIdentifier},
    vault::{
        body::CredentialPost,
        check::{Names, check},
        clock::fresh_identifier,
        refusal::{self, Refusal},
        store::Store,
    },
};

/// What a POST did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The credential's id.
    pub id: u64,
    /// Whether it is new.
    pub created: bool,
    /// Its identifier afterwards.
    pub identifier: Option<String>,
    /// Its identifier before.
    pub previous_identifier: Option<String>,
}

/// Which credential a POST means, and why.
enum Target {
    /// Rows 1 and 2, and 3 where the switch lets the identifier win.
    ByIdentifier(u64),
    /// Rows 4 and 6.
    ByTriple(u64),
    /// Rows 5 and 7.
    New,
}

/// What an update does to the password.
enum ContentChange {
    Keep,
    Remove,
    Write(SecretString),
}

impl Store {
    /// Creates or updates a credential on behalf of `client`.
    pub(crate) fn post(&mut self, post: &CredentialPost, client: &Client) -> Result<Written, Refusal> {
        client.may_write()?;
        let names = check(post, &self.registry, &self.behaviour)?;
        let target = self.target(post, &names)?;
        let written = match target {
            Target::New => self.create(post, &names, client),
            Target::ByIdentifier(id) => {
                self.check_update(id, client)?;
                let identifier = self.get(id).and_then(|credential| credential.identifier.clone());
                self.update(id, post, &names, identifier)
            }
            Target::ByTriple(id) => {
                self.check_update(id, client)?;
                let identifier = self.identifier_after_update(id, post);
                self.update(id, post, &names, identifier)
            }
        };
        self.registry.learn(&names.hostname, &names.ip, &post.fields);
        Ok(written)
    }

    fn target(&self, post: &CredentialPost, names: &Names) -> Result<Target, Refusal> {
        let by_identifier = post
            .identifier
            .as_deref()
            .and_then(|identifier| self.with_identifier(identifier));
        let by_triple = self.with_triple(&names.hostname, &names.ip, &names.username);
        match (by_identifier, by_triple) {
            (Some(a), Some(b)) if a.id != b.id && self.behaviour.collision == Collision::Refuse => {
                Err(refusal::DUPLICATE)
            }
            (Some(a), _) => Ok(Target::ByIdentifier(a.id)),
            (None, Some(b)) => Ok(Target::ByTriple(b.id)),
            (None, None) => Ok(Target::New),
        }
    }

    fn check_update(&self, id: u64, client: &Client) -> Result<(), Refusal> {
        let credential = self.get(id).expect("the decision table names stored credentials only");
        if !client.sees(credential) {
            return Err(refusal::NO_ACCESS);
        }
        if !credential.active && self.behaviour.inactive_on_post == InactiveOnPost::Refuse {
            return Err(refusal::INACTIVE);
        }
        Ok(())
    }

    /// Rows 4 and 6: the sent identifier replaces the old one; without one the version decides.
    fn identifier_after_update(&self, id: u64, post: &CredentialPost) -> Option<String> {
        let stored = || self.get(id).and_then(|credential| credential.identifier.clone());
        match (&post.identifier, self.behaviour.identifier_without) {
            (Some(identifier), _) => Some(identifier.clone()),
            (None, WithoutIdentifier::Regenerate) => Some(fresh_identifier()),
            (None, WithoutIdentifier::Keep | WithoutIdentifier::Null) => stored(),
        }
    }

    fn create(&mut self, post: &CredentialPost, names: &Names, client: &Client) -> Written {
        let identifier = match (&post.identifier, self.behaviour.identifier_without) {
            (Some(identifier), _) => Some(identifier.clone()),
            (None, WithoutIdentifier::Null) => None,
            (None, WithoutIdentifier::Regenerate | WithoutIdentifier::Keep) => Some(fresh_identifier()),
        };
        let id = self.register(NewCredential {
            identifier: identifier.clone(),
            content: post.content.clone().filter(is_filled),
            created_by: Some(client.id.clone()),
            fields: post.fields.clone(),
            ..NewCredential::new(&names.hostname, &names.ip, &names.username)
        });
        Written {
            id,
            created: true,
            identifier,
            previous_identifier: None,
        }
    }

    fn update(&mut self, id: u64, post: &CredentialPost, names: &Names, identifier: Option<String>) -> Written {
        let previous_identifier = self.get(id).and_then(|credential| credential.identifier.clone());
        let content = self.content_change(post);
        let merge = self.behaviour.partial_settings == PartialSettings::Merge;
        self.modify(id, |credential, clock| {
            credential.identifier.clone_from(&identifier);
            credential.username.clone_from(&names.username);
            credential.hostname.clone_from(&names.hostname);
            credential.ip.clone_from(&names.ip);
            update_fields(&mut credential.fields, &post.fields, merge);
            match content {
                ContentChange::Keep => {}
                ContentChange::Remove => credential.write_content(None, clock),
                ContentChange::Write(content) => credential.write_content(Some(content), clock),
            }
        });
        Written {
            id,
            created: false,
            identifier,
            previous_identifier,
        }
    }

    fn content_change(&self, post: &CredentialPost) -> ContentChange {
        let rule = match &post.content {
            Some(content) if is_filled(content) => return ContentChange::Write(content.clone()),
            Some(_) => self.behaviour.content_empty,
            None => self.behaviour.content_omitted,
        };
        match rule {
            ContentRule::Keep => ContentChange::Keep,
            ContentRule::Blank => ContentChange::Remove,
        }
    }
}

/// Fields that are not sent stay as they are (contract 5.3).
fn update_fields(stored: &mut Map<String, Value>, sent: &Map<String, Value>, merge: bool) {
    for (key, value) in sent {
        match (stored.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) if merge => {
                old.extend(new.iter().map(|(key, value)| (key.clone(), value.clone())));
            }
            _ => {
                stored.insert(key.clone(), value.clone());
            }
        }
    }
}

fn is_filled(content: &SecretString) -> bool {
    !content.expose_secret().is_empty()
}

#[cfg(test)]
#[path = "upsert_tests.rs"]
mod tests;
