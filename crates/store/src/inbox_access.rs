//! Who may upload into the inbox by S3 and read the outbox: the bucket policies of both, and the grants of their key.
//!
//! The partners table says what is wanted. The bucket policies and the grants follow it, and can be made again from it:
//! CloudFormation rewrites a policy when an update of the stack changes it.

use std::future::Future;

use crate::Error;

/// What partners do in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketUse {
    /// They upload files: the inbox.
    Upload,
    /// They read receipts and rejected records: the outbox.
    Read,
}

/// A bucket of a stack that partners reach by S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerBucket {
    /// What partners do in it.
    pub bucket_use: BucketUse,
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

/// Finds the inbox and the outbox bucket, reads and writes their policies, and lists, makes and revokes grants of
/// their key. A grant is for the objects of one of the two buckets: to encrypt and decrypt those of the inbox, to
/// decrypt those of the outbox.
pub trait InboxAccess: Sync {
    /// Returns the inbox bucket and its key; `None` when there is no such stack.
    fn inbox(&self) -> impl Future<Output = Result<Option<PartnerBucket>, Error>> + Send;
    /// Returns the outbox bucket beside an inbox, and its key; `None` in a stack that is older than the outbox.
    fn outbox(
        &self,
        inbox: &PartnerBucket,
    ) -> impl Future<Output = Result<Option<PartnerBucket>, Error>> + Send;
    /// Returns the bucket policy as the JSON document that was written; `None` when there is none. What was written a
    /// moment ago may not be there yet.
    fn bucket_policy(
        &self,
        bucket: &PartnerBucket,
    ) -> impl Future<Output = Result<Option<String>, Error>> + Send;
    /// Writes the whole bucket policy, or (`None`) deletes it. The last writer wins.
    fn put_bucket_policy(
        &self,
        bucket: &PartnerBucket,
        policy: Option<&str>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Returns all grants of a key.
    fn grants(&self, key: &str) -> impl Future<Output = Result<Vec<KeyGrant>, Error>> + Send;
    /// Makes a grant. Made again with the same name and principal, it is the same grant.
    fn put_grant(
        &self,
        bucket: &PartnerBucket,
        key: &str,
        name: &str,
        principal: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Revokes a grant; one that is not there is revoked.
    fn revoke_grant(&self, key: &str, id: &str) -> impl Future<Output = Result<(), Error>> + Send;
}
