//! The calls on one credential: DELETE deactivates, PUT reactivates, GET discloses.

use std::sync::Arc;

use crate::simulator::{
    data::Client,
    switches::ToggleCodes,
    vault::{
        credential::Credential,
        refusal::{self, Refusal},
        store::Store,
    },
};

impl Store {
    /// The credential that a path segment selects: an id wins over an identifier, and that over `username@hostname`, which is
    /// split at its first `@` and therefore fails for user names that contain one (contract 2.4).
    pub(crate) fn select(&self, selector: &str) -> Option<&Credential> {
        let by_id = selector.parse().ok().and_then(|id| self.get(id));
        by_id
            .or_else(|| self.with_identifier(selector))
            .or_else(|| self.with_account(selector))
            .map(AsRef::as_ref)
    }

    /// Scans: nobody who cares for speed uses this form.
    fn with_account(&self, selector: &str) -> Option<&Arc<Credential>> {
        let (username, hostname) = selector.split_once('@')?;
        self.all()
            .find(|credential| credential.username == username && credential.hostname == hostname)
    }

    /// Deactivates; returns the id.
    pub(crate) fn deactivate(&mut self, selector: &str, client: &Client) -> Result<u64, Refusal> {
        self.toggle(selector, client, false)
    }

    /// Reactivates; returns the id.
    pub(crate) fn reactivate(&mut self, selector: &str, client: &Client) -> Result<u64, Refusal> {
        self.toggle(selector, client, true)
    }

    fn toggle(&mut self, selector: &str, client: &Client, active: bool) -> Result<u64, Refusal> {
        client.may_write()?;
        let credential = self.accessible(selector, client)?;
        let id = credential.id;
        if credential.active == active {
            return Err(match (self.behaviour.toggle_codes, active) {
                (ToggleCodes::Separate, false) => refusal::INACTIVE,
                (ToggleCodes::Separate, true) => refusal::ACTIVE,
                (ToggleCodes::Shared, false) => refusal::SHARED_INACTIVE,
                (ToggleCodes::Shared, true) => refusal::SHARED_ACTIVE,
            });
        }
        self.modify(id, |credential, _| credential.active = active);
        Ok(id)
    }

    /// Discloses a credential and gives its custody to `client`.
    pub(crate) fn reveal(&mut self, selector: &str, client: &Client) -> Result<Credential, Refusal> {
        let credential = self.accessible(selector, client)?;
        if !credential.active {
            return Err(refusal::INACTIVE);
        }
        let id = credential.id;
        self.modify(id, |credential, clock| {
            credential.view = Some(clock.stamp());
            credential.custody = Some(client.id.clone());
        });
        Ok(self.get(id).expect("modified a moment ago").as_ref().clone())
    }

    fn accessible(&self, selector: &str, client: &Client) -> Result<&Credential, Refusal> {
        client.may_read()?;
        let credential = self.select(selector).ok_or(refusal::NOT_FOUND)?;
        if credential.is_ssh_key() {
            return Err(refusal::NOT_A_CREDENTIAL);
        }
        if !client.sees(credential) {
            return Err(refusal::NO_ACCESS);
        }
        Ok(credential)
    }
}

#[cfg(test)]
#[path = "toggle_tests.rs"]
mod tests;
