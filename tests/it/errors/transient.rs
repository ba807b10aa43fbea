//! Failures that may pass: the object says so, keeps its claim, backs off, repeats the same request, and converges when
//! the PAM is well again; nothing is there twice.

use std::time::Duration;

use pam_operator::simulator::{Effect, Entry, Fault, Handle, Operation, Profile};
use serde_json::json;

use super::{assert_reconciling, assert_stalled, conditions};
use crate::{
    vaults::{documented, posts},
    world::{DEADLINE, Setting, World, data, id},
};

/// Name of the object, what goes wrong with its POSTs, reason, part of the message.
fn cases() -> Vec<(&'static str, Effect, &'static str, &'static str)> {
    let status = |code| Effect::Status {
        code,
        executed: false,
        retry_after: None,
    };
    let executed = |code| Effect::Status {
        code,
        executed: true,
        retry_after: None,
    };
    let html = |status| Effect::Html {
        status,
        executed: false,
    };
    vec![
        ("limited", status(429), "RateLimited", "HTTP 429"),
        ("internal", status(500), "PamUnavailable", "internal error (HTTP 500)"),
        (
            "internal-done",
            executed(500),
            "PamUnavailable",
            "internal error (HTTP 500)",
        ),
        ("bad-gateway", status(502), "PamUnavailable", "HTTP 502"),
        ("unavailable", status(503), "PamUnavailable", "HTTP 503"),
        ("gateway-timeout", executed(504), "PamUnavailable", "HTTP 504"),
        ("login-page", html(200), "InvalidResponse", "not JSON"),
        ("error-page", html(500), "InvalidResponse", "not JSON"),
        ("gateway-page", html(502), "PamUnavailable", "HTTP 502"),
        ("wrong-path", html(404), "InvalidResponse", "not JSON"),
        ("truncated", Effect::TruncatedJson, "InvalidResponse", "broken off"),
        ("cut", Effect::CutBody, "InvalidResponse", "broke off"),
        ("dropped", Effect::DropBefore, "PamUnavailable", "could not be reached"),
        (
            "dropped-done",
            Effect::DropAfter,
            "PamUnavailable",
            "could not be reached",
        ),
        (
            "no-envelope",
            Effect::Amend(json!({"response": null})),
            "InvalidResponse",
            "no envelope of a PAM",
        ),
        (
            "no-id",
            Effect::Amend(json!({"credential": null})),
            "InvalidResponse",
            "no usable id",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_that_may_pass_converges_to_one_credential_when_it_has_passed() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    world.secret("db", json!({"password": "canary-password"})).await;
    // Each at a PAM of its own: several that fail together would stop all calls to theirs.
    let mut pams = Vec::new();
    for (name, effect, ..) in cases() {
        let pam = world.vault(name, Profile::V3_32, data(), json!({})).await;
        pam.faults().add(Fault::new(effect).on(Operation::Post));
        let content = json!({"name": "db", "key": "password"});
        let spec = json!({"connectionRef": {"name": name}, "identifier": name, "contentSecretRef": content});
        world.create(name, spec).await;
        pams.push(pam);
    }
    world.run().await;
    for (name, _, reason, says) in cases() {
        let object = world.fails(name, reason).await;
        assert_reconciling(conditions(&object), reason, says);
        let claim = object
            .status
            .and_then(|status| status.claim)
            .expect("the claim is kept");
        assert_eq!((claim.identifier.as_str(), claim.id), (name, None));
        world.connection_is(name, "True", "Synced").await;
    }

    for pam in &pams {
        pam.faults().clear();
    }
    for ((name, ..), pam) in cases().iter().zip(&pams) {
        let object = world.ready(name).await;
        assert_same(&posts(pam, name));
        let [credential] = &pam.credentials()[..] else {
            panic!("{name}: one credential");
        };
        assert_eq!(credential.id, id(&object), "{name}");
    }
}

/// Every attempt says the same, the password included.
fn assert_same(posts: &[Entry]) {
    assert!(posts.len() >= 2, "{posts:?}");
    assert!(posts[0].body["content"].is_string(), "{posts:?}");
    assert!(posts.iter().all(|post| post.body == posts[0].body), "{posts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pauses_double_and_are_as_long_as_the_pam_asks_for() {
    let world = World::start().await;
    let status = |code, retry_after: Option<&str>| Effect::Status {
        code,
        executed: false,
        retry_after: retry_after.map(str::to_owned),
    };
    for (name, effect, times) in [("busy", status(503, None), 3), ("limited", status(429, Some("7")), 1)] {
        let fault = Fault::new(effect).on(Operation::Post).identifier(name).next(times);
        world.pam.faults().add(fault);
        world.create(name, json!({"identifier": name})).await;
    }
    world.ready("busy").await;
    world.ready("limited").await;
    // Two seconds, doubled each time, give or take a fifth.
    let shortest = pauses(&world.pam, "busy").into_iter().zip([1600, 3200, 6400]);
    for (pause, least) in shortest {
        assert!(pause >= Duration::from_millis(least), "{pause:?} instead of {least} ms");
    }
    assert_eq!(pauses(&world.pam, "busy").len(), 3);
    let [asked] = pauses(&world.pam, "limited")[..] else {
        panic!("two attempts")
    };
    assert!(asked >= Duration::from_secs(7), "{asked:?}");
}

/// The pauses between the end of an attempt and the next one.
fn pauses(pam: &Handle, username: &str) -> Vec<Duration> {
    let posts = posts(pam, username);
    let pairs = posts.iter().zip(posts.iter().skip(1));
    let pause = |(before, after): (&Entry, &Entry)| {
        let ended = before.ended.expect("it was answered");
        Duration::try_from(after.time.duration_since(ended)).expect("one after the other")
    };
    pairs.map(pause).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_error_to_a_body_with_an_owner_is_about_the_owner_when_it_repeats() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    let pam = world
        .vault("documented", Profile::V3_32, documented(None), json!({}))
        .await;
    let spec = json!({
        "connectionRef": {"name": "documented"}, "hostname": "localhost", "ip": "127.0.0.1",
        "additionalSettings": {"userCredentialOwner": "nobody"},
    });
    // The operator runs first, so that the failure which lasts only until the second attempt is not missed.
    world.run().await;
    world.create("db", spec).await;
    let once = world.fails("db", "PamUnavailable").await;
    assert_reconciling(conditions(&once), "PamUnavailable", "internal error");
    let twice = world.fails("db", "OwnerNotFound").await;
    assert_stalled(conditions(&twice), "OwnerNotFound", "HTTP 500");
    assert!(
        twice.status.is_some_and(|status| status.claim.is_some()),
        "the outcome of a 500 is unknown"
    );
    assert_eq!(posts(&pam, "db").len(), 2);

    let busy = Effect::Status {
        code: 503,
        executed: false,
        retry_after: None,
    };
    pam.faults()
        .add(Fault::new(busy).on(Operation::Post).identifier("neighbour").next(2));
    let spec = json!({
        "connectionRef": {"name": "documented"}, "hostname": "localhost", "ip": "127.0.0.1", "identifier": "neighbour",
    });
    world.create("neighbour", spec).await;
    world.ready("neighbour").await;
    assert_eq!(
        posts(&pam, "db").len(),
        2,
        "a neighbour was tried three times meanwhile"
    );

    world
        .change("db", json!({"additionalSettings": {"userCredentialOwner": "admin"}}))
        .await;
    let object = world.ready("db").await;
    assert_eq!(posts(&pam, "db").len(), 3);
    assert_eq!(posts(&pam, "db")[2].id, Some(id(&object)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_costs_one_repeat_and_no_report() {
    let world = World::start().await;
    world.create("db", json!({})).await;
    world.ready("db").await;
    world.pam.journal().clear();
    world.pam.expire_tokens();
    world.change("db", json!({"additional": "more"})).await;
    let object = world.ready("db").await;
    let statuses: Vec<_> = posts(&world.pam, "db").iter().map(|post| post.status).collect();
    assert_eq!(statuses, [Some(401), Some(201)]);
    let arrived = world.pam.journal().wait_for_count(Operation::Token, 1, DEADLINE);
    arrived.await.expect("a new token");
    let ready = &conditions(&object)[0];
    assert_eq!(ready.reason, "Synced");
    assert_eq!(world.pam.journal().count(Operation::Token), 1);
}
