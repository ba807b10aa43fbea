//! From the change of a Secret to the request at the PAM, with the credentials of the other measurement beside it.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, ResourceExt,
    api::{Patch, PatchParams},
};
use pam_operator::{api::PamCredential, simulator::Operation};
use serde_json::json;
use testbed::{Error, Progress, has_applied, is_ready, wait_for};

use crate::scene::{KEY, NAMESPACE, Scene, credential};

const NAME: &str = "latency";
const DEADLINE: Duration = Duration::from_secs(30);

/// One duration for each change, in ascending order.
pub struct Latency {
    to_post: Vec<Duration>,
    to_ready: Vec<Duration>,
}

/// Changes one Secret `changes` times, each time after the change before is in status. The clock starts when the change is
/// sent to the API server, and stops when the whole request has arrived at the PAM, and when the status that says so arrives
/// here.
pub async fn measure(scene: &Scene, changes: u32) -> Result<Latency, Error> {
    let operator = scene.operator().await?;
    scene.apply(credential(NAME)).await?;
    let credentials = Api::<PamCredential>::namespaced(scene.admin.clone(), NAMESPACE);
    let secrets = Api::<Secret>::namespaced(scene.admin.clone(), NAMESPACE);
    wait_for(&credentials, NAME, "Ready", DEADLINE, is_ready).await?;

    let params = PatchParams::default();
    let mut progress = Progress::start("Secret change to POST");
    let mut latency = Latency {
        to_post: Vec::new(),
        to_ready: Vec::new(),
    };
    for number in 1..=changes {
        progress.show(&format!("{number} of {changes}"));
        let journal = scene.pam.journal();
        let posts = journal.count(Operation::Post);
        let patch = Patch::Merge(json!({"stringData": {KEY: format!("password {number}")}}));
        let started = Instant::now();
        let (posted, patched) = tokio::join!(
            async {
                journal
                    .wait_for_count(Operation::Post, posts + 1, DEADLINE)
                    .await
                    .map(|()| started.elapsed())
            },
            secrets.patch(NAME, &params, &patch),
        );
        latency
            .to_post
            .push(posted.map_err(|timeout| Error::Timeout(format!("no POST after a change: {timeout}")))?);
        let version = patched
            .map_err(Error::kube("cannot change the Secret"))?
            .resource_version()
            .unwrap_or_default();
        let applied = |credential: &PamCredential| is_ready(credential) && has_applied(credential, &version);
        wait_for(&credentials, NAME, "Ready with the new password", DEADLINE, applied).await?;
        latency.to_ready.push(started.elapsed());
    }
    latency.to_post.sort();
    latency.to_ready.sort();
    operator.stop().await?;
    Ok(latency)
}

impl Latency {
    /// Prints the medians and the worst.
    pub fn print(&self) {
        let title = format!("{} changes of a Secret", self.to_post.len());
        println!("{title:<34} {:>10} {:>10}", "median", "worst");
        print_row("until the PAM has the POST", &self.to_post);
        print_row("until the object is Ready again", &self.to_ready);
    }
}

fn print_row(what: &str, ascending: &[Duration]) {
    let show = |duration: Option<&Duration>| format!("{:.1} ms", duration.map_or(0.0, Duration::as_secs_f64) * 1000.0);
    let (median, worst) = (show(ascending.get(ascending.len() / 2)), show(ascending.last()));
    println!("  {what:<32} {median:>10} {worst:>10}");
}
