//! A bearer token as it is written: JWS compact serialization (RFC 7515, 3.1) of a JWT (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::decision::Reason;

/// Maximum length of a token, bytes. API Gateway takes 10,240 bytes for all headers together.
const MOST_BYTES: usize = 8 * 1024;

/// The algorithms that are accepted; `none` and those with a shared secret (`HS…`) are not among them, so that a public
/// key can never be taken for a secret (RFC 8725, 2.1 and 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// Reads a name of RFC 7518, 3.1. Case counts.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A token whose signature is not verified yet. Deliberately without `Debug`.
pub struct UnverifiedToken<'t> {
    /// The algorithm that its header names.
    pub algorithm: Algorithm,
    /// The key that its header names.
    pub key_id: String,
    /// What is signed.
    pub signed: &'t [u8],
    /// The signature.
    pub signature: Vec<u8>,
    /// The claims, as JSON that is not parsed yet.
    pub claims: Vec<u8>,
}

#[derive(Deserialize)]
struct JoseHeader {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

impl<'t> UnverifiedToken<'t> {
    /// Reads the value of an `Authorization` header: `Bearer <token>` (RFC 6750, 2.1), the scheme in any case.
    pub fn read(authorization: &'t str) -> Result<Self, Reason> {
        let (scheme, text) = authorization.split_once(' ').ok_or(Reason::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") || text.len() > MOST_BYTES {
            return Err(Reason::Malformed);
        }
        let (signed, signature) = text.trim_matches(' ').rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Reason::Malformed)?;
        let header: JoseHeader = serde_json::from_slice(&decoded(header)?).map_err(|_| Reason::Malformed)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or(Reason::Algorithm)?;
        // An extension that must be understood and is not: RFC 7515, 4.1.11.
        if header.crit.is_some() {
            return Err(Reason::Malformed);
        }
        Ok(Self {
            algorithm,
            key_id: header.kid.ok_or(Reason::UnknownKey)?,
            signed: signed.as_bytes(),
            signature: decoded(signature)?,
            claims: decoded(claims)?,
        })
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Reason> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Reason::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reason(header: &str) -> Option<Reason> {
        let header = URL_SAFE_NO_PAD.encode(header);
        UnverifiedToken::read(&format!("Bearer {header}.e30.AAAA")).err()
    }

    #[test]
    fn only_two_algorithms_are_read() {
        assert_eq!(reason(r#"{"alg":"RS256","kid":"a"}"#), None);
        assert_eq!(reason(r#"{"alg":"ES256","kid":"a","typ":"at+jwt"}"#), None);
        for other in ["none", "None", "HS256", "rs256", "RS512", "PS256", "EdDSA", ""] {
            let header = format!(r#"{{"alg":"{other}","kid":"a"}}"#);
            assert_eq!(reason(&header), Some(Reason::Algorithm), "{other}");
        }
    }

    #[test]
    fn a_header_says_its_algorithm_once_and_its_key() {
        for header in [
            r#"{"alg":"RS256","alg":"none","kid":"a"}"#,
            r#"{"alg":["RS256"],"kid":"a"}"#,
            r#"{"kid":"a"}"#,
            r#"{"alg":"RS256","kid":"a","crit":["exp"]}"#,
            r#"{"alg":"RS256","kid":7}"#,
            "[]",
            "",
        ] {
            assert_eq!(reason(header), Some(Reason::Malformed), "{header}");
        }
        assert_eq!(reason(r#"{"alg":"RS256"}"#), Some(Reason::UnknownKey));
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"a"}"#);
        for text in [
            String::new(),
            "Bearer".to_owned(),
            format!("{header}.e30.AAAA"),
            format!("Basic {header}.e30.AAAA"),
            format!("Bearer {header}.e30"),
            format!("Bearer {header}.e30.AAAA.AAAA"),
            format!("Bearer {header}.e30=.AAAA"),
            format!("Bearer {header}.e31.AAAA"),
            format!("Bearer {header}.{}.AAAA", "A".repeat(MOST_BYTES)),
        ] {
            assert_eq!(UnverifiedToken::read(&text).err(), Some(Reason::Malformed), "{text}");
        }
        assert!(UnverifiedToken::read(&format!("bearer {header}.e30.AAAA")).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String, header: Vec<u8>, claims: Vec<u8>) {
            drop(UnverifiedToken::read(&text));
            drop(UnverifiedToken::read(&format!("Bearer {text}")));
            let (header, claims) = (URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
            drop(UnverifiedToken::read(&format!("Bearer {header}.{claims}.{claims}")));
        }
    }
}
