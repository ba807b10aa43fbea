//! Each request example of the PAM's documents, as a manifest, gives a body with every key and value of the example.

use pam_operator::simulator::{Handle, Profile};
use serde_json::{Value, json};

use super::{
    as_recorded,
    examples::{EXAMPLES, Example, SECRET},
    identifier, last_body,
};
use crate::{
    vaults::documented,
    world::{Setting, World, merge},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_documents_can_be_declared() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    world.secret("example", parsed(SECRET)).await;
    let mut pams = Vec::new();
    for example in EXAMPLES {
        pams.push(declare(&world, example).await);
    }
    world.run().await;
    for (example, pam) in EXAMPLES.iter().zip(&pams) {
        check(&world, example, pam).await;
    }
}

/// A PAM for the example alone, and the object.
async fn declare(world: &World, example: &Example) -> Handle {
    let mut data = documented(None);
    if !example.existing.is_empty() {
        data.credentials
            .push(serde_saphyr::from_str(example.existing).expect("a credential"));
    }
    let pam = world.vault(example.name, Profile::V3_32, data, json!({})).await;
    let mut spec: Value = serde_saphyr::from_str(example.spec).expect("YAML");
    merge(&mut spec, json!({"connectionRef": {"name": example.name}}));
    world.create(example.name, spec).await;
    pam
}

async fn check(world: &World, example: &Example, pam: &Handle) {
    let object = world.ready(example.name).await;
    let sent = last_body(pam, &object);
    let printed = as_recorded(example.request);

    let mut expected = printed.clone();
    merge(&mut expected, parsed(example.extras));
    expected["identifier"] = identifier(&object).into();
    assert_eq!(sent, expected, "{}", example.name);
    if let Some(named) = printed["identifier"].as_str().filter(|named| !named.is_empty()) {
        assert_eq!(identifier(&object), named, "{}", example.name);
    }

    let posts = pam.journal().posts();
    assert_eq!(posts.len(), 1, "{}", example.name);
    let id = object.status.as_ref().and_then(|status| status.id.as_deref());
    assert_eq!(
        id.map(str::to_owned),
        posts[0].id.map(|id| id.to_string()),
        "{}",
        example.name
    );
    if let Some((answered, name)) = example.answer {
        assert_eq!(id, Some(answered), "{}", example.name);
        assert!(name.is_empty() || name == identifier(&object), "{}", example.name);
    }
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).expect("JSON")
}
