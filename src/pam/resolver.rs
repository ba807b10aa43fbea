//! Name resolution that holds the address rules: a name that is allowed may still lead somewhere that is not.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{AddressError, AddressPolicy};

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
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            Ok(Box::new(allowed(&policy, found)?.into_iter()) as Addrs)
        })
    }
}

/// The addresses that may be dialled. What is refused is left out; where nothing is left, the refusal is the result.
fn allowed(
    policy: &AddressPolicy,
    found: impl IntoIterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, AddressError> {
    let mut allowed = Vec::new();
    let mut refusal = None;
    for address in found {
        match policy.check_ip(address.ip()) {
            Ok(()) => allowed.push(address),
            Err(error) => refusal = Some(error),
        }
    }
    match refusal {
        Some(error) if allowed.is_empty() => Err(error),
        _ => Ok(allowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn of_an_answer_with_several_addresses_only_the_harmless_ones_are_dialled() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            let parse = |text: &&str| SocketAddr::new(text.parse().expect("an address"), 0);
            texts.iter().map(parse).collect()
        };
        let policy = AddressPolicy::default();
        let mixed = [
            "169.254.169.254",
            "10.0.0.5",
            "::1",
            "64:ff9b::7f00:1",
            "fd00::5",
            "::ffff:127.0.0.1",
        ];
        let kept = allowed(&policy, addresses(&mixed)).expect("two are left");
        assert_eq!(kept, addresses(&["10.0.0.5", "fd00::5"]));
        let refused = allowed(&policy, addresses(&["127.0.0.1", "fe80::1"]));
        assert_eq!(refused, Err(AddressError::NeverReached("fe80::1".into())));
        assert_eq!(allowed(&policy, []), Ok(Vec::new()));
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
