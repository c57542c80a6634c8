//! Who may upload into the inbox by S3 and read the outbox: policies as text, and grants.

use super::{Memory, MemoryState};
use crate::{BucketUse, Error, InboxAccess, KeyGrant, Operation, PartnerBucket};

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

    /// Writes the bucket policy of the outbox.
    pub fn set_outbox_policy(&self, policy: Option<&str>) {
        self.kept().outbox_policy = policy.map(str::to_owned);
    }

    /// Returns the bucket policy of the outbox as it was last written.
    #[must_use]
    pub fn outbox_policy_text(&self) -> Option<String> {
        self.kept().outbox_policy.clone()
    }

    /// Makes the stack one that is older than the outbox.
    pub fn without_outbox(&self) {
        self.kept().no_outbox = true;
    }

    /// Encrypts the inbox and the outbox with a customer key.
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

impl MemoryState {
    fn partner_bucket(&self, bucket_use: BucketUse) -> PartnerBucket {
        let part = match bucket_use {
            BucketUse::Upload => "inbox",
            BucketUse::Read => "outbox",
        };
        let bucket = format!("silent-scalper-{part}-123456789012-eu-central-1");
        PartnerBucket {
            bucket_use,
            arn: format!("arn:aws:s3:::{bucket}"),
            bucket,
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            key: self.inbox_key.clone(),
        }
    }

    fn policy_of(&mut self, bucket: &PartnerBucket) -> &mut Option<String> {
        match bucket.bucket_use {
            BucketUse::Upload => &mut self.bucket_policy,
            BucketUse::Read => &mut self.outbox_policy,
        }
    }
}

impl InboxAccess for Memory {
    async fn inbox(&self) -> Result<Option<PartnerBucket>, Error> {
        self.call(Operation::FindStack, |kept| {
            (!kept.no_stack).then(|| kept.partner_bucket(BucketUse::Upload))
        })
        .await
    }

    async fn outbox(&self, _: &PartnerBucket) -> Result<Option<PartnerBucket>, Error> {
        self.call(Operation::ReadBucket, |kept| {
            (!kept.no_outbox).then(|| kept.partner_bucket(BucketUse::Read))
        })
        .await
    }

    async fn bucket_policy(&self, bucket: &PartnerBucket) -> Result<Option<String>, Error> {
        self.call(Operation::ReadBucketPolicy, |kept| kept.policy_of(bucket).clone()).await
    }

    async fn put_bucket_policy(&self, bucket: &PartnerBucket, policy: Option<&str>) -> Result<(), Error> {
        self.call(Operation::WriteBucketPolicy, |kept| {
            *kept.policy_of(bucket) = policy.map(str::to_owned);
        })
        .await
    }

    async fn grants(&self, _: &str) -> Result<Vec<KeyGrant>, Error> {
        self.call(Operation::ListGrants, |kept| {
            let grants = kept.grants.iter();
            grants.map(|(id, (name, _))| KeyGrant { id: id.clone(), name: name.clone() }).collect()
        })
        .await
    }

    async fn put_grant(&self, _: &PartnerBucket, _: &str, name: &str, principal: &str) -> Result<(), Error> {
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
