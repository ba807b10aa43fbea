//! The routes of the PAM's API.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Request, State},
    response::Response,
    routing::{get, post},
};

use crate::simulator::{
    harness::entry::Operation,
    web::{admin, service::Simulator},
};

type Shared = State<Arc<Simulator>>;

/// Every path of the API below any prefix (the gateway decides which prefixes are routed), and the simulator's own paths.
pub(crate) fn router(simulator: Arc<Simulator>) -> Router {
    let all = get(list).post(write);
    Router::new()
        .route("/{prefix}/oauth2/token", post(token))
        .route("/{prefix}/pam/credential", all.clone())
        .route("/{prefix}/pam/credential/", all)
        .route(
            "/{prefix}/pam/credential/{selector}",
            get(reveal).delete(deactivate).put(reactivate),
        )
        .method_not_allowed_fallback(unknown)
        .fallback(unknown)
        .nest("/_simulator", admin::router())
        .with_state(simulator)
}

async fn token(State(simulator): Shared, request: Request) -> Response {
    simulator.serve(Operation::Token, None, request).await
}

async fn list(State(simulator): Shared, request: Request) -> Response {
    simulator.serve(Operation::List, None, request).await
}

async fn write(State(simulator): Shared, request: Request) -> Response {
    simulator.serve(Operation::Post, None, request).await
}

async fn reveal(State(simulator): Shared, selector: Path<(String, String)>, request: Request) -> Response {
    simulator.serve(Operation::Reveal, Some(selector.0.1), request).await
}

async fn deactivate(State(simulator): Shared, selector: Path<(String, String)>, request: Request) -> Response {
    simulator.serve(Operation::Delete, Some(selector.0.1), request).await
}

async fn reactivate(State(simulator): Shared, selector: Path<(String, String)>, request: Request) -> Response {
    simulator.serve(Operation::Put, Some(selector.0.1), request).await
}

async fn unknown(State(simulator): Shared, request: Request) -> Response {
    simulator.serve(Operation::Unknown, None, request).await
}
