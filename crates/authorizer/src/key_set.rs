//! The issuer's public keys: a JWK set (RFC 7517), with the parameters of RFC 7518, 6.2 and 6.3.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

use crate::decision::Reason;
use crate::token::{Algorithm, UnverifiedToken};

/// Maximum number of keys of a set that are read; issuers have two to four.
const MOST_KEYS: usize = 100;

/// Bytes of a coordinate on P-256 (RFC 7518, 6.2.1.2).
const COORDINATE_BYTES: usize = 32;

/// The first byte of a point that is written in full (SEC 1, 2.3.3).
const UNCOMPRESSED: u8 = 4;

/// The keys of an issuer (JWK Set, RFC 7517, 5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet(Vec<VerificationKey>);

/// A public key. Its kind decides its algorithm, whatever a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct VerificationKey {
    id: String,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256 { point: Vec<u8> },
}

#[derive(Deserialize)]
struct JwkSetDocument {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl JwkSet {
    /// Reads a set. Keys that are not for signatures, without `kid`, or of another kind are left out, as RFC 7517, 5
    /// asks; `None` when none is left.
    #[must_use]
    pub fn parse(document: &[u8]) -> Option<Self> {
        let document: JwkSetDocument = serde_json::from_slice(document).ok()?;
        let keys: Vec<VerificationKey> =
            document.keys.into_iter().take(MOST_KEYS).filter_map(VerificationKey::read).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Returns whether there is a key with this id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// Checks whether a key of the set with the token's key id and algorithm made its signature.
    pub fn verify(&self, token: &UnverifiedToken<'_>) -> Result<(), Reason> {
        if !self.has(&token.key_id) {
            return Err(Reason::UnknownKey);
        }
        let mut named = self.0.iter().filter(|key| key.id == token.key_id);
        let key = named.find(|key| key.algorithm() == token.algorithm).ok_or(Reason::Algorithm)?;
        key.material.verify(token).map_err(|ring::error::Unspecified| Reason::Signature)
    }
}

impl VerificationKey {
    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        if jwk.usage.is_some_and(|usage| usage != "sig") {
            return None;
        }
        let material = match jwk.kty.as_str() {
            "RSA" => Material::Rsa { modulus: unsigned(&jwk.n?)?, exponent: unsigned(&jwk.e?)? },
            "EC" if jwk.crv.as_deref() == Some("P-256") => {
                let (x, y) = (decoded(&jwk.x?)?, decoded(&jwk.y?)?);
                if x.len() != COORDINATE_BYTES || y.len() != COORDINATE_BYTES {
                    return None;
                }
                Material::P256 { point: [&[UNCOMPRESSED], x.as_slice(), y.as_slice()].concat() }
            }
            _ => return None,
        };
        let key = Self { id: jwk.kid, material };
        let same = |alg: &String| Algorithm::parse(alg) == Some(key.algorithm());
        jwk.alg.as_ref().is_none_or(same).then_some(key)
    }

    fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256 { .. } => Algorithm::Es256,
        }
    }
}

impl Material {
    fn verify(&self, token: &UnverifiedToken<'_>) -> Result<(), ring::error::Unspecified> {
        match self {
            Self::Rsa { modulus: n, exponent: e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                token.signed,
                &token.signature,
            ),
            Self::P256 { point } => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(token.signed, &token.signature)
            }
        }
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes a number without leading zeros, which some issuers write (against RFC 7518, 2) and `ring` rejects.
fn unsigned(text: &str) -> Option<Vec<u8>> {
    let bytes = decoded(text)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).map(<[u8]>::to_vec)
}
