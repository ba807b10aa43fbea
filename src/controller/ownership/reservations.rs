//! Which object of this cluster a credential belongs to.
//!
//! Two objects that declare the same credential would overwrite each other's password for ever. So every object
//! stands in line at the identifier and at the triple that it holds or wants, per target, and only the first in line
//! may write: one whose claim holds it, else the older, else the one with the smaller name.

use std::collections::{BTreeSet, HashMap};

use ring::digest::{SHA256, digest};

use crate::controller::{
    few::{self, Few},
    ownership::identity::{Name, Triple, fold},
};

/// One thing that only one object may hold at a target; hashed, because a large cluster has hundreds of thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// The identifier, as loose comparison sees it.
    pub fn identifier(target: &str, identifier: &str) -> Self {
        Self::new(target, "identifier", &[fold(identifier)])
    }

    /// The account, as loose comparison sees it.
    pub fn triple(target: &str, triple: &Triple) -> Self {
        Self::new(target, "triple", &triple.folded())
    }

    /// The PAM's entry itself, which two objects could reach on different ways.
    pub fn id(target: &str, id: &str) -> Self {
        Self::new(target, "id", &[id.to_owned()])
    }

    fn new(target: &str, kind: &str, texts: &[String]) -> Self {
        let mut joined = format!("{target}\0{kind}");
        for text in texts {
            joined.push('\0');
            joined.push_str(text);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&digest(&SHA256, joined.as_bytes()).as_ref()[..16]);
        Self(key)
    }
}

/// Why an object stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// Its claim says that the thing is its own.
    Claimed,
    /// Its spec asks for it.
    Wanted,
}

/// An object's place in a line: smaller goes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    hold: Hold,
    created: i64,
    object: Name,
}

/// Where an object stands, and since when it exists.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    created: i64,
    keys: Box<[(Key, Hold)]>,
}

impl Member {
    fn new(created: i64, keys: &[(Key, Hold)]) -> Self {
        let mut held: Vec<(Key, Hold)> = Vec::with_capacity(keys.len());
        for (key, hold) in keys {
            match held.iter_mut().find(|(placed, _)| placed == key) {
                Some((_, before)) => *before = (*before).min(*hold),
                None => held.push((*key, *hold)),
            }
        }
        Self {
            created,
            keys: held.into(),
        }
    }

    /// How the object stands at this key.
    fn hold(&self, key: &Key) -> Option<Hold> {
        let held = self.keys.iter().find(|(held, _)| held == key);
        held.map(|(_, hold)| *hold)
    }

    fn places(&self, object: &Name) -> impl Iterator<Item = (Key, Place)> {
        self.keys.iter().map(|(key, hold)| {
            let place = Place {
                hold: *hold,
                created: self.created,
                object: object.clone(),
            };
            (*key, place)
        })
    }
}

/// All lines.
#[derive(Debug, Default)]
pub struct Reservations {
    lines: HashMap<Key, Few<Place>>,
    members: HashMap<Name, Member>,
}

impl Reservations {
    /// Puts the object, created at that second, in line for exactly these keys and takes it out of all others.
    /// Returns the objects that stood behind it where it left or went back, since their turn may have come, and those before
    /// whom it steps to the head of a line.
    pub fn enter(&mut self, object: &Name, created: i64, keys: &[(Key, Hold)]) -> Vec<Name> {
        let member = Member::new(created, keys);
        if self.members.get(object) == Some(&member) {
            return Vec::new();
        }
        let led: Vec<_> = member.keys.iter().map(|(key, _)| self.is_first(object, key)).collect();
        let mut woken = self.take_out(object, Some(&member));
        for ((key, place), led) in member.places(object).zip(led) {
            let line = self.lines.get(&key);
            if !led && line.and_then(Few::first).is_some_and(|first| place < *first) {
                // They said that somebody else goes first.
                woken.extend(line.into_iter().flat_map(Few::iter).map(|behind| behind.object.clone()));
            }
            few::add(&mut self.lines, key, place);
        }
        if !member.keys.is_empty() {
            self.members.insert(object.clone(), member);
        }
        woken
    }

    /// As [`enter`](Self::enter), unless somebody else goes before the object at one of the keys: then the object only
    /// stands behind, and that one's name is the error.
    pub fn secure(&mut self, object: &Name, created: i64, keys: &[(Key, Hold)]) -> Result<Vec<Name>, Name> {
        let rival = keys.iter().find_map(|(key, _)| {
            let own = self.members.get(object).and_then(|member| member.hold(key));
            let place = Place {
                hold: own.unwrap_or(Hold::Wanted),
                created,
                object: object.clone(),
            };
            let first = self.lines.get(key)?.first()?;
            (first.object != *object && *first < place).then(|| first.object.clone())
        });
        let Some(rival) = rival else {
            return Ok(self.enter(object, created, keys));
        };
        self.stand_behind(object, created, keys);
        Err(rival)
    }

    /// Puts the object in line for more keys, so that it is woken when those before it leave.
    fn stand_behind(&mut self, object: &Name, created: i64, keys: &[(Key, Hold)]) {
        let member = self.members.remove(object);
        let (created, held) = member.map_or((created, Box::default()), |member| (member.created, member.keys));
        let wanted = keys.iter().map(|(key, _)| (*key, Hold::Wanted));
        let all: Vec<_> = held.iter().copied().chain(wanted).collect();
        let member = Member::new(created, &all);
        for (key, place) in member.places(object).skip(held.len()) {
            few::add(&mut self.lines, key, place);
        }
        self.members.insert(object.clone(), member);
    }

    /// Takes the object out of every line and returns who stood behind it.
    pub fn leave(&mut self, object: &Name) -> Vec<Name> {
        self.take_out(object, None)
    }

    /// Whether the object stands in any line.
    pub fn knows(&self, object: &Name) -> bool {
        self.members.contains_key(object)
    }

    /// The object that goes before this one at any of its keys.
    pub fn rival(&self, object: &Name) -> Option<&Name> {
        let member = self.members.get(object)?;
        member.keys.iter().find_map(|(key, _)| {
            let first = &self.lines.get(key)?.first()?.object;
            (first != object).then_some(first)
        })
    }

    fn is_first(&self, object: &Name, key: &Key) -> bool {
        let first = self.lines.get(key).and_then(Few::first);
        first.is_some_and(|first| first.object == *object)
    }

    /// Takes the object out of its lines; `next` is where it will stand.
    fn take_out(&mut self, object: &Name, next: Option<&Member>) -> Vec<Name> {
        let mut woken = BTreeSet::new();
        let Some(member) = self.members.remove(object) else {
            return Vec::new();
        };
        for (key, place) in member.places(object) {
            few::drop(&mut self.lines, key, &place);
            let stays_ahead = next.is_some_and(|next| {
                let hold = next.hold(&key);
                hold.is_some_and(|hold| (hold, next.created) <= (place.hold, place.created))
            });
            if !stays_ahead {
                let line = self.lines.get(&key).into_iter().flat_map(Few::iter);
                woken.extend(line.map(|behind| behind.object.clone()));
            }
        }
        woken.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAM: &str = "https://pam";

    fn name(name: &str) -> Name {
        Name::new("ns", name)
    }

    fn key(identifier: &str, hold: Hold) -> [(Key, Hold); 1] {
        [(Key::identifier(PAM, identifier), hold)]
    }

    #[test]
    fn a_claim_goes_before_age_and_age_before_the_name() {
        let mut lines = Reservations::default();
        lines.enter(&name("young"), 20, &key("a", Hold::Wanted));
        lines.enter(&name("old-b"), 10, &key("A ", Hold::Wanted));
        lines.enter(&name("old-a"), 10, &key("a", Hold::Wanted));
        assert_eq!(lines.rival(&name("young")), Some(&name("old-a")));
        assert_eq!(lines.rival(&name("old-b")), Some(&name("old-a")));
        assert_eq!(lines.rival(&name("old-a")), None);
        lines.enter(&name("young"), 20, &key("a", Hold::Claimed));
        assert_eq!(lines.rival(&name("young")), None);
        assert_eq!(lines.rival(&name("old-a")), Some(&name("young")));
    }

    #[test]
    fn who_steps_to_the_head_of_a_line_wakes_those_who_named_another() {
        let mut lines = Reservations::default();
        assert_eq!(lines.enter(&name("c"), 1, &key("a", Hold::Wanted)), []);
        assert_eq!(lines.enter(&name("d"), 1, &key("a", Hold::Wanted)), []);
        assert_eq!(
            lines.enter(&name("a"), 1, &key("a", Hold::Wanted)),
            [name("c"), name("d")]
        );
        assert_eq!(lines.enter(&name("a"), 1, &key("a", Hold::Claimed)), []);
        assert_eq!(lines.enter(&name("b"), 1, &key("a", Hold::Wanted)), []);
    }

    #[test]
    fn a_claim_elsewhere_is_no_claim_here() {
        let mut lines = Reservations::default();
        let wants_both = [key("own", Hold::Claimed), key("a", Hold::Wanted)].concat();
        lines.enter(&name("old"), 1, &wants_both);
        lines.enter(&name("owner"), 2, &key("a", Hold::Claimed));
        assert_eq!(lines.rival(&name("owner")), None);
        assert_eq!(lines.rival(&name("old")), Some(&name("owner")));
    }

    #[test]
    fn who_leaves_a_line_or_goes_back_in_it_wakes_those_behind() {
        let mut lines = Reservations::default();
        lines.enter(&name("holder"), 2, &key("a", Hold::Claimed));
        lines.enter(&name("older"), 1, &key("a", Hold::Wanted));
        assert!(lines.enter(&name("holder"), 2, &key("a", Hold::Claimed)).is_empty());
        assert_eq!(
            lines.enter(&name("holder"), 2, &key("a", Hold::Wanted)),
            [name("older")]
        );
        assert_eq!(lines.rival(&name("older")), None);
        assert_eq!(lines.leave(&name("older")), [name("holder")]);
        assert!(lines.leave(&name("older")).is_empty());
        assert!(lines.leave(&name("holder")).is_empty());
        assert!(lines.lines.is_empty() && lines.members.is_empty());
    }

    #[test]
    fn what_is_secured_cannot_be_wanted_away() {
        let mut lines = Reservations::default();
        assert!(lines.secure(&name("young"), 2, &key("a", Hold::Claimed)).is_ok());
        lines.enter(&name("old"), 1, &key("a", Hold::Wanted));
        assert_eq!(
            lines.secure(&name("old"), 1, &key("a", Hold::Claimed)),
            Err(name("young"))
        );
        assert_eq!(lines.rival(&name("old")), Some(&name("young")));
        assert!(lines.secure(&name("young"), 2, &key("a", Hold::Claimed)).is_ok());
    }

    #[test]
    fn who_cannot_secure_a_thing_is_woken_when_it_is_free() {
        let mut lines = Reservations::default();
        let entry = [(Key::id(PAM, "115"), Hold::Claimed)];
        lines.enter(&name("owner"), 2, &entry);
        lines.enter(&name("adopter"), 1, &key("a", Hold::Wanted));
        assert_eq!(lines.secure(&name("adopter"), 1, &entry), Err(name("owner")));
        assert_eq!(lines.rival(&name("owner")), None);
        assert_eq!(lines.leave(&name("owner")), [name("adopter")]);
        assert_eq!(lines.secure(&name("adopter"), 1, &entry), Ok(vec![]));
        assert_eq!(lines.leave(&name("adopter")), []);
        assert!(lines.lines.is_empty() && lines.members.is_empty());
    }

    #[test]
    fn other_targets_and_other_kinds_of_key_do_not_meet() {
        let mut lines = Reservations::default();
        lines.enter(&name("a"), 1, &key("115", Hold::Claimed));
        let elsewhere = [
            (Key::identifier("https://other", "115"), Hold::Wanted),
            (Key::id(PAM, "115"), Hold::Wanted),
        ];
        lines.enter(&name("b"), 2, &elsewhere);
        assert_eq!(lines.rival(&name("b")), None);
    }
}
