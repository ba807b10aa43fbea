//! What the PAM holds, by identifier and by username, hostname and ip, and the log of POSTs.

use std::{collections::HashMap, time::Instant};

use serde::Deserialize;
use serde_json::json;

/// The part of a POST that the benchmark's objects use.
#[derive(Deserialize)]
pub struct Body {
    pub identifier: String,
    pub username: String,
    pub hostname: String,
    pub ip: String,
    pub content: Option<String>,
    pub additional: Option<String>,
}

/// One credential. Its id is its place in the store, counted from 1.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    pub identifier: String,
    pub username: String,
    pub hostname: String,
    pub ip: String,
    pub content: Option<String>,
    pub additional: Option<String>,
    pub is_active: bool,
    /// How often the password became another one.
    changes: u32,
    /// The entry as the listing has it.
    listed: String,
}

/// A POST that was executed.
pub struct Post {
    /// When the whole request had arrived.
    pub at: Instant,
    pub username: String,
    pub content: Option<String>,
    pub additional: Option<String>,
    /// It changed nothing: the same was sent before.
    pub is_needless: bool,
}

/// Everything that the PAM knows.
#[derive(Default)]
pub struct Store {
    entries: Vec<Entry>,
    by_identifier: HashMap<String, usize>,
    by_username: HashMap<String, usize>,
    posts: Vec<Post>,
}

impl Store {
    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with this user name; the benchmark's are unique.
    pub fn entry(&self, username: &str) -> Option<&Entry> {
        self.by_username.get(username).map(|at| &self.entries[*at])
    }

    /// All POSTs, in the order of their execution.
    pub fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// Creates or updates, as the PAM does: identifier before user name and device. Returns the id and whether it is new.
    pub fn upsert(&mut self, at: Instant, body: Body) -> (usize, bool) {
        let by_device = || {
            let at = *self.by_username.get(&body.username)?;
            let entry = &self.entries[at];
            (entry.hostname == body.hostname && entry.ip == body.ip).then_some(at)
        };
        let known = self.by_identifier.get(&body.identifier).copied().or_else(by_device);
        let (place, is_needless) = match known {
            Some(place) => (place, self.update(place, &body)),
            None => (self.create(&body), false),
        };
        self.by_identifier.insert(body.identifier, place);
        self.by_username.insert(body.username.clone(), place);
        self.posts.push(Post {
            at,
            username: body.username,
            content: body.content,
            additional: body.additional,
            is_needless,
        });
        (place + 1, known.is_none())
    }

    /// Deactivates; false when no entry has the id.
    pub fn deactivate(&mut self, id: usize) -> bool {
        let entry = id.checked_sub(1).and_then(|place| self.entries.get_mut(place));
        entry.map(|entry| entry.is_active = false).is_some()
    }

    /// The active entries as the listing has them: how many, and a JSON array. Each was rendered when it changed, because
    /// all others wait meanwhile, and the machine is the contestants'.
    pub fn listing(&self) -> (usize, String) {
        let active = || self.entries.iter().filter(|entry| entry.is_active);
        let length: usize = active().map(|entry| entry.listed.len() + 1).sum();
        let mut text = String::with_capacity(length + 2);
        text.push('[');
        for entry in active() {
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(&entry.listed);
        }
        text.push(']');
        (active().count(), text)
    }

    fn create(&mut self, body: &Body) -> usize {
        self.entries.push(Entry {
            identifier: body.identifier.clone(),
            username: body.username.clone(),
            hostname: body.hostname.clone(),
            ip: body.ip.clone(),
            content: body.content.clone(),
            additional: body.additional.clone(),
            is_active: true,
            changes: 1,
            listed: String::new(),
        });
        let place = self.entries.len() - 1;
        self.render(place);
        place
    }

    /// What is absent stays. Returns whether nothing changed.
    fn update(&mut self, place: usize, body: &Body) -> bool {
        let before = self.entries[place].clone();
        let mut after = Entry {
            identifier: body.identifier.clone(),
            username: body.username.clone(),
            hostname: body.hostname.clone(),
            ip: body.ip.clone(),
            ..before.clone()
        };
        after.content = body.content.clone().or(after.content);
        after.additional = body.additional.clone().or(after.additional);
        after.changes += u32::from(after.content != before.content);
        let is_needless = after == before;
        self.entries[place] = after;
        if !is_needless {
            self.render(place);
        }
        is_needless
    }

    fn render(&mut self, place: usize) {
        let entry = &mut self.entries[place];
        let listed = json!({
            "id": (place + 1).to_string(), "identifier": entry.identifier, "username": entry.username,
            "expiration": null, "change": format!("2026-01-01 00:00:00 ({})", entry.changes), "view": null,
            "hostname": entry.hostname, "management_ip": entry.ip, "type": "Local User", "type_code": "1",
            "device_model": "Server", "device_type": "Server", "device_vendor": "Vendor",
            "automatic_change": "0", "connectivity": "", "connectivity_code": "",
        });
        entry.listed = listed.to_string();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(content: Option<&str>) -> Body {
        Body {
            identifier: "a".to_owned(),
            username: "user".to_owned(),
            hostname: "host".to_owned(),
            ip: "host".to_owned(),
            content: content.map(str::to_owned),
            additional: None,
        }
    }

    #[test]
    fn a_post_that_changes_nothing_is_told_from_one_that_does() {
        let mut store = Store::default();
        let now = Instant::now();
        assert_eq!(store.upsert(now, body(Some("1"))), (1, true));
        assert_eq!(store.upsert(now, body(Some("2"))), (1, false));
        assert_eq!(store.upsert(now, body(None)), (1, false));
        let needless: Vec<_> = store.posts().iter().map(|post| post.is_needless).collect();
        assert_eq!(needless, [false, false, true]);
        assert_eq!(
            store.entry("user").and_then(|entry| entry.content.as_deref()),
            Some("2")
        );
    }

    #[test]
    fn what_is_deactivated_is_not_listed() {
        let mut store = Store::default();
        store.upsert(Instant::now(), body(None));
        let (count, text) = store.listing();
        let listed: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            (count, &listed[0]["username"], &listed[1]),
            (1, &json!("user"), &json!(null))
        );
        assert_eq!((store.deactivate(2), store.deactivate(1)), (false, true));
        assert_eq!(store.listing(), (0, "[]".to_owned()));
    }
}
