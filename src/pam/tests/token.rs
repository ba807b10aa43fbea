//! One token per client: obtained once, renewed early, replaced once when it is rejected.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use super::fake::{self, granted, invalid_client, registered, reply};
use crate::pam::{Class, Client, Outcome};

/// A PAM that numbers its tokens `token-1`, `token-2`, … and accepts those for which `accepts` holds.
async fn numbering(accepts: impl Fn(&str) -> bool + Clone + Send + Sync + 'static) -> (Client, fake::Journal) {
    let next = Arc::new(AtomicUsize::new(1));
    let (url, journal) = fake::start(move |asked, _| {
        if asked.is_token_request() {
            granted(&format!("token-{}", next.fetch_add(1, Ordering::Relaxed)))
        } else if accepts(asked.header("authorization")) {
            registered()
        } else {
            reply(401, &json!({"message": "Invalid signature"}))
        }
    })
    .await;
    (fake::client(url), journal)
}

#[tokio::test]
async fn concurrent_callers_share_one_request() {
    let (client, journal) = numbering(|_| true).await;
    let results = join_all((0..50).map(|_| async { client.post(&fake::credential()).await })).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!((journal.tokens(), journal.calls().len()), (1, 50));
    client.authenticate().await.expect("the cached token");
    assert_eq!(journal.tokens(), 1);
}

#[tokio::test]
async fn callers_that_waited_for_a_failure_share_it() {
    let (url, journal) = fake::start(|_, _| reply(503, &json!({}))).await;
    let client = fake::client(url);
    let results = join_all((0..50).map(|_| client.authenticate())).await;
    assert!(
        results
            .iter()
            .all(|result| result.as_ref().is_err_and(|error| error.class == Class::Unavailable))
    );
    assert_eq!(journal.tokens(), 1);
    client
        .authenticate()
        .await
        .expect_err("a caller that comes later asks anew");
    assert_eq!(journal.tokens(), 2);
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_block_the_next() {
    let (url, _) = fake::start(|_, _| granted("token")).await;
    let client = fake::client(url);
    let mut abandoned = Box::pin(client.authenticate());
    assert!(futures::poll!(&mut abandoned).is_pending());
    drop(abandoned);
    client.authenticate().await.expect("a token");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let (url, journal) = fake::start(|asked, count| {
        if asked.is_token_request() {
            reply(
                200,
                &json!({"access_token": format!("token-{count}"), "expires_in": 20}),
            )
        } else {
            registered()
        }
    })
    .await;
    let client = fake::client(url);
    client.post(&fake::credential()).await.expect("an answer");
    pass(Duration::from_secs(17)).await;
    client.post(&fake::credential()).await.expect("an answer");
    assert_eq!(journal.tokens(), 1);
    pass(Duration::from_secs(2)).await;
    client.post(&fake::credential()).await.expect("an answer");
    assert_eq!(journal.tokens(), 2);
    let sent: Vec<_> = journal
        .calls()
        .iter()
        .map(|asked| asked.header("authorization").to_owned())
        .collect();
    assert_eq!(sent, ["Bearer token-1", "Bearer token-1", "Bearer token-4"]);
}

/// Moves tokio's clock.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_rejected_token_is_replaced_and_the_call_repeated_once() {
    let (client, journal) = numbering(|token| token != "Bearer token-1").await;
    client.post(&fake::credential()).await.expect("an answer");
    let calls = journal.calls();
    assert_eq!((journal.tokens(), calls.len()), (2, 2));
    assert_eq!(
        (calls[0].header("authorization"), calls[1].header("authorization")),
        ("Bearer token-1", "Bearer token-2")
    );
    assert_eq!(calls[0].body, calls[1].body);
}

#[tokio::test]
async fn callers_whose_token_is_rejected_together_share_the_new_one() {
    let (client, journal) = numbering(|token| token != "Bearer token-1").await;
    client.authenticate().await.expect("a token");
    let results = join_all((0..20).map(|_| async { client.post(&fake::credential()).await })).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!((journal.tokens(), journal.calls().len()), (2, 40));
}

#[tokio::test]
async fn a_second_rejection_is_final() {
    for (status, body, class) in [
        (
            401,
            json!({"message": "Invalid signature"}),
            Class::AuthenticationFailed,
        ),
        (401, json!("no JSON object"), Class::AuthenticationFailed),
        (403, json!({"message": "forbidden"}), Class::Forbidden),
        (
            404,
            json!({"message": "no Route matched with those values"}),
            Class::ApiNotFound,
        ),
    ] {
        let (url, journal) = fake::start(move |asked, _| {
            if asked.is_token_request() {
                granted("token")
            } else {
                reply(status, &body)
            }
        })
        .await;
        let error = fake::client(url).post(&fake::credential()).await.expect_err("rejected");
        assert_eq!(
            (error.class, error.outcome, error.status),
            (class, Outcome::NotExecuted, Some(status))
        );
        assert_eq!((journal.tokens(), journal.calls().len()), (2, 2), "{class:?}");
    }
}

#[tokio::test]
async fn other_refusals_are_not_repeated() {
    for (status, message) in [
        (400, "1039: Without PAM Configuration Access permission"),
        (500, "You are not authorized to access this resource."),
        (404, "Resource sub not found"),
        (500, "Unexpected error"),
    ] {
        let (url, journal) = fake::start(move |asked, _| {
            let envelope = json!({"response": {"status": status, "message": message, "error": true}});
            if asked.is_token_request() {
                granted("token")
            } else {
                reply(status, &envelope)
            }
        })
        .await;
        fake::client(url).post(&fake::credential()).await.expect_err("refused");
        assert_eq!((journal.tokens(), journal.calls().len()), (1, 1), "{message}");
    }
}

#[tokio::test]
async fn id_and_secret_travel_in_the_form_with_the_tenant() {
    let (url, journal) = fake::start(|_, _| granted("token")).await;
    let mut options = fake::options(url);
    options.tenant = Some("acme & sons".into());
    Client::new(options)
        .expect("a client")
        .authenticate()
        .await
        .expect("a token");
    let [asked] = &journal.all()[..] else {
        panic!("one request")
    };
    assert_eq!(
        (asked.method.as_str(), asked.uri.as_str()),
        ("POST", "/iso/oauth2/token")
    );
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("authorization"), "");
    let expected = [
        ("grant_type", "client_credentials"),
        ("client_id", "the-client-id"),
        ("client_secret", "the-client-secret"),
        ("tenant", "acme & sons"),
    ];
    assert_eq!(
        asked.form(),
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
}

#[tokio::test]
async fn a_refused_form_is_followed_by_the_basic_header_which_is_remembered() {
    let (url, journal) = fake::start(|asked, count| match asked.header("authorization") {
        // base64 of `the-client-id:the-client-secret`
        "Basic dGhlLWNsaWVudC1pZDp0aGUtY2xpZW50LXNlY3JldA==" => reply(
            200,
            &json!({"access_token": format!("token-{count}"), "expires_in": "20"}),
        ),
        _ => reply(400, &json!({"error": "invalid_request"})),
    })
    .await;
    let client = fake::client(url);
    client.authenticate().await.expect("a token");
    assert_eq!(journal.tokens(), 2);
    let form = journal.all()[1].form();
    assert_eq!(form, [("grant_type".to_owned(), "client_credentials".to_owned())]);
    pass(Duration::from_secs(19)).await;
    client.authenticate().await.expect("a token");
    assert_eq!(journal.tokens(), 3);
}

#[tokio::test]
async fn when_the_remembered_way_is_refused_the_next_caller_tries_both() {
    let (url, journal) = fake::start(|asked, count| match (count, asked.form().len()) {
        // First only the form is accepted, then only the header.
        (1, 3) => reply(200, &json!({"access_token": "first", "expires_in": 20})),
        (3.., 1) => granted("second"),
        _ => invalid_client(),
    })
    .await;
    let client = fake::client(url);
    client.authenticate().await.expect("a token");
    pass(Duration::from_secs(19)).await;
    client.authenticate().await.expect_err("the form is refused");
    assert_eq!(journal.tokens(), 2);
    client.authenticate().await.expect("a token");
    assert_eq!(journal.tokens(), 4);
}

#[tokio::test]
async fn a_wrong_secret_is_tried_both_ways_and_no_more() {
    let (url, journal) = fake::start(|_, _| invalid_client()).await;
    let client = fake::client(url);
    let results = join_all((0..10).map(|_| client.authenticate())).await;
    for error in results.into_iter().map(|result| result.expect_err("refused")) {
        assert_eq!(
            (error.class, error.outcome),
            (Class::AuthenticationFailed, Outcome::NotExecuted)
        );
    }
    assert_eq!(journal.tokens(), 2);
}

#[tokio::test]
async fn only_a_refusal_of_the_client_is_tried_both_ways() {
    for (status, class) in [
        (404, Class::ApiNotFound),
        (500, Class::InternalError),
        (429, Class::RateLimited),
    ] {
        let (url, journal) = fake::start(move |_, _| reply(status, &json!({}))).await;
        let error = fake::client(url).post(&fake::credential()).await.expect_err("no token");
        assert_eq!((error.class, error.outcome), (class, Outcome::NotExecuted));
        assert_eq!(journal.all().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_without_a_usable_token_is_none() {
    for body in [
        json!({}),
        json!({"access_token": ""}),
        json!({"access_token": "a\nb"}),
        json!({"access_token": 7}),
    ] {
        let (url, _) = fake::start(move |_, _| reply(200, &body)).await;
        let error = fake::client(url).authenticate().await.expect_err("no token");
        assert_eq!((error.class, error.status), (Class::InvalidResponse, Some(200)));
    }
}
