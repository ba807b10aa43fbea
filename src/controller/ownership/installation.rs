//! The installation's identity: the key under which claims are signed, contents are fingerprinted and identifiers
//! are generated.
//!
//! Without the key a claim in `status` would be worth nothing: whoever can write status could point an object at
//! somebody else's credential.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use ring::hmac;
use secrecy::{ExposeSecret, SecretSlice};

use crate::api::Claim;
use crate::controller::ownership::identity::Name;

/// Longest part of a generated identifier before its tag, in characters.
const READABLE_PART: usize = 100;

/// Length of the tag that nobody else can compute, in base32 characters (60 bits).
const TAG: usize = 12;

/// The identity of this installation, from the Secret `pam-operator-installation`.
#[derive(Debug)]
pub struct Installation {
    key: hmac::Key,
    key_id: String,
}

impl Installation {
    /// Takes the HMAC key of the installation.
    pub fn new(key: &SecretSlice<u8>) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret());
        let key_id = HEXLOWER.encode(&hmac::sign(&key, b"key-id").as_ref()[..4]);
        Self { key, key_id }
    }

    /// A short id of the key, so that fingerprints made under another one are recognised.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The identifier of an object that names none: `[<prefix>_]<namespace>_<name>_<tag>`.
    pub fn identifier(&self, prefix: Option<&str>, object: &Name) -> String {
        let tag = hmac::sign(&self.key, format!("identifier:{object}").as_bytes());
        let tag = BASE32_NOPAD.encode(tag.as_ref()).to_lowercase();
        let readable: String = prefix
            .into_iter()
            .chain([object.namespace(), object.name()])
            .collect::<Vec<_>>()
            .join("_")
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "_-".contains(c) {
                    c
                } else {
                    '-'
                }
            })
            .take(READABLE_PART)
            .collect();
        format!("{readable}_{}", &tag[..TAG])
    }

    /// The fingerprint of one field's value, worthless outside this object, field and installation.
    pub fn fingerprint(&self, object: &Name, field: &str, value: &[u8]) -> String {
        let parts: [&[u8]; 4] = [
            object.namespace().as_bytes(),
            object.name().as_bytes(),
            field.as_bytes(),
            value,
        ];
        BASE64URL_NOPAD.encode(&self.mac("fingerprint", &parts).as_ref()[..18])
    }

    /// Puts the mac on a claim.
    pub fn sign(&self, object: &Name, mut claim: Claim) -> Claim {
        claim.mac = BASE64URL_NOPAD.encode(self.claim_mac(object, &claim).as_ref());
        claim
    }

    /// Whether this installation made the claim, for this object, and nobody touched it since.
    pub fn verify(&self, object: &Name, claim: &Claim) -> bool {
        let parts = claim_parts(object, claim);
        BASE64URL_NOPAD
            .decode(claim.mac.as_bytes())
            .is_ok_and(|mac| hmac::verify(&self.key, &message("claim", &parts), &mac).is_ok())
    }

    fn claim_mac(&self, object: &Name, claim: &Claim) -> hmac::Tag {
        self.mac("claim", &claim_parts(object, claim))
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> hmac::Tag {
        hmac::sign(&self.key, &message(purpose, parts))
    }
}

fn claim_parts<'a>(object: &'a Name, claim: &'a Claim) -> [&'a [u8]; 9] {
    [
        object.namespace().as_bytes(),
        object.name().as_bytes(),
        claim.target.as_bytes(),
        if claim.id.is_some() { b"id" } else { b"" },
        claim.id.as_deref().unwrap_or_default().as_bytes(),
        claim.identifier.as_bytes(),
        claim.hostname.as_bytes(),
        claim.ip.as_bytes(),
        claim.username.as_bytes(),
    ]
}

/// Joins the parts with their lengths, so that no two lists of parts give the same message.
fn message(purpose: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
        message.extend_from_slice(&(part.len() as u64).to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(key: &str) -> Installation {
        Installation::new(&SecretSlice::from(key.as_bytes().to_vec()))
    }

    fn claim() -> Claim {
        Claim {
            target: "https://pam".into(),
            id: Some("115".into()),
            identifier: "orders_db".into(),
            hostname: "db".into(),
            ip: "10.0.0.1".into(),
            username: "app".into(),
            mac: String::new(),
        }
    }

    #[test]
    fn a_claim_verifies_only_untouched_and_for_its_own_object() {
        let ours = installation("a");
        let object = Name::new("orders", "db");
        let signed = ours.sign(&object, claim());
        assert!(ours.verify(&object, &signed));
        assert!(!ours.verify(&Name::new("orders", "db2"), &signed));
        assert!(!installation("b").verify(&object, &signed));
        let changes: [fn(&mut Claim); 6] = [
            |c| c.target.push('x'),
            |c| c.id = Some("116".into()),
            |c| c.id = None,
            |c| c.identifier.push('x'),
            |c| c.username.push('x'),
            |c| c.mac.clear(),
        ];
        for change in changes {
            let mut forged = signed.clone();
            change(&mut forged);
            assert!(!ours.verify(&object, &forged), "{forged:?}");
        }
    }

    #[test]
    fn text_cannot_move_from_one_part_of_a_claim_to_the_next() {
        let ours = installation("a");
        let object = Name::new("orders", "db");
        let mut signed = ours.sign(&object, claim());
        signed.hostname = "d".into();
        signed.ip = "b10.0.0.1".into();
        assert!(!ours.verify(&object, &signed));
    }

    #[test]
    fn generated_identifiers_are_readable_bounded_and_cannot_be_guessed() {
        let ours = installation("a");
        let identifier = ours.identifier(None, &Name::new("orders", "orders.db"));
        let (readable, tag) = identifier.rsplit_once('_').expect("a tag");
        assert_eq!(readable, "orders_orders-db");
        assert_eq!(tag.len(), 12);
        assert_ne!(
            identifier,
            installation("b").identifier(None, &Name::new("orders", "orders.db"))
        );
        assert_ne!(
            ours.identifier(None, &Name::new("a", "x.y")),
            ours.identifier(None, &Name::new("a", "x-y"))
        );
        let long = ours.identifier(Some("team-a"), &Name::new(&"n".repeat(63), &"o".repeat(253)));
        assert!(long.starts_with("team-a_nnn"));
        assert_eq!(long.len(), 113);
    }

    #[test]
    fn fingerprints_differ_by_object_field_value_and_key() {
        let (ours, object) = (installation("a"), Name::new("orders", "db"));
        let print = ours.fingerprint(&object, "content", b"secret");
        assert_eq!(print, ours.fingerprint(&object, "content", b"secret"));
        assert_ne!(
            print,
            ours.fingerprint(&Name::new("orders", "db2"), "content", b"secret")
        );
        assert_ne!(print, ours.fingerprint(&object, "body", b"secret"));
        assert_ne!(print, ours.fingerprint(&object, "content", b"secret2"));
        assert_ne!(print, installation("b").fingerprint(&object, "content", b"secret"));
    }
}
