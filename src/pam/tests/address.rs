//! Which hosts are refused, and with which words; what a claim is bound to.

use url::Url;

use crate::pam::{AddressError, AddressPolicy, HostPattern, InvalidHostPattern, target};

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

fn open() -> AddressPolicy {
    AddressPolicy {
        allow_http: true,
        allow_loopback: true,
        allowed_hosts: None,
    }
}

fn only(patterns: &[&str]) -> AddressPolicy {
    let patterns = patterns.iter().map(|text| text.parse().expect("a pattern"));
    AddressPolicy {
        allowed_hosts: Some(patterns.collect()),
        ..AddressPolicy::default()
    }
}

#[test]
fn accepts_what_a_pam_may_have() {
    let strict = AddressPolicy::default();
    for text in [
        "https://pam.example.com",
        "https://PAM.example.com:8443/base/",
        "https://10.0.0.5",
        "https://[fd00::5]:8443",
        "https://100.100.100.201",
        "https://[64:ff9b::10.0.0.5]",
        "https://[2001:db8::a9fe:a9fe]",
        "https://metadata.example.com",
    ] {
        assert_eq!(strict.check(&url(text)), Ok(()), "{text}");
    }
    for text in [
        "http://127.0.0.1:8080",
        "https://localhost",
        "http://[::1]",
        "https://pam.localhost",
    ] {
        assert_eq!(open().check(&url(text)), Ok(()), "{text}");
    }
}

#[test]
fn refuses_with_the_reason() {
    let strict = AddressPolicy::default();
    for (text, expected) in [
        ("http://pam.example.com", AddressError::NotHttps),
        ("ftp://pam.example.com", AddressError::NotHttps),
        ("https://user@pam.example.com", AddressError::UserInfo),
        ("https://:hunter2@pam.example.com", AddressError::UserInfo),
        ("https://pam.example.com/?a=b", AddressError::QueryOrFragment),
        ("https://pam.example.com/#a", AddressError::QueryOrFragment),
        ("https://127.0.0.1", AddressError::Loopback("127.0.0.1".into())),
        ("https://2130706433", AddressError::Loopback("127.0.0.1".into())),
        ("https://0177.0.0.1", AddressError::Loopback("127.0.0.1".into())),
        ("https://0x7f000001", AddressError::Loopback("127.0.0.1".into())),
        ("https://127.1", AddressError::Loopback("127.0.0.1".into())),
        ("https://127.0.0.1.", AddressError::Loopback("127.0.0.1".into())),
        ("https://%31%32%37.0.0.1", AddressError::Loopback("127.0.0.1".into())),
        ("https://１２７.0.0.1", AddressError::Loopback("127.0.0.1".into())),
        ("https://[::1]", AddressError::Loopback("::1".into())),
        ("https://[::127.0.0.1]", AddressError::Loopback("::7f00:1".into())),
        (
            "https://[64:ff9b::127.0.0.1]",
            AddressError::Loopback("64:ff9b::7f00:1".into()),
        ),
        (
            "https://[2002:7f00:1::]",
            AddressError::Loopback("2002:7f00:1::".into()),
        ),
        (
            "https://[::ffff:127.0.0.1]",
            AddressError::Loopback("::ffff:127.0.0.1".into()),
        ),
        ("https://LOCALHOST.", AddressError::Loopback("localhost".into())),
        ("https://a.localhost", AddressError::Loopback("a.localhost".into())),
    ] {
        assert_eq!(strict.check(&url(text)), Err(expected), "{text}");
    }
}

#[test]
fn never_reaches_these_whatever_the_flags_say() {
    for host in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.1.1",
        "100.100.100.200",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "255.255.255.255",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "[::]",
        "[::ffff:169.254.169.254]",
        "[::ffff:0.0.0.0]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b:1::169.254.169.254]",
        "[::169.254.169.254]",
        "[::ffff:0:169.254.169.254]",
        "[2002:a9fe:a9fe::1]",
        "[64:ff9b::168.63.129.16]",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "2852039166",
        "168.63.129.16",
        "192.0.0.192",
        "[fd20:ce::254]",
        "metadata",
        "metadata.goog",
        "instance-data.ec2.internal",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
    ] {
        let refused = open().check(&url(&format!("https://{host}/")));
        assert!(
            matches!(refused, Err(AddressError::NeverReached(_))),
            "{host}: {refused:?}"
        );
    }
}

#[test]
fn allowed_hosts_hold_for_url_proxy_and_server_name() {
    let policy = only(&["Vault.example.com", "*.pam.example.com", "10.0.0.5", "fd00::5"]);
    for text in [
        "https://vault.example.com",
        "https://vault.example.com.:8443",
        "https://a.pam.example.com",
        "https://a.b.pam.example.com",
        "https://10.0.0.5",
        "https://[fd00::5]",
    ] {
        assert_eq!(policy.check(&url(text)), Ok(()), "{text}");
        assert_eq!(policy.check_proxy(&url(text)), Ok(()), "{text}");
    }
    for host in [
        "pam.example.com",
        "xpam.example.com",
        "vault.example.com.evil.net",
        "example.com",
        "10.0.0.6",
    ] {
        let refused = Err(AddressError::NotAllowed(host.into()));
        assert_eq!(policy.check(&url(&format!("https://{host}"))), refused, "{host}");
        assert_eq!(
            policy.check_proxy(&url(&format!("http://{host}:3128"))),
            refused,
            "{host}"
        );
    }
    assert_eq!(policy.check_server_name("vault.example.com"), Ok(()));
    assert_eq!(
        policy.check_server_name("example.com"),
        Err(AddressError::NotAllowed("example.com".into()))
    );
    assert_eq!(
        only(&[]).check(&url("https://a")),
        Err(AddressError::NotAllowed("a".into()))
    );
}

#[test]
fn a_proxy_may_speak_http_but_is_no_way_around_the_rules() {
    let strict = AddressPolicy::default();
    assert_eq!(strict.check_proxy(&url("http://proxy.example.com:3128")), Ok(()));
    assert_eq!(
        strict.check_proxy(&url("socks5://proxy.example.com")),
        Err(AddressError::NotHttp)
    );
    assert_eq!(
        strict.check_proxy(&url("http://a:b@proxy.example.com")),
        Err(AddressError::UserInfo)
    );
    assert_eq!(
        strict.check_proxy(&url("http://127.0.0.1:3128")),
        Err(AddressError::Loopback("127.0.0.1".into()))
    );
}

#[test]
fn a_server_name_is_a_name() {
    let strict = AddressPolicy::default();
    assert_eq!(strict.check_server_name("pam.example.com"), Ok(()));
    for name in [
        "10.0.0.5",
        "2130706433",
        "0x7f.1",
        "[::1]",
        "::1",
        "",
        "a:443",
        "https://a",
        "a/b",
    ] {
        assert_eq!(strict.check_server_name(name), Err(AddressError::NotAName), "{name}");
    }
    assert!(matches!(
        strict.check_server_name("metadata.google.internal"),
        Err(AddressError::NeverReached(_))
    ));
}

#[test]
fn no_error_echoes_userinfo() {
    for text in [
        "https://alice:hunter2@pam.example.com",
        "ftp://alice:hunter2@127.0.0.1/?q",
    ] {
        let error = AddressPolicy::default().check(&url(text)).expect_err("refused");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn patterns_are_hosts() {
    for text in [
        "",
        "*",
        "*.",
        "a.*.b",
        "*a.example.com",
        "a:443",
        "https://a",
        "a/b",
        "*.10.0.0.5",
    ] {
        assert_eq!(text.parse::<HostPattern>(), Err(InvalidHostPattern), "{text}");
    }
}

#[test]
fn targets_are_normalised() {
    for (text, tenant, expected) in [
        ("https://PAM.Example.com", None, "https://pam.example.com"),
        ("HTTPS://pam.example.com:443/", None, "https://pam.example.com"),
        ("https://pam.example.com./", None, "https://pam.example.com"),
        (
            "https://pam.example.com:8443/Base/",
            None,
            "https://pam.example.com:8443/Base",
        ),
        ("http://[FD00::5]:80", None, "http://[fd00::5]"),
        ("https://pam.example.com/", Some("acme"), "https://pam.example.com#acme"),
        ("https://pam.example.com/", Some(""), "https://pam.example.com"),
    ] {
        assert_eq!(target(&url(text), tenant), expected, "{text}");
    }
}
