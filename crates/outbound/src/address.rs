//! Which addresses are on the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that are not for connecting to from outside, first address and prefix length: the entries of the IANA
/// IPv4 Special-Purpose Address Registry that are not globally reachable, multicast (RFC 5771), and the former 6to4
/// relays (RFC 7526). <https://www.iana.org/assignments/iana-ipv4-special-registry/>
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local, where the metadata services of clouds and Lambda's own addresses are.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The IPv6 addresses that were given out for global unicast (RFC 4291, 2.4; IANA IPv6 Global Unicast Address
/// Assignments). Everything else but the embedded forms below is rejected: loopback, unique local, link-local,
/// site-local, multicast, and what was never given out.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks within it that are not for connecting to: protocol assignments with Teredo and ORCHID (RFC 2928, RFC
/// 4380, RFC 7343), documentation (RFC 3849, RFC 9637), and 6to4 (RFC 3056), which is withdrawn and would carry any
/// IPv4 address.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Networks whose last 32 bits are the IPv4 address that is meant: mapped (RFC 4291, 2.5.5.2) and the well-known prefix
/// of NAT64 (RFC 6052, 2.1).
const EMBEDDED_V4: [(Ipv6Addr, u32); 2] =
    [(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96)];

/// Returns whether an address is on the public internet: not a loopback, private network, metadata service or
/// multicast address. An IPv6 address that means an IPv4 address is judged as that one.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) if EMBEDDED_V4.iter().any(|network| is_in_v6(address, *network)) => {
            let [.., a, b, c, d] = address.octets();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(address) => {
            is_in_v6(address, GLOBAL_V6) && !NOT_PUBLIC_V6.iter().any(|network| is_in_v6(address, *network))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4.iter().any(|(network, prefix)| {
        let differing = address.to_bits() ^ network.to_bits();
        differing.checked_shr(32 - prefix) == Some(0)
    })
}

fn is_in_v6(address: Ipv6Addr, (network, prefix): (Ipv6Addr, u32)) -> bool {
    let differing = address.to_bits() ^ network.to_bits();
    differing.checked_shr(128 - prefix) == Some(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns an address of the network, its host bits taken from `bits`.
    fn within_v4((network, prefix): (Ipv4Addr, u32), bits: u32) -> Ipv4Addr {
        Ipv4Addr::from_bits(network.to_bits() | bits.checked_shr(prefix).unwrap_or_default())
    }

    fn within_v6((network, prefix): (Ipv6Addr, u32), bits: u128) -> Ipv6Addr {
        Ipv6Addr::from_bits(network.to_bits() | bits.checked_shr(prefix).unwrap_or_default())
    }

    fn is_public_text(text: &str) -> bool {
        is_public(text.parse().expect("an address"))
    }

    #[test]
    fn the_addresses_next_to_a_rejected_network_are_public() {
        for text in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:db7:ffff::1",
            "2001:db9::",
            "2003::1",
            "2606:4700::1111",
            "3ffe:ffff::1",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public_text(text), "{text}");
        }
    }

    #[test]
    fn what_is_reached_only_from_inside_is_rejected() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "100.64.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "2001::1",
            "2001:db8::1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:0:7f00:1",
            "4000::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public_text(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_address_of_a_special_network_is_public(index in 0..NOT_PUBLIC_V4.len(), bits: u32) {
            let address = within_v4(NOT_PUBLIC_V4[index], bits);
            prop_assert!(!is_public(address.into()), "{address}");
            prop_assert!(!is_public(address.to_ipv6_mapped().into()));
            prop_assert!(!is_public(address.to_ipv6_compatible().into()));
        }

        #[test]
        fn the_library_of_the_language_calls_no_public_address_private(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            prop_assert!(!(special && is_public(address.into())), "{address}");
        }

        #[test]
        fn an_address_in_disguise_is_judged_as_what_it_is(bits: u32, index in 0..EMBEDDED_V4.len()) {
            let plain = Ipv4Addr::from_bits(bits);
            let disguised = Ipv6Addr::from_bits(EMBEDDED_V4[index].0.to_bits() | u128::from(bits));
            prop_assert_eq!(is_public(disguised.into()), is_public(plain.into()));
        }

        #[test]
        fn outside_the_global_networks_nothing_is_public(bits: u128, index in 0..NOT_PUBLIC_V6.len()) {
            let special = within_v6(NOT_PUBLIC_V6[index], bits);
            prop_assert!(!is_public(special.into()), "{special}");
            let address = Ipv6Addr::from_bits(bits);
            let embedded = EMBEDDED_V4.iter().any(|network| is_in_v6(address, *network));
            prop_assert!(is_in_v6(address, GLOBAL_V6) || embedded || !is_public(address.into()), "{address}");
        }
    }
}
