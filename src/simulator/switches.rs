//! What differs between versions of the PAM, and what their documents leave open: one switch each.
//!
//! A [`Profile`] gives every switch its value for a version (contract 8.2); [`Switches`] in the data file overrides single ones
//! (contract 8.1), so that a client can be tested against each answer to an open question.

use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;

/// The version of PAM Core that is simulated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Version 3.32, as its Portuguese documents describe it.
    #[default]
    #[value(name = "3.32")]
    V3_32,
    /// Version 3.33: both prefixes, boolean `automatic_change`, separate codes for the toggles, `tenant` in answers.
    #[value(name = "3.33")]
    V3_33,
    /// Version 4.0: as 3.33, but identifiers are kept when none is sent, and their characters are checked (1053).
    #[value(name = "4.0")]
    V4_0,
}

/// Which path prefixes are routed; any other prefix is answered with "no Route matched".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Prefixes {
    /// `/iso` only.
    Iso,
    /// `/api` only.
    Api,
    /// Both.
    Both,
}

/// How the client's id and secret may arrive at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthTransport {
    /// Form, JSON or Basic.
    Any,
    /// In the body only, as a form or as JSON.
    Body,
    /// In the Basic header only.
    Basic,
}

/// The shape of answers (contract 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Envelope {
    /// With `code`, `error_code`, `detail` and, where the version has it, `tenant`.
    Modern,
    /// The minimal one, still printed in pages of 3.32.
    Old,
}

/// The key under which the answer of POST and of the single GET carries the identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierKey {
    /// `identifier`.
    Identifier,
    /// `tag`: `null` after a create, the previous value after an update (3.32, English pages).
    Tag,
}

/// What a POST without identifier does to the identifier (contract 5.1, rows 6 and 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WithoutIdentifier {
    /// Create and update both give a fresh UUID.
    Regenerate,
    /// Create gives a UUID, update keeps what is there.
    Keep,
    /// Create leaves none, update keeps what is there.
    Null,
}

/// Which characters an identifier may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdentifierCharset {
    /// Any.
    Any,
    /// `[A-Za-z0-9_.-]`, else 1053.
    V4,
    /// As the text of 1053 says, without the dot.
    Strict,
}

/// What an update does whose `content` is left out, or empty (contract 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentRule {
    /// The password stays.
    Keep,
    /// The password is removed.
    Blank,
}

/// What an update does to the keys that a sent settings object lacks (contract 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartialSettings {
    /// The sent object replaces the stored one.
    Replace,
    /// The sent keys replace the stored ones.
    Merge,
}

/// What a POST does that meets an inactive credential (contract 8, question 31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InactiveOnPost {
    /// Updates it; it stays inactive.
    Update,
    /// 1008.
    Refuse,
    /// Does not see it: another credential is created beside it.
    Duplicate,
}

/// How identifiers, user names, host names and addresses are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Matching {
    /// Character by character.
    Exact,
    /// Trimmed and in lower case.
    Loose,
}

/// What happens in row 3 of the decision table: identifier of one credential, triple of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Collision {
    /// 1052.
    Refuse,
    /// The credential with the identifier is updated.
    Update,
}

/// The codes of a toggle that finds its work done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ToggleCodes {
    /// 1008 for an inactive credential, 1043 for an active one.
    Separate,
    /// 1017 for both (3.32, Portuguese pages).
    Shared,
}

/// The type of `automatic_change` in the listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AutomaticChange {
    /// `"0"` or `"1"`.
    Text,
    /// `false` or `true`.
    Boolean,
}

/// Overrides of a profile; what is absent is as the profile says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "each field is described where Behaviour has it")]
pub struct Switches {
    pub prefixes: Option<Prefixes>,
    pub auth_transport: Option<AuthTransport>,
    pub token_ttl_seconds: Option<u64>,
    pub tenant: Option<String>,
    pub envelope: Option<Envelope>,
    pub identifier_key: Option<IdentifierKey>,
    pub status_on_post: Option<u16>,
    pub identifier_without: Option<WithoutIdentifier>,
    pub identifier_charset: Option<IdentifierCharset>,
    pub content_omitted: Option<ContentRule>,
    pub content_empty: Option<ContentRule>,
    pub partial_settings: Option<PartialSettings>,
    pub inactive_on_post: Option<InactiveOnPost>,
    pub list_inactive: Option<bool>,
    pub matching: Option<Matching>,
    pub collision: Option<Collision>,
    pub toggle_codes: Option<ToggleCodes>,
    pub automatic_change: Option<AutomaticChange>,
}

/// The value of every switch: a profile with its overrides.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// Path prefixes that are routed.
    pub prefixes: Prefixes,
    /// Accepted transports of the client's id and secret.
    pub auth_transport: AuthTransport,
    /// Life of a token.
    pub token_ttl: Duration,
    /// The tenant that a token request must name; `None` accepts any or none.
    pub tenant: Option<String>,
    /// The `tenant` key of answers; `None` leaves it out.
    pub tenant_label: Option<String>,
    /// The shape of answers.
    pub envelope: Envelope,
    /// The identifier's key in answers.
    pub identifier_key: IdentifierKey,
    /// HTTP status of a successful POST, 200 or 201.
    pub status_on_post: u16,
    /// POST without identifier.
    pub identifier_without: WithoutIdentifier,
    /// Characters of an identifier.
    pub identifier_charset: IdentifierCharset,
    /// Update without `content`.
    pub content_omitted: ContentRule,
    /// Update with an empty `content`.
    pub content_empty: ContentRule,
    /// Update with an incomplete settings object.
    pub partial_settings: PartialSettings,
    /// POST onto an inactive credential.
    pub inactive_on_post: InactiveOnPost,
    /// Whether the listing contains inactive credentials.
    pub list_inactive: bool,
    /// Comparison of names.
    pub matching: Matching,
    /// Row 3 of the decision table.
    pub collision: Collision,
    /// Codes of the toggles.
    pub toggle_codes: ToggleCodes,
    /// Type of `automatic_change`.
    pub automatic_change: AutomaticChange,
}

impl Behaviour {
    /// The switches of `profile` (contract 8.2), overridden by `switches`.
    #[must_use]
    pub fn new(profile: Profile, switches: &Switches) -> Self {
        let v3_32 = profile == Profile::V3_32;
        let v4_0 = profile == Profile::V4_0;
        let or = |old, new| if v3_32 { old } else { new };
        let label = switches
            .tenant
            .clone()
            .unwrap_or_else(|| if v4_0 { "Segura" } else { "senhasegura" }.to_owned());
        Self {
            prefixes: switches
                .prefixes
                .unwrap_or(if v3_32 { Prefixes::Iso } else { Prefixes::Both }),
            auth_transport: switches.auth_transport.unwrap_or(AuthTransport::Any),
            token_ttl: Duration::from_secs(switches.token_ttl_seconds.unwrap_or(3600)),
            tenant: switches.tenant.clone(),
            tenant_label: (!v3_32).then_some(label),
            envelope: switches.envelope.unwrap_or(Envelope::Modern),
            identifier_key: switches.identifier_key.unwrap_or(IdentifierKey::Identifier),
            status_on_post: switches.status_on_post.unwrap_or(201),
            identifier_without: switches.identifier_without.unwrap_or(if v4_0 {
                WithoutIdentifier::Keep
            } else {
                WithoutIdentifier::Regenerate
            }),
            identifier_charset: switches.identifier_charset.unwrap_or(if v4_0 {
                IdentifierCharset::V4
            } else {
                IdentifierCharset::Any
            }),
            content_omitted: switches.content_omitted.unwrap_or(ContentRule::Keep),
            content_empty: switches.content_empty.unwrap_or(ContentRule::Keep),
            partial_settings: switches.partial_settings.unwrap_or(PartialSettings::Replace),
            inactive_on_post: switches.inactive_on_post.unwrap_or(InactiveOnPost::Update),
            list_inactive: switches.list_inactive.unwrap_or(false),
            matching: switches.matching.unwrap_or(Matching::Exact),
            collision: switches.collision.unwrap_or(Collision::Refuse),
            toggle_codes: switches
                .toggle_codes
                .unwrap_or(or(ToggleCodes::Shared, ToggleCodes::Separate)),
            automatic_change: switches.automatic_change.unwrap_or(if v3_32 {
                AutomaticChange::Text
            } else {
                AutomaticChange::Boolean
            }),
        }
    }
}
