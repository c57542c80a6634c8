//! Where to: the text of an address, read once.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use http::Uri;
use http::uri::PathAndQuery;

use crate::is_public;

/// Maximum length of an address, bytes. RFC 9110 has no limit; it asks receivers to accept 8,000.
const URL_BYTES: usize = 2_048;
/// Maximum length of a host's name and of one of its labels, bytes (RFC 1035, 2.3.4).
const HOST_BYTES: usize = 253;
const LABEL_BYTES: usize = 63;
/// The ports that are connected to: HTTPS, and its usual alternative. Any other could belong to another service.
const PORTS: [u16; 2] = [443, 8443];

/// Which addresses may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Public ones, by https.
    Public,
    /// Also this machine's own (127.0.0.0/8, `::1`, `localhost`), by http and on each port. For a stack that runs on
    /// one machine; a configuration chooses it only together with an endpoint of an emulator.
    Loopback,
}

impl AddressPolicy {
    /// Returns whether a connection to this address is made.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        is_public(address) || (self == Self::Loopback && address.is_loopback())
    }
}

/// Why an address is not allowed. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The address is not an absolute URL, or too long.
    #[error(
        "the address is not a URL of at most {URL_BYTES} printable ASCII characters: write https://<host>/<path>"
    )]
    Malformed,
    /// It does not begin with `https://`.
    #[error("the address has another scheme than https: write https://<host>/<path>")]
    Scheme,
    /// It holds a user name or a password.
    #[error("the address holds a user name or a password: remove the part before @")]
    Credentials,
    /// Its host is neither a name with a dot nor an IP address.
    #[error("the host of the address is neither a DNS name with a dot, in ASCII, nor an IP address")]
    Host,
    /// It names another port.
    #[error("the port of the address is not allowed: use 443 or 8443")]
    Port,
    /// It is, or its name leads to, an address that is not on the public internet.
    #[error("the host is not on the public internet: its address is private, local or reserved")]
    Address,
}

impl TargetError {
    /// Returns a code for logs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "target.malformed",
            Self::Scheme => "target.scheme",
            Self::Credentials => "target.credentials",
            Self::Host => "target.host",
            Self::Port => "target.port",
            Self::Address => "target.address",
        }
    }
}

/// A host as the address names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TargetHost {
    /// A DNS name, to be resolved.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// An address whose text is valid. A name still has to be resolved; each of its addresses
/// is checked then.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) tls: bool,
    pub(crate) host: TargetHost,
    pub(crate) port: u16,
    /// As the `Host` header says it.
    pub(crate) authority: String,
    pub(crate) path: PathAndQuery,
}

/// Without the address: a path or a query may be a secret of its owner.
impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Target(..)")
    }
}

impl Target {
    /// Reads an address under a policy.
    pub fn parse(url: &str, policy: AddressPolicy) -> Result<Self, TargetError> {
        let printable = url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#' && byte != b'\\');
        if url.len() > URL_BYTES || !printable {
            return Err(TargetError::Malformed);
        }
        let uri: Uri = url.parse().map_err(|_| TargetError::Malformed)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(TargetError::Malformed);
        };
        let tls = match scheme {
            "https" => true,
            "http" if policy == AddressPolicy::Loopback => false,
            _ => return Err(TargetError::Scheme),
        };
        if authority.as_str().contains('@') {
            return Err(TargetError::Credentials);
        }
        let host = host(authority.host(), policy)?;
        if matches!(host, TargetHost::Address(address) if !policy.allows(address)) {
            return Err(TargetError::Address);
        }
        let port = match port(authority.as_str(), authority.host())? {
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(port) if PORTS.contains(&port) || policy == AddressPolicy::Loopback => port,
            Some(_) => return Err(TargetError::Port),
        };
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { tls, host, port, authority: authority.as_str().to_ascii_lowercase(), path })
    }
}

/// Reads the port after the host. `http` does not distinguish a missing port from one that is not a number.
fn port(authority: &str, host: &str) -> Result<Option<u16>, TargetError> {
    let rest = authority.strip_prefix(host).ok_or(TargetError::Malformed)?;
    if rest.is_empty() {
        return Ok(None);
    }
    let digits = rest.strip_prefix(':').ok_or(TargetError::Malformed)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TargetError::Port);
    }
    digits.parse().map(Some).map_err(|_| TargetError::Port)
}

fn host(text: &str, policy: AddressPolicy) -> Result<TargetHost, TargetError> {
    if let Some(inner) = text.strip_prefix('[') {
        let address: Ipv6Addr =
            inner.strip_suffix(']').unwrap_or_default().parse().map_err(|_| TargetError::Host)?;
        return Ok(TargetHost::Address(address.into()));
    }
    if let Ok(address) = text.parse() {
        return Ok(TargetHost::Address(IpAddr::V4(address)));
    }
    let name = text.to_ascii_lowercase();
    if is_public_name(&name) || (policy == AddressPolicy::Loopback && name == "localhost") {
        Ok(TargetHost::Name(name))
    } else {
        Err(TargetError::Host)
    }
}

/// Letters, digits and hyphens in at least two labels. The last label begins with a letter: resolvers of the C library
/// take `127.1`, `0x7f.1` and `2130706433` for addresses.
fn is_public_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_BYTES).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, last)) = name.rsplit_once('.') else { return false };
    name.len() <= HOST_BYTES
        && name.split('.').all(is_label)
        && last.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rejected(url: &str) -> Option<TargetError> {
        Target::parse(url, AddressPolicy::Public).err()
    }

    #[test]
    fn an_https_address_of_a_public_host_is_a_target() {
        for (url, port, path) in [
            ("https://hooks.example.org", 443, "/"),
            ("https://Hooks.Example.org:8443/a/b?c=d", 8443, "/a/b?c=d"),
            ("https://8.8.8.8/x", 443, "/x"),
            ("https://[2606:4700::1111]/x", 443, "/x"),
            ("HTTPS://xn--bcher-kva.example/x", 443, "/x"),
        ] {
            let target = Target::parse(url, AddressPolicy::Public).expect(url);
            assert_eq!((target.port, target.path.as_str(), target.tls), (port, path, true), "{url}");
        }
    }

    #[test]
    fn each_other_address_is_rejected_with_its_reason() {
        let long = format!("https://example.org/{}", "a".repeat(URL_BYTES));
        for (url, reason) in [
            ("", TargetError::Malformed),
            ("example.org", TargetError::Malformed),
            ("/path", TargetError::Malformed),
            ("https://", TargetError::Malformed),
            ("https://example.org/#part", TargetError::Malformed),
            ("https://example.org\\@127.0.0.1/", TargetError::Malformed),
            ("https://example.org/a b", TargetError::Malformed),
            ("https://ex\u{e4}mple.org/", TargetError::Malformed),
            ("https://example.org/\r\nx: y", TargetError::Malformed),
            (long.as_str(), TargetError::Malformed),
            ("http://example.org/", TargetError::Scheme),
            ("ftp://example.org/", TargetError::Scheme),
            ("https://user@example.org/", TargetError::Credentials),
            ("https://user:word@example.org/", TargetError::Credentials),
            ("https://localhost/", TargetError::Host),
            ("https://intranet/", TargetError::Host),
            ("https://example.org./", TargetError::Host),
            ("https://127.1/", TargetError::Host),
            ("https://0x7f.0.0.1/", TargetError::Host),
            ("https://2130706433/", TargetError::Host),
            ("https://0177.0.0.1/", TargetError::Host),
            ("https://[fe80::1%25eth0]/", TargetError::Host),
            ("https://-a.example/", TargetError::Host),
            ("https://a_b.example/", TargetError::Host),
            ("https://example.org:22/", TargetError::Port),
            ("https://example.org:80/", TargetError::Port),
            ("https://127.0.0.1/", TargetError::Address),
            ("https://169.254.169.254/latest/meta-data", TargetError::Address),
            ("https://[::1]/", TargetError::Address),
            ("https://[::ffff:10.0.0.1]/", TargetError::Address),
        ] {
            assert_eq!(rejected(url), Some(reason), "{url}");
        }
        for url in ["https://example.org:443x/", "https://example.org:/", "https://example.org:99999/"] {
            assert!(rejected(url).is_some(), "{url}");
        }
    }

    #[test]
    fn a_local_stack_reaches_this_machine_and_nothing_else_that_is_not_public() {
        let local = |url| Target::parse(url, AddressPolicy::Loopback).err();
        for url in
            ["http://127.0.0.1:4566/x", "http://localhost:8080/", "http://[::1]:9/", "https://example.org/"]
        {
            assert_eq!(local(url), None, "{url}");
        }
        assert_eq!(local("http://10.0.0.1/"), Some(TargetError::Address));
        assert_eq!(local("http://169.254.169.254/"), Some(TargetError::Address));
    }

    #[test]
    fn a_target_does_not_show_itself() {
        let target =
            Target::parse("https://hooks.example.org/secret", AddressPolicy::Public).expect("a target");
        assert_eq!(format!("{target:?}"), "Target(..)");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_what_passes_is_public(url in "(https?://)?[ -~]{0,40}|https://[0-9a-fx.:\\[\\]]{1,20}(/.*)?") {
            if let Ok(target) = Target::parse(&url, AddressPolicy::Public) {
                prop_assert!(target.tls && PORTS.contains(&target.port));
                match target.host {
                    TargetHost::Address(address) => prop_assert!(is_public(address)),
                    TargetHost::Name(name) => prop_assert!(name.parse::<IpAddr>().is_err() && name.contains('.')),
                }
            }
        }
    }
}
