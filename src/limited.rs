//! Requests to the API server that may not take longer than somebody can wait.

use tokio::time::{Instant, timeout_at};

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It was refused, or no API server was reached.
    #[error("{0}")]
    Refused(kube::Error),
    /// It may have been done nevertheless.
    #[error("no answer in time")]
    Late,
}

/// The result of a request, if it comes before the deadline.
pub(crate) async fn limited<T>(
    deadline: Instant,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, Failure> {
    let answered = timeout_at(deadline, request).await;
    answered.map_err(|_| Failure::Late)?.map_err(Failure::Refused)
}
