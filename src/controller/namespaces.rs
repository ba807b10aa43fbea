//! The namespaces' labels, which the selectors of ClusterPamConnections ask for.
//!
//! All namespaces are one watch of the cluster. A list of namespaces (`--watch-namespaces`) is one watch for each, of that
//! one name, which a role can permit by `resourceNames`. Labels that the operator may not see select nothing, and the
//! connections say so.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{Stream, StreamExt, stream};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt,
    api::ObjectMeta,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        reflector::{self, ObjectRef, Store},
        watcher::{self, Event, watcher},
    },
};

type Meta = PartialObjectMeta<Namespace>;

/// What is known of the namespaces.
#[derive(Debug)]
pub struct Namespaces(Vec<Scope>);

/// One watch.
#[derive(Debug)]
struct Scope {
    /// The one namespace that it watches; none for all of them.
    name: Option<String>,
    store: Store<Meta>,
    /// The API server does not permit it.
    forbidden: Arc<AtomicBool>,
}

/// What is known of one namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// These are its labels.
    Labels(BTreeMap<String, String>),
    /// It was not seen yet.
    Unseen,
    /// The operator may not see it.
    Forbidden,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// This namespace.
    One(String),
    /// Any of them, or which of them may be seen.
    Any,
}

impl Namespaces {
    /// Watches the namespaces of these names; all of them when there are none.
    pub fn watch(client: &Client, names: &[String]) -> (Self, impl Stream<Item = News> + Send + use<>) {
        let names: BTreeSet<_> = names.iter().cloned().collect();
        let mut names: Vec<_> = names.into_iter().map(Some).collect();
        if names.is_empty() {
            names.push(None);
        }
        let (scopes, news): (Vec<_>, Vec<_>) = names.into_iter().map(|name| Scope::watch(client, name)).unzip();
        (Self(scopes), stream::select_all(news))
    }

    /// What is known of this namespace.
    pub fn sight(&self, namespace: &str) -> Sight {
        let scope = self
            .0
            .iter()
            .find(|scope| scope.name.as_deref().is_none_or(|name| name == namespace));
        match scope {
            Some(scope) if scope.is_forbidden() => Sight::Forbidden,
            Some(scope) => match scope.store.get(&ObjectRef::new(namespace)) {
                Some(seen) => Sight::Labels(seen.labels().clone()),
                None => Sight::Unseen,
            },
            None => Sight::Forbidden,
        }
    }

    /// Which namespaces the operator may not see, in words; none when it may see all that it watches.
    pub fn forbidden(&self) -> Option<String> {
        let forbidden: Vec<_> = self.0.iter().filter(|scope| scope.is_forbidden()).collect();
        let names: Vec<_> = forbidden.iter().filter_map(|scope| scope.name.as_deref()).collect();
        match (forbidden.is_empty(), names.is_empty()) {
            (true, _) => None,
            (false, true) => Some("namespaces".to_owned()),
            (false, false) => Some(format!("namespaces {}", names.join(", "))),
        }
    }
}

impl Scope {
    fn watch(client: &Client, name: Option<String>) -> (Self, impl Stream<Item = News> + Send + use<>) {
        let (store, writer) = reflector::store();
        let forbidden = Arc::new(AtomicBool::new(false));
        let config = name.as_deref().map_or_else(watcher::Config::default, |name| {
            watcher::Config::default().fields(&format!("metadata.name={name}"))
        });
        let scope = Self {
            name,
            store,
            forbidden: forbidden.clone(),
        };
        let news = watcher(Api::<Meta>::all(client.clone()), config)
            .default_backoff()
            .modify(keep_labels)
            .reflect(writer)
            .filter_map(move |event| ready(news(event, &forbidden)))
            .boxed();
        (scope, news)
    }

    fn is_forbidden(&self) -> bool {
        self.forbidden.load(Ordering::Relaxed)
    }
}

/// What an event that the store has already taken over means to others.
fn news(event: watcher::Result<Event<Meta>>, forbidden: &AtomicBool) -> Option<News> {
    match event {
        // A list that is not complete is not in the store yet.
        Ok(Event::Init | Event::InitApply(_)) => None,
        Ok(Event::InitDone) => {
            forbidden.store(false, Ordering::Relaxed);
            Some(News::Any)
        }
        // A watch that is permitted again goes on without a new list.
        Ok(Event::Apply(_) | Event::Delete(_)) if forbidden.swap(false, Ordering::Relaxed) => Some(News::Any),
        Ok(Event::Apply(namespace) | Event::Delete(namespace)) => Some(News::One(namespace.name_any())),
        Err(error) if is_forbidden(&error) => {
            let news = !forbidden.swap(true, Ordering::Relaxed);
            if news {
                tracing::warn!(%error, "namespaces may not be watched: selectors of ClusterPamConnections select none of them");
            }
            news.then_some(News::Any)
        }
        Err(error) => {
            tracing::warn!(kind = "Namespace", %error, "a watch failed and is started anew");
            None
        }
    }
}

fn is_forbidden(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
        | watcher::Error::WatchError(status) => status.is_forbidden(),
        _ => false,
    }
}

/// Of a namespace only its labels matter; that it is being deleted is news, and no more.
fn keep_labels(namespace: &mut Meta) {
    let metadata = std::mem::take(&mut namespace.metadata);
    namespace.metadata = ObjectMeta {
        name: metadata.name,
        labels: metadata.labels,
        ..ObjectMeta::default()
    };
}

#[cfg(test)]
mod tests;
