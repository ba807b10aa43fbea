//! The flags that `run` and `selftest` share: where the operator lives and works.

use clap::{ArgAction, Args};

use crate::permissions::Scope;

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

    /// Act only while holding the lease `pam-operator`, so that several replicas can run of which one acts
    #[arg(long, env = "PAM_OPERATOR_LEADER_ELECTION", default_value_t = true, action = ArgAction::Set)]
    leader_election: bool,
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
        }
    }
}
