//! Flux's way to judge custom resources: the `healthCheckExprs` of our Kustomizations, in the order in which Flux evaluates
//! them.

use cel::{Context, Program, Value as CelValue};
use serde_json::Value;

use super::{argo::FOLDER, documents, kstatus::Status};

/// The Kustomizations whose expressions are tested.
const FILE: &str = "gitops/flux/kustomizations.yaml";

/// The expressions of one kind.
pub struct Expressions {
    kind: String,
    in_progress: Program,
    failed: Program,
    current: Program,
}

/// All expressions that the Kustomizations have, with the kind that each is for.
pub fn expressions() -> Vec<Expressions> {
    let kustomizations = documents(FILE).into_iter();
    let lists = kustomizations.filter_map(|object| object["spec"]["healthCheckExprs"].as_array().cloned());
    let expressions = lists.flatten().map(|expressions| {
        let program = |field: &str| {
            let text = expressions[field]
                .as_str()
                .unwrap_or_else(|| panic!("no {field}: {expressions}"));
            Program::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        assert_eq!(expressions["apiVersion"], "pam-operator.dev/v1alpha1");
        Expressions {
            kind: expressions["kind"].as_str().expect("a kind").to_owned(),
            in_progress: program("inProgress"),
            failed: program("failed"),
            current: program("current"),
        }
    });
    expressions.collect()
}

/// What Flux makes of an object, by the expressions for its kind: before all of them it compares the generations by itself,
/// and what none of them knows is in progress.
pub fn status(expressions: &[Expressions], object: &Value) -> Status {
    let metadata = &object["metadata"];
    let observed = &object["status"]["observedGeneration"];
    if !observed.is_null() && *observed != metadata["generation"] {
        return Status::InProgress;
    }
    let kind = object["kind"].as_str().expect("a kind");
    let matching = expressions.iter().find(|expressions| expressions.kind == kind);
    let matching = matching.unwrap_or_else(|| panic!("{FILE} has no expressions for {kind}"));
    let mut context = Context::default();
    for (field, value) in object.as_object().expect("an object") {
        context.add_variable(field.as_str(), value).expect("plain data");
    }
    let holds = |program: &Program| match program.execute(&context) {
        Ok(CelValue::Bool(holds)) => holds,
        other => panic!("{other:?} of {object}"),
    };
    if holds(&matching.in_progress) {
        Status::InProgress
    } else if holds(&matching.failed) {
        Status::Failed
    } else if holds(&matching.current) {
        Status::Current
    } else {
        Status::InProgress
    }
}

/// With `all` the expression of a Kustomization would call a new object failed: nothing is all things.
#[test]
fn the_evaluator_knows_the_trap_that_exists_avoids() {
    let mut context = Context::default();
    context
        .add_variable("status", serde_json::json!({"conditions": []}))
        .expect("plain data");
    let all = "status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'False')";
    let all = Program::compile(all).expect("an expression");
    assert_eq!(all.execute(&context).expect("it runs"), CelValue::Bool(true));
    let exists = Program::compile("status.conditions.exists(c, c.type == 'Ready' && c.status == 'False')");
    let exists = exists.expect("an expression");
    assert_eq!(exists.execute(&context).expect("it runs"), CelValue::Bool(false));
}

/// What the page says of those who want a difference in the PAM to fail a Kustomization.
#[test]
fn a_difference_can_be_made_to_fail() {
    let [_, _, _, credentials] = documents(FILE).try_into().expect("four objects");
    let failed = credentials["spec"]["healthCheckExprs"][0]["failed"]
        .as_str()
        .expect("an expression");
    let stricter = failed.replace("c.type == 'Stalled'", "c.type in ['Stalled', 'Drifted']");
    let stricter = Program::compile(&stricter).expect("an expression");
    for (record, fails) in [
        ("synced", false),
        ("fresh", false),
        ("drifted", true),
        ("already-exists", true),
    ] {
        let [object] = documents(&format!("{FOLDER}/testdata/credential-{record}.yaml"))
            .try_into()
            .expect("one object");
        let mut context = Context::default();
        context.add_variable("status", &object["status"]).expect("plain data");
        assert_eq!(
            stricter.execute(&context).expect("it runs"),
            CelValue::Bool(fails),
            "{record}"
        );
    }
}
