//! The command line.

mod scope;

use std::{ffi::OsString, net::SocketAddr, process::ExitCode, time::Duration};

use axum::http::{HeaderValue, header::USER_AGENT};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, error::ErrorKind};
use futures::FutureExt;
use kube::core::Selector;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::{
    api::{crds_yaml, parse_duration},
    controller::{self, Options, Readiness, Rules, RunError},
    metrics::Metrics,
    pam::{AddressPolicy, HostPattern, install_crypto_provider},
    permissions::Scope,
    selector,
    selftest::{self, Verdict},
    server,
    simulator::{SimulateArgs, simulate},
};
use scope::ScopeArgs;

/// Bad flags, files or surroundings: nothing was started.
const MISUSE: u8 = 2;

/// Another process may lead now: this one was to end, and to be started again.
const UNSEATED: u8 = 1;

/// The API server's client warns of an answer that it cannot read by printing it, and that could be a Secret.
const QUIET: &str = "kube_client::client=error";

/// How long the end of what is under way may take.
const SHUTDOWN: Duration = Duration::from_secs(18);

/// Kubernetes operator for senhasegura (Segura) PAM Core.
#[derive(Debug, Parser)]
#[command(name = "pam-operator", version, about, arg_required_else_help = false)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator
    Run(RunArgs),
    /// Print the custom resource definitions as one YAML stream
    Crd,
    /// Check an installation with the account of the operator: exit code 1 when it cannot work
    Selftest(SelftestArgs),
    /// Simulate PAM Core, for demos, tests and the CI of manifests
    Simulate(SimulateArgs),
}

/// Flags of `run`; each can be given as an environment variable too.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the command line's own switches, one field each"
)]
struct RunArgs {
    #[command(flatten)]
    scope: ScopeArgs,

    /// Address of probes and metrics
    #[arg(long, env = "PAM_OPERATOR_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,

    /// Reconciles at the same time
    #[arg(long, env = "PAM_OPERATOR_CONCURRENCY", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: u16,

    /// Which connections are this operator's, by their labels, as `kubectl get -l` selects: with the credentials that name
    /// them. Omitted: all of them. Each connection must be selected by one shard and no other; one that does not exist
    /// counts as one without labels
    #[arg(long, env = "PAM_OPERATOR_WATCH_SELECTOR", value_parser = selector::parse, value_name = "SELECTOR")]
    watch_selector: Option<Selector>,

    /// Metrics of each object, beside those of their numbers; `false` where there are very many objects
    #[arg(long, env = "PAM_OPERATOR_OBJECT_METRICS", default_value_t = true, action = ArgAction::Set)]
    object_metrics: bool,

    /// Hosts that connections may name (`host` or `*.suffix`), separated by commas; omitted: any
    #[arg(long, env = "PAM_OPERATOR_ALLOWED_HOSTS", value_delimiter = ',', value_name = "HOST")]
    allowed_hosts: Option<Vec<HostPattern>>,

    /// Accept PAM addresses without TLS (for tests)
    #[arg(long, env = "PAM_OPERATOR_ALLOW_HTTP")]
    allow_http: bool,

    /// Accept PAM addresses on this machine itself (for tests and demos)
    #[arg(long, env = "PAM_OPERATOR_ALLOW_LOOPBACK")]
    allow_loopback: bool,

    /// When a deleted object is let go although its credential could not be deactivated
    #[arg(long, env = "PAM_OPERATOR_DELETION_TIMEOUT", default_value = "10m", value_parser = deletion_timeout)]
    deletion_timeout: Duration,

    /// Take over an installation Secret that was made in another cluster
    #[arg(long, env = "PAM_OPERATOR_ACCEPT_CLUSTER")]
    accept_cluster: bool,

    /// Sign claims anew that do not verify, where the PAM lists exactly their id, identifier, hostname, ip and username:
    /// once, after the loss of the Secret `pam-operator-installation`
    #[arg(long, env = "PAM_OPERATOR_RESIGN_CLAIMS")]
    resign_claims: bool,

    /// Format of the log
    #[arg(long, env = "PAM_OPERATOR_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    log_format: LogFormat,

    /// Level of the log: error, warn, info, debug, trace, or directives such as `info,kube=debug`
    #[arg(long, env = "PAM_OPERATOR_LOG_LEVEL", default_value = "info", value_parser = log_filter)]
    log_level: String,
}

/// Flags of `selftest`.
#[derive(Args, Debug)]
struct SelftestArgs {
    #[command(flatten)]
    scope: ScopeArgs,

    /// Where the operator answers, such as <http://pam-operator:8080>; omitted: that is not checked
    #[arg(long, env = "PAM_OPERATOR_URL", value_parser = plain_url)]
    url: Option<Url>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    Json,
    Text,
}

/// The command line, for whoever documents it.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command that the arguments name. Bad flags and files give exit code 2 and one line that says why.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let command = match parsed {
        Ok(cli) => cli.command,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            print!("{error}");
            return ExitCode::SUCCESS;
        }
        Err(error) => return misuse(&one_line(&error.to_string())),
    };
    install_crypto_provider();
    let mut runtime = match &command {
        // What the operator does between two requests is short, so that threads would mostly wake each other, each with a
        // share of the heap of its own. What takes long goes beside: see `spawn_blocking`.
        Command::Run(_) => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return misuse(&format!("the runtime cannot start: {error}")),
    };
    let result = match command {
        Command::Crd => {
            print!("{}", crds_yaml());
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(args) => runtime.block_on(run(args)),
        Command::Selftest(args) => runtime.block_on(check(args)),
        Command::Simulate(args) => {
            let ended = runtime.block_on(simulate(args));
            ended.map(|()| ExitCode::SUCCESS).map_err(|error| error.to_string())
        }
    };
    runtime.shutdown_timeout(Duration::from_secs(1));
    match result {
        Ok(code) => code,
        // Parsers of files go on to show the lines around a mistake; those of a kubeconfig may hold a key.
        Err(message) => misuse(message.lines().next().unwrap_or_default()),
    }
}

async fn run(args: RunArgs) -> Result<ExitCode, String> {
    let filter = EnvFilter::new(&args.log_level).add_directive(QUIET.parse().expect("a valid directive"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match args.log_format {
        LogFormat::Json => log.json().init(),
        LogFormat::Text => log.init(),
    }
    let client = cluster().await?;
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|error| format!("--listen {}: {error}", args.listen))?;

    let shutdown = terminated()
        .map_err(|error| format!("signals cannot be received: {error}"))?
        .shared();
    let scope = Scope::from(args.scope);
    let (metrics, readiness) = (Metrics::new(&scope.lease), Readiness::default());
    let server = tokio::spawn(server::serve(
        listener,
        readiness.clone(),
        metrics.clone(),
        shutdown.clone(),
    ));
    let options = Options {
        rules: Rules {
            namespace: scope.namespace,
            addresses: AddressPolicy {
                allow_http: args.allow_http,
                allow_loopback: args.allow_loopback,
                allowed_hosts: args.allowed_hosts,
            },
            deletion_timeout: args.deletion_timeout,
        },
        namespaces: scope.watched,
        concurrency: args.concurrency,
        accept_cluster: args.accept_cluster,
        resign_claims: args.resign_claims,
        lease: scope.leader_election.then_some(scope.lease),
        selector: args.watch_selector.unwrap_or_default(),
        object_metrics: args.object_metrics,
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespace = options.rules.namespace,
        selector = %options.selector,
        "pam-operator starts"
    );
    let controllers = controller::run(client, options, metrics, readiness, shutdown.clone());
    let late = async {
        shutdown.await;
        tracing::info!("what is under way is finished");
        tokio::time::sleep(SHUTDOWN).await;
    };
    tokio::select! {
        result = controllers => match result {
            Ok(()) => {}
            Err(error @ RunError::Unseated(_)) => {
                tracing::error!(%error, "pam-operator ends at once, because another process may lead now");
                return Ok(ExitCode::from(UNSEATED));
            }
            Err(error) => return Err(error.to_string()),
        },
        // A lease is not released then: what is under way may still arrive, so the next leader has to wait.
        () = late => tracing::warn!("not everything that was under way ended in time"),
    }
    server.abort();
    tracing::info!("pam-operator ends");
    Ok(ExitCode::SUCCESS)
}

/// Checks the installation; exit code 1 when something that the operator needs is missing.
async fn check(args: SelftestArgs) -> Result<ExitCode, String> {
    let client = cluster().await?;
    let tell = |verdict: &Verdict| println!("{}", verdict.line());
    let works = selftest::check(&client, &args.scope.into(), args.url.as_ref(), tell).await;
    Ok(if works { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The cluster, by the account of the pod or by `KUBECONFIG`.
async fn cluster() -> Result<kube::Client, String> {
    let mut config = kube::Config::infer()
        .await
        .map_err(|error| format!("no cluster to work on: {error}"))?;
    // Retries belong to the controllers, which know what may be repeated.
    config.default_retry = false;
    // Its first word becomes the manager of the fields that the operator writes.
    let user_agent = HeaderValue::from_static(concat!("pam-operator/", env!("CARGO_PKG_VERSION")));
    config.headers.push((USER_AGENT, user_agent));
    kube::Client::try_from(config).map_err(|error| format!("the cluster cannot be reached: {error}"))
}

/// Ends with the first SIGTERM or SIGINT.
fn terminated() -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn deletion_timeout(text: &str) -> Result<Duration, String> {
    parse_duration(text, Duration::from_secs(1), Duration::from_hours(24)).map_err(|error| error.to_string())
}

fn plain_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let is_plain = url.scheme() == "http" && url.has_host();
    is_plain.then_some(url).ok_or("an http URL is needed".to_owned())
}

fn log_filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

fn misuse(message: &str) -> ExitCode {
    eprintln!("pam-operator: {message}");
    ExitCode::from(MISUSE)
}

/// The parser's message without its usage and its blank lines.
fn one_line(message: &str) -> String {
    let lines = message.lines().map(str::trim);
    let said = lines
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.starts_with("For more information"));
    let words: Vec<_> = said.filter(|line| !line.is_empty()).collect();
    words.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn mistakes_are_told_in_one_line() {
        for arguments in [
            &["pam-operator", "run", "--concurrency", "0"][..],
            &["pam-operator", "run", "--deletion-timeout", "soon"],
            &["pam-operator", "run", "--log-level", "a=b=c"],
            &["pam-operator", "run", "--allowed-hosts", "https://pam"],
            &["pam-operator", "run", "--allowed-hosts", ""],
            &["pam-operator", "run", "--watch-selector", "shard in a"],
            &["pam-operator", "run", "--lease-name", "Shard A"],
            &["pam-operator", "selftest", "--lease-name", ""],
            &["pam-operator", "simulate"],
            &["pam-operator", "selftest", "--url", "pam-operator:8080"],
            &["pam-operator"],
            &["pam-operator", "fly"],
        ] {
            let error = Cli::try_parse_from(arguments).expect_err("a mistake");
            let line = one_line(&error.to_string());
            assert!(!line.is_empty() && !line.contains('\n'), "{line}");
        }
    }
}
