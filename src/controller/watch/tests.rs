//! Several watches as one: when the whole is complete, and what a new list does not have any more.

use std::{cell::RefCell, convert::Infallible, rc::Rc};

use axum::http::{Request, Response};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Client, api::ObjectMeta, client::Body, core::PartialObjectMeta};
use serde_json::json;

use super::*;
use crate::controller::version::Version;

type Meta = PartialObjectMeta<ConfigMap>;

/// Notes what it hears, and what the store has by then.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Notes {
    fn add(&self, note: String) {
        self.0.borrow_mut().push(note);
    }
}

impl Follower<Version> for Notes {
    fn track(&self, name: &Name, object: Option<&Version>) {
        let verb = if object.is_some() { "track" } else { "lose" };
        self.add(format!("{verb} {}", name.name()));
    }

    fn wake(&self, name: &Name, object: Option<&Version>, origin: Origin) {
        let verb = if object.is_some() { "wake" } else { "miss" };
        self.add(format!("{verb} {} {origin:?}", name.name()));
    }
}

struct Watched {
    merge: Merge<Version, Notes>,
    notes: Notes,
    store: Store<Version>,
}

fn watched(scopes: usize) -> Watched {
    let (store, notes) = (Store::default(), Notes::default());
    Watched {
        merge: Merge::new(scopes, store.clone(), notes.clone()),
        notes,
        store,
    }
}

fn map(scope: u32, name: &str) -> Meta {
    Meta {
        metadata: ObjectMeta {
            namespace: Some(format!("scope-{scope}")),
            name: Some(name.to_owned()),
            uid: Some("u".to_owned()),
            resource_version: Some("1".to_owned()),
            ..ObjectMeta::default()
        },
        ..Meta::default()
    }
}

impl Watched {
    /// What is told of an event of one scope.
    fn next(&mut self, scope: u32, event: Event<Meta>) -> Vec<String> {
        self.merge.take(scope, event);
        self.notes.0.take()
    }

    fn stored(&self) -> Vec<String> {
        let mut names: Vec<_> = self.store.names().iter().map(|name| name.name().to_owned()).collect();
        names.sort();
        names
    }

    fn is_complete(&self) -> bool {
        let waiting = self.store.completed();
        futures::FutureExt::now_or_never(waiting).is_some()
    }

    /// A complete list of one scope.
    fn list(&mut self, scope: u32, names: &[&str]) -> Vec<String> {
        let mut told = self.next(scope, Event::Init);
        for name in names {
            told.extend(self.next(scope, Event::InitApply(map(scope, name))));
        }
        told.extend(self.next(scope, Event::InitDone));
        told
    }
}

#[test]
fn it_is_complete_when_every_scope_is_listed() {
    let mut watched = watched(2);
    watched.list(0, &["a"]);
    assert!(!watched.is_complete());
    watched.list(1, &["b"]);
    assert!(watched.is_complete());
    assert_eq!(watched.stored(), ["a", "b"]);
}

/// A scope whose watch breaks before the others are listed is not complete any more; one that breaks later changes
/// nothing, because what is known by then is what was there.
#[test]
fn a_scope_that_lists_anew_is_waited_for_the_first_time_only() {
    let mut watched = watched(2);
    watched.list(0, &["a"]);
    watched.next(0, Event::Init);
    watched.list(1, &["c"]);
    assert!(!watched.is_complete());
    watched.next(0, Event::InitApply(map(0, "b")));
    watched.next(0, Event::InitDone);
    assert!(watched.is_complete());
    assert_eq!(watched.stored(), ["b", "c"]);
    watched.next(0, Event::Init);
    assert!(watched.is_complete());
}

#[test]
fn an_object_is_tracked_before_it_is_stored_and_woken_after() {
    let mut watched = watched(1);
    assert_eq!(watched.list(0, &["a"]), ["track a", "wake a Listed"]);
    assert_eq!(
        watched.next(0, Event::Apply(map(0, "b"))),
        ["track b", "wake b Changed"]
    );
    assert_eq!(
        watched.next(0, Event::Delete(map(0, "a"))),
        ["lose a", "miss a Changed"]
    );
    assert_eq!(watched.stored(), ["b"]);
}

#[test]
fn what_a_new_list_does_not_have_is_gone_in_its_own_scope_only() {
    let mut watched = watched(2);
    watched.list(0, &["a", "b"]);
    watched.list(1, &["c"]);
    watched.next(0, Event::Apply(map(0, "e")));
    let told = watched.list(0, &["b", "d", "e"]);
    assert_eq!(told[6..], ["lose a", "miss a Listed"]);
    assert_eq!(watched.stored(), ["b", "c", "d", "e"]);
    assert_eq!(watched.list(1, &[]), ["lose c", "miss c Listed"]);
}

#[test]
fn a_list_that_breaks_off_takes_nothing_away() {
    let mut watched = watched(1);
    watched.list(0, &["a", "b"]);
    watched.next(0, Event::Init);
    watched.next(0, Event::InitApply(map(0, "a")));
    assert_eq!(watched.stored(), ["a", "b"]);
    watched.list(0, &["b"]);
    assert_eq!(watched.stored(), ["b"]);
}

/// After a broken watch the deletion may be seen twice: by the watch and by the next list.
#[test]
fn nothing_is_deleted_twice() {
    let mut watched = watched(1);
    watched.list(0, &["a"]);
    assert_eq!(watched.next(0, Event::Delete(map(0, "a"))).len(), 2);
    assert!(watched.next(0, Event::Delete(map(0, "a"))).is_empty());
    assert!(watched.list(0, &[]).is_empty());
}

/// Before Kubernetes 1.34, or where the gate `WatchList` is closed.
#[tokio::test]
async fn a_list_comes_in_pages_where_the_api_server_does_not_stream_it() {
    let answers = tower::service_fn(|request: Request<Body>| async move {
        let asked = request.uri().query().unwrap_or_default().to_owned();
        let (code, body) = if asked.contains("sendInitialEvents") {
            let message = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
            let status =
                json!({"kind": "Status", "status": "Failure", "reason": "Invalid", "message": message, "code": 422});
            (422, status)
        } else if asked.contains("watch=") {
            std::future::pending().await
        } else {
            let item = json!({"metadata": {"namespace": "scope-0", "name": "a", "resourceVersion": "1"}});
            (
                200,
                json!({"kind": "List", "metadata": {"resourceVersion": "7"}, "items": [item]}),
            )
        };
        let answer = Response::builder()
            .status(code)
            .body(Body::from(body.to_string().into_bytes()));
        Ok::<_, Infallible>(answer.expect("an answer"))
    });
    let api: Api<Meta> = Api::all(Client::new(answers, "default"));
    let events: Vec<_> = events(api).take(3).collect().await;
    let told = events
        .into_iter()
        .map(|event| match event.expect("no failure is told") {
            Event::Init => "init".to_owned(),
            Event::InitApply(object) => name(&object).to_string(),
            Event::InitDone => "done".to_owned(),
            Event::Apply(_) | Event::Delete(_) => "changed".to_owned(),
        });
    assert_eq!(told.collect::<Vec<_>>(), ["init", "scope-0/a", "done"]);
}

#[test]
fn names_that_are_given_out_share_one_text() {
    let mut watched = watched(1);
    watched.list(0, &["a"]);
    let first = watched.store.names().pop().expect("one object");
    watched.next(0, Event::Apply(map(0, "a")));
    let shared = watched.store.shared(Name::new("scope-0", "a"));
    assert!(first.shares(&shared));
}
