//! The lease on the API server: read and written, each time against the version that was seen.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{
    Api, Client,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    leader::candidate::Finding,
    limited::{Failure, limited},
};

/// How long one request may take: after that another connection may do better.
const ATTEMPT: Duration = Duration::from_secs(5);

/// What became of a write.
#[derive(Debug)]
pub enum Written {
    /// The lease says so now.
    Yes,
    /// Somebody else wrote, created or deleted it since it was seen.
    Outrun,
    /// It failed; perhaps it was done nevertheless.
    Unknown,
}

/// The lease, and the version of it that was seen last.
#[derive(Debug)]
pub struct Desk {
    api: Api<Lease>,
    name: String,
    version: Option<String>,
    /// The last failure, so that the same one is not told again and again.
    failure: Option<String>,
}

impl Desk {
    /// The lease of this name in this namespace.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            version: None,
            failure: None,
        }
    }

    /// Reads the lease.
    pub async fn read(&mut self, deadline: Instant) -> Finding {
        let found = limited(within(deadline), self.api.get_opt(&self.name)).await;
        match found {
            Ok(Some(lease)) => Finding::Lease(self.seen(lease)),
            Ok(None) => {
                self.failure = None;
                Finding::Absent
            }
            Err(failure) => {
                self.tell(&failure);
                Finding::Unknown
            }
        }
    }

    /// Creates the lease.
    pub async fn create(&mut self, spec: LeaseSpec, deadline: Instant) -> Written {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            },
            spec: Some(spec),
        };
        let params = PostParams::default();
        let created = limited(within(deadline), self.api.create(&params, &lease)).await;
        self.written(created)
    }

    /// Writes these fields into the lease as it was seen last.
    pub async fn patch(&mut self, spec: LeaseSpec, deadline: Instant) -> Written {
        let patch = Patch::Merge(json!({"metadata": {"resourceVersion": self.version}, "spec": spec}));
        let params = PatchParams::default();
        let patched = limited(within(deadline), self.api.patch(&self.name, &params, &patch)).await;
        self.written(patched)
    }

    fn written(&mut self, result: Result<Lease, Failure>) -> Written {
        match result {
            Ok(lease) => {
                self.seen(lease);
                Written::Yes
            }
            Err(Failure::Refused(kube::Error::Api(status)))
                if status.is_conflict() || status.is_already_exists() || status.is_not_found() =>
            {
                Written::Outrun
            }
            Err(failure) => {
                self.tell(&failure);
                Written::Unknown
            }
        }
    }

    fn seen(&mut self, lease: Lease) -> LeaseSpec {
        self.version = lease.metadata.resource_version;
        self.failure = None;
        lease.spec.unwrap_or_default()
    }

    fn tell(&mut self, failure: &Failure) {
        let text = failure.to_string();
        if self.failure.as_ref() != Some(&text) {
            tracing::warn!(lease = self.name, error = text, "the lease cannot be read or written");
            self.failure = Some(text);
        }
    }
}

/// When one request that is to end before a deadline is given up.
fn within(deadline: Instant) -> Instant {
    deadline.min(Instant::now() + ATTEMPT)
}
