//! Signatures of what is posted, and the secrets that make them, as the Standard Webhooks specification 1.0.0 has them.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a secret begins with ("Secret serialization").
const PREFIX: &str = "whsec_";
/// Bytes of a secret: at least 192 bits, at most 512 ("Signing secret").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Length of a new secret, bytes.
pub const RANDOM_BYTES: usize = 32;

/// A secret shared with the receiver. Deliberately without `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// The text is not a secret. Holds nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret is malformed: expected {PREFIX} followed by 24 to 64 bytes in base64")]
pub struct MalformedSecret;

impl Secret {
    /// Makes a secret of these random bytes, each from a source that is fit for keys.
    #[must_use]
    pub fn new(random: [u8; RANDOM_BYTES]) -> Self {
        Self(random.to_vec())
    }

    /// Reads `whsec_<base64>`.
    pub fn parse(text: &str) -> Result<Self, MalformedSecret> {
        let encoded = text.strip_prefix(PREFIX).ok_or(MalformedSecret)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| MalformedSecret)?;
        if SECRET_BYTES.contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(MalformedSecret) }
    }

    /// Writes `whsec_<base64>`: for the receiver and for the table, nowhere else.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// Returns `v1,<base64 of HMAC-SHA256 over id.timestamp.body>`; the timestamp is the attempt's, seconds since the
    /// epoch. The id holds no full stop, so that no two messages are signed as one.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        // HMAC takes a key of any length (RFC 2104, 2): no key is rejected, and without one there is no signature.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// Returns the value of `webhook-signature`: one signature for each secret, separated by spaces, so that a receiver
/// that knows either accepts while a secret is replaced.
#[must_use]
pub fn header<'s>(
    secrets: impl IntoIterator<Item = &'s Secret>,
    id: &str,
    timestamp: u64,
    body: &[u8],
) -> String {
    secrets.into_iter().map(|secret| secret.sign(id, timestamp, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The vector in the tests of the specification's own libraries.
    const VECTOR_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const VECTOR_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const VECTOR_BODY: &[u8] = br#"{"test": 2432232314}"#;
    const VECTOR: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_vector_of_the_specification_is_reproduced() {
        let secret = Secret::parse(VECTOR_SECRET).expect("a secret");
        assert_eq!(secret.sign(VECTOR_ID, 1_614_265_330, VECTOR_BODY), VECTOR);
    }

    #[test]
    fn during_a_rotation_either_secret_verifies() {
        let (new, old) = (Secret::new([7; RANDOM_BYTES]), Secret::parse(VECTOR_SECRET).expect("a secret"));
        let header = header([&new, &old], VECTOR_ID, 1_614_265_330, VECTOR_BODY);
        let signatures: Vec<&str> = header.split(' ').collect();
        assert_eq!(signatures, [new.sign(VECTOR_ID, 1_614_265_330, VECTOR_BODY).as_str(), VECTOR]);
    }

    #[test]
    fn id_time_and_body_are_all_signed() {
        let secret = Secret::new([1; RANDOM_BYTES]);
        let signed = secret.sign("a", 1, b"x");
        for other in [secret.sign("b", 1, b"x"), secret.sign("a", 2, b"x"), secret.sign("a", 1, b"y")] {
            assert_ne!(signed, other);
        }
    }

    #[test]
    fn a_text_that_is_no_secret_is_rejected_and_not_repeated() {
        let short = format!("{PREFIX}{}", STANDARD.encode([0; 23]));
        let long = format!("{PREFIX}{}", STANDARD.encode([0; 65]));
        for text in
            ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!", short.as_str(), long.as_str()]
        {
            assert_eq!(Secret::parse(text).err(), Some(MalformedSecret), "{text}");
        }
        assert!(!MalformedSecret.to_string().contains("MfKQ"));
    }

    proptest! {
        #[test]
        fn a_secret_reads_back(random: [u8; RANDOM_BYTES]) {
            let secret = Secret::new(random);
            prop_assert!(Secret::parse(&secret.to_text()) == Ok(secret));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            prop_assert!(Secret::parse(&text).is_err() || text.starts_with(PREFIX));
        }
    }
}
