use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::*;

/// Every schema below a root, with its path.
fn walk<'a>(path: String, schema: &'a JSONSchemaProps, found: &mut Vec<(String, &'a JSONSchemaProps)>) {
    for (name, property) in schema.properties.iter().flatten() {
        walk(format!("{path}.{name}"), property, found);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items {
        walk(format!("{path}[]"), items, found);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &schema.additional_properties {
        walk(format!("{path}{{}}"), values, found);
    }
    found.push((path, schema));
}

/// Calls `check` with every schema of every kind.
fn for_every_schema(check: impl Fn(&str, &JSONSchemaProps)) {
    for crd in crds() {
        let root = crd.spec.versions[0]
            .schema
            .as_ref()
            .and_then(|s| s.open_api_v3_schema.as_ref())
            .expect("has a schema");
        let mut found = Vec::new();
        walk(crd.spec.names.kind.clone(), root, &mut found);
        for (path, schema) in found {
            check(&path, schema);
        }
    }
}

#[test]
fn files_are_fresh() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crds");
    let mut stale = Vec::new();
    for crd in crds() {
        let file = folder.join(format!("{}.yaml", crd.spec.names.plural));
        let content = document(&crd);
        if fs::read_to_string(&file).ok().as_ref() != Some(&content) {
            fs::create_dir_all(&folder).expect("crds/ can be created");
            fs::write(&file, content).expect("a file in crds/ can be written");
            stale.push(file.display().to_string());
        }
    }
    assert!(
        stale.is_empty(),
        "written anew from the types, review and commit: {}",
        stale.join(", ")
    );
}

#[test]
fn the_stream_reads_back_as_the_definitions() {
    let read: Vec<CustomResourceDefinition> = serde_saphyr::from_multiple(&crds_yaml()).expect("valid YAML");
    assert_eq!(read, crds());
}

#[test]
fn stays_far_below_the_size_that_apply_can_annotate() {
    for crd in crds() {
        assert!(
            document(&crd).len() < 200 * 1024,
            "{} is too large",
            crd.spec.names.kind
        );
    }
}

#[test]
fn every_text_list_and_map_is_bounded() {
    for_every_schema(|path, schema| match schema.type_.as_deref() {
        Some("string") => assert!(
            schema.max_length.is_some() || schema.enum_.is_some(),
            "{path} needs a maxLength"
        ),
        Some("array") => assert!(schema.max_items.is_some(), "{path} needs maxItems"),
        Some("object") => {
            assert!(
                schema.properties.is_some() || schema.max_properties.is_some(),
                "{path} needs properties or maxProperties"
            );
        }
        other => assert!(
            matches!(other, Some("boolean" | "integer")),
            "{path} has the type {other:?}"
        ),
    });
}

#[test]
fn every_list_says_how_it_merges() {
    for_every_schema(|path, schema| {
        let text = schema.items.as_ref().is_some_and(|items| match items {
            JSONSchemaPropsOrArray::Schema(items) => items.type_.as_deref() == Some("string"),
            JSONSchemaPropsOrArray::Schemas(_) => false,
        });
        match schema.x_kubernetes_list_type.as_deref() {
            Some("set") => assert!(text, "{path} can only be a set when its items are texts"),
            Some("map") => assert!(schema.x_kubernetes_list_map_keys.is_some(), "{path} needs keys"),
            Some("atomic") => {}
            other => assert!(schema.type_.as_deref() != Some("array"), "{path} merges as {other:?}"),
        }
    });
}

#[test]
fn every_field_is_described() {
    for_every_schema(|path, schema| {
        let item = path.ends_with("[]") || path.ends_with("{}");
        assert!(
            item || schema.description.as_ref().is_some_and(|text| text.len() > 10),
            "{path} needs a description"
        );
    });
}

#[test]
fn every_optional_spec_field_says_what_leaving_it_out_means() {
    for_every_schema(|path, schema| {
        let required = schema.required.clone().unwrap_or_default();
        for (name, property) in schema.properties.iter().flatten() {
            if path.contains(".spec") && !required.contains(name) {
                let description = property.description.as_deref().unwrap_or_default();
                assert!(
                    description.contains("Omitted: "),
                    "{path}.{name} does not say what omitted means: {description}"
                );
            }
        }
    });
}

#[test]
fn only_the_status_has_a_default() {
    for_every_schema(|path, schema| {
        let default = schema.default.as_ref().map(|json| json.0.clone());
        let is_status = path.split_once('.').is_some_and(|(_, field)| field == "status");
        assert_eq!(
            default,
            is_status.then(|| json!({ "observedGeneration": -1 })),
            "{path}"
        );
    });
}

#[test]
fn numbers_have_formats_that_the_api_server_knows() {
    for_every_schema(|path, schema| {
        if schema.type_.as_deref() == Some("integer") {
            assert!(
                matches!(schema.format.as_deref(), Some("int32" | "int64")),
                "{path} has the format {:?}",
                schema.format
            );
        }
    });
}

#[test]
fn null_is_nowhere_a_value() {
    for_every_schema(|path, schema| {
        assert_eq!(schema.nullable, None, "{path}");
        assert!(
            schema.enum_.iter().flatten().all(|value| value.0 != Value::Null),
            "{path}"
        );
    });
}

#[test]
fn every_rule_has_a_message() {
    for_every_schema(|path, schema| {
        for rule in schema.x_kubernetes_validations.iter().flatten() {
            assert!(
                rule.message.as_ref().is_some_and(|text| text.len() > 20),
                "{path}: {} needs a message",
                rule.rule
            );
        }
    });
}
