//! What a POST must satisfy before the decision table is asked, in the order of contract 5.1.

use crate::simulator::{
    switches::{Behaviour, IdentifierCharset},
    vault::{
        body::CredentialPost,
        refusal::{self, Refusal},
        registry::Registry,
    },
};

/// The plugin and template pairs of `execution_settings`.
const EXECUTION_PAIRS: [[&str; 2]; 2] = [
    ["change_plugin", "change_template"],
    ["reconciliation_plugin", "reconciliation_template"],
];

/// The JIT modes, each with the pairs that it needs.
const JIT_MODES: [(&str, [[&str; 2]; 2]); 2] = [
    (
        "credential_creation_and_deletion",
        [
            ["credential_creation_plugin", "credential_creation_template"],
            ["credential_deletion_plugin", "credential_deletion_template"],
        ],
    ),
    (
        "enable_disable_credential",
        [
            ["credential_enable_plugin", "credential_enable_template"],
            ["credential_disable_plugin", "credential_disable_template"],
        ],
    ),
];

/// The names that every POST must carry, found to be there.
pub(crate) struct Names {
    pub username: String,
    pub hostname: String,
    pub ip: String,
}

/// Checks a body against the registry; the first thing that is wrong is the answer.
pub(crate) fn check(post: &CredentialPost, registry: &Registry, behaviour: &Behaviour) -> Result<Names, Refusal> {
    let names = names(post)?;
    check_identifier(post, behaviour)?;
    if !registry.has_device(&names.hostname, &names.ip) {
        return Err(refusal::DEVICE_NOT_FOUND);
    }
    check_domains(post, registry)?;
    check_execution(post, registry)?;
    check_jit(post, registry)?;
    check_owner(post, registry)?;
    Ok(names)
}

fn names(post: &CredentialPost) -> Result<Names, Refusal> {
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let hostname = filled(&post.hostname).ok_or(refusal::HOSTNAME_MISSING)?;
    let ip = filled(&post.ip).ok_or(refusal::IP_MISSING)?;
    let username = post.username.clone().ok_or(refusal::USERNAME_MISSING)?;
    let username = if username.is_empty() {
        "usr".to_owned()
    } else {
        username
    };
    Ok(Names { username, hostname, ip })
}

fn check_identifier(post: &CredentialPost, behaviour: &Behaviour) -> Result<(), Refusal> {
    let allowed = |c: char| match behaviour.identifier_charset {
        IdentifierCharset::Any => true,
        IdentifierCharset::V4 => c.is_ascii_alphanumeric() || "_-.".contains(c),
        IdentifierCharset::Strict => c.is_ascii_alphanumeric() || "_-".contains(c),
    };
    match &post.identifier {
        Some(identifier) if !identifier.chars().all(allowed) => Err(refusal::BAD_IDENTIFIER),
        _ => Ok(()),
    }
}

/// `domain` is one name; `device_domain` may be several with a comma and no blank after it.
fn check_domains(post: &CredentialPost, registry: &Registry) -> Result<(), Refusal> {
    let domain = post.field("domain");
    let device_domains = post.field("device_domain");
    let mut all = domain
        .iter()
        .map(String::as_str)
        .chain(device_domains.iter().flat_map(|list| list.split(',')));
    if all.all(|domain| registry.domains.contains(domain)) {
        Ok(())
    } else {
        Err(refusal::DOMAIN_NOT_FOUND)
    }
}

fn check_execution(post: &CredentialPost, registry: &Registry) -> Result<(), Refusal> {
    for pair in EXECUTION_PAIRS {
        let [plugin, template] = pair.map(|key| post.setting("execution_settings", key));
        if plugin.is_some() || template.is_some() {
            check_pair(plugin.as_deref(), template.as_deref(), registry)?;
        }
    }
    Ok(())
}

/// With `jit` false the rest is not looked at (contract 5.6).
fn check_jit(post: &CredentialPost, registry: &Registry) -> Result<(), Refusal> {
    if !post.is_set("jit_settings", "jit") {
        return Ok(());
    }
    let chosen = JIT_MODES
        .into_iter()
        .filter(|(mode, _)| post.is_set("jit_settings", mode));
    for pair in chosen.flat_map(|(_, pairs)| pairs) {
        let [plugin, template] = pair.map(|key| post.setting("jit_settings", key));
        check_pair(plugin.as_deref(), template.as_deref(), registry)?;
    }
    Ok(())
}

fn check_pair(plugin: Option<&str>, template: Option<&str>, registry: &Registry) -> Result<(), Refusal> {
    if !plugin.is_some_and(|plugin| registry.plugins.contains(plugin)) {
        return Err(refusal::PLUGIN_NOT_FOUND);
    }
    if !template.is_some_and(|template| registry.templates.contains(template)) {
        return Err(refusal::TEMPLATE_NOT_FOUND);
    }
    Ok(())
}

/// An unknown owner is a server error in the documents, not a business error.
fn check_owner(post: &CredentialPost, registry: &Registry) -> Result<(), Refusal> {
    match post.setting("additional_settings", "user_credential_owner") {
        Some(owner) if !registry.owners.contains(&owner) => Err(refusal::UNEXPECTED),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
