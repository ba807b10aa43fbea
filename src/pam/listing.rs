//! The listing: every credential that the authorization sees, reduced to what identifies it.

use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::scalar::ScalarInto;

/// All credentials of one complete listing, in the PAM's order.
///
/// The texts lie one after another in a single string, so that an entry costs its text and 28 bytes: 100,000 entries fit into
/// some 15 MiB.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Listing {
    text: String,
    rows: Vec<Row>,
}

/// Where an entry's six texts begin, and where the last one ends.
type Row = [u32; 7];

/// One credential of the listing. It has no password: the listing never discloses one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry<'a> {
    /// The PAM's id; empty when the PAM left it out.
    pub id: &'a str,
    /// The identifier (`identifier`, or `tag` of older versions); `None` when missing or empty.
    pub identifier: Option<&'a str>,
    /// The account's name; empty when missing.
    pub username: &'a str,
    /// The device's name; empty when missing.
    pub hostname: &'a str,
    /// The device's address (`management_ip` on the wire); empty when missing.
    pub ip: &'a str,
    /// When the password was changed, as the PAM writes it (local time without a zone: compare for equality only).
    pub change: Option<&'a str>,
}

impl Listing {
    /// Appends an entry.
    ///
    /// # Panics
    /// When the texts of all entries exceed 4 GiB.
    pub fn push(&mut self, entry: Entry<'_>) {
        let texts = [
            entry.id,
            entry.identifier.unwrap_or_default(),
            entry.username,
            entry.hostname,
            entry.ip,
            entry.change.unwrap_or_default(),
        ];
        let mut row = [self.end(); 7];
        for (text, end) in texts.into_iter().zip(&mut row[1..]) {
            self.text.push_str(text);
            *end = self.end();
        }
        self.rows.push(row);
    }

    /// The entries, in the PAM's order.
    #[must_use]
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        (0..self.len()).map(|at| self.get(at))
    }

    /// The entry at this position.
    ///
    /// # Panics
    /// When there are not that many.
    #[must_use]
    pub fn get(&self, at: usize) -> Entry<'_> {
        let row = &self.rows[at];
        let text = |field: usize| &self.text[row[field] as usize..row[field + 1] as usize];
        let optional = |field: usize| Some(text(field)).filter(|text| !text.is_empty());
        Entry {
            id: text(0),
            identifier: optional(1),
            username: text(2),
            hostname: text(3),
            ip: text(4),
            change: optional(5),
        }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the PAM listed nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the absence of an entry may count as proof that it vanished. A success without entries, or 1007, is complete for
    /// creates but proves nothing of the kind (design 3, "The listing").
    #[must_use]
    pub fn complete_with_entries(&self) -> bool {
        !self.is_empty()
    }

    /// Bytes of memory behind the listing.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn allocated(&self) -> usize {
        self.text.capacity() + self.rows.capacity() * size_of::<Row>()
    }

    fn end(&self) -> u32 {
        u32::try_from(self.text.len()).expect("an answer is at most 256 MiB")
    }
}

impl fmt::Debug for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listing")
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

impl<'de> Deserialize<'de> for Listing {
    /// Reads `credentials` entry by entry. PHP writes an array with gaps as an object, whose keys mean nothing.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Listing;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of credentials")
    }

    fn visit_unit<E>(self) -> Result<Listing, E> {
        Ok(Listing::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Listing, A::Error> {
        let mut builder = Builder::default();
        while items.next_element_seed(&mut builder)?.is_some() {}
        Ok(builder.listing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Listing, A::Error> {
        let mut builder = Builder::default();
        while items.next_key::<IgnoredAny>()?.is_some() {
            items.next_value_seed(&mut builder)?;
        }
        Ok(builder.listing)
    }
}

/// Reads one entry after another; its buffers serve them all.
#[derive(Default)]
struct Builder {
    listing: Listing,
    id: String,
    identifier: String,
    tag: String,
    username: String,
    hostname: String,
    ip: String,
    change: String,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Id,
    Identifier,
    Tag,
    Username,
    Hostname,
    ManagementIp,
    Change,
    #[serde(other)]
    Other,
}

impl Builder {
    fn clear(&mut self) {
        let Self {
            listing: _,
            id,
            identifier,
            tag,
            username,
            hostname,
            ip,
            change,
        } = self;
        for text in [id, identifier, tag, username, hostname, ip, change] {
            text.clear();
        }
    }

    fn finish(&mut self) {
        let identifier = if self.identifier.is_empty() {
            &self.tag
        } else {
            &self.identifier
        };
        self.listing.push(Entry {
            id: &self.id,
            identifier: Some(identifier),
            username: &self.username,
            hostname: &self.hostname,
            ip: &self.ip,
            change: Some(&self.change),
        });
    }
}

impl<'de> DeserializeSeed<'de> for &mut Builder {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Builder {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a credential")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        self.clear();
        while let Some(key) = fields.next_key()? {
            let text = match key {
                Key::Id => &mut self.id,
                Key::Identifier => &mut self.identifier,
                Key::Tag => &mut self.tag,
                Key::Username => &mut self.username,
                Key::Hostname => &mut self.hostname,
                Key::ManagementIp => &mut self.ip,
                Key::Change => &mut self.change,
                Key::Other => {
                    fields.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            fields.next_value_seed(ScalarInto(text))?;
        }
        self.finish();
        Ok(())
    }
}
