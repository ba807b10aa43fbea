//! Starting, going down, coming up, and what keeps it from starting.

use super::*;
use crate::simulator::Error;

async fn refused(config: Config) -> String {
    match start(config).await {
        Ok(_) => panic!("it started"),
        Err(error) => error.to_string(),
    }
}

fn config(data: Data) -> Config {
    Config {
        listen: anywhere(),
        profile: Profile::V3_32,
        tls: Tls::None,
        data,
    }
}

#[tokio::test]
async fn down_refuses_connections_and_up_has_the_same_state() {
    let mut talk = Talk::new(Profile::V3_32, data()).await;
    talk.post(&body("alice", "a", "pw")).await.expect("an answer");
    let url = talk.pam.url();
    talk.pam.down().await;
    let error = talk.list().await.expect_err("nobody listens");
    assert!(error.is_connect(), "{error:?}");
    talk.pam.up().expect("the port is still free");
    assert_eq!(talk.pam.url(), url);
    let (_, listing) = talk.list().await.expect("an answer");
    assert_eq!(
        listing["credentials"].as_array().map(Vec::len),
        Some(2),
        "the token is still valid, too"
    );
    talk.pam.stop().await;
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said_in_one_line() {
    let nobody = Data {
        clients: Vec::new(),
        ..data()
    };
    assert!(refused(config(nobody)).await.contains("no clients"));
    let twice = Data {
        clients: vec![Client::new("a", "x"), Client::new("a", "y")],
        ..data()
    };
    assert!(refused(config(twice)).await.contains("two clients have the id a"));
    let homeless = Data {
        devices: Vec::new(),
        ..data()
    };
    assert!(
        refused(config(homeless))
            .await
            .contains("db (10.0.0.1) is not registered")
    );
    let one = NewCredential {
        id: Some(5),
        ..NewCredential::new("db", "10.0.0.1", "x")
    };
    let same = Data {
        credentials: vec![one.clone(), one],
        ..data()
    };
    assert!(refused(config(same)).await.contains("two credentials have the id 5"));
    let first = start(config(data())).await.expect("it starts");
    let taken = Config {
        listen: first.addr(),
        ..config(data())
    };
    assert!(matches!(start(taken).await, Err(Error::Bind { .. })));
}
