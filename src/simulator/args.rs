//! The command line of `pam-operator simulate`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use super::{Config, Data, Error, Profile, Tls, publish, start};

/// What `--help` says of the simulator's own paths.
const CONTROL: &str = "\
While it runs, these paths show and change it (secrets are shown as fingerprints):
  GET    /_simulator/journal           every request so far; /journal/SEQ: those after SEQ; DELETE forgets them
  GET    /_simulator/credentials       what the PAM keeps
  PATCH  /_simulator/credentials/ID    edit one as an administrator: identifier username hostname ip content active; DELETE removes it
  POST   /_simulator/faults            a fault, for instance
           {\"on\": \"post\", \"effect\": {\"status\": {\"code\": 503, \"retry_after\": \"2\"}}, \"times\": {\"next\": 3}}
         on: token list reveal post delete put (omitted: all); identifier: only requests for it
         effect: {\"latency\": {\"ms\": N, \"point\": \"before|after\"}} drop_before drop_after truncated_json cut_body expired_token
           rejected_token no_route {\"status\": {\"code\": N, \"executed\": bool, \"retry_after\": TEXT}} {\"html\": {\"status\": N,
           \"executed\": bool}} {\"refuse\": {\"code\": N, \"message\": TEXT}} {\"amend\": JSON merge patch of the answer}
         times: \"always\" (omitted) {\"next\": N} {\"share\": {\"of\": 0.2, \"seed\": N}}
  GET    /_simulator/faults            the faults in force; DELETE ends all, DELETE /faults/ID one
  DELETE /_simulator/tokens            expires every token";

/// Simulate PAM Core's API, for demos, tests and the CI of manifests
#[derive(Args, Debug)]
#[command(after_long_help = CONTROL)]
pub struct SimulateArgs {
    /// Address and port to listen on
    #[arg(long, env = "PAM_OPERATOR_LISTEN", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,

    /// Version of PAM Core to simulate
    #[arg(long, env = "PAM_OPERATOR_PROFILE", value_enum, default_value_t)]
    pub profile: Profile,

    /// Certificate chain (PEM) to serve https with; plain http without
    #[arg(long, env = "PAM_OPERATOR_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key (PEM) of --tls-cert
    #[arg(long, env = "PAM_OPERATOR_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Serve https with a certificate of a new authority, whose certificate is written to DIR/ca.crt
    #[arg(long, env = "PAM_OPERATOR_TLS_SELF_SIGNED", value_name = "DIR", conflicts_with_all = ["tls_cert", "tls_key"])]
    pub tls_self_signed: Option<PathBuf>,

    /// The same, but the certificate is written to the key `ca.crt` of this `ConfigMap`, which must exist in the pod's own
    /// namespace
    #[arg(long, env = "PAM_OPERATOR_TLS_PUBLISH", value_name = "CONFIGMAP", conflicts_with_all = ["tls_cert", "tls_key", "tls_self_signed"])]
    pub tls_publish: Option<String>,

    /// Further names of the server, separated by commas, for which such a certificate is valid
    #[arg(long, env = "PAM_OPERATOR_TLS_NAMES", value_delimiter = ',', value_name = "NAME")]
    pub tls_names: Vec<String>,

    /// YAML file with clients, devices, domains, plugins, templates, owners and credentials
    #[arg(long, env = "PAM_OPERATOR_DATA", value_name = "FILE")]
    pub data: PathBuf,
}

impl SimulateArgs {
    /// The configuration that the flags describe; reads the data file.
    pub fn into_config(self) -> Result<Config, Error> {
        let tls = match (self.tls_cert, self.tls_key) {
            (Some(cert), Some(key)) => Tls::Files { cert, key },
            _ if self.tls_self_signed.is_some() || self.tls_publish.is_some() => Tls::SelfSigned {
                dir: self.tls_self_signed,
                names: self.tls_names,
            },
            _ => Tls::None,
        };
        Ok(Config {
            listen: self.listen,
            profile: self.profile,
            tls,
            data: Data::read(&self.data)?,
        })
    }
}

/// The subcommand: starts the simulator, says in one line where it listens, and serves until SIGINT or SIGTERM.
/// An error is meant for exit code 2.
pub async fn simulate(args: SimulateArgs) -> Result<(), Error> {
    let publish = args.tls_publish.clone();
    let config = args.into_config()?;
    let version = config
        .profile
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned());
    let trust = match &config.tls {
        Tls::SelfSigned { dir: Some(dir), .. } => format!(", trust {}", dir.join("ca.crt").display()),
        _ => String::new(),
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Serve)?;
    let handle = start(config).await?;
    if let (Some(config_map), Some(ca_pem)) = (publish, handle.ca_pem()) {
        publish::publish(&config_map, ca_pem).await?;
    }
    println!("simulated PAM Core {version} listens on {}{trust}", handle.url());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    handle.stop().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn parse(flags: &[&str]) -> Result<SimulateArgs, clap::Error> {
        let command = SimulateArgs::augment_args(Command::new("simulate"));
        SimulateArgs::from_arg_matches(&command.try_get_matches_from([&["simulate"], flags].concat())?)
    }

    #[test]
    fn flags_become_a_configuration() {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/simulator.yaml");
        let plain = parse(&["--data", data]).expect("only the data are required");
        let plain = plain.into_config().expect("the example is right");
        assert_eq!(
            (plain.listen.to_string().as_str(), plain.profile),
            ("127.0.0.1:8443", Profile::V3_32)
        );
        assert!(matches!(plain.tls, Tls::None));
        let flags = [
            "--data",
            data,
            "--profile",
            "4.0",
            "--listen",
            "[::1]:1",
            "--tls-self-signed",
            "certs",
        ];
        let all = parse(&flags)
            .expect("all are known")
            .into_config()
            .expect("the example is right");
        assert_eq!(
            (all.listen.to_string().as_str(), all.profile),
            ("[::1]:1", Profile::V4_0)
        );
        assert!(matches!(all.tls, Tls::SelfSigned { dir: Some(dir), .. } if dir.ends_with("certs")));
        let published = ["--data", data, "--tls-publish", "ca", "--tls-names", "pam.svc,pam"];
        let published = parse(&published).expect("all are known").into_config();
        let tls = published.expect("the example is right").tls;
        assert!(matches!(tls, Tls::SelfSigned { dir: None, names } if names == ["pam.svc", "pam"]));
    }

    #[test]
    fn flags_that_make_no_sense_are_refused() {
        for flags in [
            &["--profile", "3.30"][..],
            &["--listen", "nowhere"],
            &["--tls-cert", "a"],
            &["--tls-cert", "a", "--tls-key", "b", "--tls-self-signed", "c"],
            &["--tls-publish", "a", "--tls-self-signed", "c"],
        ] {
            assert!(parse(&[flags, &["--data", "x"]].concat()).is_err(), "{flags:?}");
        }
        let missing = parse(&["--data", "no/such/file"])
            .expect("the file is not looked at yet")
            .into_config();
        assert!(missing.is_err_and(|error| error.to_string().contains("no/such/file")));
    }
}
