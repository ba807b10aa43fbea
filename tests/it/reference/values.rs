//! The values of the chart, from the comments `# -- …` in its `values.yaml`.

use std::path::Path;

use serde_json::Value;

use super::markdown::{code, prose, table};

const INTRODUCTION: &str = "\
# Values of the chart

Defaults are those of the chart `pam-operator`. `helm show values` prints the same with its comments; what is not listed here
is refused by the chart's schema.

";

/// A value with its comment.
struct Described {
    path: Vec<String>,
    comment: String,
}

fn text() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/pam-operator/values.yaml");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

pub(super) fn page() -> String {
    let text = text();
    let values: Value = serde_saphyr::from_str(&text).expect("valid YAML");
    let described = described(&text);
    for leaf in leaves(&values) {
        let known = described.iter().any(|value| leaf.starts_with(&value.path));
        assert!(known, "{} has no comment", leaf.join("."));
    }
    let rows = described.iter().map(|value| {
        let default = value.path.iter().fold(&values, |values, key| &values[key]);
        let default = match default {
            // Its keys have rows of their own.
            Value::Object(fields) if !fields.is_empty() && has_rows_below(&described, &value.path) => String::new(),
            default => code(&default.to_string()),
        };
        [code(&value.path.join(".")), default, prose(&value.comment)]
    });
    format!("{INTRODUCTION}{}", table(["value", "default", "what it is"], rows))
}

fn has_rows_below(described: &[Described], path: &[String]) -> bool {
    described
        .iter()
        .any(|other| other.path.len() > path.len() && other.path.starts_with(path))
}

/// The values that have a comment, in the order of the file. A comment goes on in the lines after it that are comments
/// too, and ends at its key.
fn described(text: &str) -> Vec<Described> {
    let mut found = Vec::new();
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut comment = None::<String>;
    for line in text.lines() {
        let content = line.trim_start();
        let depth = line.len() - content.len();
        if let Some(begun) = content.strip_prefix("# -- ") {
            comment = Some(begun.to_owned());
        } else if let Some(more) = content.strip_prefix("# ") {
            if let Some(comment) = &mut comment {
                comment.push(' ');
                comment.push_str(more);
            }
        } else if let Some((key, _)) = content.split_once(':').filter(|(key, _)| is_key(key)) {
            path.retain(|(above, _)| *above < depth);
            path.push((depth, key.to_owned()));
            found.extend(comment.take().map(|comment| Described {
                path: path.iter().map(|(_, key)| key.clone()).collect(),
                comment,
            }));
        } else {
            comment = None;
        }
    }
    found
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c)) && !text.starts_with('-')
}

/// The paths of everything that is not a map with keys.
fn leaves(value: &Value) -> Vec<Vec<String>> {
    match value {
        Value::Object(fields) if !fields.is_empty() => fields
            .iter()
            .flat_map(|(key, value)| {
                leaves(value)
                    .into_iter()
                    .map(move |leaf| [vec![key.clone()], leaf].concat())
            })
            .collect(),
        _ => vec![Vec::new()],
    }
}

#[test]
fn comments_belong_to_the_key_below_them() {
    let text = "\
# Not a comment of a value.
# -- First,
# in two lines
a:
  # -- Below
  b: 1
  c: [x]  # nothing

d: 2
";
    let found: Vec<_> = described(text)
        .into_iter()
        .map(|value| (value.path.join("."), value.comment))
        .collect();
    let expected = [("a", "First, in two lines"), ("a.b", "Below")];
    assert_eq!(
        found,
        expected.map(|(path, comment)| (path.to_owned(), comment.to_owned()))
    );
    let values = serde_saphyr::from_str(text).expect("valid YAML");
    let leaves: Vec<_> = leaves(&values).into_iter().map(|path| path.join(".")).collect();
    assert_eq!(leaves, ["a.b", "a.c", "d"]);
}
