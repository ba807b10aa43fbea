//! The commands and their flags, with environment variables and defaults.

use std::fmt::Write;

use clap::{Arg, ArgAction, Command};

use super::markdown::{code, codes, prose, table};

const INTRODUCTION: &str = "\
# Commands and flags

Each flag can be given as the environment variable beside it; the flag wins. A switch takes `true` or `false` as a variable.
The chart sets them from its [values](values.md). Exit code 2 means bad flags, files or surroundings, and one line says why.

";

pub(super) fn page() -> String {
    let mut root = pam_operator::cli::command();
    root.build();
    let mut page = INTRODUCTION.to_owned();
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        describe(&mut page, command);
    }
    page
}

fn describe(page: &mut String, command: &Command) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    writeln!(page, "## `pam-operator {}`\n\n{about}.\n", command.get_name()).expect("writing to a string cannot fail");
    let rows: Vec<_> = command.get_arguments().filter(|flag| is_own(flag)).map(row).collect();
    if !rows.is_empty() {
        page.push_str(&table(["flag", "variable", "default", "what it does"], rows));
        page.push('\n');
    }
    if let Some(more) = command.get_after_long_help() {
        writeln!(page, "```text\n{more}\n```\n").expect("writing to a string cannot fail");
    }
}

fn is_own(flag: &Arg) -> bool {
    !matches!(flag.get_id().as_str(), "help" | "version")
}

fn row(flag: &Arg) -> [String; 4] {
    let long = flag.get_long().expect("every flag has a long name");
    let possible = flag.get_possible_values();
    let values: Vec<_> = possible.iter().map(clap::builder::PossibleValue::get_name).collect();
    let takes_value = matches!(flag.get_action(), ArgAction::Set | ArgAction::Append);
    let name = flag.get_value_names().into_iter().flatten().next();
    // The parser's own choice says the flag's name a second time.
    let name = name.filter(|name| **name != *long.to_uppercase().replace('-', "_"));
    let shown = match (takes_value, values.is_empty(), name) {
        (true, false, _) => format!("--{long} {}", values.join("|")),
        (true, true, name) => format!("--{long} {}", name.map_or("VALUE", |name| name)),
        (false, ..) => format!("--{long}"),
    };
    let defaults = flag.get_default_values().iter().filter_map(|value| value.to_str());
    let variable = flag.get_env().and_then(|name| name.to_str());
    let help = flag.get_long_help().or(flag.get_help()).map(ToString::to_string);
    [
        code(&shown),
        variable.map(code).unwrap_or_default(),
        if takes_value { codes(defaults) } else { String::new() },
        prose(&help.unwrap_or_else(|| panic!("--{long} needs a description"))),
    ]
}

#[test]
fn every_flag_of_run_has_a_variable() {
    let mut root = pam_operator::cli::command();
    root.build();
    let run = root.find_subcommand("run").expect("there is a command run");
    for flag in run.get_arguments().filter(|flag| is_own(flag)) {
        let variable = flag.get_env().and_then(|name| name.to_str()).unwrap_or_default();
        let expected = flag.get_long().unwrap_or_default().to_uppercase().replace('-', "_");
        assert_eq!(variable, format!("PAM_OPERATOR_{expected}"));
    }
}
