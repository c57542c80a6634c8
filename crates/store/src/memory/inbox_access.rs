//! Who may upload into the inbox by S3: a policy as text, and grants.

use super::Memory;
use crate::{Error, Inbox, InboxAccess, KeyGrant, Operation};

/// What tests do and see. None of it is a counted call.
impl Memory {
    /// Writes the bucket policy, as CloudFormation or another tool does.
    pub fn set_bucket_policy(&self, policy: Option<&str>) {
        self.kept().bucket_policy = policy.map(str::to_owned);
    }

    /// Returns the bucket policy as it was last written.
    #[must_use]
    pub fn bucket_policy_text(&self) -> Option<String> {
        self.kept().bucket_policy.clone()
    }

    /// Encrypts the inbox with a customer key.
    pub fn set_inbox_key(&self, key: &str) {
        self.kept().inbox_key = Some(key.to_owned());
    }

    /// Takes the stack away.
    pub fn without_stack(&self) {
        self.kept().no_stack = true;
    }

    /// Returns the grants as name and grantee, by name.
    #[must_use]
    pub fn key_grants(&self) -> Vec<(String, String)> {
        let kept = self.kept();
        let mut grants: Vec<_> = kept.grants.values().cloned().collect();
        grants.sort();
        grants
    }
}

impl InboxAccess for Memory {
    async fn inbox(&self) -> Result<Option<Inbox>, Error> {
        self.call(Operation::FindStack, |kept| {
            let bucket = "silent-scalper-inbox-123456789012-eu-central-1";
            (!kept.no_stack).then(|| Inbox {
                bucket: bucket.to_owned(),
                arn: format!("arn:aws:s3:::{bucket}"),
                account: "123456789012".to_owned(),
                region: "eu-central-1".to_owned(),
                key: kept.inbox_key.clone(),
            })
        })
        .await
    }

    async fn bucket_policy(&self, _: &Inbox) -> Result<Option<String>, Error> {
        self.call(Operation::ReadBucketPolicy, |kept| kept.bucket_policy.clone()).await
    }

    async fn put_bucket_policy(&self, _: &Inbox, policy: Option<&str>) -> Result<(), Error> {
        self.call(Operation::WriteBucketPolicy, |kept| kept.bucket_policy = policy.map(str::to_owned)).await
    }

    async fn grants(&self, _: &str) -> Result<Vec<KeyGrant>, Error> {
        self.call(Operation::ListGrants, |kept| {
            let grants = kept.grants.iter();
            grants.map(|(id, (name, _))| KeyGrant { id: id.clone(), name: name.clone() }).collect()
        })
        .await
    }

    async fn put_grant(&self, _: &Inbox, _: &str, name: &str, principal: &str) -> Result<(), Error> {
        self.call(Operation::WriteGrant, |kept| {
            let grant = (name.to_owned(), principal.to_owned());
            if !kept.grants.values().any(|known| *known == grant) {
                let id = format!("grant-{}", kept.grants.len() + 1);
                kept.grants.insert(id, grant);
            }
        })
        .await
    }

    async fn revoke_grant(&self, _: &str, id: &str) -> Result<(), Error> {
        self.call(Operation::WriteGrant, |kept| drop(kept.grants.remove(id))).await
    }
}
