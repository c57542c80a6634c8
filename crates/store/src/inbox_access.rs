//! Who may upload into the inbox by S3: its bucket policy, and the grants of its key.
//!
//! The partners table says what is wanted. The bucket policy and the grants follow it, and can be made again from it:
//! CloudFormation rewrites the policy when an update of the stack changes it.

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

/// Finds the inbox bucket, reads and writes its policy, and lists, makes and revokes grants of its key. A grant lets
/// its grantee encrypt and decrypt objects of the inbox bucket, and of no other.
pub trait InboxAccess: Sync {
    /// Returns the inbox bucket and its key; `None` when there is no such stack.
    fn inbox(&self) -> impl Future<Output = Result<Option<Inbox>, Error>> + Send;
    /// Returns the bucket policy as the JSON document that was written; `None` when there is none. What was written a
    /// moment ago may not be there yet.
    fn bucket_policy(&self, inbox: &Inbox) -> impl Future<Output = Result<Option<String>, Error>> + Send;
    /// Writes the whole bucket policy, or (`None`) deletes it. The last writer wins.
    fn put_bucket_policy(
        &self,
        inbox: &Inbox,
        policy: Option<&str>,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Returns all grants of a key.
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
