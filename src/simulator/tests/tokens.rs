//! The token endpoint, and what tokens are good for.

use serde_json::json;

use super::*;
use crate::simulator::{AuthTransport, Switches};

#[tokio::test]
async fn a_token_is_given_for_a_form_for_json_and_for_basic() {
    let talk = Talk::new(Profile::V3_33, data()).await;
    let json = json!({"grant_type": "client_credentials", "client_id": "operator", "client_secret": "client-s3cret"});
    let (status, by_json) = read(talk.http.post(talk.at("/api/oauth2/token")).json(&json))
        .await
        .expect("an answer");
    assert_eq!(
        (status, &by_json["token_type"], &by_json["expires_in"]),
        (200, &json!("Bearer"), &json!(3600))
    );
    let grant = [("grant_type", "client_credentials")];
    let basic = talk
        .http
        .post(talk.at("/iso/oauth2/token"))
        .basic_auth("operator", Some("client-s3cret"));
    assert_eq!(read(basic.form(&grant)).await.expect("an answer").0, 200);
    let (status, wrong) = talk.ask_token("wrong").await.expect("an answer");
    assert_eq!(
        (status, &wrong["error"], &wrong["message"]),
        (401, &json!("invalid_client"), &json!("Client authentication failed"))
    );
    let (status, no_grant) = read(
        talk.http
            .post(talk.at("/iso/oauth2/token"))
            .form(&[("client_id", "operator")]),
    )
    .await
    .expect("an answer");
    assert_eq!((status, &no_grant["error"]), (400, &json!("unsupported_grant_type")));
}

#[tokio::test]
async fn the_tenant_and_the_transport_can_be_demanded() {
    let mut data = data();
    data.switches = Switches {
        tenant: Some("acme".to_owned()),
        auth_transport: Some(AuthTransport::Body),
        ..Switches::default()
    };
    let pam = start(Config {
        listen: anywhere(),
        profile: Profile::V3_33,
        tls: Tls::None,
        data,
    })
    .await
    .expect("it starts");
    let url = format!("{}/iso/oauth2/token", pam.url());
    let http = client(&[]);
    let ask = |tenant: &'static str| {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "operator"),
            ("client_secret", "client-s3cret"),
            ("tenant", tenant),
        ];
        read(http.post(&url).form(&form))
    };
    assert_eq!(ask("other").await.expect("an answer").0, 401);
    let (status, granted) = ask("acme").await.expect("an answer");
    assert_eq!(status, 200);
    let basic = http.post(&url).basic_auth("operator", Some("client-s3cret"));
    assert_eq!(
        read(basic.form(&[("grant_type", "client_credentials"), ("tenant", "acme")]))
            .await
            .expect("an answer")
            .0,
        401
    );
    let token = granted["access_token"].as_str().expect("a text");
    let listing = read(http.get(format!("{}/api/pam/credential", pam.url())).bearer_auth(token))
        .await
        .expect("an answer");
    assert_eq!(listing.1["tenant"], "acme");
}

#[tokio::test]
async fn tokens_that_are_missing_unknown_or_expired_are_told_apart() {
    let mut talk = Talk::new(Profile::V3_32, data()).await;
    let url = talk.at("/iso/pam/credential");
    let (status, missing) = read(talk.http.get(&url)).await.expect("an answer");
    assert_eq!(
        (status, missing),
        (404, json!({"message": "no Route matched with those values"}))
    );
    let (status, unknown) = read(talk.http.get(&url).bearer_auth("made-up"))
        .await
        .expect("an answer");
    assert_eq!((status, unknown), (401, json!({"message": "Invalid signature"})));
    talk.pam.expire_tokens();
    let (status, expired) = talk.list().await.expect("an answer");
    assert_eq!((status, expired), (401, json!({"message": "Token expired"})));
    talk.renew().await;
    assert_eq!(talk.list().await.expect("an answer").0, 200);
    assert_eq!(talk.pam.tokens().len(), 2);
}
