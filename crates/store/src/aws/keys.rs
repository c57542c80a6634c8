//! Object keys on the wire: S3's own percent-encoding.

/// `<bucket>/<key>` as the copy-source header wants it: percent-encoded but for the slashes.
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
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push('%');
                encoded.extend(
                    [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])),
                );
            }
        }
    }
    encoded
}

/// A key from a listing with `encoding-type=url`, where a blank is a plus sign; `None` when it is not UTF-8.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = if *first == b'%' { after.get(..2).and_then(hexadecimal) } else { None };
        rest = if let Some(byte) = escape {
            bytes.push(byte);
            after.get(2..).unwrap_or_default()
        } else {
            bytes.push(if *first == b'+' { b' ' } else { *first });
            after
        };
    }
    String::from_utf8(bytes).ok()
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let value = |digit: &u8| char::from(*digit).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(value(high)? * 16 + value(low)?).ok()
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
