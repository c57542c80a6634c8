//! Well-known forms of text.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::StringFormat;

/// Longest host name (RFC 1123 section 2.1).
const HOSTNAME_BYTES: usize = 253;
/// Longest label of a host name (RFC 1035 section 2.3.4).
const LABEL_BYTES: usize = 63;
/// Longest local part of a mail address (RFC 5321 section 4.5.3.1.1).
const LOCAL_PART_BYTES: usize = 64;
/// Longest mail address: a path of 256 less its brackets (RFC 5321 section 4.5.3.1.3).
const ADDRESS_BYTES: usize = 254;

impl StringFormat {
    /// Returns the form as a noun phrase.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Email => "an email address",
            Self::Uuid => "a UUID (groups of 8, 4, 4, 4 and 12 hexadecimal digits)",
            Self::Uri => "a URI that begins with a scheme, such as https:",
            Self::Hostname => "a host name",
            Self::Ipv4 => "an IPv4 address",
            Self::Ipv6 => "an IPv6 address",
            Self::Byte => "Base64 text",
            Self::Password => "a password",
            Self::Binary => "binary data",
        }
    }

    /// Returns whether a text has this form. `Password` and `Binary` (any octets) say nothing about the text.
    #[must_use]
    pub fn accepts(self, text: &[u8]) -> bool {
        match self {
            Self::Email => is_email(text),
            Self::Uuid => is_uuid(text),
            Self::Uri => is_uri(text),
            Self::Hostname => is_hostname(text),
            Self::Ipv4 => parses::<Ipv4Addr>(text),
            Self::Ipv6 => parses::<Ipv6Addr>(text),
            Self::Byte => is_base64(text),
            Self::Password | Self::Binary => true,
        }
    }
}

fn parses<T: std::str::FromStr>(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<T>().is_ok())
}

/// RFC 5321 `Mailbox` without quoted local parts and address literals; the domain has at least two labels.
fn is_email(text: &[u8]) -> bool {
    let Some(at) = memchr::memrchr(b'@', text) else { return false };
    let (local, domain) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
    let is_atom = |atom: &[u8]| {
        !atom.is_empty()
            && atom.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(byte))
    };
    text.len() <= ADDRESS_BYTES
        && local.len() <= LOCAL_PART_BYTES
        && local.split(|byte| *byte == b'.').all(is_atom)
        && domain.contains(&b'.')
        && is_hostname(domain)
}

/// RFC 1123 section 2.1: labels of letters, digits and inner hyphens.
fn is_hostname(text: &[u8]) -> bool {
    text.len() <= HOSTNAME_BYTES
        && text.split(|byte| *byte == b'.').all(|label| {
            let inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            (1..=LABEL_BYTES).contains(&label.len())
                && label.iter().all(inner)
                && label.first() != Some(&b'-')
                && label.last() != Some(&b'-')
        })
}

/// RFC 9562 section 4: 8-4-4-4-12 hexadecimal digits, of any version.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// RFC 3986 `URI`: a scheme, then only characters of the grammar, percent-encodings whole, one fragment, brackets only
/// in the authority.
fn is_uri(text: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', text) else { return false };
    let (scheme, rest) = (text.get(..colon).unwrap_or_default(), text.get(colon + 1..).unwrap_or_default());
    if !scheme.first().is_some_and(u8::is_ascii_alphabetic)
        || !scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
    {
        return false;
    }
    let (authority, path) = match rest {
        [b'/', b'/', after @ ..] => {
            let end = after.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(after.len());
            after.split_at_checked(end).unwrap_or((after, &[]))
        }
        _ => (&[][..], rest),
    };
    has_uri_characters(authority, b"[]")
        && has_uri_characters(path, b"#")
        && memchr::memchr_iter(b'#', path).count() <= 1
}

/// Unreserved and reserved characters but `#[]`, percent-encodings, and the given ones.
fn has_uri_characters(text: &[u8], also: &[u8]) -> bool {
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => [bytes.next(), bytes.next()].iter().all(|digit| digit.is_some_and(u8::is_ascii_hexdigit)),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(byte) || also.contains(byte),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// RFC 4648 section 4, padded.
fn is_base64(text: &[u8]) -> bool {
    let padding = text.iter().rev().take(2).take_while(|byte| **byte == b'=').count();
    text.len().is_multiple_of(4)
        && text
            .iter()
            .take(text.len() - padding)
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests;
