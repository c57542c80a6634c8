//! The partners table: partners, their credentials, and what each may do. What the API notes in it of requests is in
//! `requests`.
//!
//! ```text
//! pk = partners              sk = <partner>            a partner, its state and its limits
//! pk = credential#<sha256>   sk = credential           whose secret this is, which feeds and scopes
//! pk = partner#<partner>     sk = credential#<id>      the same, to list and to revoke
//! pk = role#<arn>            sk = role                 an IAM role that is a partner's
//! pk = webhook#<partner>     sk = webhook              where outcomes are posted, and the secret to sign them
//! pk = s3                    sk = <partner>            who may upload by S3
//! pk = limit#<partner>       sk = requests | day#<day> the bucket of requests, the bytes of a day
//! pk = request#<partner>     sk = <hash of the key>    an idempotent request and its answer
//! pk = upload#<partner>      sk = <upload id>          an upload that was promised
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;

use sha2::{Digest, Sha256};

use crate::{Error, PartnerLimits};

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Send files and check them.
    Submit,
    /// Read the state, receipts, rejects and records of the partner's own files.
    Read,
    /// Have the partner's own files replayed.
    Operate,
}

impl Scope {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Submit, Self::Read, Self::Operate];

    /// Returns the word in tokens, tables and commands.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Which feeds a credential opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feeds {
    /// Each feed of the partner.
    All,
    /// These.
    Named(BTreeSet<String>),
}

impl Feeds {
    /// Returns whether a feed is among them.
    #[must_use]
    pub fn allow(&self, feed: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(feeds) => feeds.contains(feed),
        }
    }

    /// Returns `*`, or the names separated by commas.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::All => "*".to_owned(),
            Self::Named(feeds) => feeds.iter().map(String::as_str).collect::<Vec<_>>().join(","),
        }
    }

    /// Reads [`Feeds::to_text`] back. An empty text opens nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::All;
        }
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Self::Named(names.map(str::to_owned).collect())
    }
}

/// SHA-256 of a secret: all that is kept of it. The secret has 256 random bits, so that no salt and no slow hash is
/// needed: there is nothing to guess (NIST SP 800-63B, 5.1.1.2 is about secrets that people choose).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialHash(String);

impl CredentialHash {
    /// Makes the hash of a secret.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(hex::encode(Sha256::digest(secret.as_bytes())))
    }

    /// Reads a hash that was stored; `None` for a text that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Without the hash: a log has no use for it.
impl fmt::Debug for CredentialHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CredentialHash(..)")
    }
}

/// A credential as it is kept: without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its public name: 12 lower-case base-32 characters.
    pub id: String,
    /// Whose it is.
    pub partner: String,
    /// Which feeds it opens.
    pub feeds: Feeds,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// When it was made, milliseconds since the epoch.
    pub created_ms: u64,
    /// When it ends, milliseconds since the epoch; `None`: never by itself.
    pub expires_ms: Option<u64>,
    /// When it was revoked; `None`: it was not.
    pub revoked_ms: Option<u64>,
    /// The API Gateway key that counts its requests ([`usage_key`]), by id; `None` for a role's.
    pub gateway_key: Option<String>,
}

impl Credential {
    /// Returns whether it opens anything at this time.
    #[must_use]
    pub fn is_valid(&self, now_ms: u64) -> bool {
        self.revoked_ms.is_none() && self.expires_ms.is_none_or(|expires| now_ms < expires)
    }
}

/// Returns the value of the API Gateway key that counts the requests of a credential, from the credential's public
/// name. API Gateway keeps values of keys in clear, so this one opens nothing: no credential begins so. 70
/// characters, of the 20 to 128 that API Gateway takes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html>
#[must_use]
pub fn usage_key(credential: &str) -> String {
    format!("usage-{}", CredentialHash::of(credential).as_str())
}

/// A partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partner {
    /// The name: `[a-z0-9][a-z0-9_-]{0,62}`, the first part of its keys.
    pub name: String,
    /// Whether anything of it is let in.
    pub active: bool,
    /// What it may use.
    pub limits: PartnerLimits,
    /// When it was added, milliseconds since the epoch.
    pub created_ms: u64,
}

/// Where a partner is notified of outcomes. Deliberately without `Debug`: it holds the secret that signs them.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// An https address.
    pub url: String,
    /// The secret of the signature, which the partner has too.
    pub secret: String,
    /// The secret before the last rotation; both sign until it is dropped.
    pub previous_secret: Option<String>,
}

/// Reads who is registered, and nothing of their credentials: what the path of a file asks.
pub trait ReadRegistrations: Sync {
    /// Returns a partner by its name. Strongly consistent.
    fn partner(&self, name: &str) -> impl Future<Output = Result<Option<Partner>, Error>> + Send;
}

/// Reads partners and credentials. All reads are strongly consistent: a revoked credential is rejected by the next
/// read.
pub trait ReadPartners: ReadRegistrations {
    /// Returns the credential whose secret has this hash.
    fn credential(
        &self,
        hash: &CredentialHash,
    ) -> impl Future<Output = Result<Option<Credential>, Error>> + Send;
    /// Returns the credential that this IAM role is: `arn:<partition>:iam::<account>:role/<name>`.
    fn role(&self, arn: &str) -> impl Future<Output = Result<Option<Credential>, Error>> + Send;
    /// Returns where a partner is notified of outcomes.
    fn webhook(&self, partner: &str) -> impl Future<Output = Result<Option<Webhook>, Error>> + Send;
    /// Returns all partners, by name.
    fn all_partners(&self) -> impl Future<Output = Result<Vec<Partner>, Error>> + Send;
    /// Returns a partner's credentials with their hashes, oldest first, roles left out.
    fn credentials(
        &self,
        partner: &str,
    ) -> impl Future<Output = Result<Vec<(CredentialHash, Credential)>, Error>> + Send;
}

/// Writes partners and credentials: what only the command line does.
pub trait WritePartners: ReadPartners {
    /// Adds or changes a partner.
    fn put_partner(&self, partner: &Partner) -> impl Future<Output = Result<(), Error>> + Send;
    /// Adds or changes a credential: both of its items in one transaction.
    fn put_credential(
        &self,
        hash: &CredentialHash,
        credential: &Credential,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Names a role as a partner's, or (`None`) no longer.
    fn put_role(
        &self,
        arn: &str,
        credential: Option<&Credential>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Says where a partner is notified of outcomes; `None` removes it.
    fn put_webhook(
        &self,
        partner: &str,
        webhook: Option<&Webhook>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Reads which IAM principals upload as a partner, as ARNs.
pub trait ReadS3Principals: Sync {
    /// Returns the principals of a partner; `None` when none were ever named. Strongly consistent.
    fn s3_principals(
        &self,
        partner: &str,
    ) -> impl Future<Output = Result<Option<BTreeSet<String>>, Error>> + Send;
    /// Returns the principals of every partner that ever had some, by the partner's name.
    fn all_s3_principals(
        &self,
    ) -> impl Future<Output = Result<Vec<(String, BTreeSet<String>)>, Error>> + Send;
}

/// Remembers the IAM principals that upload as a partner.
pub trait S3Principals: ReadS3Principals {
    /// Names a partner's principals instead of those before; the set may be empty.
    fn put_s3_principals(
        &self,
        partner: &str,
        principals: &BTreeSet<String>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_and_never_shows_itself() {
        let hash = CredentialHash::of("ssk_secret");
        assert_eq!(CredentialHash::parse(hash.as_str()), Some(hash.clone()));
        assert_eq!(format!("{hash:?}"), "CredentialHash(..)");
        assert_eq!(CredentialHash::parse("ABC"), None);
        assert_ne!(hash, CredentialHash::of("ssk_secreu"));
    }

    #[test]
    fn feeds_and_scopes_read_back_and_an_empty_list_opens_nothing() {
        for text in ["*", "labs", "charges,labs"] {
            assert_eq!(Feeds::parse(text).to_text(), text);
        }
        assert!(!Feeds::parse("").allow("labs"));
        assert!(Feeds::parse("*").allow("labs") && !Feeds::parse("charges").allow("labs"));
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(scope));
        }
        for word in ["Submit", "Operate", "approve", "audit"] {
            assert_eq!(Scope::parse(word), None, "{word}");
        }
    }

    #[test]
    fn a_usage_key_fits_api_gateway_and_is_of_one_credential() {
        let key = usage_key("abcdefghijkl");
        assert!(key.starts_with("usage-") && (20..=128).contains(&key.len()), "{key}");
        assert_eq!(key, usage_key("abcdefghijkl"));
        assert_ne!(key, usage_key("abcdefghijkm"));
    }
}
