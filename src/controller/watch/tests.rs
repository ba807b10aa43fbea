//! Several watches as one: when the whole is complete, and what a new list does not have any more.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{ResourceExt, api::ObjectMeta, runtime::reflector::store::Writer};

use kube::runtime::reflector;

use super::*;

/// A merge with the store that it looks into, as `watch` puts them together.
struct Watched {
    merge: Merge<ConfigMap>,
    writer: Writer<ConfigMap>,
}

fn watched(scopes: usize) -> Watched {
    let (store, writer) = reflector::store();
    Watched {
        merge: Merge::new(scopes, store),
        writer,
    }
}

fn map(namespace: &str, name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            namespace: Some(namespace.to_owned()),
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

impl Watched {
    /// What becomes of an event of one scope, in words.
    fn next(&mut self, scope: usize, event: Event<ConfigMap>) -> Vec<String> {
        let events = self.merge.next(scope, event);
        let told = events.iter().map(|event| match event {
            Event::Init => "init".to_owned(),
            Event::InitApply(object) => format!("init apply {}", object.name_any()),
            Event::InitDone => "init done".to_owned(),
            Event::Apply(object) => format!("apply {}", object.name_any()),
            Event::Delete(object) => format!("delete {}", object.name_any()),
        });
        let told = told.collect();
        for event in &events {
            self.writer.apply_watcher_event(event);
        }
        told
    }

    fn stored(&self) -> Vec<String> {
        let objects = self.merge.store.state();
        let mut names: Vec<_> = objects.iter().map(|object| object.name_any()).collect();
        names.sort();
        names
    }

    /// A complete list of one scope.
    fn list(&mut self, scope: usize, names: &[&str]) -> Vec<String> {
        let mut told = self.next(scope, Event::Init);
        for name in names {
            told.extend(self.next(scope, Event::InitApply(map(&format!("scope-{scope}"), name))));
        }
        told.extend(self.next(scope, Event::InitDone));
        told
    }
}

#[test]
fn nothing_is_there_before_every_scope_is_listed() {
    let mut watched = watched(2);
    assert!(watched.list(0, &["a"]).is_empty());
    assert_eq!(
        watched.list(1, &["b"]),
        ["init", "init apply a", "init apply b", "init done"]
    );
    assert_eq!(watched.next(0, Event::Apply(map("scope-0", "c"))), ["apply c"]);
    assert_eq!(watched.next(1, Event::Delete(map("scope-1", "b"))), ["delete b"]);
    assert_eq!(watched.stored(), ["a", "c"]);
}

#[test]
fn what_changes_before_every_scope_is_listed_counts_as_it_is_then() {
    let mut watched = watched(2);
    watched.list(0, &["a", "b"]);
    assert!(watched.next(0, Event::Delete(map("scope-0", "a"))).is_empty());
    assert!(watched.next(0, Event::Apply(map("scope-0", "c"))).is_empty());
    watched.list(1, &[]);
    assert_eq!(watched.stored(), ["b", "c"]);
}

#[test]
fn a_first_list_that_breaks_off_counts_for_nothing() {
    let mut watched = watched(2);
    watched.list(1, &["c"]);
    watched.next(0, Event::Init);
    watched.next(0, Event::InitApply(map("scope-0", "a")));
    watched.list(0, &["b"]);
    assert_eq!(watched.stored(), ["b", "c"]);
}

/// A scope whose watch breaks before the others are listed is not complete any more.
#[test]
fn a_scope_that_lists_anew_is_waited_for() {
    let mut watched = watched(2);
    watched.list(0, &["a"]);
    watched.next(0, Event::Init);
    assert!(watched.list(1, &["c"]).is_empty());
    watched.next(0, Event::InitApply(map("scope-0", "b")));
    watched.next(0, Event::InitDone);
    assert_eq!(watched.stored(), ["b", "c"]);
}

#[test]
fn what_a_new_list_does_not_have_is_deleted_in_its_own_scope_only() {
    let mut watched = watched(2);
    watched.list(0, &["a", "b"]);
    watched.list(1, &["c"]);
    assert_eq!(watched.list(0, &["b", "d"]), ["apply b", "apply d", "delete a"]);
    assert!(watched.list(1, &["c"]).iter().eq(["apply c"]));
    assert_eq!(watched.list(1, &[]), ["delete c"]);
}

#[test]
fn a_list_that_breaks_off_deletes_nothing() {
    let mut watched = watched(1);
    watched.list(0, &["a", "b"]);
    assert!(watched.next(0, Event::Init).is_empty());
    assert_eq!(watched.next(0, Event::InitApply(map("scope-0", "a"))), ["apply a"]);
    assert_eq!(watched.stored(), ["a", "b"]);
    assert_eq!(watched.list(0, &["a", "b"]), ["apply a", "apply b"]);
}

/// After a broken watch the deletion may be seen twice: by the watch and by the next list.
#[test]
fn nothing_is_deleted_twice() {
    let mut watched = watched(1);
    watched.list(0, &["a"]);
    assert_eq!(watched.next(0, Event::Delete(map("scope-0", "a"))), ["delete a"]);
    assert!(watched.next(0, Event::Delete(map("scope-0", "a"))).is_empty());
    assert!(watched.list(0, &[]).is_empty());
}
