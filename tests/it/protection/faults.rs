//! Every fault that may pass, at a fifth of all requests, until everything has converged: one credential for each object,
//! with its password.

use std::time::Duration;

use pam_operator::simulator::{Effect, Fault, Handle, Point, Profile};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::time::Instant;

use super::{LONG, objects};
use crate::{
    look::{content, password, set_password},
    world::{Setting, World, data, id, is, merge},
};

/// How many requests are struck.
const SHARE: f64 = 0.2;

/// How many objects each fault gets.
const OBJECTS: usize = 5;

/// The faults, each at a PAM of its own; none: its tokens expire again and again.
fn faults() -> Vec<(&'static str, Option<Effect>)> {
    let status = |code, executed, retry_after: Option<&str>| {
        Some(Effect::Status {
            code,
            executed,
            retry_after: retry_after.map(str::to_owned),
        })
    };
    let html = |status| {
        Some(Effect::Html {
            status,
            executed: false,
        })
    };
    let latency = |point| Some(Effect::Latency { ms: 300, point });
    vec![
        ("slow-before", latency(Point::Before)),
        ("slow-after", latency(Point::After)),
        ("dropped", Some(Effect::DropBefore)),
        ("dropped-done", Some(Effect::DropAfter)),
        ("internal", status(500, false, None)),
        ("bad-gateway", status(502, false, None)),
        ("unavailable", status(503, false, Some("1"))),
        ("timeout-done", status(504, true, None)),
        ("limited", status(429, false, Some("1"))),
        ("login-page", html(200)),
        ("error-page", html(502)),
        ("truncated", Some(Effect::TruncatedJson)),
        ("cut", Some(Effect::CutBody)),
        ("expired", None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_strikes_a_fifth_of_the_requests_nothing_is_lost_and_nothing_is_twice() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    let mut pams = Vec::new();
    for (seeds, (name, effect)) in (0..).step_by(1000).zip(faults()) {
        let pam = world.vault(name, Profile::V3_32, data(), json!({})).await;
        if let Some(effect) = effect.clone() {
            pam.faults().add(Fault::new(effect).share(SHARE, soon(seeds)));
        }
        for number in 0..OBJECTS {
            let object = format!("{name}-{number}");
            set_password(&world, &object, &format!("canary-{object}")).await;
            let mut spec = json!({"connectionRef": {"name": name}});
            merge(&mut spec, content(&object));
            world.create(&object, spec).await;
        }
        pams.push((name, effect.is_none(), pam));
    }
    world.run().await;
    let took = converge(&world, &pams).await;

    for (name, expires, pam) in &pams {
        let credentials = pam.credentials();
        let requests = pam.journal().entries();
        let unauthorized = requests.iter().filter(|request| request.status == Some(401)).count() as u64;
        let struck: u64 = pam.faults().in_force().iter().map(|(_, _, struck)| struck).sum();
        println!(
            "{name}: {} of {} requests struck",
            struck + unauthorized,
            requests.len()
        );
        assert!(struck > 0 || *expires, "{name}");
        assert_eq!(credentials.len(), OBJECTS, "{name}");
        for credential in &credentials {
            let object = world.ready(&credential.username).await;
            assert_eq!(id(&object), credential.id);
            assert_eq!(
                password(credential),
                Some(format!("canary-{}", credential.username).as_str())
            );
        }
    }
    println!("{} faults, {} objects: {took:.1?}", pams.len(), pams.len() * OBJECTS);
}

/// The first seed from this one on whose share strikes one of the requests that there are at least: the token, the
/// listing, and a POST for each object.
fn soon(seeds: u64) -> u64 {
    let strikes = |seed: &u64| {
        let mut rng = StdRng::seed_from_u64(*seed);
        (0..OBJECTS + 2).any(|_| rng.random_bool(SHARE))
    };
    (seeds..seeds + 1000).find(strikes).expect("a fifth is struck")
}

/// Waits until all objects are Ready; meanwhile the tokens of some PAMs expire.
async fn converge(world: &World, pams: &[(&str, bool, Handle)]) -> Duration {
    let began = Instant::now();
    let mut rng = StdRng::seed_from_u64(4711);
    loop {
        let objects = objects(world).await;
        let unready = objects.iter().filter(|object| !is(object, "True", Some("Synced")));
        let left: Vec<_> = unready.map(|object| (&object.metadata.name, &object.status)).collect();
        if left.is_empty() {
            return began.elapsed();
        }
        assert!(began.elapsed() < LONG, "{left:?}");
        for (_, expires, pam) in pams {
            if *expires && rng.random_bool(SHARE) {
                pam.expire_tokens();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
