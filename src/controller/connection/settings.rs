//! From the spec of a connection, and what it refers to, to the options of a PAM client.

use std::{collections::BTreeSet, time::Duration};

use secrecy::{ExposeSecret, SecretSlice};
use url::Url;

use crate::controller::{
    connection::{
        link::{Call, Problem},
        terms::{Admitted, Audience, TIMEOUT, Terms},
        turnstile::Limits,
    },
    context::{Context, Rules},
    effects::SecretValues,
    index::Reference,
};
use crate::{
    api::{self, AllowedNamespaces, CaBundleKind, PamConnectionSpec, RateLimit, Reason, SecretVersion, parse_duration},
    pam::{self, Options, target},
};

const INTERVAL: Duration = Duration::from_mins(10);

/// What is asked of the objects, as far as the spec can be read without what it refers to.
pub fn terms(spec: &PamConnectionSpec, audience: Audience) -> Result<Terms, Problem> {
    let url = parse_url(&spec.url)?;
    Ok(Terms {
        target: target(&url, spec.tenant.as_deref()),
        interval: duration(spec.drift_check_interval.as_deref(), INTERVAL, "driftCheckInterval")?,
        timeout: duration(spec.timeout.as_deref(), TIMEOUT, "timeout")?,
        limits: limits(spec.rate_limit.unwrap_or_default()),
        prefix: spec.identifier_prefix.clone(),
        format: spec.additional_settings_format.unwrap_or_default(),
        suspended: spec.suspend == Some(true),
        namespaces: audience.namespaces.map(admitted).transpose()?,
        permissions: audience.permissions,
    })
}

/// The namespaces that may use the connection.
fn admitted(allowed: AllowedNamespaces) -> Result<Admitted, Problem> {
    Admitted::try_from(allowed)
        .map_err(|error| invalid(format!("spec.allowedNamespaces.selector cannot be read: {error}")))
}

/// The Secrets and the ConfigMap that a spec refers to.
pub fn references(spec: &PamConnectionSpec, namespace: &str) -> BTreeSet<Reference> {
    let secret = |name: &str| Reference::Secret(namespace.to_owned(), name.to_owned());
    let tls = spec.tls.as_ref();
    let bundle = tls
        .and_then(|tls| tls.ca_bundle_ref.as_ref())
        .map(|bundle| match bundle.kind {
            CaBundleKind::ConfigMap => Reference::ConfigMap(namespace.to_owned(), bundle.name.clone()),
            CaBundleKind::Secret => secret(&bundle.name),
        });
    let certificate = tls.and_then(|tls| tls.client_certificate_secret_ref.as_ref());
    [secret(&spec.credentials_secret_ref.name)]
        .into_iter()
        .chain(bundle)
        .chain(certificate.map(|certificate| secret(&certificate.name)))
        .collect()
}

/// The versions of what a spec refers to, by metadata alone.
pub fn versions(context: &Context, references: &BTreeSet<Reference>) -> Vec<Option<SecretVersion>> {
    let version = |reference: &Reference| match reference {
        Reference::Secret(namespace, name) => context.secret_version(namespace, name, ""),
        Reference::ConfigMap(namespace, name) => context.config_map_version(namespace, name, ""),
        Reference::Connection(_) | Reference::Namespace(_) => None,
    };
    references.iter().map(version).collect()
}

/// Reads everything and builds the client.
pub async fn client(
    context: &Context,
    spec: &PamConnectionSpec,
    namespace: &str,
) -> kube::Result<Result<pam::Client, Problem>> {
    let reader = Reader { context, namespace };
    let options = match reader.options(spec).await? {
        Ok(options) => options,
        Err(problem) => return Ok(Err(problem)),
    };
    Ok(pam::Client::new(options).map_err(|error| invalid(error.to_string())))
}

/// A configuration that cannot be used.
pub fn invalid(message: impl Into<String>) -> Problem {
    Problem {
        call: Call::Configuration,
        reason: Reason::InvalidConnection,
        message: message.into(),
        stalled: true,
    }
}

/// Reads what connections refer to, in one namespace only.
struct Reader<'a> {
    context: &'a Context,
    namespace: &'a str,
}

impl Reader<'_> {
    async fn options(&self, spec: &PamConnectionSpec) -> kube::Result<Result<Options, Problem>> {
        let credentials = match self.secret(&spec.credentials_secret_ref.name).await? {
            Ok(secret) => secret,
            Err(problem) => return Ok(Err(problem)),
        };
        let tls = spec.tls.clone().unwrap_or_default();
        let ca_pem = match &tls.ca_bundle_ref {
            Some(reference) => match self.bundle(reference).await? {
                Ok(bundle) => Some(bundle),
                Err(problem) => return Ok(Err(problem)),
            },
            None => None,
        };
        let identity_pem = match &tls.client_certificate_secret_ref {
            Some(reference) => match self.identity(&reference.name).await? {
                Ok(identity) => Some(identity),
                Err(problem) => return Ok(Err(problem)),
            },
            None => None,
        };
        let name = &spec.credentials_secret_ref.name;
        Ok(
            options(spec, &self.context.rules, &credentials, name).map(|options| Options {
                ca_pem,
                identity_pem,
                server_name: tls.server_name,
                ..options
            }),
        )
    }

    async fn secret(&self, name: &str) -> kube::Result<Result<SecretValues, Problem>> {
        let secret = self.context.effects.read_secret(self.namespace, name).await?;
        Ok(secret.ok_or_else(|| {
            missing(
                Reason::SecretNotFound,
                format!("Secret {}/{name} does not exist", self.namespace),
            )
        }))
    }

    async fn bundle(&self, reference: &api::CaBundleRef) -> kube::Result<Result<Vec<u8>, Problem>> {
        let (kind, name, key) = (reference.kind, &reference.name, &reference.key);
        let found = match kind {
            CaBundleKind::Secret => match self.secret(name).await? {
                Ok(secret) => secret.bytes(key).map(|bytes| bytes.expose_secret().to_vec()),
                Err(problem) => return Ok(Err(problem)),
            },
            CaBundleKind::ConfigMap => {
                let map = self.context.effects.read_config_map(self.namespace, name).await?;
                let Some(map) = map else {
                    let message = format!("ConfigMap {}/{name} of the CA bundle does not exist", self.namespace);
                    return Ok(Err(missing(Reason::SecretNotFound, message)));
                };
                map.data.and_then(|mut data| data.remove(key)).map(String::into_bytes)
            }
        };
        let message = || format!("key {key} of the CA bundle {}/{name} is missing", self.namespace);
        Ok(found.ok_or_else(|| missing(Reason::SecretKeyNotFound, message())))
    }

    async fn identity(&self, name: &str) -> kube::Result<Result<SecretSlice<u8>, Problem>> {
        let secret = match self.secret(name).await? {
            Ok(secret) => secret,
            Err(problem) => return Ok(Err(problem)),
        };
        let (Some(certificate), Some(key)) = (secret.bytes("tls.crt"), secret.bytes("tls.key")) else {
            let message = format!(
                "Secret {}/{name} must have the keys tls.crt and tls.key",
                self.namespace
            );
            return Ok(Err(missing(Reason::SecretKeyNotFound, message)));
        };
        let joined = [certificate.expose_secret(), b"\n", key.expose_secret()].concat();
        Ok(Ok(SecretSlice::from(joined)))
    }
}

fn options(
    spec: &PamConnectionSpec,
    rules: &Rules,
    credentials: &SecretValues,
    name: &str,
) -> Result<Options, Problem> {
    let key = |key: &str| {
        let message = format!("key {key} of Secret {name} is missing, empty or not UTF-8");
        credentials
            .text(key)
            .ok_or_else(|| missing(Reason::SecretKeyNotFound, message))
    };
    let proxy = spec.proxy_url.as_deref().map(Url::parse).transpose();
    Ok(Options {
        url: parse_url(&spec.url)?,
        api_prefix: match spec.api_prefix.unwrap_or_default() {
            api::ApiPrefix::Iso => pam::ApiPrefix::Iso,
            api::ApiPrefix::Api => pam::ApiPrefix::Api,
        },
        tenant: spec.tenant.clone(),
        client_id: key("clientId")?,
        client_secret: key("clientSecret")?,
        ca_pem: None,
        identity_pem: None,
        server_name: None,
        proxy: proxy.map_err(|_| invalid("spec.proxyUrl is not a URL"))?,
        timeout: duration(spec.timeout.as_deref(), TIMEOUT, "timeout")?,
        addresses: rules.addresses.clone(),
    })
}

fn parse_url(url: &str) -> Result<Url, Problem> {
    // The text itself is not repeated: it could hold a password.
    Url::parse(url).map_err(|_| invalid("spec.url is not a URL such as https://pam.example.com"))
}

fn duration(text: Option<&str>, omitted: Duration, field: &str) -> Result<Duration, Problem> {
    let bounds = (Duration::from_millis(1), Duration::from_hours(24));
    let parsed = text.map(|text| parse_duration(text, bounds.0, bounds.1)).transpose();
    Ok(parsed
        .map_err(|error| invalid(format!("spec.{field} is {error}")))?
        .unwrap_or(omitted))
}

/// The limits of a spec; what it leaves out, or what no limit can be, is the operator's own.
fn limits(spec: RateLimit) -> Limits {
    let own = Limits::default();
    let or = |limit: Option<i32>, own| {
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        limit.filter(|limit| *limit > 0).unwrap_or(own)
    };
    Limits {
        per_second: or(spec.requests_per_second, own.per_second),
        burst: or(spec.burst, own.burst),
        in_flight: or(spec.max_in_flight, own.in_flight),
    }
}

/// Something that may still appear: the connection goes on by itself.
fn missing(reason: Reason, message: String) -> Problem {
    Problem {
        call: Call::Configuration,
        reason,
        message,
        stalled: false,
    }
}

#[cfg(test)]
mod tests;
