//! What concerns the whole authorization stalls the connection, once and for all of its objects; what may pass does not.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use pam_operator::{
    api::PamConnection,
    simulator::{Data, Effect, Fault, Handle, NewCredential, Operation, Permission, Profile},
};
use serde_json::{Value, json};

use super::{assert_reconciling, assert_stalled, conditions};
use crate::world::{CLIENT, Setting, World, data};

/// What a connection's own calls meet.
struct Case {
    /// Name of the connection.
    name: &'static str,
    /// A change of the connection's spec.
    change: Value,
    meets: Meets,
    reason: &'static str,
    says: &'static str,
    /// Whether a person must act.
    stalls: bool,
}

enum Meets {
    Client(fn(&mut pam_operator::simulator::Client)),
    Fault(Operation, Effect),
    Nothing,
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let status = |code| Effect::Status { code, executed: false, retry_after: None };
    let refusal = |code, message: &str, status| Effect::Refuse { code, message: message.to_owned(), status };
    let html = || Effect::Html { status: 200, executed: false };
    let stalls = |name, meets, reason, says| Case { name, change: json!({}), meets, reason, says, stalls: true };
    let passes = |name, meets, reason, says| Case { stalls: false, ..stalls(name, meets, reason, says) };
    let token = |effect| Meets::Fault(Operation::Token, effect);
    let list = |effect| Meets::Fault(Operation::List, effect);
    vec![
        stalls("unticked", Meets::Client(|client| client.authorized = false), "AccessDenied", "HTTP 500"),
        stalls("unknown", Meets::Client(|client| client.secret = "another".into()), "AuthenticationFailed", "HTTP 401"),
        Case { change: json!({"apiPrefix": "api"}), ..stalls("prefix", Meets::Nothing, "ApiNotFound", "HTTP 404") },

        stalls("token-403", token(status(403)), "AccessDenied", "token request failed"),
        stalls("token-404", token(refusal(404, "Resource sub not found", 404)), "ApiNotFound", "HTTP 404"),
        passes("token-429", token(status(429)), "RateLimited", "HTTP 429"),
        passes("token-503", token(status(503)), "PamUnavailable", "HTTP 503"),
        passes("token-html", token(html()), "InvalidResponse", "not JSON"),
        passes("token-cut", token(Effect::CutBody), "InvalidResponse", "broke off"),

        stalls("list-401", list(Effect::RejectedToken), "AuthenticationFailed", "HTTP 401"),
        stalls("list-403", list(status(403)), "AccessDenied", "listing failed"),
        stalls("list-404", list(refusal(404, "Resource sub not found", 404)), "ApiNotFound", "HTTP 404"),
        stalls("list-no-route", list(Effect::NoRoute), "ApiNotFound", "HTTP 404"),
        stalls("list-1009", list(refusal(1009, "No access to credential", 400)), "AccessDenied", "code 1009"),
        stalls("list-1039", list(refusal(1039, "Without PAM Configuration Access permission", 400)), "AccessDenied", "code 1039"),
        stalls("list-4711", list(refusal(4711, "Something", 400)), "AccessDenied", "code 4711"),
        passes("list-429", list(status(429)), "RateLimited", "HTTP 429"),
        passes("list-500", list(status(500)), "PamUnavailable", "HTTP 500"),
        passes("list-502", list(status(502)), "PamUnavailable", "HTTP 502"),
        passes("list-html", list(html()), "InvalidResponse", "not JSON"),
        passes("list-truncated", list(Effect::TruncatedJson), "InvalidResponse", "broken off"),
        passes("list-cut", list(Effect::CutBody), "InvalidResponse", "broke off"),
    ]
}

/// A PAM with something to list, so that half a listing is not a whole one.
fn listed() -> Data {
    Data {
        credentials: vec![NewCredential::new("db.example.com", "10.0.0.1", "somebody")],
        ..data()
    }
}

impl Case {
    fn apply(&self, pam: &Handle) {
        match &self.meets {
            Meets::Client(change) => assert!(pam.edit_client(CLIENT, change)),
            Meets::Fault(operation, effect) => {
                pam.faults().add(Fault::new(effect.clone()).on(*operation));
            }
            Meets::Nothing => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_and_failed_tokens_and_listings_are_the_connections_and_nothing_is_sent() {
    let mut world = World::with(Setting {
        started: false,
        ..Setting::default()
    })
    .await;
    let mut pams = Vec::new();
    for case in cases() {
        let pam = world
            .vault(case.name, Profile::V3_32, listed(), case.change.clone())
            .await;
        case.apply(&pam);
        world
            .create(case.name, json!({"connectionRef": {"name": case.name}}))
            .await;
        pams.push(pam);
    }
    world.run().await;
    for (case, pam) in cases().iter().zip(&pams) {
        let connection = world.connection_is(case.name, "False", case.reason).await;
        let own = connection_conditions(&connection);
        if case.stalls {
            assert_stalled(own, case.reason, case.says);
        } else {
            assert_reconciling(own, case.reason, case.says);
        }
        let (reason, says) = if case.stalls {
            ("ConnectionNotReady", case.reason)
        } else {
            (case.reason, case.says)
        };
        let object = world.fails(case.name, reason).await;
        assert_reconciling(conditions(&object), reason, says);
        assert!(
            object.status.is_some_and(|status| status.claim.is_none()),
            "{}",
            case.name
        );
        assert!(pam.journal().posts().is_empty(), "{}", case.name);
    }

    // What may pass goes on by itself; the others when somebody mended the connection.
    for (case, pam) in cases().iter().zip(&pams) {
        pam.faults().clear();
        pam.add_client(pam_operator::simulator::Client::new(
            CLIENT,
            crate::world::CLIENT_SECRET,
        ));
        if case.stalls {
            change_connection(&world, case.name, json!({"timeout": "29s", "apiPrefix": "iso"})).await;
        }
    }
    for case in cases() {
        world.ready(case.name).await;
        world.connection_is(case.name, "True", "Synced").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_may_only_read_is_asked_once() {
    let world = World::start().await;
    world
        .pam
        .edit_client(CLIENT, |client| client.permission = Permission::ReadOnly);
    world.create("first", json!({})).await;
    let first = world.fails("first", "ConnectionNotReady").await;
    assert_reconciling(conditions(&first), "ConnectionNotReady", "code 1039");
    assert!(first.status.is_some_and(|status| status.claim.is_none()));
    let connection = world.connection_is("vault", "False", "AccessDenied").await;
    assert_stalled(connection_conditions(&connection), "AccessDenied", "code 1039");

    for name in ["second", "third"] {
        world.create(name, json!({})).await;
        let object = world.fails(name, "ConnectionNotReady").await;
        assert_reconciling(conditions(&object), "ConnectionNotReady", "code 1039");
    }
    assert_eq!(world.pam.journal().posts().len(), 1);

    world
        .pam
        .edit_client(CLIENT, |client| client.permission = Permission::ReadWrite);
    change_connection(&world, "vault", json!({"timeout": "29s"})).await;
    for name in ["first", "second", "third"] {
        world.ready(name).await;
    }
    world.connection_is("vault", "True", "Synced").await;
    assert_eq!(world.pam.journal().posts().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_may_not_be_touched_leaves_the_others_alone() {
    let mut data = listed();
    data.clients[0].credentials = Some(BTreeSet::new());
    let world = World::with(Setting {
        data,
        ..Setting::default()
    })
    .await;
    world.create("somebody", json!({})).await;
    let refused = world.fails("somebody", "AccessDenied").await;
    assert_stalled(conditions(&refused), "AccessDenied", "code 1009");
    world.create("own", json!({})).await;
    world.ready("own").await;
    world.connection_is("vault", "True", "Synced").await;
    assert_eq!(world.pam.credentials().len(), 2);
}

fn connection_conditions(connection: &PamConnection) -> &[Condition] {
    connection
        .status
        .as_ref()
        .map(|status| status.conditions.as_slice())
        .unwrap_or_default()
}

async fn change_connection(world: &World, name: &str, spec: Value) {
    let patch = Patch::Merge(json!({"spec": spec}));
    let changed = world
        .api::<PamConnection>()
        .patch(name, &PatchParams::default(), &patch)
        .await;
    changed.expect("the change is accepted");
}
