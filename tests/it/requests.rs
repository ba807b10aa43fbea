//! What the PAM gets: the bodies of the requests that manifests turn into.

mod documents;
mod examples;
mod full;
mod omissions;

use pam_operator::{
    api::PamCredential,
    simulator::{Handle, redact},
};
use serde_json::Value;

/// The body of the last POST under the effective identifier of an object; secrets are fingerprints.
fn last_body(pam: &Handle, object: &PamCredential) -> Value {
    let identifier = identifier(object);
    let posts = pam.journal().posts();
    let post = posts
        .iter()
        .rfind(|post| post.identifier.as_deref() == Some(identifier));
    post.unwrap_or_else(|| panic!("no POST under {identifier}"))
        .body
        .clone()
}

/// The effective identifier of an object.
fn identifier(object: &PamCredential) -> &str {
    let status = object.status.as_ref().expect("a status");
    status.identifier.as_deref().expect("an identifier")
}

/// A body as the journal shows it.
fn as_recorded(body: &str) -> Value {
    redact(&serde_json::from_str(body).expect("JSON"))
}
