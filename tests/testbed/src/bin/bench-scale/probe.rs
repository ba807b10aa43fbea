//! From a change to its POST: changes at a steady rate, whatever else goes on, and when each arrived at the PAM.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use testbed::Error;
use tokio::{task::JoinSet, time::interval};

use crate::{fleet::Change, fleet::Place, pam::Pam, stage::Stage};

/// How long changes may take until the PAM has them.
const DEADLINE: Duration = Duration::from_mins(5);

/// One duration for each change.
#[derive(Default)]
pub struct Latencies {
    /// From sending a change of a spec to the arrival of its POST.
    pub spec: Vec<Duration>,
    /// The same for a change of a Secret.
    pub secret: Vec<Duration>,
    /// The part of both that the API server took to answer.
    pub patch: Vec<Duration>,
}

/// Makes the changes, so many a second, and waits for all of them.
pub async fn probe(stage: &Stage<'_>, changes: Vec<Change>) -> Result<Latencies, Error> {
    let mark = stage.pam.mark();
    let mut ticks = interval(Duration::from_secs(1) / stage.run.arguments.rate);
    let mut sending = JoinSet::new();
    for change in changes {
        ticks.tick().await;
        let admin = stage.admin.clone();
        // A change that takes long does not hold back the next.
        sending.spawn(async move {
            let sent = Instant::now();
            change.send(&admin).await.map(|()| (change, sent, sent.elapsed()))
        });
    }
    let mut changes = Vec::new();
    let (mut sent, mut latencies) = (Vec::new(), Latencies::default());
    while let Some(done) = sending.join_next().await {
        let (change, at, patch) = done.expect("sending does not panic")?;
        changes.push(change);
        sent.push(at);
        latencies.patch.push(patch);
    }
    let arrivals = arrivals(&stage.pam, mark, &changes).await?;
    for (change, sent) in changes.iter().zip(sent) {
        let latency = arrivals[&change.username].saturating_duration_since(sent);
        match change.place {
            Place::Spec => latencies.spec.push(latency),
            Place::Secret => latencies.secret.push(latency),
        }
    }
    Ok(latencies)
}

/// Waits until the PAM has a POST after `mark` for each of the changes, which are of different objects, and says when each
/// arrived.
pub async fn arrivals(pam: &Pam, mark: usize, changes: &[Change]) -> Result<HashMap<String, Instant>, Error> {
    let mut waiting: HashMap<_, _> = changes.iter().map(|change| (&change.username, change)).collect();
    let mut arrivals = HashMap::new();
    let mut read = mark;
    let described = format!("all of {} changes", changes.len());
    pam.wait_for(&described, DEADLINE, |store| {
        for post in &store.posts()[read..] {
            if waiting.get(&post.username).is_some_and(|change| change.is_in(post)) {
                waiting.remove(&post.username);
                arrivals.insert(post.username.clone(), post.at);
            }
        }
        read = store.posts().len();
        waiting.is_empty()
    })
    .await?;
    Ok(arrivals)
}
