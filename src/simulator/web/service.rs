//! One request from arrival to answer: journal, faults, execution.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    extract::Request,
    http::{header, request::Parts},
    response::Response,
};
use serde_json::Value;

use crate::simulator::{
    Error,
    data::Data,
    harness::{
        entry::{Arrival, Operation},
        faults::{Faults, Pause, Plan},
        hold::Verdict,
        journal::Journal,
    },
    switches::Behaviour,
    vault::{body, store::Store},
    web::{
        answer::{Answer, Delivery},
        gateway::Call,
        tokens::Tokens,
    },
};

/// Larger bodies than this are refused.
const MAX_BODY: usize = 16 << 20;

/// The simulated PAM, shared by all connections. Each lock is held for one look or one change, never across an await.
pub(crate) struct Simulator {
    pub behaviour: Behaviour,
    pub journal: Journal,
    pub faults: Faults,
    store: Mutex<Store>,
    tokens: Mutex<Tokens>,
}

/// A request that has arrived completely and stands in the journal.
struct Job {
    seq: u64,
    operation: Operation,
    call: Call,
    plan: Plan,
}

impl Simulator {
    pub(crate) fn new(data: &Data, behaviour: Behaviour) -> Result<Self, Error> {
        Ok(Self {
            store: Mutex::new(Store::new(data, behaviour.clone())?),
            tokens: Mutex::new(Tokens::new(&data.clients)),
            journal: Journal::new(),
            faults: Faults::default(),
            behaviour,
        })
    }

    /// The state. A panic of a caller's closure under the lock is that caller's failure alone.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clients and tokens.
    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one request. It is carried out in a task of its own: like the PAM, the simulator finishes what it has received
    /// even when the client is gone.
    pub(crate) async fn serve(
        self: Arc<Self>,
        operation: Operation,
        selector: Option<String>,
        request: Request,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(bytes) = axum::body::to_bytes(body, MAX_BODY).await else {
            return Delivery::Whole(Answer::gateway(413, "Request size limit exceeded")).into();
        };
        let content_type = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let body = body::parse(content_type.unwrap_or_default(), &bytes);
        let job = self.receive(operation, selector, &parts, &body);
        let delivery = tokio::spawn(async move { self.carry_out(job).await }).await;
        delivery.unwrap_or(Delivery::Nothing).into()
    }

    /// Everything that is decided when a request arrives: what it asks for, which faults await it.
    fn receive(&self, operation: Operation, selector: Option<String>, parts: &Parts, body: &Value) -> Job {
        let identifier = body::identifier(body).or_else(|| self.selected_identifier(selector.as_deref()));
        let (client, call) = self.call(operation, selector, parts, body);
        let plan = self.faults.plan(operation, identifier.as_deref());
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        let seq = self.journal.arrived(Arrival {
            operation,
            method,
            path,
            client,
            identifier,
            body,
        });
        Job {
            seq,
            operation,
            call,
            plan,
        }
    }

    fn selected_identifier(&self, selector: Option<&str>) -> Option<String> {
        self.store().select(selector?)?.identifier.clone()
    }

    async fn carry_out(&self, job: Job) -> Delivery {
        let seq = job.seq;
        let (delivery, executed) = self.run(job).await;
        self.journal.finished(seq, &delivery.fate(executed));
        delivery
    }

    /// What is delivered, and whether the PAM carried the request out.
    async fn run(&self, job: Job) -> (Delivery, bool) {
        if !pass(&job.plan.before).await {
            return (Delivery::Nothing, false);
        }
        let effect = job.plan.effect.as_ref();
        let instead = effect.and_then(|effect| effect.instead(job.operation, &self.behaviour));
        let executed = instead.is_none() && job.call.reaches_the_pam();
        let delivery = instead.unwrap_or_else(|| {
            let answer = self.execute(job.call);
            match effect {
                Some(effect) => effect.disguise(answer, &self.behaviour),
                None => Delivery::Whole(answer),
            }
        });
        if executed {
            self.journal.executed(job.seq);
        }
        let passed = pass(&job.plan.after).await;
        (if passed { delivery } else { Delivery::Nothing }, executed)
    }
}

/// Waits as planned; false when the connection is to be dropped.
async fn pass(pauses: &[Pause]) -> bool {
    for pause in pauses {
        if pause.pass().await == Verdict::Drop {
            return false;
        }
    }
    true
}
