//! The record of an object: as the API server has it, without what is another thing in every run.

use serde_json::{Map, Value, json};

/// The moment of every record.
const MOMENT: &str = "2026-01-01T00:00:00Z";

/// The PAM of every record.
const PAM: &str = "https://pam.example.com";

/// The namespace of every record.
const NAMESPACE: &str = "demo";

/// Fields whose value differs in every run, and what they are in records. Those whose names say little are named with the
/// field that they are in.
const VOLATILE: [(&str, &str); 14] = [
    ("uid", "00000000-0000-0000-0000-000000000000"),
    ("resourceVersion", "1"),
    ("creationTimestamp", MOMENT),
    ("deletionTimestamp", MOMENT),
    ("lastTransitionTime", MOMENT),
    ("lastHandledReconcileAt", MOMENT),
    ("applied.time", MOMENT),
    ("applied.body", "fingerprint-of-the-body"),
    ("applied.content", "fingerprint-of-the-password"),
    ("applied.key", "key"),
    ("applied.changeSeen", MOMENT),
    ("claim.mac", "mac"),
    ("claim.id", "115"),
    ("status.id", "115"),
];

/// What else is different in every run: the texts of this world that stand in messages, names and addresses.
pub struct World<'a> {
    pub namespace: &'a str,
    pub urls: &'a [String],
}

/// The record of an object, as YAML in the order of the alphabet.
pub fn record(object: &Value, world: &World) -> String {
    let id = object["status"]["id"].as_str().map(|id| (format!("Credential {id} "), "Credential 115 ".to_owned()));
    let identifier = object["status"]["identifier"].as_str().filter(|text| text.starts_with(world.namespace));
    let identifier = identifier.map(|text| {
        let (name, _) = text.rsplit_once('_').expect("a generated identifier ends with a tag");
        (text.to_owned(), format!("{}_k2m9q4x1p3z7", name.replacen(world.namespace, NAMESPACE, 1)))
    });
    let urls = world.urls.iter().map(|url| (url.clone(), PAM.to_owned()));
    let namespace = (world.namespace.to_owned(), NAMESPACE.to_owned());
    // The longest first: an identifier has the namespace in it.
    let texts: Vec<_> = urls.chain(identifier).chain(id).chain([namespace]).collect();
    let mut object = object.clone();
    object["metadata"].as_object_mut().expect("metadata").remove("managedFields");
    let normal = normal("", object, &texts);
    format!("# Recorded by tests/it/gitops/, which writes it anew when it changes.\n{}", yaml(&normal))
}

fn yaml(value: &Value) -> String {
    serde_saphyr::to_string(value).expect("plain data")
}

fn normal(parent: &str, value: Value, texts: &[(String, String)]) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            let fields = fields.into_iter().map(|(field, value)| {
                let within = format!("{parent}.{field}");
                let fixed = VOLATILE.iter().find(|(name, _)| *name == field || *name == within);
                let value = fixed.map_or_else(|| normal(&field, value, texts), |(_, value)| json!(value));
                (field, value)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(|item| normal(parent, item, texts)).collect(),
        Value::String(text) => {
            let replaced = texts.iter().fold(text, |text, (from, to)| text.replace(from, to));
            replaced.into()
        }
        other => other,
    }
}
