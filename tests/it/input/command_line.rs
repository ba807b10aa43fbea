//! Bad flags and files: exit code 2 and one line that names the mistake.

use std::{fs, net::TcpListener, path::Path, process::Command};

/// Arguments, variables, and what the line names. `{dir}` stands for a directory of the test, `{taken}` for an address at
/// which somebody listens already.
type Case = (
    &'static [&'static str],
    &'static [(&'static str, &'static str)],
    &'static str,
);

const CASES: &[Case] = &[
    (&[], &[], "subcommand"),
    (&["fly"], &[], "fly"),
    (&["run", "--fly"], &[], "--fly"),
    (&["run", "--concurrency", "0"], &[], "--concurrency"),
    (&["run", "--concurrency", "many"], &[], "many"),
    (&["run", "--listen", "nowhere"], &[], "nowhere"),
    (&["run", "--leader-election", "maybe"], &[], "maybe"),
    (
        &["run"],
        &[("PAM_OPERATOR_LEADER_ELECTION", "maybe")],
        "--leader-election",
    ),
    (&["run", "--deletion-timeout", "soon"], &[], "soon"),
    (
        &["run", "--allowed-hosts", "https://pam.example.com"],
        &[],
        "--allowed-hosts",
    ),
    (&["run", "--log-level", "a=b=c"], &[], "--log-level"),
    (&["run", "--log-format", "xml"], &[], "xml"),
    (&["run"], &[("PAM_OPERATOR_CONCURRENCY", "-1")], "--concurrency"),
    (&["run"], &[("KUBECONFIG", "{dir}/no-such-file")], "no-such-file"),
    (&["run"], &[("KUBECONFIG", "{dir}/not-a-kubeconfig")], "cluster"),
    (&["simulate"], &[], "--data"),
    (&["simulate", "--data", "{dir}/no-such-file"], &[], "no-such-file"),
    (&["simulate", "--data", "{dir}/misspelt"], &[], "devises"),
    (&["simulate", "--data", "{dir}/nobody"], &[], "no clients"),
    (&["simulate", "--data", "{dir}/nobody", "--profile", "2.0"], &[], "2.0"),
    (
        &["simulate", "--data", "{dir}/nobody", "--tls-cert", "a"],
        &[],
        "--tls-key",
    ),
    (
        &[
            "simulate",
            "--data",
            "{dir}/somebody",
            "--tls-cert",
            "{dir}/no-such-file",
            "--tls-key",
            "{dir}/nobody",
        ],
        &[],
        "no-such-file",
    ),
    (
        &[
            "simulate",
            "--data",
            "{dir}/somebody",
            "--tls-cert",
            "{dir}/nobody",
            "--tls-key",
            "{dir}/nobody",
        ],
        &[],
        "TLS",
    ),
    (
        &["simulate", "--data", "{dir}/somebody", "--listen", "{taken}"],
        &[],
        "{taken}",
    ),
];

#[test]
fn each_mistake_ends_with_2_and_one_line() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("command-line");
    fs::create_dir_all(&dir).expect("a writable directory");
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).expect("a writable file");
    write("not-a-kubeconfig", "apiVersion: v1\nkind: Config\nclusters: 3\n");
    write("misspelt", "devises: []\n");
    write("nobody", "devices: []\n");
    write("somebody", "clients: [{id: a, secret: b}]\n");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken.local_addr().expect("it is bound").to_string();
    let fill = |text: &str| {
        text.replace("{dir}", &dir.display().to_string())
            .replace("{taken}", &taken)
    };
    for (arguments, variables, named) in CASES {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pam-operator"));
        command.env_clear().env("HOME", &dir);
        command.args(arguments.iter().map(|argument| fill(argument)));
        command.envs(variables.iter().map(|(name, value)| (name, fill(value))));
        let output = command.output().expect("the program runs");
        let errors = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{arguments:?}: {errors}");
        assert!(
            errors.starts_with("pam-operator: ") && errors.contains(&fill(named)),
            "{arguments:?}: {errors}"
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
