//! The commands that the book shows: those of helm render with this chart, and the quickstart is the same in both languages.

use std::process::Command;

use testbed::tools;

use super::{fenced, files, read, repository};

/// The commands of a page's consoles: what follows `$ `, with the lines that a backslash joins.
fn commands(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for block in fenced(text, "console") {
        let mut goes_on = false;
        for line in block.lines() {
            let line = line.trim();
            let text = line.strip_suffix('\\').unwrap_or(line).trim_end();
            match (goes_on, text.strip_prefix("$ ")) {
                (true, _) => {
                    let command = found.last_mut().expect("a line before this one");
                    command.push(' ');
                    command.push_str(text);
                }
                (false, Some(command)) => found.push(command.to_owned()),
                (false, None) => continue,
            }
            goes_on = line.ends_with('\\');
        }
    }
    found
}

/// The flags of a helm command that decide what is rendered. What a reader has to fill in becomes something of its kind.
fn settings(command: &str) -> Vec<String> {
    let words: Vec<_> = command.split_whitespace().collect();
    let pairs = words.windows(2).filter(|pair| ["--set", "--values"].contains(&pair[0]));
    let pairs = pairs.map(|pair| {
        (
            pair[0],
            pair[1]
                .trim_matches('\'')
                .replace("sha256:…", &format!("sha256:{:064}", 0)),
        )
    });
    let known = pairs.filter(|(flag, value)| *flag == "--set" || repository().join(value).exists());
    known.flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}

#[test]
fn every_helm_command_renders() {
    let helm = tools::helm().expect("helm can be had");
    let mut rendered = 0;
    for page in files(&repository().join("docs"), "md")
        .into_iter()
        .chain([repository().join("README.md")])
    {
        for command in commands(&read(&page)) {
            let verb = ["helm install", "helm upgrade", "helm template"]
                .into_iter()
                .find(|verb| command.starts_with(verb));
            if verb.is_none() {
                continue;
            }
            // With the values of an older chart alone, a newer one lacks what it added.
            assert!(!command.contains(" --reuse-values"), "{}: {command}", page.display());
            let mut helm = Command::new(&helm);
            helm.args([
                "template",
                "pam-operator",
                "charts/pam-operator",
                "--namespace",
                "pam-operator",
            ]);
            let output = helm
                .args(settings(&command))
                .current_dir(repository())
                .output()
                .expect("helm runs");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {command}: {said}", page.display());
            rendered += 1;
        }
    }
    assert!(rendered >= 10, "only {rendered}");
}

#[test]
fn the_quickstart_has_six_commands_and_the_same_in_portuguese() {
    let english = commands(&read(&repository().join("docs/src/quickstart.md")));
    let portuguese = commands(&read(&repository().join("docs/pt-BR/src/inicio-rapido.md")));
    assert_eq!(english.len(), 6, "{english:?}");
    assert_eq!(english, portuguese);
}

#[test]
fn joined_lines_are_one_command() {
    let text = "```console\n$ a --b \\\n    --c\nsaid\n$ d\n```\n```text\n$ no\n```\n";
    assert_eq!(commands(text), ["a --b --c", "d"]);
    let helm = "helm install x --set 'a.b={c}' --values no/such.yaml --set d=sha256:… --wait";
    assert_eq!(
        settings(helm),
        ["--set", "a.b={c}", "--set", &format!("d=sha256:{:064}", 0)]
    );
}
