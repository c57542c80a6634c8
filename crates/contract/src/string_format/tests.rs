use proptest::prelude::*;

use super::*;

fn check(format: StringFormat, good: &[&str], bad: &[&str]) {
    for text in good {
        assert!(format.accepts(text.as_bytes()), "{format:?} {text}");
    }
    for text in bad {
        assert!(!format.accepts(text.as_bytes()), "{format:?} {text}");
    }
}

#[test]
fn a_mail_address_has_a_local_part_and_a_domain_of_two_labels() {
    check(
        StringFormat::Email,
        &["a@b.co", "first.last+tag@sub.example.org", "o'neil@example.org"],
        &[
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a..b@c.de",
            ".a@c.de",
            "a b@c.de",
            "a@c.de ",
            "a@-c.de",
            "a@c..de",
            "ä@c.de",
        ],
    );
    assert!(!StringFormat::Email.accepts(format!("{}@example.org", "a".repeat(65)).as_bytes()));
}

#[test]
fn a_host_name_has_labels_of_63_characters_at_most() {
    let long = "a".repeat(63);
    check(
        StringFormat::Hostname,
        &["a", "a-b.example", "1.example", &long],
        &["", ".", "a.", "-a", "a-", "a_b", "a b"],
    );
    assert!(!StringFormat::Hostname.accepts("a".repeat(64).as_bytes()));
    assert!(!StringFormat::Hostname.accepts([long.as_str(); 4].join(".").as_bytes()));
}

#[test]
fn a_uuid_has_its_hyphens() {
    check(
        StringFormat::Uuid,
        &["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
        &[
            "123e4567e89b12d3a456426614174000",
            "123e4567-e89b-12d3-a456-42661417400g",
            "{23e4567-e89b-12d3-a456-42661417400}",
        ],
    );
}

#[test]
fn a_uri_has_a_scheme_and_no_blanks() {
    check(
        StringFormat::Uri,
        &[
            "https://example.org/a?b=c#d",
            "urn:isbn:0451450523",
            "http://[2001:db8::1]:80/",
            "mailto:a@b.co",
            "a:%20",
        ],
        &[
            "",
            "example.org",
            "/a",
            "1http://a",
            "http://a b",
            "http://a/%2",
            "http://a/%zz",
            "http://a#b#c",
            "http://a/[b]",
            "http://ä.example",
            ":a",
        ],
    );
}

#[test]
fn addresses_are_whole_and_without_leading_zeros() {
    check(
        StringFormat::Ipv4,
        &["192.0.2.1", "0.0.0.0"],
        &["192.0.2", "192.0.2.256", "192.0.2.01", " 192.0.2.1", "1"],
    );
    check(
        StringFormat::Ipv6,
        &["2001:db8::1", "::", "::ffff:192.0.2.1"],
        &["2001:db8", "1::2::3", "::1%eth0", "[::1]"],
    );
}

#[test]
fn base64_is_padded() {
    check(
        StringFormat::Byte,
        &["", "QQ==", "QUI=", "QUJD", "+/+/"],
        &["Q", "QQ", "QQ=", "=QQQ", "QQ=Q", "QU I", "Q===", "-_-_"],
    );
}

#[test]
fn passwords_and_octets_are_not_looked_at() {
    check(StringFormat::Password, &["", " any "], &[]);
    check(StringFormat::Binary, &["", "\u{0}"], &[]);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>, text in "[a%#:/@.=-]{0,12}") {
        use StringFormat::{Binary, Byte, Email, Hostname, Ipv4, Ipv6, Password, Uri, Uuid};
        for format in [Email, Uuid, Uri, Hostname, Ipv4, Ipv6, Password, Byte, Binary] {
            let any = matches!(format, Password | Binary);
            prop_assert!(!any || format.accepts(&bytes));
            prop_assert!(any || !format.accepts(&[bytes.as_slice(), b" "].concat()));
            prop_assert!(format != Uri || !format.accepts(text.as_bytes()) || text.starts_with('a'));
        }
    }
}
