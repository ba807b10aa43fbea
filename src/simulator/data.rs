//! The data file: what the PAM's administrators have registered before the first request.

use std::{collections::BTreeSet, path::Path};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{Error, switches::Switches};

/// Everything that a simulator starts with, read from YAML.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// Who may ask for a token. At least one.
    pub clients: Vec<Client>,
    /// Accept any device: each hostname and ip counts as registered. For load tests.
    pub any_device: bool,
    /// Registered devices; a POST for any other one is answered with 1011.
    pub devices: Vec<Device>,
    /// Registered domains, by name or abbreviation (1029).
    pub domains: Vec<String>,
    /// Registered plugins (1046).
    pub plugins: Vec<String>,
    /// Registered templates (1047).
    pub templates: Vec<String>,
    /// Users that may own a credential; any other owner is answered with HTTP 500.
    pub owners: Vec<String>,
    /// Credentials that exist from the start.
    pub credentials: Vec<NewCredential>,
    /// Overrides of the profile.
    pub switches: Switches,
}

/// An authorization (a key pair) of the PAM.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    #[serde(deserialize_with = "secret")]
    pub secret: SecretString,
    /// Read-only clients get 1039 for every write. Omitted: `rw`.
    #[serde(default)]
    pub permission: Permission,
    /// Whether PAM Core is ticked in the authorization; if not, every call is answered with
    /// "You are not authorized to access this resource." under HTTP 500. Omitted: true.
    #[serde(default = "yes")]
    pub authorized: bool,
    /// Ids of the credentials that it sees beside those that it created; others are not listed and answered with 1009.
    /// Omitted: it sees all.
    #[serde(default)]
    pub credentials: Option<BTreeSet<u64>>,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Permission {
    /// Read only.
    #[serde(rename = "ro")]
    ReadOnly,
    /// Read and write.
    #[default]
    #[serde(rename = "rw")]
    ReadWrite,
}

/// A device: a host name and an address, which together are its key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields are those of the wire")]
pub struct Device {
    pub hostname: String,
    pub ip: String,
    #[serde(default, rename = "type")]
    pub type_: Option<String>,
    #[serde(default)]
    pub vendor: Option<String>,
    #[serde(default)]
    pub model: Option<String>,
    #[serde(default)]
    pub site: Option<String>,
    #[serde(default)]
    pub connectivities: Option<String>,
}

/// A credential that an administrator registers, not a client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCredential {
    /// Its id. Omitted: the next free one.
    #[serde(default)]
    pub id: Option<u64>,
    /// Its identifier. Omitted: none.
    #[serde(default)]
    pub identifier: Option<String>,
    /// User name.
    pub username: String,
    /// The device's name.
    pub hostname: String,
    /// The device's address.
    pub ip: String,
    /// The password. Omitted: none.
    #[serde(default, deserialize_with = "optional_secret")]
    pub content: Option<SecretString>,
    /// Omitted: true.
    #[serde(default = "yes")]
    pub active: bool,
    /// The client that counts as its creator, and therefore sees it. Omitted: none.
    #[serde(default)]
    pub created_by: Option<String>,
    /// Other fields as POST would carry them, such as `credential_type: SSH Key` or `tags`.
    #[serde(default)]
    pub fields: Map<String, Value>,
}

impl Data {
    /// Reads a data file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|message| Error::DataFile {
            path: path.to_owned(),
            message,
        })
    }

    /// Finds what cannot work: nobody who could authenticate, or two clients of one id.
    pub(super) fn validate(&self) -> Result<(), Error> {
        if self.clients.is_empty() {
            return Err(Error::Data("no clients: nobody could obtain a token".to_owned()));
        }
        let mut ids = BTreeSet::new();
        match self.clients.iter().find(|client| !ids.insert(&client.id)) {
            Some(twice) => Err(Error::Data(format!("two clients have the id {}", twice.id))),
            None => Ok(()),
        }
    }

    /// Parses the text of a data file; the error is one line that says where and what.
    fn parse(text: &str) -> Result<Self, String> {
        serde_saphyr::from_str(text).map_err(|error| {
            let message = error.to_string();
            let line = message.lines().next().unwrap_or("not a data file");
            line.strip_prefix("error: ").unwrap_or(line).to_owned()
        })
    }
}

impl Client {
    /// A client that may read and write and sees every credential.
    #[must_use]
    pub fn new(id: &str, secret: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.into(),
            permission: Permission::ReadWrite,
            authorized: true,
            credentials: None,
        }
    }
}

impl Device {
    /// A device without attributes.
    #[must_use]
    pub fn new(hostname: &str, ip: &str) -> Self {
        Self {
            hostname: hostname.to_owned(),
            ip: ip.to_owned(),
            type_: None,
            vendor: None,
            model: None,
            site: None,
            connectivities: None,
        }
    }
}

impl NewCredential {
    /// An active credential without identifier and password.
    #[must_use]
    pub fn new(hostname: &str, ip: &str, username: &str) -> Self {
        Self {
            id: None,
            identifier: None,
            username: username.to_owned(),
            hostname: hostname.to_owned(),
            ip: ip.to_owned(),
            content: None,
            active: true,
            created_by: None,
            fields: Map::new(),
        }
    }
}

fn yes() -> bool {
    true
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Option::<String>::deserialize(deserializer).map(|text| text.map(SecretString::from))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::simulator::{Matching, Profile, switches::Behaviour, vault::store::Store};

    #[test]
    fn every_key_is_read_and_what_is_omitted_has_its_documented_value() {
        let data = Data::parse(
            "
clients: [{id: a, secret: s, permission: ro, authorized: false, credentials: [7]}, {id: b, secret: t}]
any_device: true
devices: [{hostname: db, ip: 10.0.0.1, type: Server, vendor: V, model: M, site: S, connectivities: 'SSH:22'}]
domains: [lab]
plugins: [SSH]
templates: [3COM]
owners: [admin]
credentials: [{id: 7, identifier: x, username: u, hostname: db, ip: 10.0.0.1, content: pw, active: false, fields: {tags: 't'}}]
switches: {matching: loose, token_ttl_seconds: 60}
",
        )
        .expect("every key is known");
        let [a, b] = data.clients.as_slice() else {
            panic!("two clients")
        };
        assert_eq!(
            (a.permission, a.authorized, &a.credentials),
            (Permission::ReadOnly, false, &Some([7].into()))
        );
        assert_eq!(
            (b.permission, b.authorized, &b.credentials),
            (Permission::ReadWrite, true, &None)
        );
        assert_eq!(a.secret.expose_secret(), "s");
        let credential = &data.credentials[0];
        assert_eq!(
            (credential.id, credential.active, &credential.fields["tags"]),
            (Some(7), false, &"t".into())
        );
        assert!(data.any_device);
        assert_eq!(data.switches.matching, Some(Matching::Loose));
    }

    #[test]
    fn a_mistake_is_named_with_its_place_in_one_line() {
        for (text, named) in [
            ("devises: []", "devises"),
            ("clients: [{id: a, secret: b, permision: ro}]", "permision"),
            ("devices: [{hostname: db}]", "ip"),
            ("switches: {matching: sloppy}", "sloppy"),
            ("clients: 3", "expected sequence"),
        ] {
            let error = Data::parse(text).expect_err("a mistake");
            assert!(
                error.contains(named) && error.starts_with("line 1") && error.lines().count() == 1,
                "{error}"
            );
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Data::read(Path::new("no/such/file.yaml"))
            .expect_err("not there")
            .to_string();
        assert!(error.contains("no/such/file.yaml"), "{error}");
    }

    /// The example file must work, and know what the request examples of the PAM's documents name.
    #[test]
    fn the_example_file_knows_what_the_documents_examples_need() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/simulator.yaml");
        let data = Data::read(&path).expect("the example is right");
        data.validate().expect("the example is right");
        let store = Store::new(&data, Behaviour::new(Profile::V3_32, &data.switches)).expect("the example is right");
        for (hostname, ip) in [
            ("Linkedin", "linkedin.com"),
            ("Outlook", "login.live.com"),
            ("gmail.com", "mail.google.com"),
            ("API-Testing", "128.0.0.1"),
            ("API_DEVICE_1", "localhost"),
        ] {
            assert!(store.registry.device(hostname, ip).is_some(), "{hostname}");
        }
        for template in [
            "3COM",
            "Linux - Create User",
            "Linux - Remove User",
            "AD - Activate User",
            "AD - Deactivate User",
        ] {
            assert!(store.registry.templates.contains(template), "{template}");
        }
    }
}
