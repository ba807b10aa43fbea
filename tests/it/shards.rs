//! Two installations share the work of one cluster: each has the connections of its labels, their credentials, and a lease.

mod absent;
mod apart;
mod handover;
mod rivals;

use std::collections::BTreeSet;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use pam_operator::{
    api::PamConnection,
    simulator::{Handle, Profile},
};
use serde_json::{Value, json};
use testbed::{Mark, Operator, Request, rbac, wait_for};

use crate::{
    look::{content, set_password, within_deadline},
    world::{DEADLINE, Setting, World, data},
};

/// The label by which connections are shared out.
const LABEL: &str = "pam-operator.dev/shard";

/// One installation.
struct Shard {
    user: String,
    operator: Operator,
    began: Mark,
}

/// A world of two shards: the first has the connections without the label, the second those of the label `b`.
struct Shards {
    world: World,
    first: Shard,
    second: Shard,
}

impl Shards {
    /// Both, once each leads by its own lease. The connections `vault`, to the world's PAM, and `other`, to the one that is
    /// returned, are there before.
    async fn start(args: &[&str]) -> (Self, Handle) {
        let setting = Setting {
            leader_election: true,
            started: false,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            ..Setting::default()
        };
        let world = World::with(setting).await;
        world.connection("vault", json!({})).await;
        let (other, spec) = world.pam_beside("other", Profile::V3_32, data()).await;
        world.labelled_connection("other", json!({LABEL: "b"}), spec).await;
        let mut first = Shard::spawn(&world, "shard-a", &format!("!{LABEL}")).await;
        let mut second = Shard::spawn(&world, "shard-b", &format!("{LABEL} in (b)")).await;
        for (shard, lease) in [(&mut first, "shard-a"), (&mut second, "shard-b")] {
            shard.operator.ready().await.expect("it becomes ready");
            let held = |found: &Lease| {
                let holder = found.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
                holder.is_some_and(|holder| holder.starts_with(&format!("{}_", shard.user)))
            };
            let api: Api<Lease> = world.api();
            world.expect(wait_for(&api, lease, "held", DEADLINE, held).await);
        }
        world.connection_is("vault", "True", "Synced").await;
        world.connection_is("other", "True", "Synced").await;
        let shards = Self { world, first, second };
        (shards, other)
    }

    /// An object of this name with a password at a connection, by the user name of the same text.
    async fn declare(&self, name: &str, connection: &str) {
        set_password(&self.world, name, "canary-first").await;
        let mut spec = content(name);
        spec["connectionRef"] = json!({"name": connection});
        self.world.create(name, spec).await;
    }

    /// Changes a connection by a merge patch.
    async fn change(&self, connection: &str, patch: Value) {
        let api: Api<PamConnection> = self.world.api();
        let (params, patch) = (PatchParams::default(), Patch::Merge(patch));
        let changed = api.patch(connection, &params, &patch).await;
        changed.expect("the change is accepted");
    }
}

impl Shard {
    async fn spawn(world: &World, lease: &str, selector: &str) -> Self {
        let user = format!("{}-{lease}", world.user);
        let bound = rbac::bind_shard(&world.client, &user, &world.namespace, lease).await;
        bound.expect("the operator's rights");
        let mut config = world.config(&user);
        let flags = ["--lease-name", lease, "--watch-selector", selector];
        config.args.extend(flags.map(Into::into));
        let began = world
            .plane
            .audit()
            .mark(&user)
            .await
            .expect("the audit log is readable");
        Self {
            operator: Operator::spawn(&config).expect("the operator starts"),
            user,
            began,
        }
    }

    /// A place in what it asked of the API server.
    async fn mark(&self, world: &World) -> Mark {
        let mark = world.plane.audit().mark(&self.user).await;
        mark.expect("the audit log is readable")
    }

    /// What it wrote to objects of ours since then, or tried to, oldest first.
    async fn writes(&self, world: &World, since: Mark) -> Vec<Request> {
        let requests = world.plane.audit().since(since, &self.user).await;
        let mut requests = requests.expect("the audit log is readable");
        requests.retain(|request| request.is_write() && request.resource.starts_with("pam"));
        requests
    }

    /// The names of the objects that it wrote to since then.
    async fn touched(&self, world: &World, since: Mark) -> BTreeSet<String> {
        let writes = self.writes(world, since).await;
        writes.into_iter().map(|request| request.name).collect()
    }

    /// Its metrics.
    async fn metrics(&self) -> String {
        self.operator.get("/metrics").await.expect("metrics")
    }

    /// Waits until it calls a PAM through this connection, or does not any more.
    async fn uses(&self, connection: &str, does: bool) {
        let series = format!("name=\"{connection}\"");
        within_deadline("take over or let go a connection", async || {
            let page = self.metrics().await;
            let mut breakers = page
                .lines()
                .filter(|line| line.starts_with("pam_operator_pam_breaker_open{"));
            breakers.any(|line| line.contains(&series)) == does
        })
        .await;
    }
}

/// A set of names.
fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.map(str::to_owned).into()
}
