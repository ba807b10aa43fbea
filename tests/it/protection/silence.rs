//! `Retry-After`, in seconds or as a date: 429 silences the whole connection, 503 whoever was told.

use std::time::{Duration, SystemTime};

use pam_operator::simulator::{Effect, Entry, Fault, Handle, Operation, Profile};
use serde_json::json;

use crate::{
    errors::assert_reconciling,
    vaults::posts,
    world::{Setting, World, data},
};

/// How long the PAM wants to be left alone.
const ASKED: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_before_the_time_that_the_pam_asked_for() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    // The operator is ready and has listed before the clock runs.
    let mut pams = Vec::new();
    for (name, code) in [("limited-s", 429), ("limited-d", 429), ("busy-s", 503), ("busy-d", 503)] {
        let pam = world.vault(name, Profile::V3_32, data(), json!({})).await;
        world.create(&format!("{name}-first"), to(name)).await;
        pams.push((name, code, pam));
    }
    world.run().await;
    for (name, ..) in &pams {
        world.ready(&format!("{name}-first")).await;
    }
    let until = SystemTime::now() + ASKED;
    for (name, code, pam) in &pams {
        let retry_after = if name.ends_with("-s") {
            ASKED.as_secs().to_string()
        } else {
            httpdate::fmt_http_date(until)
        };
        let effect = Effect::Status {
            code: *code,
            executed: false,
            retry_after: Some(retry_after),
        };
        pam.faults().add(Fault::new(effect).on(Operation::Post).next(1));
        pam.journal().clear();
        world
            .change(&format!("{name}-first"), json!({"additional": "changed"}))
            .await;
    }
    for (name, code, _) in &pams {
        let reason = if *code == 429 { "RateLimited" } else { "PamUnavailable" };
        world.fails(&format!("{name}-first"), reason).await;
        if *code == 429 {
            let connection = world.connection_is(name, "False", "RateLimited").await;
            let conditions = connection.status.expect("a status").conditions;
            assert_reconciling(&conditions, "RateLimited", "no request is sent for now");
        }
        // Another object, which would list and send at once.
        world.create(&format!("{name}-second"), to(name)).await;
    }
    for (name, code, pam) in &pams {
        let [first, second] = ["first", "second"].map(|object| format!("{name}-{object}"));
        world.ready(&first).await;
        world.ready(&second).await;
        world.connection_is(name, "True", "Synced").await;
        let struck = &posts(pam, &first)[0];
        let next = if *code == 429 {
            following(pam, struck)
        } else {
            posts(pam, &first)[1].clone()
        };
        let waited = Duration::try_from(next.time.duration_since(struck.ended.expect("it was answered")));
        let waited = waited.expect("one after the other");
        println!("{name}: the next request came {waited:.2?} after the answer");
        if name.ends_with("-s") {
            assert!(waited >= ASKED, "{name}: {waited:?}");
        } else {
            // A date has whole seconds.
            let date = httpdate::parse_http_date(&httpdate::fmt_http_date(until)).expect("a date");
            assert!(SystemTime::from(next.time) >= date, "{name}: {waited:?}");
        }
        assert_eq!(posts(pam, &first).len(), 2, "{name}");
        assert_eq!(posts(pam, &second).len(), 1, "{name}");
    }
}

fn to(connection: &str) -> serde_json::Value {
    json!({"connectionRef": {"name": connection}})
}

/// The first request of any kind that arrived after this one was answered.
fn following(pam: &Handle, struck: &Entry) -> Entry {
    let entries = pam.journal().entries();
    let later = entries.into_iter().find(|entry| entry.seq > struck.seq);
    later.expect("another request")
}
