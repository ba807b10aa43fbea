//! Counts what a user asked of the API server, exactly.
//!
//! The log is written in blocking mode at two stages: before a request is handled and after it was answered. Whoever
//! has seen a change (in a watch, say) knows therefore that the request which made it is in the log at least as begun;
//! reading waits until what has begun is complete.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::Deserialize;

use crate::Error;

/// Logs who asked for what, without bodies; not the API server's requests to itself.
pub(crate) const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["ResponseStarted"],
  "rules": [{"level": "None", "users": ["system:apiserver"]}, {"level": "Metadata"}]
}"#;

/// How long a request that has begun may take to complete.
const SETTLE_DEADLINE: Duration = Duration::from_secs(30);

/// The audit log of a control plane.
pub struct AuditLog {
    path: PathBuf,
    state: Mutex<State>,
}

/// A place in the audit log to count from.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

/// A request that the API server answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    /// Who asked.
    pub user: String,
    /// What for: `get`, `list`, `watch` (logged when it ends), `create`, `update`, `patch`, `delete`.
    pub verb: String,
    /// The plural name of the resource, such as `secrets`; empty for a path such as `/version`.
    pub resource: String,
    /// The subresource, such as `status`; empty for the object itself.
    pub subresource: String,
    /// The namespace; empty for all of them and for what has none.
    pub namespace: String,
    /// The object's name; empty for a list or watch.
    pub name: String,
    /// The HTTP status of the answer.
    pub code: u16,
    /// No role permits it. Admission may refuse, too, with the same status.
    pub forbidden: bool,
}

impl Request {
    /// Whether the API server did what was asked.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether it was meant to change something.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }

    /// Verb and target in the words of a role, such as `patch pamcredentials/status`.
    #[must_use]
    pub fn operation(&self) -> String {
        let separator = if self.subresource.is_empty() { "" } else { "/" };
        format!("{} {}{separator}{}", self.verb, self.resource, self.subresource)
    }
}

/// How often each operation occurs, for an assertion that also excludes what nobody thought of.
pub fn count<'a>(requests: impl IntoIterator<Item = &'a Request>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for request in requests {
        *counts.entry(request.operation()).or_default() += 1;
    }
    counts
}

impl AuditLog {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            state: Mutex::default(),
        }
    }

    /// The end of the log, once everything that `user` has begun is complete.
    pub async fn mark(&self, user: &str) -> Result<Mark, Error> {
        self.settle(user).await?;
        Ok(Mark(self.lock().answered.len()))
    }

    /// What `user` asked for since `mark`, once everything that it has begun is complete (watches excepted).
    pub async fn since(&self, mark: Mark, user: &str) -> Result<Vec<Request>, Error> {
        self.settle(user).await?;
        let state = self.lock();
        Ok(state.answered[mark.0..]
            .iter()
            .filter(|request| request.user == user)
            .cloned()
            .collect())
    }

    /// How often each write of `user` succeeded since `mark`, such as `{"patch pamcredentials/status": 2}`.
    pub async fn writes(&self, mark: Mark, user: &str) -> Result<BTreeMap<String, usize>, Error> {
        let requests = self.since(mark, user).await?;
        Ok(count(
            requests
                .iter()
                .filter(|request| request.is_write() && request.succeeded()),
        ))
    }

    async fn settle(&self, user: &str) -> Result<(), Error> {
        let deadline = Instant::now() + SETTLE_DEADLINE;
        loop {
            {
                let mut state = self.lock();
                state.read(&self.path)?;
                if !state.begun.iter().any(|(_, who)| who == user) {
                    return Ok(());
                }
            }
            if Instant::now() > deadline {
                return Err(Error::Timeout(format!(
                    "a request of {user} did not complete in {SETTLE_DEADLINE:?}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("reading the audit log does not panic")
    }
}

/// What was read so far.
#[derive(Default)]
struct State {
    log: Option<BufReader<File>>,
    /// The begin of a line whose end is not written yet.
    partial: String,
    /// Audit id and user of the requests that are not answered yet.
    begun: HashSet<(String, String)>,
    answered: Vec<Request>,
}

impl State {
    fn read(&mut self, path: &PathBuf) -> Result<(), Error> {
        let doing = || Error::io(format!("cannot read {}", path.display()));
        let mut log = match self.log.take() {
            Some(log) => log,
            None => BufReader::new(File::open(path).map_err(doing())?),
        };
        while log.read_line(&mut self.partial).map_err(doing())? > 0 {
            if self.partial.ends_with('\n') {
                let line = std::mem::take(&mut self.partial);
                self.take(serde_json::from_str(&line).expect("the API server writes JSON lines of one form"));
            }
        }
        self.log = Some(log);
        Ok(())
    }

    fn take(&mut self, event: Event) {
        let key = (event.audit_id, event.user.username.clone());
        if event.stage == "RequestReceived" {
            // A watch completes only when its client leaves.
            if event.verb != "watch" {
                self.begun.insert(key);
            }
            return;
        }
        self.begun.remove(&key);
        let object = event.object_ref.unwrap_or_default();
        self.answered.push(Request {
            user: event.user.username,
            verb: event.verb,
            resource: object.resource,
            subresource: object.subresource,
            namespace: object.namespace,
            name: object.name,
            code: event.response_status.map_or(0, |status| status.code),
            forbidden: event.annotations.decision == "forbid",
        });
    }
}

/// A line of the log: the part of `audit.k8s.io/v1 Event` that is counted by.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "auditID")]
    audit_id: String,
    stage: String,
    verb: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
    #[serde(default)]
    annotations: Annotations,
}

/// What the authorizer noted.
#[derive(Default, Deserialize)]
struct Annotations {
    #[serde(default, rename = "authorization.k8s.io/decision")]
    decision: String,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize)]
struct ResponseStatus {
    code: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, stage: &str, verb: &str) -> Event {
        let event = serde_json::json!({
            "auditID": id, "stage": stage, "verb": verb, "user": {"username": "operator"},
            "objectRef": {"resource": "pamcredentials", "subresource": "status", "namespace": "a", "name": "b"},
            "responseStatus": {"code": 200},
        });
        serde_json::from_value(event).expect("the literal has the form of an event")
    }

    #[test]
    fn a_request_is_under_way_until_it_is_answered_and_a_watch_never_is() {
        let mut state = State::default();
        state.take(event("1", "RequestReceived", "patch"));
        state.take(event("2", "RequestReceived", "watch"));
        assert_eq!((state.begun.len(), state.answered.len()), (1, 0));
        state.take(event("1", "ResponseComplete", "patch"));
        assert_eq!((state.begun.len(), state.answered.len()), (0, 1));
        assert_eq!(
            count(&state.answered),
            BTreeMap::from([("patch pamcredentials/status".to_owned(), 1)])
        );
    }

    #[test]
    fn what_no_role_permits_is_told_from_what_admission_refuses() {
        for (decision, forbidden) in [("forbid", true), ("allow", false)] {
            let event = serde_json::json!({
                "auditID": "1", "stage": "ResponseComplete", "verb": "create", "user": {"username": "operator"},
                "responseStatus": {"code": 403}, "annotations": {"authorization.k8s.io/decision": decision},
            });
            let mut state = State::default();
            state.take(serde_json::from_value(event).expect("the literal has the form of an event"));
            assert_eq!((state.answered[0].code, state.answered[0].forbidden), (403, forbidden));
        }
    }

    #[test]
    fn a_line_that_is_still_being_written_waits_for_its_end() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("log");
        let line = r#"{"auditID":"1","stage":"ResponseComplete","verb":"get","user":{"username":"a"}}"#;
        let (begin, end) = line.split_at(20);
        let mut state = State::default();
        std::fs::write(&path, begin).expect("a writable file");
        state.read(&path).expect("a readable file");
        assert!(state.answered.is_empty());
        std::fs::write(&path, format!("{begin}{end}\n")).expect("a writable file");
        state.read(&path).expect("a readable file");
        assert_eq!(state.answered.len(), 1);
    }
}
