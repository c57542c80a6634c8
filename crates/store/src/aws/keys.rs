//! Object keys on the wire: S3's own percent-encoding.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What S3 takes as it is, besides letters and digits (RFC 3986, 2.3), and the slashes of a key.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Returns `<bucket>/<key>` as the copy-source header wants it: percent-encoded but for the slashes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
pub(super) fn copy_source(bucket: &str, key: &str, version: Option<&str>) -> String {
    let mut source = format!("{bucket}/{}", encode(key));
    if let Some(version) = version {
        source.push_str("?versionId=");
        source.push_str(&encode(version));
    }
    source
}

fn encode(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// Returns a key from a listing with `encoding-type=url`, where a blank is a plus sign; `None` when it is not UTF-8.
pub(super) fn decode(encoded: &str) -> Option<String> {
    percent_decode_str(&encoded.replace('+', " ")).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_copy_source_encodes_all_but_the_slashes() {
        let source = copy_source("inbox", "clinic/labs/a b+ü(1)?%.csv", Some("3/L4+x"));
        assert_eq!(source, "inbox/clinic/labs/a%20b%2B%C3%BC%281%29%3F%25.csv?versionId=3/L4%2Bx");
        assert_eq!(copy_source("inbox", "a/b", None), "inbox/a/b");
    }

    #[test]
    fn a_listed_key_has_blanks_as_plus_signs() {
        assert_eq!(decode("a+b%2Bc%0a%C3%BC/d").as_deref(), Some("a b+c\nü/d"));
        assert_eq!(decode("100%"), Some("100%".into()));
        assert_eq!(decode("%FF"), None);
    }

    proptest! {
        #[test]
        fn every_key_reads_back(key: String) {
            let decoded = decode(&encode(&key));
            prop_assert_eq!(decoded.as_deref(), Some(key.as_str()));
        }
    }
}
