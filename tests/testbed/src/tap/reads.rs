//! Faults of what the operator reads: watches that break, come late or are told that they are too late, and lists from a
//! replica that lags behind.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard},
};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use tokio::sync::watch;

use super::leg::{Body, Cut, full};

/// How a watch learns that the past which it asks for is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// As an event of the stream.
    InStream,
    /// As the answer.
    AsStatus,
}

#[derive(Default)]
pub(super) struct Reads {
    state: Mutex<State>,
    /// Resources whose watches are not answered.
    held: watch::Sender<BTreeSet<String>>,
    /// Bumped to break all watches.
    cuts: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    expiring: HashMap<String, Expiry>,
    old: HashMap<String, Bytes>,
}

impl Reads {
    pub(super) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub(super) fn hold(&self, resources: &[&str]) {
        self.held
            .send_modify(|held| held.extend(resources.iter().map(|resource| (*resource).to_owned())));
        self.cut();
    }

    pub(super) fn release(&self) {
        self.held.send_modify(BTreeSet::clear);
    }

    pub(super) fn expire(&self, resource: &str, expiry: Expiry) {
        self.lock().expiring.insert(resource.to_owned(), expiry);
    }

    pub(super) fn is_expiring(&self, resource: &str) -> bool {
        self.lock().expiring.contains_key(resource)
    }

    pub(super) fn show(&self, path: &str, list: Bytes) {
        self.lock().old.insert(path.to_owned(), list);
    }

    pub(super) fn is_shown(&self, path: &str) -> bool {
        !self.lock().old.contains_key(path)
    }

    /// The answer to a list, where it is an old one.
    pub(super) fn old_list(&self, path: &str) -> Option<Response<Body>> {
        let list = self.lock().old.remove(path)?;
        Some(json_response(StatusCode::OK, list))
    }

    /// The answer to who wants to have a list streamed: the tap's lists are old, and come in pages, as those of an API
    /// server with a closed gate `WatchList`.
    pub(super) fn unstreamed() -> Response<Body> {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "sendInitialEvents is forbidden for watch", "reason": "Invalid", "code": 422,
        });
        json_response(StatusCode::UNPROCESSABLE_ENTITY, status.to_string())
    }

    /// Waits until a watch may be answered, and answers it where it has expired.
    pub(super) async fn admit(&self, resource: &str) -> Option<Response<Body>> {
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held.contains(resource))
            .await
            .expect("the reads outlive their requests");
        let expiry = self.lock().expiring.remove(resource)?;
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "too old resource version", "reason": "Expired", "code": 410,
        });
        Some(match expiry {
            Expiry::AsStatus => json_response(StatusCode::GONE, status.to_string()),
            Expiry::InStream => json_response(
                StatusCode::OK,
                format!("{}\n", json!({"type": "ERROR", "object": status})),
            ),
        })
    }

    /// The body of a watch, which breaks off when watches are cut.
    pub(super) fn breakable(&self, body: Body) -> Body {
        let cuts = self.cuts.subscribe();
        let frames = body.into_data_stream();
        let frames = stream::try_unfold((frames, cuts), async |(mut frames, mut cuts)| {
            tokio::select! {
                _ = cuts.changed() => Err(Cut),
                next = frames.next() => match next {
                    Some(Ok(data)) => Ok(Some((Frame::data(data), (frames, cuts)))),
                    Some(Err(cut)) => Err(cut),
                    None => Ok(None),
                },
            }
        });
        StreamBody::new(frames).boxed_unsync()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

fn json_response(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json");
    response.body(full(body)).expect("the parts are constants")
}
