//! Name resolution that holds the address rules: a name that is allowed may still lead somewhere that is not.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::AddressPolicy;

/// Resolves as the system does and leaves out every address that the policy refuses.
pub(super) struct Resolver {
    pub policy: Arc<AddressPolicy>,
    pub alias: Option<Alias>,
}

/// A name that stands for another host: requests for a PAM's server name go to the URL's host.
pub(super) struct Alias {
    pub name: String,
    pub host: String,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let alias = self.alias.as_ref().filter(|alias| alias.name == name.as_str());
        let host = alias.map_or(name.as_str(), |alias| alias.host.as_str()).to_owned();
        let policy = Arc::clone(&self.policy);
        Box::pin(async move {
            let mut allowed: Vec<SocketAddr> = Vec::new();
            let mut refusal = None;
            for address in tokio::net::lookup_host((host.as_str(), 0)).await? {
                match policy.check_ip(address.ip()) {
                    Ok(()) => allowed.push(address),
                    Err(error) => refusal = Some(error),
                }
            }
            match refusal {
                Some(error) if allowed.is_empty() => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pam::AddressError;
    use crate::pam::failure::cause;

    async fn resolve(name: &str, policy: AddressPolicy, alias: Option<Alias>) -> Result<Vec<SocketAddr>, AddressError> {
        let resolver = Resolver {
            policy: Arc::new(policy),
            alias,
        };
        match resolver.resolve(name.parse().expect("a name")).await {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) => Err(cause::<AddressError>(&*error).expect("refused by the policy").clone()),
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_loopback_is_refused() {
        let refused = resolve("localhost", AddressPolicy::default(), None).await;
        assert!(matches!(refused, Err(AddressError::Loopback(_))), "{refused:?}");
        let policy = AddressPolicy {
            allow_loopback: true,
            ..AddressPolicy::default()
        };
        let found = resolve("localhost", policy, None).await.expect("allowed");
        assert!(
            !found.is_empty() && found.iter().all(|address| address.ip().is_loopback()),
            "{found:?}"
        );
    }

    #[tokio::test]
    async fn an_alias_leads_to_its_host_and_is_no_way_around_the_rules() {
        let alias = |host: &str| {
            Some(Alias {
                name: "pam.example.com".into(),
                host: host.into(),
            })
        };
        let policy = AddressPolicy {
            allow_loopback: true,
            ..AddressPolicy::default()
        };
        let found = resolve("pam.example.com", policy.clone(), alias("10.0.0.5")).await;
        assert_eq!(found, Ok(vec!["10.0.0.5:0".parse().expect("an address")]));
        let refused = resolve("pam.example.com", policy, alias("::ffff:169.254.169.254")).await;
        assert_eq!(
            refused,
            Err(AddressError::NeverReached("::ffff:169.254.169.254".into()))
        );
    }
}
