//! Holding a request at a point until a test lets it go, so that a client can be killed at exactly that moment.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::simulator::Timeout;

/// The next matching request stops at its point until this is released. Dropping it releases the request too.
#[derive(Debug)]
pub struct Hold {
    gate: Arc<Gate>,
}

/// Where a held request waits.
#[derive(Debug)]
pub(crate) struct Gate {
    arrived: watch::Sender<bool>,
    verdict: watch::Sender<Option<Verdict>>,
}

/// What happens to a request after it was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes on.
    Proceed,
    /// Its connection is dropped.
    Drop,
}

impl Hold {
    pub(crate) fn new() -> Self {
        Self {
            gate: Arc::new(Gate {
                arrived: watch::Sender::new(false),
                verdict: watch::Sender::new(None),
            }),
        }
    }

    pub(crate) fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// Waits until a request is held, at most `deadline`.
    pub async fn held(&self, deadline: Duration) -> Result<(), Timeout> {
        let mut arrived = self.gate.arrived.subscribe();
        let held = arrived.wait_for(|arrived| *arrived);
        tokio::time::timeout(deadline, held)
            .await
            .map_err(|_| Timeout(deadline))?
            .expect("the gate outlives its hold");
        Ok(())
    }

    /// Lets the request go on.
    pub fn release(self) {
        drop(self);
    }

    /// Drops the request's connection: one held before executing is never executed, one held after executing stays
    /// without answer.
    pub fn drop_connection(self) {
        self.gate.verdict.send_replace(Some(Verdict::Drop));
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.gate.verdict.send_if_modified(|verdict| {
            let undecided = verdict.is_none();
            verdict.get_or_insert(Verdict::Proceed);
            undecided
        });
    }
}

impl Gate {
    /// Announces a request and waits for its verdict.
    pub(crate) async fn pass(&self) -> Verdict {
        self.arrived.send_replace(true);
        let mut verdict = self.verdict.subscribe();
        let decided = verdict
            .wait_for(Option::is_some)
            .await
            .expect("the gate outlives its request");
        (*decided).unwrap_or(Verdict::Proceed)
    }
}
