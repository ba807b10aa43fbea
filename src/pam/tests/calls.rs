//! The calls as the PAM sees them, and what becomes of its answers.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::fake::{self, granted, pam, raw, registered, reply, success};
use crate::pam::{Answer, AnswerKind, ApiPrefix, Class, Client, Error, Outcome};

#[tokio::test]
async fn posts_the_whole_body() {
    let (client, journal) = pam(|_| registered()).await;
    // In a task of its own, as the controller does: the calls can move between threads.
    let task = tokio::spawn(async move { client.post(&fake::credential()).await });
    let answer = task.await.expect("no panic").expect("an answer");
    assert_eq!(
        (answer.id.as_str(), answer.identifier.as_deref()),
        ("115", Some("identifierjohn"))
    );
    assert_eq!(answer.message, AnswerKind::Registered);
    let [asked] = &journal.calls()[..] else {
        panic!("one call")
    };
    assert_eq!(
        (asked.method.as_str(), asked.uri.as_str()),
        ("POST", "/iso/pam/credential")
    );
    assert_eq!(asked.header("authorization"), "Bearer t0ken");
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(asked.header("accept"), "application/json");
    assert_eq!(
        asked.header("user-agent"),
        concat!("pam-operator/", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(asked.body[..], fake::credential().encode()[..]);
}

#[tokio::test]
async fn prefix_and_path_of_the_url_are_kept() {
    let (url, journal) = fake::start(|asked, _| {
        if asked.is_token_request() {
            granted("t")
        } else {
            success("ok", &json!({}))
        }
    })
    .await;
    let mut options = fake::options(url.join("base/").expect("a URL"));
    options.api_prefix = ApiPrefix::Api;
    let client = Client::new(options).expect("a client");
    client.deactivate("115").await.expect("done");
    client.reactivate("a-B_7").await.expect("done");
    client.list().await.expect("a listing");
    let asked: Vec<_> = journal
        .all()
        .iter()
        .map(|asked| format!("{} {}", asked.method, asked.uri))
        .collect();
    assert_eq!(
        asked,
        [
            "POST /base/api/oauth2/token",
            "DELETE /base/api/pam/credential/115",
            "PUT /base/api/pam/credential/a-B_7",
            "GET /base/api/pam/credential",
        ]
    );
}

#[tokio::test]
async fn an_id_that_is_none_is_not_sent() {
    let (client, journal) = pam(|_| success("ok", &json!({}))).await;
    for id in [
        "",
        ".",
        "..",
        "user@host",
        "a/b",
        "a%2Fb",
        "1?x",
        "1#x",
        "ä",
        &"1".repeat(129),
    ] {
        for result in [client.deactivate(id).await, client.reactivate(id).await] {
            let error = result.expect_err("refused");
            assert_eq!(
                (error.class, error.outcome),
                (Class::Rejected, Outcome::NotExecuted),
                "{id}"
            );
        }
    }
    assert_eq!(journal.all().len(), 0);
}

async fn post(body: Value) -> Result<Answer, Error> {
    let (client, _) = pam(move |_| reply(200, &body)).await;
    client.post(&fake::credential()).await
}

#[tokio::test]
async fn understands_the_answers_of_all_versions() {
    use AnswerKind::{Registered, Unknown, Updated};
    for (message, credential, identifier, kind) in [
        (
            json!({"message": "Credential updated successfully!"}),
            json!({"id": "7", "identifier": "x"}),
            Some("x"),
            Updated,
        ),
        (
            json!({"mensagem": "CREDENTIAL SUCCESSFULLY REGISTERED"}),
            json!({"id": 7}),
            None,
            Registered,
        ),
        (
            json!({"message": "Feito"}),
            json!({"id": "7", "identifier": null}),
            None,
            Unknown,
        ),
        (json!({}), json!({"id": "7", "identifier": ""}), None, Unknown),
        // `tag` may be the previous identifier: it says nothing.
        (
            json!({"message": "Credential updated successfully!"}),
            json!({"id": "7", "tag": "old"}),
            None,
            Updated,
        ),
    ] {
        let mut response = json!({"status": 201, "error": false});
        response
            .as_object_mut()
            .expect("an object")
            .extend(message.as_object().expect("an object").clone());
        let answer = post(json!({"response": response, "credential": credential}))
            .await
            .expect("an answer");
        assert_eq!(
            (answer.id.as_str(), answer.identifier.as_deref(), answer.message),
            ("7", identifier, kind)
        );
    }
}

#[tokio::test]
async fn an_answer_without_a_usable_id_is_none() {
    let response = json!({"status": 201, "error": false});
    for credential in [
        json!(null),
        json!({}),
        json!({"id": ""}),
        json!({"id": "a/b"}),
        json!({"id": ["7"]}),
    ] {
        let error = post(json!({"response": response, "credential": credential}))
            .await
            .expect_err("refused");
        assert_eq!(
            (error.class, error.outcome),
            (Class::InvalidResponse, Outcome::Unknown),
            "{credential}"
        );
    }
}

#[tokio::test]
async fn refusals_of_the_toggles_depend_on_the_direction() {
    let (client, _) = pam(|_| {
        reply(
            400,
            &json!({"response": {"status": 400, "error": true}, "exception": {"code": 1017}}),
        )
    })
    .await;
    assert_eq!(
        client.deactivate("7").await.expect_err("refused").class,
        Class::AlreadyInactive
    );
    assert_eq!(
        client.reactivate("7").await.expect_err("refused").class,
        Class::AlreadyActive
    );
}

#[tokio::test]
async fn an_answer_is_read_up_to_a_limit() {
    for (length, accepted) in [(1 << 19, true), ((1 << 20) + 1, false)] {
        let (client, _) = pam(move |_| {
            let response = json!({"status": 201, "error": false});
            reply(
                201,
                &json!({"response": response, "credential": {"id": "7"}, "padding": "x".repeat(length)}),
            )
        })
        .await;
        match client.post(&fake::credential()).await {
            Ok(answer) => assert!(accepted && answer.id == "7"),
            Err(error) => {
                assert!(!accepted, "{error}");
                assert_eq!((error.class, error.outcome), (Class::InvalidResponse, Outcome::Unknown));
                assert_eq!(error.status, Some(201));
            }
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for location in ["/elsewhere", "http://169.254.169.254/latest/meta-data/"] {
        let (client, journal) =
            pam(move |_| (StatusCode::TEMPORARY_REDIRECT, [("location", location)]).into_response()).await;
        let error = client.post(&fake::credential()).await.expect_err("no answer");
        assert_eq!(
            (error.class, error.outcome, error.status),
            (Class::InvalidResponse, Outcome::NotExecuted, Some(307)),
            "{location}"
        );
        let unlisted = client.list().await.expect_err("no listing");
        assert_eq!(
            (unlisted.class, unlisted.status),
            (Class::InvalidResponse, Some(307)),
            "{location}"
        );
        assert!(journal.all().iter().all(|asked| asked.uri != "/elsewhere"));
    }
}

#[tokio::test]
async fn a_request_goes_through_the_proxy() {
    let (proxy, journal) = fake::start(|asked, _| {
        if asked.is_token_request() {
            granted("t")
        } else {
            registered()
        }
    })
    .await;
    let mut options = fake::options("http://pam.example.com/".parse().expect("a URL"));
    options.proxy = Some(proxy);
    Client::new(options)
        .expect("a client")
        .post(&fake::credential())
        .await
        .expect("an answer");
    assert_eq!(journal.calls()[0].uri, "http://pam.example.com/iso/pam/credential");
}

#[tokio::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"))
        .parse()
        .expect("a URL");
    drop(listener);
    let error = fake::client(url)
        .post(&fake::credential())
        .await
        .expect_err("no connection");
    assert_eq!(
        (error.class, error.outcome, error.status),
        (Class::Unavailable, Outcome::NotExecuted, None)
    );
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_open() {
    for (answer, class, status) in [
        (Some(""), Class::Unavailable, None),
        (Some("no HTTP at all\r\n\r\n"), Class::Unavailable, None),
        (
            Some("HTTP/1.1 201 OK\r\ncontent-length: 99\r\n\r\n{\"response\":"),
            Class::InvalidResponse,
            Some(201),
        ),
        (
            Some("HTTP/1.1 201 OK\r\nconnection: close\r\n\r\n{\"response\":"),
            Class::InvalidResponse,
            Some(201),
        ),
    ] {
        let error = fake::client(raw(answer).await)
            .post(&fake::credential())
            .await
            .expect_err("no answer");
        assert_eq!(
            (error.class, error.outcome, error.status),
            (class, Outcome::Unknown, status),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let mut options = fake::options(raw(None).await);
    options.timeout = Duration::from_millis(300);
    let error = Client::new(options)
        .expect("a client")
        .post(&fake::credential())
        .await
        .expect_err("no answer");
    assert_eq!((error.class, error.outcome), (Class::Unavailable, Outcome::Unknown));
    assert!(error.to_string().contains("no answer in time"), "{error}");
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let (client, journal) = pam(|asked| {
        // Echoes whatever it was sent.
        let body = String::from_utf8_lossy(&asked.body).into_owned() + asked.header("authorization");
        reply(
            500,
            &json!({"response": {"status": 500, "message": body, "error": true}}),
        )
    })
    .await;
    let error = client.post(&fake::credential()).await.expect_err("an error");
    let shown = format!("{client:?} {error} {error:?} {:?}", fake::credential());
    assert!(String::from_utf8_lossy(&journal.calls()[0].body).contains("vfdvds##@"));
    for secret in ["vfdvds##@", "t0ken", "the-client-id", "the-client-secret"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
