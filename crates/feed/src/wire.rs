//! Keys as S3's notifications spell them: form-encoded, slashes kept.

/// Decodes a key of an S3 notification: `+` is a space, then percent escapes, then UTF-8. The order matters: an
/// escaped plus sign (`%2B`) must stay one. `None` when it is not such a text.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>
#[must_use]
pub fn decode_key(encoded: &str) -> Option<String> {
    let mut bytes = encoded.bytes();
    let mut decoded = Vec::with_capacity(encoded.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hexadecimal(bytes.next()?)? << 4 | hexadecimal(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok().filter(|key| !key.is_empty())
}

/// Spells a key as S3 does in a notification.
#[must_use]
pub fn encode_key(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' | b'/' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            _ => {
                encoded.push('%');
                let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
                encoded.extend(digits.into_iter().flatten().map(|digit| digit.to_ascii_uppercase()));
            }
        }
    }
    encoded
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
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
