//! The operator's own HTTP server: probes and metrics.

use axum::{
    Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::{
    controller::Readiness,
    metrics::{self, Metrics},
};

/// Serves until `shutdown` ends: `/livez` (the process answers), `/readyz` (all caches were filled; an outage of the
/// PAM does not change it) and `/metrics`.
pub async fn serve(
    listener: TcpListener,
    readiness: Readiness,
    metrics: Metrics,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let ready = move || async move {
        if readiness.is_ready() {
            (StatusCode::OK, "ok\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "the caches are not filled yet\n")
        }
    };
    let routes = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(move || page(metrics.clone())));
    axum::serve(listener, routes).with_graceful_shutdown(shutdown).await
}

/// The page of metrics, written beside the tasks: that of a hundred thousand objects takes as long as hundreds of reconciles.
async fn page(metrics: Metrics) -> Response {
    match tokio::task::spawn_blocking(move || metrics.render()).await {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
