//! What one request is: an effect, named in the words of a role or of the PAM's API, or a read of the API server.

use http::Method;

/// A request that may change something: a write to the API server, or anything that is asked of the PAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its place in the one order of all effects, from 1.
    pub number: usize,
    /// What it does, such as `patch pamcredentials/status` or `pam post`.
    pub kind: String,
    /// The path, without query.
    pub path: String,
    /// What became of it.
    pub fate: Fate,
    /// Whether a fault struck it.
    pub struck: bool,
}

/// What became of an effect, as the operator saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is under way.
    UnderWay,
    /// It was answered with this HTTP status.
    Answered(u16),
    /// It was never answered.
    Lost,
}

impl Effect {
    /// Whether the operator was told that it succeeded.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        matches!(self.fate, Fate::Answered(status) if (200..300).contains(&status))
    }

    /// Whether it went to the PAM.
    #[must_use]
    pub fn is_pam(&self) -> bool {
        self.kind.starts_with("pam ")
    }
}

/// The PAM's listing.
pub const LIST: &str = "pam list";

/// The PAM's token.
pub const TOKEN: &str = "pam token";

/// What a request to the PAM does.
pub(super) fn of_pam(method: &Method, path: &str) -> String {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).skip(1);
    match (segments.next(), segments.next(), method.as_str()) {
        (Some("oauth2"), Some("token"), "POST") => TOKEN.to_owned(),
        (Some("pam"), Some("credential"), method) => match (method, segments.next()) {
            ("GET", None) => LIST.to_owned(),
            ("GET", Some(_)) => "pam reveal".to_owned(),
            ("POST", None) => "pam post".to_owned(),
            ("DELETE", Some(_)) => "pam deactivate".to_owned(),
            ("PUT", Some(_)) => "pam reactivate".to_owned(),
            _ => format!("pam {method} {path}"),
        },
        (_, _, method) => format!("pam {method} {path}"),
    }
}

/// What a request to the API server does; none when it only reads.
pub(super) fn of_api(method: &Method, path: &str) -> Option<String> {
    let verb = match method.as_str() {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => return None,
    };
    let target = Target::of(path);
    Some(match target.subresource {
        Some(subresource) => format!("{verb} {}/{subresource}", target.resource),
        None => format!("{verb} {}", target.resource),
    })
}

/// The plural name of what a path of the API server is about, such as `pamcredentials`.
pub(super) fn resource(path: &str) -> &str {
    Target::of(path).resource
}

struct Target<'a> {
    resource: &'a str,
    subresource: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// `/api/v1/…` or `/apis/GROUP/VERSION/…`, then `namespaces/NAMESPACE` where the resource has one, then
    /// `RESOURCE/NAME/SUBRESOURCE`.
    fn of(path: &'a str) -> Self {
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let prefix = if segments.first() == Some(&"api") { 2 } else { 3 };
        let rest = segments.get(prefix..).unwrap_or_default();
        let rest = match rest {
            ["namespaces", _, inside @ ..] if !inside.is_empty() => inside,
            rest => rest,
        };
        Self {
            resource: rest.first().copied().unwrap_or(path),
            subresource: rest.get(2).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_to_the_api_server_are_named_as_in_a_role() {
        let status = "/apis/pam-operator.dev/v1alpha1/namespaces/a/pamcredentials/db/status";
        let cases = [
            (Method::PATCH, status, Some("patch pamcredentials/status")),
            (Method::POST, "/api/v1/namespaces/a/secrets", Some("create secrets")),
            (
                Method::DELETE,
                "/api/v1/namespaces/a/secrets/db",
                Some("delete secrets"),
            ),
            (Method::PATCH, "/api/v1/namespaces/a", Some("patch namespaces")),
            (
                Method::PUT,
                "/apis/pam-operator.dev/v1alpha1/clusterpamconnections/vault/status",
                Some("update clusterpamconnections/status"),
            ),
            (Method::GET, "/api/v1/namespaces/a/secrets", None),
        ];
        for (method, path, expected) in cases {
            assert_eq!(of_api(&method, path).as_deref(), expected, "{method} {path}");
        }
        assert_eq!(resource("/api/v1/namespaces/a/secrets"), "secrets");
        assert_eq!(resource("/api/v1/namespaces/kube-system"), "namespaces");
    }

    #[test]
    fn requests_to_the_pam_are_named_by_what_they_do() {
        let cases = [
            (Method::POST, "/iso/oauth2/token", "pam token"),
            (Method::GET, "/iso/pam/credential", "pam list"),
            (Method::GET, "/iso/pam/credential/7", "pam reveal"),
            (Method::POST, "/api/pam/credential", "pam post"),
            (Method::DELETE, "/iso/pam/credential/7", "pam deactivate"),
            (Method::PUT, "/iso/pam/credential/7", "pam reactivate"),
            (Method::GET, "/iso/other", "pam GET /iso/other"),
        ];
        for (method, path, expected) in cases {
            assert_eq!(of_pam(&method, path), expected);
        }
    }
}
