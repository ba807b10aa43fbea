//! The fields of the three kinds, walked from the definitions that the API server gets.

use std::fmt::Write;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use pam_operator::api::crds;

use super::markdown::{code, codes, prose, table};

/// One page for each kind, with its file name.
pub(super) fn pages() -> Vec<(String, String)> {
    crds()
        .iter()
        .map(|crd| {
            (
                format!("{}.md", crd.spec.names.singular.as_deref().unwrap_or_default()),
                page(crd),
            )
        })
        .collect()
}

fn page(crd: &CustomResourceDefinition) -> String {
    let names = &crd.spec.names;
    let version = &crd.spec.versions[0];
    let schema = version
        .schema
        .as_ref()
        .and_then(|schema| schema.open_api_v3_schema.as_ref());
    let schema = schema.expect("every version has a schema");
    let mut page = format!(
        "# {}\n\n{}\n\n`apiVersion: {}/{}`, {}, short {}; `kubectl explain {}` shows the same.\n",
        names.kind,
        schema.description.as_deref().unwrap_or_default(),
        crd.spec.group,
        version.name,
        crd.spec.scope.to_lowercase(),
        codes(names.short_names.iter().flatten().map(String::as_str)),
        names.singular.as_deref().unwrap_or_default(),
    );
    rules(&mut page, "of the object", schema);
    for part in ["spec", "status"] {
        let part_schema = schema.properties.as_ref().and_then(|fields| fields.get(part));
        let part_schema = part_schema.expect("every kind has spec and status");
        let about = part_schema.description.as_deref().unwrap_or_default();
        writeln!(page, "\n## {part}\n\n{}\n", prose(about)).expect("writing to a string cannot fail");
        let mut rows = Vec::new();
        fields("", part_schema, &mut rows);
        page.push_str(&table(["field", "type", "what it is"], rows));
        rules(&mut page, &format!("of `{part}`"), part_schema);
    }
    page
}

/// The rules that concern a whole object rather than one field.
fn rules(page: &mut String, whose: &str, schema: &JSONSchemaProps) {
    let messages: Vec<_> = messages(schema).collect();
    if messages.is_empty() {
        return;
    }
    writeln!(page, "\nRules {whose}:\n").expect("writing to a string cannot fail");
    for message in messages {
        writeln!(page, "* {}", prose(message)).expect("writing to a string cannot fail");
    }
}

fn messages(schema: &JSONSchemaProps) -> impl Iterator<Item = &str> {
    let rules = schema.x_kubernetes_validations.iter().flatten();
    rules.filter_map(|rule| rule.message.as_deref())
}

fn fields(path: &str, schema: &JSONSchemaProps, rows: &mut Vec<[String; 3]>) {
    for (name, field) in schema.properties.iter().flatten() {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let required = schema.required.iter().flatten().any(|required| required == name);
        rows.push([code(&path), type_of(field, required), about(field)]);
        match &field.items {
            Some(JSONSchemaPropsOrArray::Schema(item)) => fields(&format!("{path}[]"), item, rows),
            _ => fields(&path, field, rows),
        }
    }
}

/// Description of a field, and the messages of its rules and of those of its items.
fn about(field: &JSONSchemaProps) -> String {
    let item = match &field.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) => Some(&**item),
        _ => None,
    };
    let said = field.description.as_deref().unwrap_or_default();
    let rules = messages(field).chain(item.into_iter().flat_map(messages));
    let rules: Vec<_> = rules.map(|message| format!("*Rule:* {}.", prose(message))).collect();
    [vec![prose(said)], rules].concat().join(" ")
}

fn type_of(field: &JSONSchemaProps, required: bool) -> String {
    let mut text = plain_type(field);
    if required {
        text.push_str(", **required**");
    }
    text
}

fn plain_type(field: &JSONSchemaProps) -> String {
    if let Some(values) = &field.enum_ {
        let values: Vec<_> = values.iter().filter_map(|value| value.0.as_str()).collect();
        return codes(values);
    }
    match (field.type_.as_deref(), &field.items, &field.additional_properties) {
        (Some("array"), Some(JSONSchemaPropsOrArray::Schema(item)), _) => {
            let most = field
                .max_items
                .map(|most| format!(", at most {most}"))
                .unwrap_or_default();
            let keys = field.x_kubernetes_list_map_keys.iter().flatten().map(String::as_str);
            let merge = match field.x_kubernetes_list_type.as_deref() {
                Some("set") => ", no two alike".to_owned(),
                Some("map") => format!(", one for each {}", codes(keys)),
                _ => String::new(),
            };
            format!("list of {}{most}{merge}", plain_type(item))
        }
        (Some("object"), _, Some(JSONSchemaPropsOrBool::Schema(_))) => "map of texts".to_owned(),
        (Some(type_), _, _) => format!("{type_}{}", bounds(field)),
        _ => "any".to_owned(),
    }
}

fn bounds(field: &JSONSchemaProps) -> String {
    match (field.min_length, field.max_length, field.minimum, field.maximum) {
        (Some(least), Some(most), _, _) => format!(" ({least} to {most} characters)"),
        (None, Some(most), _, _) => format!(" (at most {most} characters)"),
        (_, _, Some(least), Some(most)) => format!(" ({least} to {most})"),
        (_, _, Some(least), None) => format!(" (at least {least})"),
        _ => String::new(),
    }
}
