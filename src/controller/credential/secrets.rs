//! Reads the Secrets that a spec names. The values live as long as the reconcile; only their fingerprints stay.

use secrecy::ExposeSecret;

use crate::api::{AdditionalSettingsFormat, PamCredentialSpec, Reason, SecretVersion};
use crate::controller::{
    credential::{
        Run, Trouble,
        observe::sends_content,
        render::{self, Values},
    },
    effects::SecretValues,
    plan::facts::Prints,
};

/// What the Secrets gave.
pub enum Loaded {
    /// Everything that the spec names.
    Values {
        /// The values.
        values: Values,
        /// Their fingerprints.
        prints: Box<Prints>,
    },
    /// Something is missing or unusable.
    Broken {
        /// `SecretNotFound` or `SecretKeyNotFound`.
        reason: Reason,
        /// Which Secret, which key, and what is wrong.
        message: String,
    },
}

impl Run<'_> {
    /// Reads the Secrets that the spec names.
    pub(super) async fn load(&mut self) -> Result<(), Trouble> {
        let object = self.object.clone();
        if let Ok(spec) = &object.spec {
            self.loaded = Some(self.read(spec).await?);
        }
        Ok(())
    }

    async fn read(&self, spec: &PamCredentialSpec) -> Result<Loaded, Trouble> {
        let content = sends_content(spec, self.object.status.as_deref());
        let mut values = Values::new();
        let mut secrets = Vec::new();
        let mut read: Option<(String, SecretValues)> = None;
        for reference in render::references(spec, content) {
            if read.as_ref().is_none_or(|(name, _)| *name != reference.name) {
                let found = self
                    .context
                    .effects
                    .read_secret(self.name.namespace(), &reference.name)
                    .await?;
                let Some(found) = found else {
                    return Ok(Loaded::Broken {
                        reason: Reason::SecretNotFound,
                        message: format!("Secret {} does not exist", reference.name),
                    });
                };
                read = Some((reference.name.clone(), found));
            }
            let Some((_, secret)) = &read else { continue };
            let Some(value) = secret.text(&reference.key) else {
                let wrong = if secret.bytes(&reference.key).is_some() {
                    "is empty or not UTF-8"
                } else {
                    "is missing"
                };
                return Ok(Loaded::Broken {
                    reason: Reason::SecretKeyNotFound,
                    message: format!("key {} of Secret {} {wrong}", reference.key, reference.name),
                });
            };
            secrets.push(secret.version(&reference.key));
            values.insert(reference.clone(), value);
        }
        let prints = self.prints(spec, &values, secrets);
        Ok(Loaded::Values {
            values,
            prints: Box::new(prints),
        })
    }

    /// The fingerprints of what would be sent. The identifier is left out: an object may take one over, and that alone
    /// must not look like a change.
    fn prints(&self, spec: &PamCredentialSpec, values: &Values, secrets: Vec<SecretVersion>) -> Prints {
        let installation = &self.context.installation;
        let body = render::body(spec, "", values, false, AdditionalSettingsFormat::Object).encode();
        let source = spec.content_secret_ref.as_ref();
        let content = source.and_then(|source| values.get(source));
        Prints {
            body: installation.fingerprint(&self.name, "body", &body),
            content: content
                .map(|content| installation.fingerprint(&self.name, "content", content.expose_secret().as_bytes())),
            key: installation.key_id().to_owned(),
            content_source: source.and_then(|source| {
                secrets
                    .iter()
                    .find(|version| version.name == source.name && version.key == source.key)
                    .cloned()
            }),
            secrets,
        }
    }
}
