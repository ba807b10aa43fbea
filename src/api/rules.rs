//! What fields of several types share in their schemas: validation rules (CEL), each with a message that says the way
//! out.

use kube::core::Rule;
use schemars::Schema;

/// Longest accepted duration text; far more than `23h59m59s` needs.
pub(super) const DURATION_LENGTH: u32 = 16;

/// All of these sibling fields are set, or none.
pub(super) fn together(fields: &[&str]) -> Rule {
    let pairs: Vec<String> = fields
        .windows(2)
        .map(|pair| format!("has(self.{}) == has(self.{})", pair[0], pair[1]))
        .collect();
    let message = format!("{} belong together: set all of them or none", fields.join(", "));
    Rule::new(pairs.join(" && ")).message(message.as_str())
}

/// A text matches a regular expression (RE2, without single quotes); `message` says in words what is asked for.
pub(super) fn matches(pattern: &str, message: &str) -> Rule {
    Rule::new(format!("self.matches(r'{pattern}')")).message(message)
}

/// Every text of a list matches a regular expression (RE2, without single quotes).
pub(super) fn each_matches(pattern: &str, message: &str) -> Rule {
    Rule::new(format!("self.all(item, item.matches(r'{pattern}'))")).message(message)
}

/// A text can be the name of an object: a DNS subdomain.
pub(super) fn object_name() -> Rule {
    matches(
        r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
        "must be the name of an object: lower case letters, digits, - and ., with a letter or digit at both ends",
    )
}

/// A duration such as `90s` or `1h30m` between two bounds, which are durations themselves.
pub(super) fn duration_between(min: &str, max: &str) -> Rule {
    let message = format!("must be a duration from {min} to {max}, written such as 30s, 10m or 1h30m");
    let rule = format!(
        "self.matches('^([0-9]{{1,6}}(h|m|s|ms))+$') \
         && duration(self) >= duration('{min}') && duration(self) <= duration('{max}')"
    );
    Rule::new(rule).message(message.as_str())
}

/// Takes the description off an enum's schema, so that the field that has the enum keeps its own.
pub(super) fn described_by_field(schema: &mut Schema) {
    schema.remove("description");
}
