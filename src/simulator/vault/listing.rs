//! GET of all credentials: what it shows, and what it does not (passwords, tags, settings, state).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::simulator::{
    data::{Client, Device},
    switches::{AutomaticChange, Behaviour},
    vault::{credential::Credential, refusal::Refusal, store::Store},
    web::envelope,
};

/// The visible credentials with their devices, taken under the lock and rendered without it.
pub(crate) struct Listing {
    items: Vec<(Arc<Credential>, Option<Arc<Device>>)>,
}

/// One entry, with the keys of contract 2.3.
#[derive(Serialize)]
struct Item<'a> {
    id: String,
    identifier: Option<&'a str>,
    username: &'a str,
    expiration: Option<&'a str>,
    change: Option<&'a str>,
    view: Option<&'a str>,
    hostname: &'a str,
    management_ip: &'a str,
    #[serde(rename = "type")]
    type_: &'a str,
    type_code: &'static str,
    device_model: &'a str,
    device_type: &'a str,
    device_vendor: &'a str,
    automatic_change: Value,
    connectivity: &'a str,
    connectivity_code: &'static str,
}

impl Store {
    /// What `client` may see.
    pub(crate) fn list(&self, client: &Client) -> Result<Listing, Refusal> {
        client.may_read()?;
        let listed = |credential: &&Arc<Credential>| {
            (credential.active || self.behaviour.list_inactive) && client.sees(credential)
        };
        let device = |credential: &Credential| self.registry.device(&credential.hostname, &credential.ip).cloned();
        let items = self
            .all()
            .filter(listed)
            .map(|credential| (Arc::clone(credential), device(credential)))
            .collect();
        Ok(Listing { items })
    }
}

impl Listing {
    /// The answer's JSON. Built item by item: a tree of 100,000 entries would take many times the memory.
    pub(crate) fn render(&self, behaviour: &Behaviour) -> Vec<u8> {
        let message = format!("{} credentials found", self.items.len());
        let mut json = envelope::success(behaviour, 200, &message, None)
            .to_string()
            .into_bytes();
        json.pop();
        json.extend_from_slice(b",\"credentials\":[");
        for (position, (credential, device)) in self.items.iter().enumerate() {
            if position > 0 {
                json.push(b',');
            }
            let item = Item::new(credential, device.as_deref(), behaviour.automatic_change);
            serde_json::to_writer(&mut json, &item).expect("texts and booleans are always JSON");
        }
        json.extend_from_slice(b"]}");
        json
    }
}

impl<'a> Item<'a> {
    fn new(credential: &'a Credential, device: Option<&'a Device>, automatic_change: AutomaticChange) -> Self {
        let of_device = |attribute: fn(&Device) -> &Option<String>| {
            device
                .and_then(|device| attribute(device).as_deref())
                .unwrap_or_default()
        };
        let automatic = credential.automatic_change();
        Self {
            id: credential.id.to_string(),
            identifier: credential.identifier.as_deref(),
            username: &credential.username,
            expiration: None,
            change: credential.change.as_deref(),
            view: credential.view.as_deref(),
            hostname: &credential.hostname,
            management_ip: &credential.ip,
            type_: credential.credential_type(),
            type_code: if credential.is_ssh_key() { "6" } else { "1" },
            device_model: of_device(|device| &device.model),
            device_type: of_device(|device| &device.type_),
            device_vendor: of_device(|device| &device.vendor),
            automatic_change: match automatic_change {
                AutomaticChange::Boolean => json!(automatic),
                AutomaticChange::Text => json!(if automatic { "1" } else { "0" }),
            },
            connectivity: first_name(of_device(|device| &device.connectivities)),
            connectivity_code: "",
        }
    }
}

/// `SSH` of `SSH:22, HTTPS:443`.
fn first_name(connectivities: &str) -> &str {
    connectivities.split([':', ',']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::{
        switches::{Profile, Switches},
        vault::fixture::{body, client, pam},
    };

    fn listed(store: &Store, client: &Client) -> Value {
        let listing = store.list(client).expect("the client is authorized");
        serde_json::from_slice(&listing.render(&store.behaviour)).expect("the listing is JSON")
    }

    #[test]
    fn an_entry_has_the_documented_keys_and_no_secret() {
        let mut store = pam(Profile::V4_0, &Switches::default());
        let sent = json!({
            "identifier": "a", "content": "s3cret", "tags": "hidden", "model": "Gmail", "type": "Web Application",
            "vendor": "Google", "connectivities": "HTTPS:443, SSH:22", "execution_settings": {"automatic_change": true}
        });
        let id = store.send(&body("alice", &sent)).expect("a create").id;
        let change = store.at(id).change.clone();
        let listing = listed(&store, &client());
        assert_eq!(listing["response"]["message"], "1 credentials found");
        assert_eq!(
            listing["credentials"],
            json!([{
                "id": id.to_string(), "identifier": "a", "username": "alice", "expiration": null, "change": change, "view": null,
                "hostname": "db", "management_ip": "10.0.0.1", "type": "Local User", "type_code": "1", "device_model": "Gmail",
                "device_type": "Web Application", "device_vendor": "Google", "automatic_change": true, "connectivity": "HTTPS",
                "connectivity_code": ""
            }])
        );
    }

    #[test]
    fn automatic_change_is_a_text_in_3_32() {
        let mut store = pam(Profile::V3_32, &Switches::default());
        store.given(Some("a"), "alice");
        assert_eq!(listed(&store, &client())["credentials"][0]["automatic_change"], "0");
    }

    #[test]
    fn inactive_and_invisible_credentials_are_not_listed() {
        let mut store = pam(Profile::V3_32, &Switches::default());
        let seen = store.given(Some("a"), "alice");
        store.given(Some("b"), "bob");
        let inactive = store.given(Some("c"), "carol");
        store.edit(inactive, |credential| credential.active = false);
        let narrow = Client {
            credentials: Some([seen, inactive].into()),
            ..client()
        };
        let ids = |listing: &Value| {
            let entries = listing["credentials"].as_array().expect("an array").iter();
            entries
                .map(|entry| entry["identifier"].as_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&listed(&store, &client())), ["a", "b"]);
        assert_eq!(ids(&listed(&store, &narrow)), ["a"]);
        store.behaviour.list_inactive = true;
        assert_eq!(ids(&listed(&store, &narrow)), ["a", "c"]);
    }

    #[test]
    fn an_unauthorized_client_sees_nothing() {
        let shut_out = Client {
            authorized: false,
            ..client()
        };
        assert!(pam(Profile::V3_32, &Switches::default()).list(&shut_out).is_err());
    }
}
