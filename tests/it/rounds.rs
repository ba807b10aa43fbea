//! kill -9 of the real process at random moments, under load.
//!
//! `PAM_KILL_ROUNDS=50 PAM_KILL_OBJECTS=100 cargo test --test it rounds:: -- --nocapture` runs the full campaign;
//! `PAM_KILL_SEED` repeats one.

use std::{
    collections::BTreeMap,
    env,
    time::{Duration, Instant},
};

use futures::{StreamExt, future, stream};
use pam_operator::{
    api::PamCredential,
    simulator::{Credential, Data, NewCredential, Operation},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use testbed::{has_applied, tap::Effect, wait_for};
use tokio::sync::watch;

use crate::{
    look::{password, set_password},
    world::{Setting, World, data, is},
};

/// How long all objects may take to be as their users want them after the last death.
const DEADLINE: Duration = Duration::from_mins(3);

/// Most effects that an operator lives to see in a round.
const LONGEST_LIFE: usize = 60;

/// Longest moment between the last of them and the death, in microseconds.
const LONGEST_MOMENT: u64 = 20_000;

/// Changes under way at the same time.
const WRITERS: usize = 4;

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// What the users want of one object.
#[derive(Clone, Default)]
struct Wish {
    note: String,
    password: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_is_killed_at_random_moments_loses_nothing() {
    let rounds = setting("PAM_KILL_ROUNDS", 8);
    let count = usize::try_from(setting("PAM_KILL_OBJECTS", 40)).expect("a small number");
    let seed = setting("PAM_KILL_SEED", rand::rng().random());
    println!("rounds: seed {seed}");
    let start = Instant::now();
    let foreign = ["foreign-one", "foreign-two"].map(|name| NewCredential {
        identifier: Some(name.to_owned()),
        content: Some(format!("canary-of-{name}").into()),
        ..NewCredential::new("db.example.com", "10.0.0.1", name)
    });
    let mut world = World::with(Setting {
        tapped: true,
        started: false,
        data: Data {
            credentials: foreign.to_vec(),
            ..data()
        },
        log_level: "warn",
        ..Setting::default()
    })
    .await;
    let foreign = others(&world);
    world.connection("vault", json!({})).await;
    let names: Vec<_> = (0..count).map(|number| format!("db-{number}")).collect();

    let mut random = StdRng::seed_from_u64(seed);
    let (stop, stopped) = watch::channel(false);
    let mut operator = world.launch();
    let load = load(&world, &names, StdRng::seed_from_u64(seed.wrapping_add(1)), stopped);
    let deaths = async {
        for round in 0..rounds {
            let from = world.tap().effects().len();
            let life = random.random_range(1..LONGEST_LIFE);
            let lived = |effects: &[Effect]| effects.len() >= from + life;
            let lived = world.tap().wait_for("busy", DEADLINE, lived).await;
            lived.unwrap_or_else(|error| panic!("seed {seed}, round {round}: {error}\n{}", operator.output()));
            tokio::time::sleep(Duration::from_micros(random.random_range(0..LONGEST_MOMENT))).await;
            let log = operator.kill().await.expect("it is killed");
            assert!(!log.contains("panicked"), "seed {seed}, round {round}: {log}");
            operator = world.launch();
        }
        stop.send_replace(true);
        operator
    };
    let ((wishes, changes), operator) = future::join(load, deaths).await;
    world.operator = Some(operator);
    let died = start.elapsed();

    stream::iter(&wishes)
        .map(|(name, wish)| converged(&world, name, wish, seed))
        .buffer_unordered(WRITERS)
        .collect::<Vec<_>>()
        .await;
    let credentials = world.pam.credentials();
    assert_eq!(
        credentials.len(),
        count + 2,
        "seed {seed}: one for each, and the foreign ones"
    );
    assert_eq!(others(&world), foreign, "seed {seed}");
    let journal = world.pam.journal();
    assert_eq!(journal.count(Operation::Reveal) + journal.count(Operation::Delete), 0);
    println!(
        "rounds: seed {seed}: {rounds} deaths in {died:.0?} under {changes} changes of {count} objects, {} POSTs, {} effects, \
         nothing lost after {:.0?}",
        journal.count(Operation::Post),
        world.tap().effects().len(),
        start.elapsed(),
    );
}

/// Creates the objects, and changes their specs and Secrets until it is told to stop; returns what is wanted of each in
/// the end, and how many changes there were.
async fn load(
    world: &World,
    names: &[String],
    mut random: StdRng,
    stopped: watch::Receiver<bool>,
) -> (BTreeMap<String, Wish>, usize) {
    let mut wishes = BTreeMap::new();
    for name in names {
        set_password(world, name, "canary-first").await;
        let content = json!({"name": name, "key": "password"});
        world
            .create(name, json!({"contentSecretRef": content, "additional": "first"}))
            .await;
        let wish = Wish {
            note: "first".to_owned(),
            password: "canary-first".to_owned(),
        };
        wishes.insert(name.clone(), wish);
    }
    let mut changes = 0;
    while !*stopped.borrow() {
        // A handful at once, each of another object: what an object is wanted to be must be known.
        let first = random.random_range(0..names.len());
        let chosen: Vec<_> = (0..WRITERS.min(names.len()))
            .map(|step| (&names[(first + step * 7) % names.len()], random.random_bool(0.5)))
            .collect::<BTreeMap<_, _>>()
            .into_iter()
            .collect();
        let made = chosen.into_iter().map(|(name, is_password)| {
            changes += 1;
            let number = changes;
            async move {
                let text = format!("canary-{number}");
                if is_password {
                    set_password(world, name, &text).await;
                } else {
                    world.change(name, json!({"additional": text})).await;
                }
                (name, is_password, text)
            }
        });
        for (name, is_password, text) in future::join_all(made).await {
            let wish = wishes.get_mut(name).expect("every object has one");
            let field = if is_password {
                &mut wish.password
            } else {
                &mut wish.note
            };
            *field = text;
        }
    }
    (wishes, changes)
}

/// Waits until an object is ready with its last spec and Secret, and makes sure that its credential is as wished.
async fn converged(world: &World, name: &str, wish: &Wish, seed: u64) {
    let secret = world.api::<k8s_openapi::api::core::v1::Secret>().get(name).await;
    let version = secret
        .expect("it is there")
        .metadata
        .resource_version
        .unwrap_or_default();
    let is_so = |object: &PamCredential| is(object, "True", Some("Synced")) && has_applied(object, &version);
    let object = wait_for(&world.api(), name, "ready with what was wanted last", DEADLINE, is_so).await;
    let object = object.unwrap_or_else(|error| {
        let log = world.operator.as_ref().map(testbed::Operator::output);
        panic!("seed {seed}: {error}\n{}", log.unwrap_or_default())
    });
    let credential = crate::look::own(world, &object);
    assert_eq!(credential.fields["additional"], wish.note, "seed {seed}, {name}");
    assert_eq!(
        password(&credential),
        Some(wish.password.as_str()),
        "seed {seed}, {name}"
    );
    assert!(credential.active);
}

/// The credentials that belong to nobody here, completely.
fn others(world: &World) -> Vec<Value> {
    let credentials = world.pam.credentials();
    let foreign = credentials
        .iter()
        .filter(|credential: &&Credential| credential.username.starts_with("foreign"));
    foreign.map(crate::steps::whole).collect()
}
