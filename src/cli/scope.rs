//! The flags that `run` and `selftest` share: where the operator lives and works.

use clap::{ArgAction, Args};

use crate::{leader::LEASE, names::is_dns_subdomain, permissions::Scope};

#[derive(Args, Debug)]
pub(super) struct ScopeArgs {
    /// Namespace in which the operator lives; `ClusterPamConnections` read Secrets and `ConfigMaps` there
    #[arg(long, env = "PAM_OPERATOR_NAMESPACE")]
    namespace: Option<String>,

    /// Namespaces to watch, separated by commas; omitted: all
    #[arg(
        long,
        env = "PAM_OPERATOR_WATCH_NAMESPACES",
        value_delimiter = ',',
        value_name = "NAMESPACE"
    )]
    watch_namespaces: Vec<String>,

    /// Act only while holding the lease of `--lease-name`, so that several replicas can run of which one acts
    #[arg(long, env = "PAM_OPERATOR_LEADER_ELECTION", default_value_t = true, action = ArgAction::Set)]
    leader_election: bool,

    /// Name of the lease, in the operator's namespace: the same for all replicas of a shard, another one for each shard
    #[arg(long, env = "PAM_OPERATOR_LEASE_NAME", default_value = LEASE, value_parser = lease_name, value_name = "NAME")]
    lease_name: String,
}

fn lease_name(text: &str) -> Result<String, String> {
    is_dns_subdomain(text)
        .then(|| text.to_owned())
        .ok_or_else(|| "a lease is named by lower-case letters, digits, - and . alone (a DNS subdomain)".to_owned())
}

impl From<ScopeArgs> for Scope {
    fn from(args: ScopeArgs) -> Self {
        Self {
            namespace: args
                .namespace
                .or_else(|| std::env::var("POD_NAMESPACE").ok())
                .unwrap_or("pam-operator".into()),
            // A variable that is set and empty, as charts write it, means the same as none.
            watched: args
                .watch_namespaces
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
            leader_election: args.leader_election,
            lease: args.lease_name,
        }
    }
}
