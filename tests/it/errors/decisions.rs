//! The PAM's own decision, create or update, as far as the operator lets it come to that: every row of the table, in each
//! version. The operator always sends an identifier, so the rows without one are never reached.

use pam_operator::simulator::{Data, Handle, NewCredential};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{assert_stalled, conditions};
use crate::{
    vaults::{PROFILES, posts},
    world::{Setting, World, data, id, merge},
};

/// One row.
struct Row {
    /// Name of the object.
    name: &'static str,
    /// User names with their identifiers that the PAM has before, on the usual device; `-` stands for none.
    existing: &'static [(&'static str, &'static str)],
    spec: &'static str,
    /// A change of the spec once the object is ready.
    change: Option<&'static str>,
    outcome: Outcome,
}

enum Outcome {
    /// A credential that did not exist before, under this identifier.
    Created(&'static str),
    /// The credential that had this user name before, or that the object had before the change; its user name and
    /// identifier now.
    Updated(&'static str, &'static str, &'static str),
    /// Nothing was sent, because it would have hit these.
    Refused(&'static [&'static str]),
}

const ROWS: &[Row] = &[
    Row {
        name: "r1-own",
        existing: &[],
        spec: "{username: r1-own, identifier: r1-own}",
        change: Some("{additional: more}"),
        outcome: Outcome::Updated("r1-own", "r1-own", "r1-own"),
    },
    Row {
        name: "r1-adopted",
        existing: &[("r1-adopted", "r1-adopted")],
        spec: "{username: r1-adopted, identifier: r1-adopted, adoptionPolicy: Adopt}",
        change: None,
        outcome: Outcome::Updated("r1-adopted", "r1-adopted", "r1-adopted"),
    },
    Row {
        name: "r1-foreign",
        existing: &[("r1-foreign", "r1-foreign")],
        spec: "{username: r1-foreign, identifier: r1-foreign}",
        change: None,
        outcome: Outcome::Refused(&["r1-foreign"]),
    },
    Row {
        name: "r2-own",
        existing: &[],
        spec: "{username: r2-own, identifier: r2-own}",
        change: Some("{username: r2-renamed}"),
        outcome: Outcome::Updated("r2-own", "r2-renamed", "r2-own"),
    },
    Row {
        name: "r2-adopted",
        existing: &[("r2-adopted", "r2-known")],
        spec: "{username: r2-other, identifier: r2-known, adoptionPolicy: Adopt}",
        change: None,
        outcome: Outcome::Updated("r2-adopted", "r2-other", "r2-known"),
    },
    Row {
        name: "r2-foreign",
        existing: &[("r2-foreign", "r2-taken")],
        spec: "{username: r2-typo, identifier: r2-taken}",
        change: None,
        outcome: Outcome::Refused(&["r2-foreign"]),
    },
    Row {
        name: "r3-foreign",
        existing: &[("r3-a", "r3-a"), ("r3-b", "r3-b")],
        spec: "{username: r3-b, identifier: r3-a}",
        change: None,
        outcome: Outcome::Refused(&["r3-a", "r3-b"]),
    },
    Row {
        name: "r3-adopting",
        existing: &[("r3-c", "r3-c"), ("r3-d", "r3-d")],
        spec: "{username: r3-d, identifier: r3-c, adoptionPolicy: Adopt}",
        change: None,
        outcome: Outcome::Refused(&["r3-c", "r3-d"]),
    },
    Row {
        name: "r4-own",
        existing: &[],
        spec: "{username: r4-own, identifier: r4-own}",
        change: Some("{identifier: r4-other}"),
        outcome: Outcome::Updated("r4-own", "r4-own", "r4-other"),
    },
    Row {
        name: "r4-adopted",
        existing: &[("r4-adopted", "r4-before")],
        spec: "{username: r4-adopted, identifier: r4-after, adoptionPolicy: Adopt}",
        change: None,
        outcome: Outcome::Updated("r4-adopted", "r4-adopted", "r4-after"),
    },
    Row {
        name: "r4-foreign",
        existing: &[("r4-foreign", "r4-live")],
        spec: "{username: r4-foreign, identifier: r4-typo}",
        change: None,
        outcome: Outcome::Refused(&["r4-foreign"]),
    },
    Row {
        name: "r5",
        existing: &[],
        spec: "{username: r5, identifier: r5-new}",
        change: None,
        outcome: Outcome::Created("r5-new"),
    },
    Row {
        name: "r6-adopted",
        existing: &[("r6-adopted", "r6-kept")],
        spec: "{username: r6-adopted, adoptionPolicy: Adopt}",
        change: None,
        outcome: Outcome::Updated("r6-adopted", "r6-adopted", "r6-kept"),
    },
    Row {
        name: "r6-nameless",
        existing: &[("r6-nameless", "-")],
        spec: "{username: r6-nameless, adoptionPolicy: Adopt}",
        change: None,
        outcome: Outcome::Updated("r6-nameless", "r6-nameless", "(generated)"),
    },
    Row {
        name: "r6-foreign",
        existing: &[("r6-foreign", "-")],
        spec: "{username: r6-foreign}",
        change: None,
        outcome: Outcome::Refused(&["r6-foreign"]),
    },
    Row {
        name: "r7",
        existing: &[],
        spec: "{username: r7}",
        change: None,
        outcome: Outcome::Created("(generated)"),
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_the_decision_table_ends_as_the_plan_foresaw_in_each_version() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    world.secret("new", json!({"password": "canary-new"})).await;
    let mut pams = Vec::new();
    for (variant, profile, prefix) in PROFILES {
        let change = json!({"apiPrefix": prefix});
        let pam = world.vault(variant, profile, existing(), change).await;
        for row in ROWS {
            world.create(&object(row, variant), spec(row, variant)).await;
        }
        let before = pam
            .credentials()
            .into_iter()
            .map(|credential| (credential.username, credential.id));
        let before: Vec<_> = before.collect();
        pams.push((variant, pam, before));
    }
    world.run().await;
    for (variant, ..) in &pams {
        for row in ROWS {
            if let Some(change) = row.change {
                world.ready(&object(row, variant)).await;
                world.change(&object(row, variant), yaml(change)).await;
            }
        }
    }
    for (variant, pam, before) in &pams {
        for row in ROWS {
            check(&world, row, variant, pam, before).await;
        }
        let refused = ROWS.iter().filter(|row| matches!(row.outcome, Outcome::Refused(_)));
        let untouched: Vec<_> = refused.flat_map(|row| row.existing).collect();
        for (username, identifier) in untouched {
            let id = owner(before, username);
            let credential = pam.credential(id).expect("nobody removed it");
            assert_eq!(credential.username, *username);
            assert_eq!(credential.identifier.as_deref().unwrap_or("-"), *identifier);
            assert_eq!(credential.content_writes, 1, "{username}");
        }
    }
}

async fn check(world: &World, row: &Row, variant: &str, pam: &Handle, before: &[(String, u64)]) {
    let name = object(row, variant);
    match &row.outcome {
        Outcome::Refused(others) => {
            let object = world.fails(&name, "AlreadyExists").await;
            for other in *others {
                assert_stalled(
                    conditions(&object),
                    "AlreadyExists",
                    &format!("{} (", owner(before, other)),
                );
            }
            let username = spec(row, variant)["username"].clone();
            assert!(posts(pam, username.as_str().expect("a text")).is_empty(), "{name}");
        }
        Outcome::Created(identifier) => {
            let object = world.ready(&name).await;
            assert!(before.iter().all(|(_, existing)| *existing != id(&object)), "{name}");
            assert_is(pam, &object, row.name, identifier);
        }
        Outcome::Updated(known, username, identifier) => {
            let object = world.ready(&name).await;
            match before.iter().find(|(existing, _)| existing == known) {
                Some((_, known)) => assert_eq!(id(&object), *known, "{name}"),
                None => assert_eq!(posts(pam, known)[0].id, Some(id(&object)), "{name}"),
            }
            assert_is(pam, &object, username, identifier);
        }
    }
}

/// The object's credential is the only one with this user name, has this identifier, and got the object's password.
fn assert_is(pam: &Handle, object: &pam_operator::api::PamCredential, username: &str, identifier: &str) {
    let status = object.status.as_ref().expect("a status");
    let effective = status.identifier.as_deref().expect("an identifier");
    assert!(identifier == "(generated)" || effective == identifier, "{effective}");
    let same_name = pam
        .credentials()
        .into_iter()
        .filter(|credential| credential.username == username);
    let same_name: Vec<_> = same_name.collect();
    assert_eq!(same_name.len(), 1, "{username}");
    assert_eq!(same_name[0].id, id(object), "{username}");
    assert_eq!(same_name[0].identifier.as_deref(), Some(effective), "{username}");
    let content = same_name[0].content.as_ref().map(ExposeSecret::expose_secret);
    assert_eq!(content, Some("canary-new"), "{username}");
}

fn existing() -> Data {
    let rows = ROWS.iter().flat_map(|row| row.existing);
    let credentials = rows.map(|(username, identifier)| NewCredential {
        identifier: (*identifier != "-").then(|| (*identifier).to_owned()),
        content: Some("somebody's".into()),
        ..NewCredential::new("db.example.com", "10.0.0.1", username)
    });
    Data {
        credentials: credentials.collect(),
        ..data()
    }
}

fn owner(before: &[(String, u64)], username: &str) -> u64 {
    let found = before.iter().find(|(existing, _)| existing == username);
    found.expect("it existed before").1
}

fn object(row: &Row, variant: &str) -> String {
    format!("{}-{variant}", row.name)
}

fn spec(row: &Row, variant: &str) -> Value {
    let mut spec = yaml(row.spec);
    merge(
        &mut spec,
        json!({"connectionRef": {"name": variant}, "contentSecretRef": {"name": "new", "key": "password"}}),
    );
    spec
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}
