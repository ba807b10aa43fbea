//! A connection that moves to another PAM: what is known of the first one proves nothing at the second.

use kube::{
    Api,
    api::{Patch, PatchParams},
};
use pam_operator::{
    api::{PamConnection, PamCredential},
    simulator::{self, Config, Data, Handle, NewCredential, Operation, Point, Profile, Tls},
};
use serde_json::json;

use crate::ownership::{Foreign, everything, foreign, names, password, secret, with_password};
use crate::world::{DEADLINE, World, data, id, is};

/// Starts another PAM.
async fn second_pam(data: Data) -> Handle {
    simulator::start(Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        profile: Profile::V3_32,
        tls: Tls::InMemory,
        data,
    })
    .await
    .expect("the simulator starts")
}

/// Points the connection `vault` at another PAM.
async fn redirect(world: &World, pam: &Handle) {
    let ca = pam.ca_pem().expect("the simulator speaks https");
    world.config_map("second-ca", "ca.crt", ca).await;
    let spec = json!({"url": pam.url(), "tls": {"caBundleRef": {"name": "second-ca"}}});
    let api: Api<PamConnection> = world.api();
    api.patch("vault", &PatchParams::default(), &Patch::Merge(json!({"spec": spec})))
        .await
        .expect("the change is accepted");
}

/// The same id, at the second PAM and in other hands.
fn namesake(pam: &Handle, id: u64, username: &str) -> Foreign {
    let credential = NewCredential {
        id: Some(id),
        ..foreign("theirs", username)
    };
    Foreign::add(pam, credential)
}

/// Waits until the object is in sync with this PAM.
async fn settled(world: &World, name: &str, pam: &Handle) -> PamCredential {
    let target = pam.url();
    let at_target = |object: &PamCredential| {
        let claim = object.status.as_ref().and_then(|status| status.claim.as_ref());
        claim.is_some_and(|claim| claim.target.starts_with(&target))
    };
    world
        .until(name, "in sync with that PAM", |object| {
            at_target(object) && is(object, "True", None)
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_starts_anew_at_another_pam_and_ends_there() {
    let world = World::start().await;
    secret(&world).await;
    let spec = with_password(&json!({"identifier": "orders-db", "deletionPolicy": "Deactivate"}));
    world.create("db", spec).await;
    let first = world.ready("db").await;
    let left_behind = everything(&world.pam, id(&first));
    let second = second_pam(data()).await;
    let foreign = namesake(&second, id(&first), "somebody");

    redirect(&world, &second).await;
    let object = settled(&world, "db", &second).await;
    assert_ne!(id(&object), foreign.id);
    let created = second.credential(id(&object)).expect("it was created");
    assert_eq!(password(&created), Some("our-password"));
    foreign.is_untouched(&second);

    world.delete("db").await;
    world.gone("db").await;
    assert!(!second.credential(created.id).expect("it was created").active);
    foreign.is_untouched(&second);
    assert_eq!(everything(&world.pam, id(&first)), left_behind);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_at_another_pam_is_neither_updated_nor_deactivated() {
    let world = World::start().await;
    let spec = json!({"identifier": "orders-db", "deletionPolicy": "Deactivate"});
    world.create("db", spec).await;
    let first = world.ready("db").await;
    let left_behind = everything(&world.pam, id(&first));
    let second = second_pam(data()).await;
    let foreign = namesake(&second, id(&first), "db");

    redirect(&world, &second).await;
    let object = world.fails("db", "AlreadyExists").await;
    names(&object, foreign.id);
    world.delete("db").await;
    world.gone("db").await;
    foreign.is_untouched(&second);
    let writes = [Operation::Post, Operation::Delete, Operation::Put].map(|write| second.journal().count(write));
    assert_eq!(writes, [0; 3]);
    assert_eq!(everything(&world.pam, id(&first)), left_behind);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_pam_under_another_name_keeps_its_objects() {
    let world = World::start().await;
    secret(&world).await;
    world
        .create("db", with_password(&json!({"identifier": "orders-db"})))
        .await;
    let first = id(&world.ready("db").await);
    let second = second_pam(data()).await;
    let copy = world.pam.credential(first).expect("it was created");
    second.add(NewCredential {
        id: Some(first),
        identifier: copy.identifier,
        ..NewCredential::new(&copy.hostname, &copy.ip, &copy.username)
    });
    redirect(&world, &second).await;
    let object = settled(&world, "db", &second).await;
    assert_eq!(id(&object), first);
    let copy = second.credential(first).expect("it was copied");
    assert_eq!(copy.content_writes, 0, "its password was left as it is");
    assert_eq!(second.credentials().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unexpected_answer_of_the_first_pam_does_not_hold_at_the_second() {
    let world = World::start().await;
    world.pam.add(NewCredential {
        active: false,
        ..foreign("hidden", "db")
    });
    world.create("db", json!({})).await;
    world.fails("db", "UnexpectedAnswer").await;
    let second = second_pam(data()).await;
    redirect(&world, &second).await;
    let object = settled(&world, "db", &second).await;
    assert!(second.credential(id(&object)).is_some());
}

/// The answer of the first PAM arrives when the second one is known already.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_of_the_first_pam_says_nothing_about_the_second() {
    let world = World::start().await;
    secret(&world).await;
    let hold = world
        .pam
        .faults()
        .hold(Operation::Post, Some("orders-db"), Point::After);
    world
        .create("db", with_password(&json!({"identifier": "orders-db"})))
        .await;
    hold.held(DEADLINE).await.expect("the POST arrives");
    let second = second_pam(data()).await;
    let first = world.pam.find("orders-db").expect("it was executed").id;
    let foreign = namesake(&second, first, "somebody");
    redirect(&world, &second).await;
    // An object that becomes ready there shows that the second PAM was listed.
    world.create("probe", json!({})).await;
    settled(&world, "probe", &second).await;
    hold.release();
    let object = settled(&world, "db", &second).await;
    let own = second.credential(id(&object)).expect("it was created");
    assert_eq!(own.identifier.as_deref(), Some("orders-db"));
    assert_eq!(password(&own), Some("our-password"));
    foreign.is_untouched(&second);
}
