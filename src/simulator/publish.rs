//! How clients in a cluster learn of the simulator's own authority: its certificate stands in a ConfigMap. That exists
//! before, so that the simulator needs no more than the right to patch this one.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::Error;

/// Writes the certificate into the key `ca.crt` of a ConfigMap in the pod's own namespace.
pub(super) async fn publish(config_map: &str, ca_pem: &str) -> Result<(), Error> {
    let failed = |source| Error::Publish {
        config_map: config_map.to_owned(),
        source: Box::new(source),
    };
    let client = Client::try_default().await.map_err(failed)?;
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let patch = Patch::Merge(json!({"data": {"ca.crt": ca_pem}}));
    api.patch(config_map, &PatchParams::default(), &patch)
        .await
        .map_err(failed)?;
    Ok(())
}
