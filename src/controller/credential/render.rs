//! From the spec and its Secrets to the body of the POST.

use std::collections::HashMap;

use secrecy::SecretString;

use crate::{
    api::{self, AdditionalSettingsFormat, PamCredentialSpec, Permission, SecretKeyRef},
    pam::{self, CredentialBody, join},
};

/// The values of the Secrets that a spec names; they live as long as one reconcile.
pub type Values = HashMap<SecretKeyRef, SecretString>;

/// The Secrets and keys that a spec needs; without the password where that is not managed any more.
pub fn references(spec: &PamCredentialSpec, with_content: bool) -> Vec<&SecretKeyRef> {
    let content = spec.content_secret_ref.as_ref().filter(|_| with_content);
    let additional = spec.additional_settings.as_ref();
    let seed = additional.and_then(|settings| settings.secret_key_secret_ref.as_ref());
    let fields = additional.and_then(|settings| settings.additional_authentication_fields.as_ref());
    let fields = fields
        .into_iter()
        .flatten()
        .filter_map(|field| field.value_secret_ref.as_ref());
    let mut references: Vec<_> = content.into_iter().chain(seed).chain(fields).collect();
    references.sort();
    references.dedup();
    references
}

/// The fields of the spec that need a permission which the connection does not give (design 2.2).
pub fn forbidden(spec: &PamCredentialSpec, allow: &[Permission]) -> Vec<&'static str> {
    let allowed = |permission| allow.contains(&permission) || allow.contains(&Permission::All);
    let mut used = Vec::new();
    let mut check = |permission, fields: &[(&'static str, bool)]| {
        if !allowed(permission) {
            used.extend(fields.iter().filter(|(_, is_used)| *is_used).map(|(name, _)| *name));
        }
    };
    check(
        Permission::Adopt,
        &[(
            "adoptionPolicy",
            spec.adoption_policy == Some(api::AdoptionPolicy::Adopt),
        )],
    );
    check(
        Permission::DeviceFields,
        &[
            ("type", spec.type_.is_some()),
            ("vendor", spec.vendor.is_some()),
            ("model", spec.model.is_some()),
            ("site", spec.site.is_some()),
            ("deviceDomain", spec.device_domain.is_some()),
            ("deviceTags", spec.device_tags.is_some()),
            ("connectivities", spec.connectivities.is_some()),
        ],
    );
    let execution = spec.execution_settings.as_ref();
    let session = spec.session_settings.as_ref();
    let jit = spec.jit_settings.as_ref();
    let any = |fields: &[&Option<String>]| fields.iter().any(|field| field.is_some());
    check(
        Permission::CredentialReferences,
        &[
            ("parentPassword", spec.parent_password.is_some()),
            (
                "executionSettings.parentCredential",
                execution.is_some_and(|s| any(&[&s.parent_credential, &s.parent_hostname, &s.parent_ip])),
            ),
            (
                "executionSettings.authenticationCredential",
                execution.is_some_and(|s| {
                    any(&[
                        &s.authentication_credential,
                        &s.authentication_hostname,
                        &s.authentication_ip,
                    ])
                }),
            ),
            (
                "executionSettings.reconciliationCredential",
                execution.is_some_and(|s| {
                    any(&[
                        &s.reconciliation_credential,
                        &s.reconciliation_hostname,
                        &s.reconciliation_ip,
                    ])
                }),
            ),
            (
                "sessionSettings.authenticationCredential",
                session.is_some_and(|s| {
                    any(&[
                        &s.authentication_credential,
                        &s.authentication_hostname,
                        &s.authentication_ip,
                    ])
                }),
            ),
            (
                "jitSettings.authenticationCredential",
                jit.is_some_and(|s| {
                    any(&[
                        &s.authentication_credential,
                        &s.authentication_hostname,
                        &s.authentication_ip,
                    ])
                }),
            ),
        ],
    );
    let owner = spec
        .additional_settings
        .as_ref()
        .and_then(|settings| settings.user_credential_owner.as_ref());
    check(
        Permission::Owner,
        &[("additionalSettings.userCredentialOwner", owner.is_some())],
    );
    used
}

/// The body under this identifier; the password only where `with_content`.
pub fn body(
    spec: &PamCredentialSpec,
    identifier: &str,
    values: &Values,
    with_content: bool,
    format: AdditionalSettingsFormat,
) -> CredentialBody {
    let value = |reference: &Option<SecretKeyRef>| reference.as_ref().and_then(|key| values.get(key)).cloned();
    CredentialBody {
        identifier: identifier.to_owned(),
        username: spec.username.clone(),
        hostname: spec.hostname.clone(),
        ip: spec.ip.clone(),
        content: value(&spec.content_secret_ref).filter(|_| with_content),
        additional: spec.additional.clone(),
        tags: spec.tags.as_deref().map(join),
        credential_type: spec.credential_type.clone(),
        domain: spec.domain.clone(),
        parent_password: spec.parent_password,
        type_: spec.type_.clone(),
        vendor: spec.vendor.clone(),
        model: spec.model.clone(),
        site: spec.site.clone(),
        device_domain: spec.device_domain.clone(),
        device_tags: spec.device_tags.as_deref().map(join),
        connectivities: spec.connectivities.as_deref().map(join),
        session_remote_config: spec.session_remote_config.clone(),
        execution_settings: spec.execution_settings.as_ref().map(execution),
        session_settings: spec.session_settings.as_ref().map(session),
        additional_settings: spec.additional_settings.as_ref().map(|settings| {
            let fields = additional(settings, identifier, values);
            match format {
                AdditionalSettingsFormat::Object => pam::AdditionalSettings::Object(fields),
                AdditionalSettingsFormat::Array => pam::AdditionalSettings::Array([fields]),
            }
        }),
        jit_settings: spec.jit_settings.as_ref().map(jit),
    }
}

fn execution(settings: &api::ExecutionSettings) -> pam::ExecutionSettings {
    let settings = settings.clone();
    pam::ExecutionSettings {
        parent_credential: settings.parent_credential,
        parent_hostname: settings.parent_hostname,
        parent_ip: settings.parent_ip,
        automatic_change: settings.automatic_change,
        agent_based_password_change: settings.agent_based_password_change,
        change_plugin: settings.change_plugin,
        change_template: settings.change_template,
        use_own_credential_to_connect: settings.use_own_credential_to_connect,
        authentication_credential: settings.authentication_credential,
        authentication_hostname: settings.authentication_hostname,
        authentication_ip: settings.authentication_ip,
        status: settings.status,
        reconciliation_credential: settings.reconciliation_credential,
        reconciliation_hostname: settings.reconciliation_hostname,
        reconciliation_ip: settings.reconciliation_ip,
        reconciliation_plugin: settings.reconciliation_plugin,
        reconciliation_template: settings.reconciliation_template,
    }
}

fn session(settings: &api::SessionSettings) -> pam::SessionSettings {
    let settings = settings.clone();
    pam::SessionSettings {
        ssh: settings.ssh.unwrap_or_default(),
        telnet: settings.telnet.unwrap_or_default(),
        mysql: settings.mysql.unwrap_or_default(),
        sql_server: settings.sql_server.unwrap_or_default(),
        http: settings.http.unwrap_or_default(),
        https: settings.https.unwrap_or_default(),
        rdp: settings.rdp.unwrap_or_default(),
        x11_forward: settings.x11_forward.unwrap_or_default(),
        vnc: settings.vnc.unwrap_or_default(),
        restrict_access_to_remote_application: settings.restrict_access_to_remote_application.unwrap_or_default(),
        macros: settings.macros.map(|macros| {
            let wire = |entry: api::Macro| pam::Macro {
                remote_app: entry.remote_app,
                connectivity: entry.connectivity,
            };
            macros.into_iter().map(wire).collect()
        }),
        // Versions differ in what they take an omission for, so what it means here is always said.
        use_own_credential_to_connect: settings
            .use_own_credential_to_connect
            .unwrap_or(settings.authentication_credential.is_none()),
        authentication_credential: settings.authentication_credential,
        authentication_hostname: settings.authentication_hostname,
        authentication_ip: settings.authentication_ip,
    }
}

fn additional(settings: &api::AdditionalSettings, identifier: &str, values: &Values) -> pam::AdditionalFields {
    let value = |reference: &Option<SecretKeyRef>| reference.as_ref().and_then(|key| values.get(key)).cloned();
    pam::AdditionalFields {
        identifier: identifier.to_owned(),
        user_credential_owner: settings.user_credential_owner.clone(),
        server_path: settings.server_path.clone(),
        secret_key: value(&settings.secret_key_secret_ref),
        criticality: settings.criticality.map(|criticality| criticality.as_str().to_owned()),
        additional_authentication_fields: settings.additional_authentication_fields.as_ref().map(|fields| {
            let wire = |field: &api::AuthenticationField| pam::AuthenticationField {
                name: field.name.clone(),
                short_name: field.short_name.clone(),
                value: field
                    .value
                    .clone()
                    .map(SecretString::from)
                    .or_else(|| value(&field.value_secret_ref)),
            };
            fields.iter().map(wire).collect()
        }),
        notes: settings.notes.clone(),
    }
}

fn jit(settings: &api::JitSettings) -> pam::JitSettings {
    let settings = settings.clone();
    pam::JitSettings {
        jit: settings.jit.unwrap_or_default(),
        credential_creation_and_deletion: settings.credential_creation_and_deletion.unwrap_or_default(),
        enable_disable_credential: settings.enable_disable_credential.unwrap_or_default(),
        use_own_credential_to_connect: settings
            .use_own_credential_to_connect
            .unwrap_or(settings.authentication_credential.is_none()),
        authentication_credential: settings.authentication_credential,
        authentication_hostname: settings.authentication_hostname,
        authentication_ip: settings.authentication_ip,
        credential_creation_plugin: settings.credential_creation_plugin,
        credential_creation_template: settings.credential_creation_template,
        credential_deletion_plugin: settings.credential_deletion_plugin,
        credential_deletion_template: settings.credential_deletion_template,
        credential_enable_plugin: settings.credential_enable_plugin,
        credential_enable_template: settings.credential_enable_template,
        credential_disable_plugin: settings.credential_disable_plugin,
        credential_disable_template: settings.credential_disable_template,
    }
}

#[cfg(test)]
mod tests;
