//! The clients of the PAM and the tokens they hold.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};

use crate::simulator::data::Client;

/// Tokens above which expired ones are swept.
const SWEEP_ABOVE: usize = 1024;

/// Clients and their tokens. Asking for a token leaves older ones valid.
pub(crate) struct Tokens {
    clients: HashMap<String, Arc<Client>>,
    issued: HashMap<String, Issued>,
}

struct Issued {
    client: String,
    expires: Instant,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// It was never issued, or not by this PAM.
    Unknown,
    /// Its life is over.
    Expired,
}

impl Tokens {
    pub(crate) fn new(clients: &[Client]) -> Self {
        let clients = clients
            .iter()
            .map(|client| (client.id.clone(), Arc::new(client.clone())))
            .collect();
        Self {
            clients,
            issued: HashMap::new(),
        }
    }

    /// A token for a client that knows its secret.
    pub(crate) fn issue(&mut self, id: &str, secret: &str, life: Duration) -> Option<String> {
        let client = self
            .clients
            .get(id)
            .filter(|client| client.secret.expose_secret() == secret)?;
        let now = Instant::now();
        if self.issued.len() > SWEEP_ABOVE {
            self.issued.retain(|_, issued| issued.expires > now);
        }
        let token = HEXLOWER.encode(&rand::random::<[u8; 32]>());
        self.issued.insert(
            token.clone(),
            Issued {
                client: client.id.clone(),
                expires: now + life,
            },
        );
        Some(token)
    }

    /// The client that a token belongs to, as it is configured now.
    pub(crate) fn client(&self, token: &str) -> Result<Arc<Client>, TokenError> {
        let issued = self.issued.get(token).ok_or(TokenError::Unknown)?;
        if issued.expires <= Instant::now() {
            return Err(TokenError::Expired);
        }
        self.clients.get(&issued.client).cloned().ok_or(TokenError::Unknown)
    }

    /// Ends the life of every token.
    pub(crate) fn expire_all(&mut self) {
        let now = Instant::now();
        self.issued.values_mut().for_each(|issued| issued.expires = now);
    }

    /// The tokens issued so far (sweeping forgets old ones only above a thousand).
    pub(crate) fn issued(&self) -> Vec<SecretString> {
        self.issued.keys().map(|token| token.as_str().into()).collect()
    }

    /// Changes a client; false when there is none.
    pub(crate) fn edit_client(&mut self, id: &str, change: impl FnOnce(&mut Client)) -> bool {
        self.clients
            .get_mut(id)
            .map(|client| change(Arc::make_mut(client)))
            .is_some()
    }

    /// Adds a client, or replaces the one of the same id.
    pub(crate) fn add_client(&mut self, client: Client) {
        self.clients.insert(client.id.clone(), Arc::new(client));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn only_the_secret_of_a_known_client_gives_a_token() {
        let mut tokens = Tokens::new(&[Client::new("a", "secret")]);
        assert!(tokens.issue("a", "other", HOUR).is_none());
        assert!(tokens.issue("b", "secret", HOUR).is_none());
        let token = tokens.issue("a", "secret", HOUR).expect("id and secret are right");
        assert_eq!(
            tokens.client(&token).map(|client| client.id.clone()),
            Ok("a".to_owned())
        );
    }

    #[test]
    fn a_token_expires_and_others_are_not_affected_by_a_new_one() {
        let mut tokens = Tokens::new(&[Client::new("a", "secret")]);
        let first = tokens.issue("a", "secret", HOUR).expect("known client");
        let short = tokens.issue("a", "secret", Duration::ZERO).expect("known client");
        assert_eq!(tokens.client(&short).map(|_| ()), Err(TokenError::Expired));
        assert!(tokens.client(&first).is_ok());
        tokens.expire_all();
        assert_eq!(tokens.client(&first).map(|_| ()), Err(TokenError::Expired));
        assert_eq!(tokens.client("made up").map(|_| ()), Err(TokenError::Unknown));
    }
}
