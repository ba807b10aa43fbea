//! Which hosts the operator may talk to.
//!
//! Whoever may create a connection chooses the URL that the operator dials from inside the cluster. These rules keep that from
//! reaching what only the operator's node can reach: cloud metadata, the node itself, hosts that the administrator left out.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use url::{Host, Url};

/// The rules for every address that a connection names: its URL, its proxy and its server name (design 2.2).
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// Plain http is accepted (for tests).
    pub allow_http: bool,
    /// Loopback addresses are accepted (for tests and demos).
    pub allow_loopback: bool,
    /// The only hosts that are accepted; any host when `None`.
    pub allowed_hosts: Option<Vec<HostPattern>>,
}

/// Why an address is refused, and the way out. Names the host at most, never a user name or password of the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The scheme is neither https nor (with `allow_http`) http.
    #[error("the URL must begin with https:// (the operator accepts http:// with its flag --allow-http, for tests)")]
    NotHttps,
    /// A proxy that speaks another protocol.
    #[error("the URL must begin with http:// or https://")]
    NotHttp,
    /// A URL without a host.
    #[error("the URL must name a host")]
    NoHost,
    /// User name or password in the URL.
    #[error("the URL must not contain a user name or password; put the client id and secret into the Secret")]
    UserInfo,
    /// A query or a fragment in the URL.
    #[error("the URL must end with the host or a path; remove ? and # and what follows")]
    QueryOrFragment,
    /// A server name that is an address, or no name at all.
    #[error("write a host name such as pam.example.com, without scheme and port, not an address")]
    NotAName,
    /// A host that the administrator did not allow.
    #[error("the host {0} is not allowed; an administrator can add it to the operator's flag --allowed-hosts")]
    NotAllowed(String),
    /// A loopback address.
    #[error("{0} is the operator's own machine; it is reached only with the operator's flag --allow-loopback")]
    Loopback(String),
    /// An address that no PAM can have.
    #[error(
        "{0} is a link-local, multicast, unspecified or metadata address, which is never reached; use the PAM's own"
    )]
    NeverReached(String),
}

/// Cloud metadata services outside the link-local ranges: Alibaba's, Azure's (its virtual machines' agents talk to it),
/// Oracle's, and those of AWS and Google over IPv6.
const METADATA_ADDRESSES: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// The names under which clouds know their metadata services. Name resolution would tell too, but behind a proxy it is
/// the proxy that resolves.
const METADATA_NAMES: [&str; 5] = [
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
    "instance-data",
    "instance-data.ec2.internal",
];

impl AddressPolicy {
    /// Checks a PAM's URL: scheme, no userinfo, query or fragment, an allowed host, no refused literal address.
    pub fn check(&self, url: &Url) -> Result<(), AddressError> {
        if url.scheme() != "https" && !(url.scheme() == "http" && self.allow_http) {
            return Err(AddressError::NotHttps);
        }
        self.check_authority(url)
    }

    /// Checks a proxy's URL: like [`Self::check`], but plain http is accepted, because TLS to the PAM passes through it.
    pub fn check_proxy(&self, url: &Url) -> Result<(), AddressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(AddressError::NotHttp);
        }
        self.check_authority(url)
    }

    /// Checks the name that a server's certificate must have.
    pub fn check_server_name(&self, name: &str) -> Result<(), AddressError> {
        match Host::parse(name) {
            Ok(Host::Domain(name)) => self.check_host(&Host::Domain(name)),
            _ => Err(AddressError::NotAName),
        }
    }

    fn check_authority(&self, url: &Url) -> Result<(), AddressError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::QueryOrFragment);
        }
        self.check_host(&url.host().ok_or(AddressError::NoHost)?.to_owned())
    }

    fn check_host(&self, host: &Host<String>) -> Result<(), AddressError> {
        let text = host_text(host);
        if let Some(patterns) = &self.allowed_hosts
            && !patterns.iter().any(|pattern| pattern.matches(&text))
        {
            return Err(AddressError::NotAllowed(text));
        }
        match host {
            Host::Domain(_) if text == "localhost" || text.ends_with(".localhost") => {
                if self.allow_loopback {
                    Ok(())
                } else {
                    Err(AddressError::Loopback(text))
                }
            }
            Host::Domain(_) if METADATA_NAMES.contains(&text.as_str()) => Err(AddressError::NeverReached(text)),
            Host::Domain(_) => Ok(()),
            Host::Ipv4(ip) => self.check_ip(IpAddr::V4(*ip)),
            Host::Ipv6(ip) => self.check_ip(IpAddr::V6(*ip)),
        }
    }

    /// Checks an address, written in a URL or found by name resolution.
    pub(super) fn check_ip(&self, ip: IpAddr) -> Result<(), AddressError> {
        let inner = embedded(ip);
        let never = match inner {
            IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast() || v4.octets()[0] == 0,
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        if never || inner.is_unspecified() || inner.is_multicast() || METADATA_ADDRESSES.contains(&inner) {
            return Err(AddressError::NeverReached(ip.to_string()));
        }
        if inner.is_loopback() && !self.allow_loopback {
            return Err(AddressError::Loopback(ip.to_string()));
        }
        Ok(())
    }
}

/// The IPv4 address inside an IPv6 one that leads to it, by a translator or a tunnel of the network: IPv4-mapped
/// (`::ffff:0:0/96`), IPv4-compatible (`::/96`), translated (`::ffff:0:0:0/96`), NAT64 (`64:ff9b::/96`, and
/// `64:ff9b:1::/48` as most networks divide it), 6to4 (`2002::/16`).
fn embedded(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip.to_canonical() else {
        return ip.to_canonical();
    };
    if v6.is_unspecified() || v6.is_loopback() {
        return IpAddr::V6(v6);
    }
    let octets = v6.octets();
    let v4 = |from: usize| IpAddr::from([octets[from], octets[from + 1], octets[from + 2], octets[from + 3]]);
    match v6.segments() {
        [0, 0, 0, 0, 0 | 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => v4(12),
        [0x2002, ..] => v4(2),
        _ => IpAddr::V6(v6),
    }
}

/// `host` (a name or an address) or `*.suffix` (every name below the suffix, at any depth).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    host: String,
    below: bool,
}

/// A text that is no [`HostPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a host name or address, or *. and a domain, without scheme, port and path")]
pub struct InvalidHostPattern;

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        if self.below {
            host.strip_suffix(&self.host)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.host
        }
    }
}

impl FromStr for HostPattern {
    type Err = InvalidHostPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rest, below) = text.strip_prefix("*.").map_or((text, false), |suffix| (suffix, true));
        let host = match rest.parse::<Ipv6Addr>() {
            Ok(ip) => Host::Ipv6(ip),
            Err(_) => Host::parse(rest).map_err(|_| InvalidHostPattern)?,
        };
        if rest.contains('*') || (below && !matches!(host, Host::Domain(_))) {
            return Err(InvalidHostPattern);
        }
        Ok(Self {
            host: host_text(&host),
            below,
        })
    }
}

/// What a claim is bound to: the normalised URL (lower-case scheme and host, no default port, no trailing slash) and, after
/// `#`, the tenant.
#[must_use]
pub fn target(url: &Url, tenant: Option<&str>) -> String {
    let host = url.host().map(|host| host_text(&host.to_owned())).unwrap_or_default();
    let mut target = format!("{}://{host}", url.scheme());
    if let Some(port) = url.port() {
        write!(target, ":{port}").expect("a String takes every text");
    }
    target.push_str(url.path().trim_end_matches('/'));
    if let Some(tenant) = tenant.filter(|tenant| !tenant.is_empty()) {
        target.push('#');
        target.push_str(tenant);
    }
    target
}

/// A host as it is compared: `Host` has lower-case letters already, and `name.` is `name`.
fn host_text(host: &Host<String>) -> String {
    host.to_string().trim_end_matches('.').to_owned()
}
