//! Each fault as a client meets it, and what was executed behind it.

use reqwest::{Method, header::RETRY_AFTER};
use serde_json::json;

use super::*;
use crate::simulator::{Effect, Fault, Point};

async fn struck(effect: Effect) -> (Talk, Spoken) {
    let talk = Talk::new(Profile::V3_32, data()).await;
    talk.pam.faults().add(Fault::new(effect).on(Operation::Post).next(1));
    let answer = talk.post(&body("alice", "a", "pw")).await;
    (talk, answer)
}

#[tokio::test]
async fn a_connection_dropped_before_executing_leaves_nothing() {
    let (talk, answer) = struck(Effect::DropBefore).await;
    let error = answer.expect_err("no answer");
    assert!(error.status().is_none() && !error.is_timeout(), "{error:?}");
    assert!(talk.pam.find("a").is_none());
    let post = &talk.pam.journal().posts()[0];
    assert_eq!((post.executed, post.status, post.ended.is_some()), (false, None, true));
    assert_eq!(
        talk.post(&body("alice", "a", "pw"))
            .await
            .expect("the fault is used up")
            .0,
        201
    );
}

#[tokio::test]
async fn a_connection_dropped_after_executing_leaves_the_credential() {
    let (talk, answer) = struck(Effect::DropAfter).await;
    assert!(answer.is_err());
    assert!(talk.pam.find("a").is_some());
    assert!(talk.pam.journal().posts()[0].executed);
    let (_, again) = talk.post(&body("alice", "a", "pw")).await.expect("an answer");
    assert_eq!(
        again["response"]["message"], "Credential updated successfully!",
        "the repetition converges"
    );
}

#[tokio::test]
async fn a_body_can_break_off_or_lack_its_second_half() {
    let (talk, cut) = struck(Effect::CutBody).await;
    assert!(cut.is_err() && talk.pam.find("a").is_some());
    let (talk, truncated) = struck(Effect::TruncatedJson).await;
    let (status, json) = truncated.expect("a complete HTTP message");
    assert_eq!((status, json), (201, Value::Null), "the JSON does not parse");
    assert!(talk.pam.find("a").is_some());
}

#[tokio::test]
async fn a_status_comes_with_or_without_executing_and_with_retry_after() {
    for executed in [false, true] {
        let talk = Talk::new(Profile::V3_32, data()).await;
        let effect = Effect::Status {
            code: 503,
            executed,
            retry_after: Some("7".to_owned()),
        };
        talk.pam.faults().add(Fault::new(effect).on(Operation::Post));
        let request = talk
            .call(Method::POST, "/iso/pam/credential")
            .json(&body("alice", "a", "pw"));
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 503);
        assert_eq!(response.headers()[RETRY_AFTER], "7");
        assert_eq!(talk.pam.find("a").is_some(), executed);
        assert_eq!(talk.pam.journal().posts()[0].executed, executed);
    }
    let (_, answer) = struck(Effect::Status {
        code: 500,
        executed: false,
        retry_after: None,
    })
    .await;
    let (status, json) = answer.expect("an answer");
    assert_eq!(
        (status, &json["response"]["message"]),
        (500, &json!("Unexpected error")),
        "500 is the PAM's own envelope"
    );
}

#[tokio::test]
async fn html_no_route_and_refused_tokens_look_as_documented() {
    let (talk, html) = struck(Effect::Html {
        status: 200,
        executed: false,
    })
    .await;
    assert_eq!(html.expect("an answer"), (200, Value::Null));
    assert!(talk.pam.find("a").is_none());
    let (_, lost) = struck(Effect::NoRoute).await;
    assert_eq!(
        lost.expect("an answer"),
        (404, json!({"message": "no Route matched with those values"}))
    );
    let (_, expired) = struck(Effect::ExpiredToken).await;
    assert_eq!(expired.expect("an answer"), (401, json!({"message": "Token expired"})));
    let talk = Talk::new(Profile::V3_32, data()).await;
    talk.pam
        .faults()
        .add(Fault::new(Effect::RejectedToken).on(Operation::Token));
    let (status, refused) = talk.ask_token("client-s3cret").await.expect("an answer");
    assert_eq!((status, &refused["error"]), (401, &json!("invalid_client")));
}

#[tokio::test]
async fn any_code_can_be_refused_with_and_any_answer_amended() {
    let refuse = Effect::Refuse {
        code: 1099,
        message: "Never seen".to_owned(),
        status: 400,
    };
    let (talk, answer) = struck(refuse).await;
    let (status, json) = answer.expect("an answer");
    assert_eq!((status, &json["exception"]["code"]), (400, &json!(1099)));
    assert_eq!(json["response"]["message"], "1099: Never seen");
    assert_eq!(talk.pam.journal().posts()[0].code, Some(1099));
    let (_, answer) = struck(Effect::Amend(json!({"credential": {"id": "77"}, "code": null}))).await;
    let (_, json) = answer.expect("an answer");
    assert_eq!(
        (json.get("code"), &json["credential"]),
        (None, &json!({"id": "77", "identifier": "a"}))
    );
}

#[tokio::test]
async fn a_fault_keeps_to_its_identifier_and_operation_until_cleared() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let dropped = Effect::Status {
        code: 502,
        executed: false,
        retry_after: None,
    };
    let id = talk.pam.faults().add(Fault::new(dropped).identifier("foreign"));
    assert_eq!(talk.post(&body("alice", "a", "pw")).await.expect("an answer").0, 201);
    assert_eq!(
        talk.on(Method::DELETE, "1").await.expect("an answer").0,
        502,
        "the identifier of the selected credential"
    );
    assert_eq!(
        talk.post(&body("root", "foreign", "pw")).await.expect("an answer").0,
        502
    );
    assert_eq!(talk.pam.faults().struck(id), 2);
    talk.pam.faults().clear();
    assert_eq!(
        talk.post(&body("root", "foreign", "pw")).await.expect("an answer").0,
        201
    );
}

#[tokio::test]
async fn what_has_arrived_is_executed_even_when_its_client_has_gone() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    talk.pam.faults().add(
        Fault::new(Effect::Latency {
            ms: 200,
            point: Point::Before,
        })
        .on(Operation::Post),
    );
    let impatient = talk
        .call(Method::POST, "/iso/pam/credential")
        .json(&body("alice", "a", "pw"));
    let error = impatient
        .timeout(Duration::from_millis(50))
        .send()
        .await
        .expect_err("too slow");
    assert!(error.is_timeout(), "{error:?}");
    let done = talk
        .pam
        .journal()
        .wait_for(DEADLINE, |entries| {
            entries.last().is_some_and(|entry| entry.ended.is_some())
        })
        .await;
    assert_eq!((done, talk.pam.find("a").is_some()), (Ok(()), true));
}

#[tokio::test]
async fn faults_are_switched_over_http_too() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let faults = talk.at("/_simulator/faults");
    let fault = json!({"on": "list", "effect": {"status": {"code": 429, "retry_after": "1"}}, "times": {"next": 1}});
    let (status, added) = read(talk.http.post(&faults).json(&fault)).await.expect("an answer");
    assert_eq!((status, &added["id"]), (200, &json!(1)));
    assert_eq!(talk.list().await.expect("an answer").0, 429);
    assert_eq!(talk.list().await.expect("an answer").0, 200);
    let (_, in_force) = read(talk.http.get(&faults)).await.expect("an answer");
    assert_eq!(
        (&in_force[0]["struck"], &in_force[0]["fault"]["times"]),
        (&json!(1), &json!({"next": 1}))
    );
    for effect in [
        json!("drop_after"),
        json!({"latency": {"ms": 5}}),
        json!({"amend": {"code": null}}),
    ] {
        let added = read(talk.http.post(&faults).json(&json!({"effect": effect})))
            .await
            .expect("an answer");
        assert_eq!(added.0, 200, "{effect}");
    }
    let wrong = json!({"effect": "drop_after", "time": "always"});
    assert_eq!(
        read(talk.http.post(&faults).json(&wrong)).await.expect("an answer").0,
        422
    );
    assert_eq!(read(talk.http.delete(&faults)).await.expect("an answer").0, 200);
    assert_eq!(talk.pam.faults().in_force().len(), 0);
}
