//! The calls of the API, unknown paths, the journal.

use reqwest::{Method, header};
use serde_json::{Value, json};

use super::*;
use crate::simulator::{Envelope, IdentifierKey, Permission, Prefixes, Switches, fingerprint};

#[tokio::test]
async fn a_credential_is_created_updated_listed_deactivated_and_reactivated() {
    let talk = Talk::new(Profile::V4_0, data()).await;
    let (status, created) = talk.post(&body("alice", "a", "pw-1")).await.expect("an answer");
    assert_eq!(
        (status, &created["response"]["message"]),
        (201, &json!("Credential successfully registered!"))
    );
    assert_eq!(created["credential"], json!({"id": "2", "identifier": "a"}));
    let (status, updated) = talk.post(&body("alice", "a", "pw-2")).await.expect("an answer");
    assert_eq!(
        (status, &updated["response"]["message"]),
        (201, &json!("Credential updated successfully!"))
    );
    let (status, listing) = talk.list().await.expect("an answer");
    let identifiers: Vec<&str> = listing["credentials"]
        .as_array()
        .expect("an array")
        .iter()
        .filter_map(|e| e["identifier"].as_str())
        .collect();
    assert_eq!((status, identifiers), (200, vec!["foreign", "a"]));
    let (status, off) = talk.on(Method::DELETE, "2").await.expect("an answer");
    assert_eq!(
        (status, &off["response"]["message"]),
        (200, &json!("Credential successfully deactivated"))
    );
    let (status, again) = talk.on(Method::DELETE, "2").await.expect("an answer");
    assert_eq!((status, &again["exception"]["code"]), (400, &json!(1008)));
    let (status, on) = talk.on(Method::PUT, "2").await.expect("an answer");
    assert_eq!(
        (status, &on["response"]["message"]),
        (200, &json!("Credential successfully activated"))
    );
    assert_eq!(talk.pam.journal().count(Operation::Reveal), 0);
}

#[tokio::test]
async fn a_reveal_discloses_the_password_and_shows_in_the_journal() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let (status, revealed) = talk.on(Method::GET, "foreign").await.expect("an answer");
    assert_eq!((status, &revealed["credential"]["content"]), (200, &json!("before")));
    assert_eq!(talk.pam.journal().count(Operation::Reveal), 1);
    assert_eq!(
        talk.pam
            .credential(1)
            .and_then(|credential| credential.custody)
            .as_deref(),
        Some("operator")
    );
}

#[tokio::test]
async fn prefixes_are_routed_by_version_and_unknown_paths_get_the_envelope() {
    for (profile, prefix, expected) in [
        (Profile::V3_32, "iso", 200),
        (Profile::V3_32, "api", 404),
        (Profile::V4_0, "api", 200),
        (Profile::V4_0, "other", 404),
    ] {
        let talk = Talk::new(profile, data()).await;
        let path = format!("/{prefix}/pam/credential");
        let (status, answer) = read(talk.call(Method::GET, &path)).await.expect("an answer");
        assert_eq!(status, expected, "{profile:?} {prefix}");
        assert_eq!(
            answer["message"] == "no Route matched with those values",
            expected == 404
        );
    }
    let talk = Talk::new(Profile::V3_32, data()).await;
    for (method, path) in [(Method::GET, "/iso/pam/nothing"), (Method::PUT, "/iso/pam/credential")] {
        let (status, answer) = read(talk.call(method, path)).await.expect("an answer");
        assert_eq!(
            (status, &answer["response"]["message"]),
            (404, &json!("Resource sub not found"))
        );
    }
    let api_only = Switches {
        prefixes: Some(Prefixes::Api),
        ..Switches::default()
    };
    assert!(
        !crate::simulator::Behaviour::new(Profile::V4_0, &api_only)
            .prefixes
            .route("/iso/pam/credential")
    );
}

#[tokio::test]
async fn old_envelope_tag_and_http_200_can_be_switched_on() {
    let mut data = data();
    data.switches = Switches {
        envelope: Some(Envelope::Old),
        identifier_key: Some(IdentifierKey::Tag),
        status_on_post: Some(200),
        ..Switches::default()
    };
    let talk = Talk::new(Profile::V3_32, data).await;
    let (status, created) = talk.post(&body("alice", "a", "pw")).await.expect("an answer");
    assert_eq!(
        (status, &created["response"]["status"]),
        (200, &json!(201)),
        "HTTP status and envelope may differ"
    );
    assert_eq!(
        (created.get("code"), &created["credential"]),
        (None, &json!({"id": "2", "tag": null}))
    );
    let (_, updated) = talk.post(&body("alice", "b", "pw")).await.expect("an answer");
    assert_eq!(
        updated["credential"],
        json!({"id": "2", "tag": "a"}),
        "the previous one"
    );
}

#[tokio::test]
async fn a_client_can_lose_its_rights_at_run_time() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    assert!(
        talk.pam
            .edit_client("operator", |client| client.permission = Permission::ReadOnly)
    );
    let (status, refused) = talk.post(&body("alice", "a", "pw")).await.expect("an answer");
    assert_eq!((status, &refused["exception"]["code"]), (400, &json!(1039)));
    assert!(talk.pam.edit_client("operator", |client| client.authorized = false));
    let (status, refused) = talk.list().await.expect("an answer");
    assert_eq!(
        (status, &refused["response"]["message"]),
        (500, &json!("You are not authorized to access this resource."))
    );
}

#[tokio::test]
async fn a_flat_form_is_a_body_too() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let form = [
        ("username", "alice"),
        ("hostname", "db"),
        ("ip", "10.0.0.1"),
        ("identifier", "a"),
        ("content", "pw"),
    ];
    let (status, _) = read(talk.call(Method::POST, "/iso/pam/credential").form(&form))
        .await
        .expect("an answer");
    assert_eq!(status, 201);
    assert!(
        talk.pam
            .find("a")
            .is_some_and(|credential| credential.content.is_some())
    );
}

#[tokio::test]
async fn the_journal_has_every_request_and_no_secret() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let mut sent = body("alice", "a", "s3cret-pw");
    sent["additional_settings"] = json!({
        "secret_key": "s3cret-seed", "additional_authentication_fields": [{"name": "pin", "short_name": "p", "value": "s3cret-pin"}]
    });
    talk.post(&sent).await.expect("an answer");
    talk.on(Method::DELETE, "2").await.expect("an answer");
    let entries = talk.pam.journal().entries();
    let operations: Vec<Operation> = entries.iter().map(|entry| entry.operation).collect();
    assert_eq!(operations, [Operation::Token, Operation::Post, Operation::Delete]);
    let post = &entries[1];
    assert_eq!(
        (post.status, post.id, post.identifier.as_deref()),
        (Some(201), Some(2), Some("a"))
    );
    assert_eq!(
        (post.client.as_deref(), post.executed, post.ended.is_some()),
        (Some("operator"), true, true)
    );
    assert_eq!(post.body["content"], fingerprint("s3cret-pw"));
    assert_eq!(
        post.body["additional_settings"]["secret_key"],
        fingerprint("s3cret-seed")
    );
    assert_eq!(
        entries[2].identifier.as_deref(),
        Some("a"),
        "of the selected credential"
    );
    let shown = format!(
        "{entries:?} {:?} {}",
        talk.pam.credentials(),
        serde_json::to_string(&entries).expect("JSON")
    );
    for secret in ["s3cret", talk.token.as_str()] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn waiting_on_the_journal_ends_with_the_request_or_the_deadline() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let arrives = talk.pam.journal().wait_for_count(Operation::List, 2, DEADLINE);
    let (waited, _, _) = tokio::join!(arrives, talk.list(), talk.list());
    assert_eq!(waited, Ok(()));
    let answered =
        |entries: &[super::super::Entry]| entries.iter().filter(|entry| entry.status == Some(200)).count() == 3;
    assert_eq!(talk.pam.journal().wait_for(DEADLINE, answered).await, Ok(()));
    assert!(talk.pam.journal().wait_for(Duration::ZERO, |_| false).await.is_err());
    talk.pam.journal().clear();
    assert_eq!(
        (
            talk.pam.journal().entries().len(),
            talk.pam.journal().count(Operation::List)
        ),
        (0, 0)
    );
}

#[tokio::test]
async fn the_administrators_paths_edit_and_show() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let edit = json!({"username": "toor", "content": "after", "active": false});
    let edited = read(talk.http.patch(talk.at("/_simulator/credentials/1")).json(&edit))
        .await
        .expect("an answer");
    assert_eq!(edited.0, 204);
    let (_, shown) = read(talk.http.get(talk.at("/_simulator/credentials")))
        .await
        .expect("an answer");
    assert_eq!(
        (&shown[0]["username"], &shown[0]["active"]),
        (&json!("toor"), &json!(false))
    );
    assert_eq!(shown[0]["content"], fingerprint("after"));
    let (_, journal) = read(talk.http.get(talk.at("/_simulator/journal/0")))
        .await
        .expect("an answer");
    assert_eq!(
        journal.as_array().map(Vec::len),
        Some(1),
        "only the token: administration is no request"
    );
    let removed = read(
        talk.http
            .delete(talk.at("/_simulator/credentials/1"))
            .header(header::ACCEPT, "*/*"),
    )
    .await;
    assert_eq!(removed.expect("an answer").0, 204);
    let gone: Value = read(talk.http.get(talk.at("/_simulator/credentials")))
        .await
        .expect("an answer")
        .1;
    assert_eq!(gone, json!([]));
    assert_eq!(
        read(talk.http.delete(talk.at("/_simulator/credentials/1")))
            .await
            .expect("an answer")
            .0,
        404
    );
}
