//! Requests that wait for a test.

use super::*;
use crate::simulator::Point;

#[tokio::test]
async fn a_request_held_before_executing_has_done_nothing_yet() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let hold = talk.pam.faults().hold(Operation::Post, Some("a"), Point::Before);
    let sent = body("alice", "a", "pw");
    let test = async {
        hold.held(DEADLINE).await.expect("the request arrives");
        assert!(talk.pam.find("a").is_none());
        assert_eq!(executed(&talk.pam, Operation::Post), 0);
        hold.release();
    };
    let (answer, ()) = tokio::join!(talk.post(&sent), test);
    assert_eq!(answer.expect("an answer").0, 201);
}

#[tokio::test]
async fn a_request_held_after_executing_has_done_its_work() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let hold = talk.pam.faults().hold(Operation::Post, None, Point::After);
    let sent = body("alice", "a", "pw");
    let test = async {
        hold.held(DEADLINE).await.expect("the request arrives");
        assert!(talk.pam.find("a").is_some());
        assert_eq!(executed(&talk.pam, Operation::Post), 1);
        hold.drop_connection();
    };
    let (answer, ()) = tokio::join!(talk.post(&sent), test);
    assert!(answer.is_err(), "the answer is lost");
}

#[tokio::test]
async fn a_request_whose_connection_is_dropped_before_executing_is_never_executed() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    let hold = talk.pam.faults().hold(Operation::Post, None, Point::Before);
    let sent = body("alice", "a", "pw");
    let test = async {
        hold.held(DEADLINE).await.expect("the request arrives");
        hold.drop_connection();
    };
    let (answer, ()) = tokio::join!(talk.post(&sent), test);
    assert!(answer.is_err() && talk.pam.find("a").is_none());
}

#[tokio::test]
async fn a_hold_takes_one_request_and_a_forgotten_one_takes_none() {
    let talk = Talk::new(Profile::V3_32, data()).await;
    drop(talk.pam.faults().hold(Operation::List, None, Point::Before));
    assert_eq!(talk.list().await.expect("nothing holds it").0, 200);
    let hold = talk.pam.faults().hold(Operation::List, None, Point::Before);
    let second = async {
        hold.held(DEADLINE).await.expect("the first arrives");
        assert_eq!(talk.list().await.expect("the second passes").0, 200);
        hold.release();
    };
    let (first, ()) = tokio::join!(talk.list(), second);
    assert_eq!(first.expect("released").0, 200);
    let waiting = talk.pam.faults().hold(Operation::Put, None, Point::Before);
    assert!(waiting.held(Duration::ZERO).await.is_err(), "nothing arrives");
}
