//! The custom resource definitions, generated from the types, and the files in `crds/` that the chart installs.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

use super::{ClusterPamConnection, PamConnection, PamCredential};

/// The definitions of all three kinds.
#[must_use]
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut crds = vec![PamCredential::crd(), PamConnection::crd(), ClusterPamConnection::crd()];
    for crd in &mut crds {
        for version in &mut crd.spec.versions {
            let schema = version
                .schema
                .as_mut()
                .and_then(|validation| validation.open_api_v3_schema.as_mut());
            refuse_null(schema.expect("the derive macro writes a schema into every version"));
        }
    }
    crds
}

/// All definitions as one stream of YAML documents: what `pam-operator crd` prints.
#[must_use]
pub fn crds_yaml() -> String {
    crds().iter().map(document).collect()
}

/// One definition as a YAML document: the content of its file in `crds/`.
fn document(crd: &CustomResourceDefinition) -> String {
    format!(
        "---\n{}",
        serde_saphyr::to_string(crd).expect("a definition is plain data")
    )
}

/// Takes `nullable` out of a schema, which the derive macro gives to every optional field.
///
/// The API server then drops a null before it validates and stores, so that `tags: null` and no `tags` are the same to
/// everybody.
fn refuse_null(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
    {
        refuse_null(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        refuse_null(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        refuse_null(values);
    }
}

#[cfg(test)]
mod tests;
