//! The reasons of conditions: name, what it says of the object, meaning, remedy.

use pam_operator::api::Reason;
use schemars::schema_for;

use super::markdown::{code, prose, table};

const INTRODUCTION: &str = "\
# Reasons

Why a condition is as it is, in one word. The list is closed: no other reason is ever given. The message beside it says
which field, Secret or answer of the PAM is meant; it never has a value from a Secret.

*waits* means that the condition `Reconciling` is True: the object goes on by itself. *stalled* means that `Stalled` is True: a
person must act, and what the PAM refused is tried again every 10 minutes or so. [States](../concepts/states.md) explains the
conditions.

";

pub(super) fn page() -> String {
    let rows = Reason::ALL.map(|reason| {
        [
            format!("<a id=\"{0}\"></a>`{0}`", reason.as_str()),
            state(reason).to_owned(),
            prose(&meaning(reason)),
            prose(reason.remedy()),
        ]
    });
    format!(
        "{INTRODUCTION}{}",
        table(["reason", "the object", "meaning", "what to do"], rows)
    )
}

fn state(reason: Reason) -> &'static str {
    match reason {
        _ if reason.is_stalled() => "stalled",
        _ if reason.is_reconciling() => "waits",
        Reason::Synced => "is Ready",
        Reason::Suspended => "stays as it is",
        Reason::DeactivationFailed => "is being deleted",
        _ => "has drifted",
    }
}

/// The comment of the variant, which the schema of the enum carries.
pub(super) fn meaning(reason: Reason) -> String {
    let schema = schema_for!(Reason).to_value();
    let variants = schema["oneOf"].as_array().expect("an enum of documented variants");
    let variant = variants.iter().find(|variant| variant["const"] == reason.as_str());
    let meaning = variant.and_then(|variant| variant["description"].as_str());
    meaning.unwrap_or_else(|| panic!("{reason} has no comment")).to_owned()
}

#[test]
fn every_reason_has_a_row_with_its_remedy() {
    let page = page();
    for reason in Reason::ALL {
        assert!(page.contains(&format!("{} |", code(reason.as_str()))), "{reason}");
        assert!(page.contains(&prose(reason.remedy())), "{reason}");
    }
}
