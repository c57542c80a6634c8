//! Percent-encoding: keys as S3's notifications spell them (form-encoded, slashes kept), and segments of a path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What S3 does not escape in a notification, besides letters and digits; a blank becomes a plus sign.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*').remove(b'/').remove(b' ');

/// Decodes a key of an S3 notification: `+` is a space, then percent escapes, then UTF-8. The order matters: an
/// escaped plus sign (`%2B`) must stay one. `None` when it is not such a text.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
#[must_use]
pub fn decode_key(encoded: &str) -> Option<String> {
    decode_segment(&encoded.replace('+', " ")).filter(|key| !key.is_empty())
}

/// Spells a key as S3 does in a notification.
#[must_use]
pub fn encode_key(key: &str) -> String {
    utf8_percent_encode(key, KEPT).to_string().replace(' ', "+")
}

/// Decodes a segment of a path, where a plus sign is a plus sign. `None` when an escape is not `%` and two
/// hexadecimal digits, or the text is not UTF-8 (RFC 3986, 2.1).
#[must_use]
pub fn decode_segment(encoded: &str) -> Option<String> {
    let mut escapes = encoded.split('%').skip(1);
    let whole = escapes
        .all(|rest| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)));
    if whole { percent_decode_str(encoded).decode_utf8().ok().map(Into::into) } else { None }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_is_spelled_as_s3_spells_it() {
        assert_eq!(encode_key("a/b c+ü(1)*%.csv"), "a/b+c%2B%C3%BC%281%29*%25.csv");
        assert_eq!(decode_key("a%"), None);
        assert_eq!(decode_key("%FF"), None);
        assert_eq!(decode_key(""), None);
    }

    #[test]
    fn a_segment_keeps_its_plus_signs_and_every_escape_is_whole() {
        assert_eq!(decode_segment("a%2Fb+c%C3%BC").as_deref(), Some("a/b+cü"));
        for odd in ["%", "%2", "%zz", "a%FF"] {
            assert_eq!(decode_segment(odd), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn every_key_reads_back(key in ".{1,60}") {
            prop_assert_eq!(decode_key(&encode_key(&key)), Some(key));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            prop_assert!(decode_key(&text).is_none_or(|key| !key.is_empty()));
        }
    }
}
