//! Which texts can be names in Kubernetes.

/// Whether this is a DNS subdomain (RFC 1123), as most objects are named: labels of lower-case letters, digits and `-`,
/// separated by dots.
pub fn is_dns_subdomain(text: &str) -> bool {
    let alphanumeric = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        alphanumeric(bytes.first())
            && alphanumeric(bytes.last())
            && bytes.iter().all(|byte| *byte == b'-' || alphanumeric(Some(byte)))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Whether a label can have this key: a name, after a DNS subdomain and a slash or without one.
pub fn is_label_key(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    prefix.is_none_or(is_dns_subdomain) && !name.is_empty() && is_label_value(name)
}

/// Whether a label can have this value: empty, or letters, digits, `-`, `_` and `.` between letters or digits.
pub fn is_label_value(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    bytes.len() <= 63
        && ends.into_iter().flatten().all(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_subdomain_leads_nowhere_else() {
        for name in ["a", "db-password", "0.a-1.z9", &"a".repeat(253)] {
            assert!(is_dns_subdomain(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "../b/secrets/c",
            "a%2fb",
            "..%2f..",
            "a?b",
            "a#b",
            "a b",
            "A",
            "ä",
            "-a",
            "a-",
            "a..b",
            "a.",
            ".a",
            "a\nb",
            "a\\b",
            "a_b",
            "a:b",
            &"a".repeat(254),
        ] {
            assert!(!is_dns_subdomain(name), "{name}");
        }
    }

    #[test]
    fn keys_and_values_of_labels() {
        for key in ["shard", "pam-operator.dev/shard", "A.b_c-1", &"k".repeat(63)] {
            assert!(is_label_key(key), "{key}");
        }
        for key in ["", "/a", "a/", "a/b/c", "A/b", "-a", "a|b", &"k".repeat(64)] {
            assert!(!is_label_key(key), "{key}");
        }
        for value in ["", "a", "A.b_c-1", &"v".repeat(63)] {
            assert!(is_label_value(value), "{value}");
        }
        for value in ["-", "a-", ".a", "a b", "a/b", "ä", &"v".repeat(64)] {
            assert!(!is_label_value(value), "{value}");
        }
    }
}
