//! What many credentials cost: made known to a fresh operator at once, and known already to one that restarts.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use futures::TryStreamExt;
use kube::{
    Api, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use pam_operator::api::PamCredential;
use testbed::{Error, Progress, Usage, count, is_ready, wait_for};

use crate::scene::{NAMESPACE, OPERATOR, Scene, credential};

/// How long all credentials together may take.
const DEADLINE: Duration = Duration::from_mins(10);

/// The credential that is made after a restart: when it is Ready, the others, which came before it, were looked at.
const LAST: &str = "last";

/// What an operator took until everything was Ready.
struct Cost {
    wall: Duration,
    usage: Usage,
    posts: usize,
    /// How often each operation on the API server succeeded.
    requests: BTreeMap<String, usize>,
}

/// The costs of a number of credentials.
pub struct Convergence {
    objects: u32,
    created: Cost,
    restarted: Cost,
}

/// Creates the credentials while no operator runs, then starts one, and another one once everything is Ready.
pub async fn measure(scene: &Scene, objects: u32) -> Result<Convergence, Error> {
    let names: Vec<String> = (1..=objects).map(|number| format!("credential-{number}")).collect();
    let all = names.iter().flat_map(|name| credential(name)).collect();
    Progress::start("credentials")
        .follow("creating them", scene.apply(all))
        .await?;
    let created = cost(scene, all_ready(scene, names.len())).await?;
    let restarted = cost(scene, one_more_ready(scene)).await?;
    Ok(Convergence {
        objects,
        created,
        restarted,
    })
}

/// Runs an operator until `done`, and measures it. What was asked for [`LAST`] by name is left out.
async fn cost(scene: &Scene, done: impl Future<Output = Result<(), Error>>) -> Result<Cost, Error> {
    let audit = scene.control_plane.audit();
    scene.pam.journal().clear();
    let mark = audit.mark(OPERATOR).await?;
    let started = Instant::now();
    let operator = scene.operator().await?;
    Progress::start("credentials")
        .follow("the operator is at work", done)
        .await?;
    let wall = started.elapsed();
    let usage = operator.usage()?;
    operator.stop().await?;
    let requests = audit.since(mark, OPERATOR).await?;
    let requests = count(
        requests
            .iter()
            .filter(|request| request.succeeded() && request.name != LAST),
    );
    let of_last = format!("_{LAST}_");
    let posts = scene.pam.journal().posts();
    let posts = posts
        .iter()
        .filter(|post| !post.identifier.as_ref().is_some_and(|name| name.contains(&of_last)));
    Ok(Cost {
        wall,
        usage,
        posts: posts.count(),
        requests,
    })
}

/// Watches until `count` of the credentials that the scene was given are Ready.
async fn all_ready(scene: &Scene, count: usize) -> Result<(), Error> {
    let credentials = Api::<PamCredential>::namespaced(scene.admin.clone(), NAMESPACE);
    let mut states = Box::pin(watcher(credentials, watcher::Config::default()).applied_objects());
    let mut ready = HashSet::new();
    let watching = async {
        while ready.len() < count {
            let state = states
                .try_next()
                .await
                .map_err(|error| Error::Manifest(format!("cannot watch: {error}")))?;
            ready.extend(state.filter(is_ready).map(|credential| credential.name_any()));
        }
        Ok(())
    };
    let outcome = tokio::time::timeout(DEADLINE, watching).await;
    outcome.unwrap_or_else(|_| Err(Error::Timeout(format!("only {} of {count} are Ready", ready.len()))))
}

async fn one_more_ready(scene: &Scene) -> Result<(), Error> {
    scene.apply(credential(LAST)).await?;
    let credentials = Api::<PamCredential>::namespaced(scene.admin.clone(), NAMESPACE);
    wait_for(&credentials, LAST, "Ready", DEADLINE, is_ready)
        .await
        .map(drop)
}

impl Convergence {
    /// Prints both costs, and what the operator asked the API server for.
    pub fn print(&self) {
        let title = format!("{} credentials", self.objects);
        println!(
            "{title:<32} {:>9} {:>10} {:>12} {:>9} {:>7}",
            "until Ready", "CPU", "an object", "peak RSS", "POSTs"
        );
        self.print_row("created before its start", &self.created);
        self.print_row("unchanged since its end", &self.restarted);
        println!();
    }

    fn print_row(&self, what: &str, cost: &Cost) {
        let wall = format!("{:.1} s", cost.wall.as_secs_f64());
        let cpu = format!("{:.2} s", cost.usage.cpu.as_secs_f64());
        let each = format!(
            "{:.2} ms",
            cost.usage.cpu.as_secs_f64() * 1000.0 / f64::from(self.objects)
        );
        let rss = format!("{} MiB", cost.usage.peak_rss / (1024 * 1024));
        println!(
            "  {what:<30} {wall:>11} {cpu:>10} {each:>12} {rss:>9} {:>7}",
            cost.posts
        );
        let requests: Vec<String> = cost
            .requests
            .iter()
            .map(|(operation, times)| format!("{times} {operation}"))
            .collect();
        println!("      API server: {}", requests.join(", "));
    }
}
