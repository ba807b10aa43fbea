//! Waiting for what other processes do: always for a condition, by watching, with a deadline and a report of what was there
//! instead.

use std::{fmt::Debug, time::Duration};

use futures::TryStreamExt;
use kube::{Api, Resource, runtime::watcher};
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// Waits until the object `name` exists and `is_so`, and returns it. `description` completes "is not …" in the error, which
/// shows the object as it was last seen.
pub async fn wait_for<K>(
    api: &Api<K>,
    name: &str,
    description: &str,
    deadline: Duration,
    is_so: impl Fn(&K) -> bool,
) -> Result<K, Error>
where
    K: Resource + Clone + Debug + Send + DeserializeOwned + Serialize + 'static,
{
    let mut last = None;
    let found = watch(api, name, &mut last, |object| object.is_some_and(&is_so));
    let Ok(found) = tokio::time::timeout(deadline, found).await else {
        let seen = last.map_or_else(|| "it does not exist".to_owned(), show);
        return Err(Error::Timeout(format!(
            "{name} is not {description} after {deadline:?}; last seen:\n{seen}"
        )));
    };
    found?;
    Ok(last.expect("the condition holds only for an object"))
}

/// Waits until the object `name` does not exist.
pub async fn wait_until_gone<K>(api: &Api<K>, name: &str, deadline: Duration) -> Result<(), Error>
where
    K: Resource + Clone + Debug + Send + DeserializeOwned + Serialize + 'static,
{
    let mut last = None;
    let found = tokio::time::timeout(deadline, watch(api, name, &mut last, |object| object.is_none())).await;
    found.unwrap_or_else(|_| {
        let seen = last.map(show).unwrap_or_default();
        Err(Error::Timeout(format!(
            "{name} still exists after {deadline:?}; last seen:\n{seen}"
        )))
    })
}

/// Follows one object until `is_so`, keeping what was seen last in `last`.
async fn watch<K>(
    api: &Api<K>,
    name: &str,
    last: &mut Option<K>,
    is_so: impl Fn(Option<&K>) -> bool,
) -> Result<(), Error>
where
    K: Resource + Clone + Debug + Send + DeserializeOwned + 'static,
{
    let mut states = Box::pin(watcher::watch_object(api.clone(), name));
    while let Some(state) = states.try_next().await.map_err(|error| watch_failed(name, &error))? {
        *last = state;
        if is_so(last.as_ref()) {
            return Ok(());
        }
    }
    unreachable!("the watch of an object does not end")
}

fn watch_failed(name: &str, error: &watcher::Error) -> Error {
    Error::Manifest(format!("cannot watch {name}: {error}"))
}

/// The object as YAML, without what only the API server cares about.
fn show<K: Resource + Serialize>(mut object: K) -> String {
    object.meta_mut().managed_fields = None;
    serde_saphyr::to_string(&object).unwrap_or_else(|error| error.to_string())
}
