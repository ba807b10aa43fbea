//! Values for the fields of a PamCredential's spec, made from the schema that the API server has: types, enums, bounds,
//! list types, and which fields go together. What a rule refuses all the same is a step that changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{JSONSchemaProps, JSONSchemaPropsOrArray};
use pam_operator::api::crds;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Map, Value};

/// The names that the simulated PAM knows: of domains, plugins, templates and owners.
pub(super) const KNOWN: [&str; 3] = ["SSH", "lab", "admin"];

/// Names of the Secrets, and their keys, that specs refer to.
pub(super) const SECRETS: [&str; 2] = ["s0", "s1"];
pub(super) const KEYS: [&str; 2] = ["password", "other"];

/// A value that changes one field of the spec; null takes the field out.
pub(super) type Change = (String, Value);

/// The fields whose values are chosen with care, so that they collide and come back.
fn chosen(field: &str) -> Option<Vec<Value>> {
    let texts = |texts: &[&str]| Some(texts.iter().map(|text| Value::from(*text)).collect());
    let or_none = |texts: &[&str]| {
        let texts = texts.iter().map(|text| Value::from(*text));
        Some(texts.chain([Value::Null]).collect())
    };
    match field {
        "username" => texts(&["u0", "u1", "U1", "theirs"]),
        "hostname" => texts(&["h0", "h1"]),
        "ip" => texts(&["i0", "i1"]),
        "identifier" => or_none(&["id-0", "id-1", "ID-1", "their-identifier"]),
        "connectionRef" => Some(vec![
            serde_json::json!({"name": "vault"}),
            serde_json::json!({"name": "vault", "kind": "PamConnection"}),
            serde_json::json!({"name": "nowhere"}),
        ]),
        // With Adopt an object may take over what others own, and nothing could be said about them afterwards.
        "adoptionPolicy" => or_none(&["Never"]),
        _ => None,
    }
}

/// Changes of single fields of the spec. Those of identity are as likely as all others together.
pub(super) fn change() -> impl Strategy<Value = Change> {
    let schema = spec();
    let properties = schema.properties.clone().unwrap_or_default();
    let required: BTreeSet<_> = schema.required.clone().unwrap_or_default().into_iter().collect();
    let mut identity = Vec::new();
    let mut others = Vec::new();
    for (field, schema) in properties {
        let (strategy, of_identity) = match chosen(&field) {
            Some(values) => (
                select(values).boxed(),
                field != "adoptionPolicy" && field != "connectionRef",
            ),
            None if required.contains(&field) => (value(&field, &schema), false),
            None => (
                prop_oneof![3 => value(&field, &schema), 1 => Just(Value::Null)].boxed(),
                false,
            ),
        };
        let change = strategy.prop_map(move |value| (field.clone(), value)).boxed();
        if of_identity { &mut identity } else { &mut others }.push(change);
    }
    let one_of = |changes: Vec<BoxedStrategy<Change>>| select(changes).prop_flat_map(|change| change);
    prop_oneof![2 => one_of(identity), 3 => one_of(others)]
}

/// The schema of the spec.
fn spec() -> JSONSchemaProps {
    let crd = crds().into_iter().find(|crd| crd.spec.names.kind == "PamCredential");
    let version = crd.expect("the definition").spec.versions.swap_remove(0);
    let schema = version.schema.and_then(|schema| schema.open_api_v3_schema);
    let properties = schema.and_then(|schema| schema.properties);
    properties.expect("a schema").remove("spec").expect("a spec")
}

/// A value of a field.
fn value(field: &str, schema: &JSONSchemaProps) -> BoxedStrategy<Value> {
    if let Some(values) = &schema.enum_ {
        return select(values.iter().map(|json| json.0.clone()).collect::<Vec<_>>()).boxed();
    }
    if field.ends_with("SecretRef") {
        return (select(SECRETS.to_vec()), select(KEYS.to_vec()))
            .prop_map(|(name, key)| serde_json::json!({"name": name, "key": key}))
            .boxed();
    }
    match schema.type_.as_deref() {
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("integer") => integer(schema),
        Some("string") => text(schema),
        Some("array") => array(field, schema),
        Some("object") => object(schema),
        other => panic!("{field} has the type {other:?}, of which no values are known"),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounds of whole numbers are whole")]
fn integer(schema: &JSONSchemaProps) -> BoxedStrategy<Value> {
    let least = schema.minimum.map_or(i64::MIN, |bound| bound as i64);
    let most = schema.maximum.map_or(i64::MAX, |bound| bound as i64);
    let within = [least, 1, 7, 1 << 40, most].into_iter();
    let within: Vec<_> = within.filter(|number| (least..=most).contains(number)).collect();
    select(within).prop_map(Value::from).boxed()
}

fn text(schema: &JSONSchemaProps) -> BoxedStrategy<Value> {
    let least = length(schema.min_length);
    let most = length(Some(schema.max_length.expect("every text is bounded")));
    let fits = move |text: &String| (least..=most).contains(&text.chars().count());
    let known = KNOWN.map(str::to_owned).to_vec();
    let odd = ["", "ü 7", "a.b", "x\ny", "\"q\"", " "].map(str::to_owned);
    let odd: Vec<_> = odd.into_iter().filter(fits).collect();
    let longest = "x".repeat(most);
    prop_oneof![
        6 => select(known),
        3 => "[a-z]{1,6}",
        2 => select(odd),
        1 => Just(longest),
    ]
    .prop_filter("too long", fits)
    .prop_map(Value::from)
    .boxed()
}

fn array(field: &str, schema: &JSONSchemaProps) -> BoxedStrategy<Value> {
    let Some(JSONSchemaPropsOrArray::Schema(items)) = &schema.items else {
        panic!("{field} is a list of nothing");
    };
    let keys = schema.x_kubernetes_list_map_keys.clone();
    let distinct = move |items: Vec<Value>| {
        // Of items with the same key the first counts; a set's key is the item itself.
        let key = |item: &Value| match &keys {
            Some(keys) => keys.iter().map(|key| item[key].to_string()).collect(),
            None => item.to_string(),
        };
        let mut seen = BTreeSet::<String>::new();
        Value::from(
            items
                .into_iter()
                .filter(|item| seen.insert(key(item)))
                .collect::<Vec<_>>(),
        )
    };
    prop::collection::vec(value(field, items), 0..4)
        .prop_map(distinct)
        .boxed()
}

/// Some of the object's fields. Those that a rule has together are there together.
fn object(schema: &JSONSchemaProps) -> BoxedStrategy<Value> {
    let properties = schema.properties.clone().unwrap_or_default();
    let required = schema.required.clone().unwrap_or_default();
    let mut groups: Vec<BTreeSet<String>> = properties.keys().map(|name| [name.clone()].into()).collect();
    for (a, b) in together(schema) {
        let (joined, others) = groups
            .into_iter()
            .partition(|group| group.contains(&a) || group.contains(&b));
        groups = others;
        groups.push(Vec::into_iter(joined).flatten().collect());
    }
    let fields: BTreeMap<_, _> = properties
        .iter()
        .map(|(name, schema)| (name.clone(), value(name, schema)))
        .collect();
    let most = groups.len().min(6);
    subsequence(groups, 0..=most)
        .prop_flat_map(move |chosen| {
            let names = chosen.into_iter().flatten().chain(required.clone());
            let names: BTreeSet<_> = names.collect();
            let chosen: Vec<_> = names
                .into_iter()
                .map(|name| (Just(name.clone()), fields[&name].clone()))
                .collect();
            chosen.prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>()))
        })
        .boxed()
}

/// The pairs of fields of which a rule says that both are there or none.
fn together(schema: &JSONSchemaProps) -> Vec<(String, String)> {
    let rules = schema.x_kubernetes_validations.iter().flatten();
    let pairs = rules.flat_map(|rule| rule.rule.split(" && ")).filter_map(|term| {
        let (a, b) = term.split_once(" == ")?;
        let name = |side: &str| Some(side.strip_prefix("has(self.")?.strip_suffix(')')?.to_owned());
        Some((name(a)?, name(b)?))
    });
    pairs.collect()
}

fn length(bound: Option<i64>) -> usize {
    usize::try_from(bound.unwrap_or_default()).expect("bounds of lengths are small")
}
