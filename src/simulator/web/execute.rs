//! What the PAM answers to a call that reaches it.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::simulator::{
    data::Client,
    switches::IdentifierKey,
    vault::{
        body::CredentialPost,
        credential::Credential,
        refusal::{self, Refusal},
        upsert::Written,
    },
    web::{answer::Answer, envelope, gateway::Call, service::Simulator},
};

impl Simulator {
    /// Carries a call out.
    pub(crate) fn execute(&self, call: Call) -> Answer {
        let done = match call {
            Call::Refused(answer) => Ok(answer),
            Call::Token(request) => Ok(request.answer(&mut self.tokens(), &self.behaviour)),
            Call::List(client) => self.list(&client),
            Call::Reveal(client, selector) => self.reveal(&client, &selector),
            Call::Post(client, post) => self.post(&client, &post),
            Call::Delete(client, selector) => {
                let id = self.store().deactivate(&selector, &client);
                id.map(|id| self.success(200, "Credential successfully deactivated", None).about(id))
            }
            Call::Put(client, selector) => {
                let id = self.store().reactivate(&selector, &client);
                id.map(|id| self.success(200, "Credential successfully activated", None).about(id))
            }
            Call::Unknown => Err(refusal::UNKNOWN_PATH),
        };
        done.unwrap_or_else(|refusal| Answer::refusal(&self.behaviour, &refusal))
    }

    fn list(&self, client: &Client) -> Result<Answer, Refusal> {
        let listing = self.store().list(client)?;
        Ok(Answer::bytes(200, "application/json", listing.render(&self.behaviour)))
    }

    /// The envelope says 201 for create and update alike; only the message tells them apart, and the HTTP status may differ.
    fn post(&self, client: &Client, post: &CredentialPost) -> Result<Answer, Refusal> {
        let written = self.store().post(post, client)?;
        let message = if written.created {
            "Credential successfully registered!"
        } else {
            "Credential updated successfully!"
        };
        let answer = self
            .success(201, message, Some(self.written(&written)))
            .about(written.id);
        Ok(Answer {
            status: self.behaviour.status_on_post,
            ..answer
        })
    }

    fn written(&self, written: &Written) -> Value {
        let id = written.id.to_string();
        match self.behaviour.identifier_key {
            IdentifierKey::Identifier => json!({"id": id, "identifier": written.identifier}),
            IdentifierKey::Tag => json!({"id": id, "tag": written.previous_identifier}),
        }
    }

    fn reveal(&self, client: &Client, selector: &str) -> Result<Answer, Refusal> {
        let credential = self.store().reveal(selector, client)?;
        let id = credential.id;
        Ok(self
            .success(200, &format!("Credential {id}"), Some(self.disclosed(&credential)))
            .about(id))
    }

    /// The credential with its password in clear, twice, as the contract shows it (2.4).
    fn disclosed(&self, credential: &Credential) -> Value {
        let field = |key: &str| credential.fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let content = credential.content.as_ref().map(ExposeSecret::expose_secret);
        let identifier_key = match self.behaviour.identifier_key {
            IdentifierKey::Identifier => "identifier",
            IdentifierKey::Tag => "tag",
        };
        json!({
            "id": credential.id.to_string(), identifier_key: credential.identifier, "username": credential.username,
            "password": content, "content": content, "hostname": credential.hostname,
            "parent_credential_cod": credential.fields.get("parent_password"), "parent_credential": null,
            "additional": field("additional"), "domain": field("domain"), "ip": credential.ip,
            "port": "", "model": field("model"), "expiration_time": null,
        })
    }

    /// A success about one credential.
    fn success(&self, status: u16, message: &str, credential: Option<Value>) -> Answer {
        let payload = credential.map(|credential| ("credential", credential));
        Answer::json(status, &envelope::success(&self.behaviour, status, message, payload))
    }
}
