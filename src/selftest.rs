//! Whether an installation works: asked with the operator's own account, by `pam-operator selftest` (which `helm test`
//! runs). Every check is one line; the first thing that is wrong is told with what to do about it.

use std::{collections::BTreeSet, time::Duration};

use futures::{StreamExt, stream};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::{Api, Client, api::PostParams};
use tokio::time::{Instant, sleep};
use url::Url;

use crate::{
    limited::{Failure, limited},
    permissions::{Need, RULES, Rule, Scope},
};

/// The API that the definitions serve, and its kinds.
const API: &str = "pam-operator.dev/v1alpha1";
const KINDS: [&str; 3] = ["PamCredential", "PamConnection", "ClusterPamConnection"];

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// How long the operator may take until it is reached: the rules of a new Service come to the nodes with a delay.
const REACHED: Duration = Duration::from_secs(30);

/// Pause between two attempts to reach it.
const PAUSE: Duration = Duration::from_millis(500);

/// Questions about rights that are under way at the same time.
const QUESTIONS: usize = 8;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Good(String),
    /// The operator works, but not in everything.
    Lacking(String),
    /// The operator does not work.
    Bad(String),
}

impl Verdict {
    /// The line that is printed.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Good(text) => format!("ok    {text}"),
            Self::Lacking(text) => format!("note  {text}"),
            Self::Bad(text) => format!("FAIL  {text}"),
        }
    }
}

/// Makes every check, tells each verdict as it comes, and says whether none is bad.
pub async fn check(client: &Client, scope: &Scope, url: Option<&Url>, mut tell: impl FnMut(&Verdict)) -> bool {
    let mut works = true;
    let mut told = |verdict: Verdict| {
        works &= !matches!(verdict, Verdict::Bad(_));
        tell(&verdict);
    };
    let server = server(client).await;
    let answers = matches!(server, Verdict::Good(_));
    told(server);
    if answers {
        told(kinds(client).await);
        for rule in RULES {
            if let Some(verdict) = permitted(client, rule, scope).await {
                told(verdict);
            }
        }
    }
    if let Some(url) = url {
        told(operator(url).await);
    }
    works
}

/// Does the API server answer?
async fn server(client: &Client) -> Verdict {
    match limited(soon(), client.apiserver_version()).await {
        Ok(version) => Verdict::Good(format!("the API server answers, version {}", version.git_version)),
        Err(error) => Verdict::Bad(format!("the API server does not answer: {error}")),
    }
}

/// Are the definitions installed?
async fn kinds(client: &Client) -> Verdict {
    let served = match limited(soon(), client.list_api_group_resources(API)).await {
        Ok(list) => list.resources,
        Err(Failure::Refused(kube::Error::Api(status))) if status.is_not_found() => Vec::new(),
        Err(error) => return Verdict::Bad(format!("whether {API} is served cannot be found out: {error}")),
    };
    let is_served = |kind: &str| served.iter().any(|resource| resource.kind == kind);
    let missing: Vec<_> = KINDS.into_iter().filter(|kind| !is_served(kind)).collect();
    if missing.is_empty() {
        Verdict::Good(format!("{} are served as {API}", KINDS.join(", ")))
    } else {
        Verdict::Bad(format!(
            "not served as {API}: {}. Install the custom resource definitions (chart value crds.enabled, or `pam-operator crd | \
             kubectl apply --server-side -f -`)",
            missing.join(", ")
        ))
    }
}

/// Is everything granted that a rule needs? None where it needs nothing.
async fn permitted(client: &Client, rule: &Rule, scope: &Scope) -> Option<Verdict> {
    let requests = rule.requests(scope);
    if requests.is_empty() {
        return None;
    }
    let places: BTreeSet<_> = requests.iter().map(place).collect();
    let asked: Vec<_> = stream::iter(requests)
        .map(|request| async move {
            let granted = granted(client, &request).await;
            (request, granted)
        })
        .buffered(QUESTIONS)
        .collect()
        .await;
    let mut denied = Vec::new();
    for (request, granted) in asked {
        match granted {
            Ok(true) => {}
            Ok(false) => denied.push(words(&request)),
            Err(error) => {
                return Some(Verdict::Bad(format!(
                    "whether the account may {} cannot be found out: {error}",
                    words(&request)
                )));
            }
        }
    }
    Some(judged(rule, scope, &places, &denied))
}

/// What it means that this is denied.
fn judged(rule: &Rule, scope: &Scope, places: &BTreeSet<String>, denied: &[String]) -> Verdict {
    if denied.is_empty() {
        let places: Vec<_> = places.iter().map(String::as_str).collect();
        return Verdict::Good(format!("permitted: {} in {}", summary(rule, scope), places.join(", ")));
    }
    let denied = format!("not permitted: {}", denied.join("; "));
    match rule.need {
        Need::Comfort(without) => Verdict::Lacking(format!("{denied}. Without it {without}")),
        Need::Always | Need::Election => Verdict::Bad(format!(
            "{denied}. Grant it to the operator's ServiceAccount (chart value rbac.create)"
        )),
    }
}

async fn granted(client: &Client, request: &ResourceAttributes) -> Result<bool, Failure> {
    let question = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(request.clone()),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = limited(soon(), reviews.create(&PostParams::default(), &question)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// A rule in a few words.
fn summary(rule: &Rule, scope: &Scope) -> String {
    let name = rule.which.name(&scope.lease);
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    format!("{} {}{name}", rule.verbs.join(", "), rule.resources.join(", "))
}

/// A request as a person would say it.
fn words(request: &ResourceAttributes) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut words = format!("{} {}", text(&request.verb), text(&request.resource));
    if let Some(subresource) = &request.subresource {
        words.extend(["/", subresource]);
    }
    if let Some(name) = &request.name {
        words.extend([" ", name]);
    }
    words.extend([" in ", &place(request)]);
    words
}

fn place(request: &ResourceAttributes) -> String {
    match &request.namespace {
        Some(namespace) => format!("namespace {namespace}"),
        None => "the whole cluster".to_owned(),
    }
}

/// Does a replica of the operator answer at this address, and is it ready?
async fn operator(url: &Url) -> Verdict {
    let mut address = url.clone();
    address.set_path("/readyz");
    // Only plain http is spoken here, so no certificates are needed. No proxy stands before a Service of the cluster.
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .timeout(ANSWER)
        .build();
    let http = match http {
        Ok(http) => http,
        Err(error) => return Verdict::Bad(format!("no request can be made: {error}")),
    };
    let deadline = Instant::now() + REACHED;
    loop {
        let why = match http.get(address.clone()).send().await {
            Ok(answer) if answer.status().is_success() => {
                return Verdict::Good(format!("the operator is ready at {address}"));
            }
            Ok(answer) => format!("it answers {}", answer.status()),
            Err(error) if error.is_timeout() => "there is no answer in time".to_owned(),
            Err(error) if error.is_connect() => "no connection can be made".to_owned(),
            Err(error) => error.without_url().to_string(),
        };
        if Instant::now() + PAUSE > deadline {
            return Verdict::Bad(format!(
                "the operator is not ready at {address} after {} s: {why}. See the pods' logs, and the NetworkPolicy",
                REACHED.as_secs()
            ));
        }
        sleep(PAUSE).await;
    }
}

/// When a question that is asked now is given up.
fn soon() -> Instant {
    Instant::now() + ANSWER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            namespace: "pam-operator".to_owned(),
            watched: vec!["orders".to_owned()],
            leader_election: true,
            lease: "shard-a".to_owned(),
        }
    }

    #[test]
    fn requests_are_told_in_words() {
        let scope = scope();
        let all: Vec<_> = RULES
            .iter()
            .flat_map(|rule| rule.requests(&scope))
            .map(|request| words(&request))
            .collect();
        for expected in [
            "patch pamcredentials/status in namespace orders",
            "watch clusterpamconnections in the whole cluster",
            "get leases shard-a in namespace pam-operator",
            "list namespaces orders in the whole cluster",
        ] {
            assert!(all.iter().any(|words| words == expected), "{expected}: {all:#?}");
        }
    }

    #[test]
    fn only_what_the_operator_cannot_do_without_is_a_failure() {
        let denied = ["create events in the whole cluster".to_owned()];
        for rule in RULES {
            let line = judged(rule, &scope(), &BTreeSet::new(), &denied).line();
            match rule.need {
                Need::Comfort(without) => {
                    assert!(line.starts_with("note  not permitted: create events"), "{line}");
                    assert!(line.ends_with(without), "{line}");
                }
                Need::Always | Need::Election => {
                    assert!(line.starts_with("FAIL  not permitted: create events"), "{line}");
                }
            }
        }
    }
}
