//! Uploads by S3: who is to have them, the bucket policy of the inbox that gives them, and the grants of its key.
//!
//! The partners table says what is wanted. The bucket policy and the grants follow it, and can be made again from it:
//! CloudFormation rewrites the policy when an update of the stack changes it.

use std::collections::BTreeSet;
use std::future::Future;

use crate::Error;

/// The inbox bucket of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbox {
    /// Its name.
    pub bucket: String,
    /// Its ARN.
    pub arn: String,
    /// The account that owns it.
    pub account: String,
    /// Its region.
    pub region: String,
    /// The ARN of the customer key with which it encrypts; `None`: a key that AWS owns.
    pub key: Option<String>,
}

/// A grant of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyGrant {
    /// Its id.
    pub id: String,
    /// Its name; empty for one that was made without.
    pub name: String,
}

/// Remembers the IAM principals that upload as a partner, as ARNs.
pub trait S3Principals: Sync {
    /// The principals of a partner; `None` when none were ever named. Strongly consistent.
    fn s3_principals(
        &self,
        partner: &str,
    ) -> impl Future<Output = Result<Option<BTreeSet<String>>, Error>> + Send;
    /// The principals of every partner that ever had some, by the partner's name.
    fn all_s3_principals(
        &self,
    ) -> impl Future<Output = Result<Vec<(String, BTreeSet<String>)>, Error>> + Send;
    /// Names a partner's principals instead of those before; the set may be empty.
    fn put_s3_principals(
        &self,
        partner: &str,
        principals: &BTreeSet<String>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Finds the inbox bucket, and reads and writes its policy.
pub trait InboxPolicy: Sync {
    /// The inbox bucket and its key; `None` when there is no such stack.
    fn inbox(&self) -> impl Future<Output = Result<Option<Inbox>, Error>> + Send;
    /// The bucket policy as the JSON document that was written; `None` when there is none. What was written a moment ago
    /// may not be there yet.
    fn bucket_policy(&self, inbox: &Inbox) -> impl Future<Output = Result<Option<String>, Error>> + Send;
    /// Writes the whole bucket policy, or (`None`) deletes it. The last writer wins.
    fn put_bucket_policy(
        &self,
        inbox: &Inbox,
        policy: Option<&str>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Lists, makes and revokes grants of the inbox's key. A grant lets its grantee encrypt and decrypt objects of the inbox
/// bucket, and of no other.
pub trait KeyGrants: Sync {
    /// All grants of a key.
    fn grants(&self, key: &str) -> impl Future<Output = Result<Vec<KeyGrant>, Error>> + Send;
    /// Makes a grant. Made again with the same name and principal, it is the same grant.
    fn put_grant(
        &self,
        inbox: &Inbox,
        key: &str,
        name: &str,
        principal: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Revokes a grant; one that is not there is revoked.
    fn revoke_grant(&self, key: &str, id: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Everything that giving and taking uploads by S3 needs.
pub trait Uploads: S3Principals + InboxPolicy + KeyGrants {}

impl<T: S3Principals + InboxPolicy + KeyGrants> Uploads for T {}
