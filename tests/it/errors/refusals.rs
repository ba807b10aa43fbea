//! What the PAM refuses for good: each code and text, in each version, its reason and remedy; and that nobody hammers.

use std::collections::BTreeSet;

use pam_operator::simulator::{
    Data, Device, Effect, Entry, Envelope, Fault, Handle, NewCredential, Operation, Profile,
};
use serde_json::{Value, json};

use super::{assert_stalled, conditions};
use crate::{
    vaults::{PROFILES, documented},
    world::{Setting, World, id, merge},
};

/// One refusal.
struct Case {
    /// Name of the object and, unless the spec has another, its identifier.
    name: &'static str,
    /// What differs from an object that the PAM accepts.
    spec: &'static str,
    /// What the PAM answers where nothing in its state makes it refuse.
    answer: Option<Effect>,
    reason: &'static str,
    says: &'static str,
    /// POSTs of one attempt: a refusal that may be about the token is repeated once with a new one.
    posts: usize,
}

impl Case {
    fn new(name: &'static str, reason: &'static str, says: &'static str) -> Self {
        Self {
            name,
            spec: "{}",
            answer: None,
            reason,
            says,
            posts: 1,
        }
    }

    /// Refused because of the PAM's state.
    fn when(self, spec: &'static str) -> Self {
        Self { spec, ..self }
    }

    /// Refused with a code (or an HTTP status in its place) and a text.
    fn refused(self, code: u16, message: &str, status: u16) -> Self {
        let message = message.to_owned();
        self.answered(Effect::Refuse { code, message, status })
    }

    fn answered(self, effect: Effect) -> Self {
        Self {
            answer: Some(effect),
            ..self
        }
    }

    fn twice(self) -> Self {
        Self { posts: 2, ..self }
    }

    fn identifier(&self) -> String {
        self.spec()["identifier"].as_str().unwrap_or(self.name).to_owned()
    }

    fn spec(&self) -> Value {
        let mut spec = json!({"hostname": "localhost", "ip": "127.0.0.1", "identifier": self.name});
        merge(&mut spec, serde_saphyr::from_str(self.spec).expect("YAML"));
        spec
    }
}

fn cases() -> Vec<Case> {
    let forbidden = Effect::Status {
        code: 403,
        executed: false,
        retry_after: None,
    };
    let conflict = Effect::Status {
        code: 409,
        executed: false,
        retry_after: None,
    };
    vec![
        Case::new("hidden", "AccessDenied", "code 1009").when("{username: hidden-account}"),
        Case::new("device", "DeviceNotFound", "code 1011").when("{hostname: nowhere}"),
        Case::new("domain", "DomainNotFound", "code 1029").when("{domain: nowhere.lab}"),
        Case::new("plugin", "PluginNotFound", "code 1046")
            .when("{executionSettings: {changePlugin: Unknown, changeTemplate: 3COM}}"),
        Case::new("template", "TemplateNotFound", "code 1047")
            .when("{executionSettings: {changePlugin: SSH, changeTemplate: Unknown}}"),
        Case::new("duplicate", "DuplicateCredential", "code 1052")
            .when("{identifier: hidden-name, username: hidden-pair}"),
        Case::new("hostname", "InvalidDevice", "code 1004").refused(
            1004,
            "The device's hostname was not informed",
            400,
        ),
        Case::new("address", "InvalidDevice", "code 1005").refused(1005, "The device's IP was not informed", 400),
        Case::new("username", "InvalidUsername", "code 1042").refused(1042, "Invalid username", 400),
        Case::new("unknown-code", "Rejected", "code 4711").refused(4711, "Something else", 400),
        Case::new("no-number", "AccessDenied", "does not include this credential").refused(
            400,
            "No access to credential",
            400,
        ),
        Case::new("http-success", "DeviceNotFound", "code 1011, HTTP 200").refused(1011, "Device not found", 200),
        Case::new("http-conflict", "Rejected", "HTTP 409").answered(conflict),
        Case::new("not-authorized", "AccessDenied", "HTTP 500").refused(
            500,
            "You are not authorized to access this resource.",
            500,
        ),
        Case::new("no-resource", "AccessDenied", "HTTP 404").refused(404, "Resource sub not found", 404),
        Case::new("http-forbidden", "AccessDenied", "HTTP 403")
            .answered(forbidden)
            .twice(),
        Case::new("bad-signature", "AccessDenied", "HTTP 401")
            .answered(Effect::RejectedToken)
            .twice(),
        Case::new("no-route", "AccessDenied", "HTTP 404")
            .answered(Effect::NoRoute)
            .twice(),
    ]
}

/// Versions and envelopes: 3.32 is documented with two.
fn variants() -> Vec<(&'static str, Profile, &'static str, Envelope)> {
    let old = ("v3-32-old", Profile::V3_32, "iso", Envelope::Old);
    let modern = PROFILES.map(|(name, profile, prefix)| (name, profile, prefix, Envelope::Modern));
    modern.into_iter().chain([old]).collect()
}

/// A PAM that shows its client nothing but what that client creates.
fn data(envelope: Envelope) -> Data {
    let mut data = documented(Some(BTreeSet::new()));
    data.switches.envelope = Some(envelope);
    let hidden = |username| NewCredential::new("localhost", "127.0.0.1", username);
    data.credentials.extend([
        hidden("hidden-account"),
        hidden("hidden-pair"),
        NewCredential {
            identifier: Some("hidden-name".into()),
            ..hidden("hidden-other")
        },
    ]);
    data
}

/// An administrator removes everything that made the PAM refuse.
fn mend(pam: &Handle) {
    pam.faults().clear();
    let hidden = pam
        .credentials()
        .into_iter()
        .filter(|credential| credential.username.starts_with("hidden"));
    for credential in hidden {
        pam.remove(credential.id);
    }
    pam.registry(|registry| {
        registry.add_device(Device::new("nowhere", "127.0.0.1"));
        registry.domains.insert("nowhere.lab".into());
        registry.plugins.insert("Unknown".into());
        registry.templates.insert("Unknown".into());
    });
}

fn posts(pam: &Handle, identifier: &str) -> Vec<Entry> {
    let mut posts = pam.journal().posts();
    posts.retain(|post| post.identifier.as_deref() == Some(identifier));
    posts
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_has_its_reason_in_each_version_and_is_not_hammered() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    let mut pams = Vec::new();
    for (variant, profile, prefix, envelope) in variants() {
        let change = json!({"apiPrefix": prefix});
        pams.push((variant, world.vault(variant, profile, data(envelope), change).await));
    }
    for (variant, pam) in &pams {
        for case in cases() {
            if let Some(effect) = case.answer.clone() {
                pam.faults()
                    .add(Fault::new(effect).on(Operation::Post).identifier(case.name));
            }
            create(&world, variant, case.name, case.spec()).await;
        }
    }
    world.run().await;
    for (variant, _) in &pams {
        for case in cases() {
            let object = world.fails(&named(case.name, variant), case.reason).await;
            assert_stalled(conditions(&object), case.reason, case.says);
            let status = object.status.expect("a status");
            assert_eq!((status.claim, status.id), (None, None), "{variant} {}", case.name);
        }
        // What concerns one object only leaves the connection to the others.
        world.connection_is(variant, "True", "Synced").await;
    }
    await_retries_of_neighbours(&world, &pams).await;
    for (variant, pam) in &pams {
        for case in cases() {
            assert_eq!(
                posts(pam, &case.identifier()).len(),
                case.posts,
                "{variant} {}",
                case.name
            );
        }
        mend(pam);
        for case in cases() {
            let another = json!({"additional": "another body"});
            world.change(&named(case.name, variant), another).await;
        }
    }
    for (variant, pam) in &pams {
        for case in cases() {
            let name = named(case.name, variant);
            let object = world.ready(&name).await;
            assert_eq!(posts(pam, &case.identifier()).len(), case.posts + 1, "{name}");
            assert!(pam.credential(id(&object)).is_some(), "{name}");
        }
    }
}

/// Waits until objects that failed in a way that may pass were tried three times: who is tried again at all, is so by
/// then.
async fn await_retries_of_neighbours(world: &World, pams: &[(&str, Handle)]) {
    for (variant, pam) in pams {
        let busy = Effect::Status {
            code: 503,
            executed: false,
            retry_after: None,
        };
        pam.faults()
            .add(Fault::new(busy).on(Operation::Post).identifier("neighbour").next(2));
        let spec = json!({"hostname": "localhost", "ip": "127.0.0.1", "identifier": "neighbour"});
        create(world, variant, "neighbour", spec).await;
    }
    for (variant, pam) in pams {
        world.ready(&named("neighbour", variant)).await;
        assert_eq!(posts(pam, "neighbour").len(), 3);
    }
}

async fn create(world: &World, variant: &str, case: &str, mut spec: Value) {
    spec["connectionRef"] = json!({"name": variant});
    world.create(&named(case, variant), spec).await;
}

fn named(case: &str, variant: &str) -> String {
    format!("{case}-{variant}")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_version_4_is_particular_about_identifiers() {
    let world = World::start().await;
    let mut pams = Vec::new();
    for (variant, profile, prefix) in PROFILES {
        let change = json!({"apiPrefix": prefix});
        pams.push((profile, world.vault(variant, profile, documented(None), change).await));
        let spec = json!({"hostname": "localhost", "ip": "127.0.0.1", "identifier": "order of 2024"});
        create(&world, variant, "named", spec).await;
    }
    for ((variant, ..), (profile, pam)) in PROFILES.iter().zip(&pams) {
        let name = named("named", variant);
        if *profile == Profile::V4_0 {
            let object = world.fails(&name, "InvalidIdentifier").await;
            assert_stalled(conditions(&object), "InvalidIdentifier", "code 1053");
            assert!(pam.find("order of 2024").is_none());
            world.change(&name, json!({"identifier": "order_of_2024"})).await;
            world.ready(&name).await;
            assert!(pam.find("order_of_2024").is_some());
        } else {
            world.ready(&name).await;
            assert!(pam.find("order of 2024").is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_update_keeps_what_is_ours() {
    let world = World::with(Setting {
        data: documented(None),
        ..Setting::default()
    })
    .await;
    world
        .create("db", json!({"hostname": "localhost", "ip": "127.0.0.1"}))
        .await;
    let before = world.ready("db").await;
    world.change("db", json!({"domain": "nowhere.lab"})).await;
    let refused = world.fails("db", "DomainNotFound").await;
    assert_stalled(conditions(&refused), "DomainNotFound", "code 1029");
    let (before, refused) = (before.status.expect("a status"), refused.status.expect("a status"));
    assert_eq!(
        (&refused.claim, &refused.id, &refused.applied),
        (&before.claim, &before.id, &before.applied)
    );

    world.change("db", json!({"domain": "lab"})).await;
    assert_eq!(world.ready("db").await.status.and_then(|status| status.id), before.id);
}
