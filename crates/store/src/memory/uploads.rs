//! Uploads by S3: a policy as text, grants, and who is remembered.

use std::collections::{BTreeMap, BTreeSet};

use super::Memory;
use crate::uploads::{Inbox, InboxPolicy, KeyGrant, KeyGrants, S3Principals};
use crate::{Error, Operation};

/// The state of uploads by S3.
#[derive(Default)]
pub(super) struct UploadsWorld {
    principals: BTreeMap<String, BTreeSet<String>>,
    policy: Option<String>,
    key: Option<String>,
    grants: BTreeMap<String, (String, String)>,
    no_stack: bool,
}

/// What tests do and see. None of it is a counted call.
impl Memory {
    /// Writes the bucket policy, as CloudFormation or another tool does.
    pub fn set_bucket_policy(&self, policy: Option<&str>) {
        self.world().uploads.policy = policy.map(str::to_owned);
    }

    /// The bucket policy as it was last written.
    #[must_use]
    pub fn bucket_policy_text(&self) -> Option<String> {
        self.world().uploads.policy.clone()
    }

    /// Encrypts the inbox with a customer key.
    pub fn set_inbox_key(&self, key: &str) {
        self.world().uploads.key = Some(key.to_owned());
    }

    /// Takes the stack away.
    pub fn without_stack(&self) {
        self.world().uploads.no_stack = true;
    }

    /// The grants as name and grantee, by name.
    #[must_use]
    pub fn key_grants(&self) -> Vec<(String, String)> {
        let world = self.world();
        let mut grants: Vec<_> = world.uploads.grants.values().cloned().collect();
        grants.sort();
        grants
    }
}

impl S3Principals for Memory {
    async fn s3_principals(&self, partner: &str) -> Result<Option<BTreeSet<String>>, Error> {
        self.call(Operation::ReadPartner, |world| world.uploads.principals.get(partner).cloned()).await
    }

    async fn all_s3_principals(&self) -> Result<Vec<(String, BTreeSet<String>)>, Error> {
        self.call(Operation::ReadPartner, |world| world.uploads.principals.clone().into_iter().collect())
            .await
    }

    async fn put_s3_principals(&self, partner: &str, principals: &BTreeSet<String>) -> Result<(), Error> {
        self.call(Operation::WritePartner, |world| {
            world.uploads.principals.insert(partner.to_owned(), principals.clone());
        })
        .await
    }
}

impl InboxPolicy for Memory {
    async fn inbox(&self) -> Result<Option<Inbox>, Error> {
        self.call(Operation::FindStack, |world| {
            let bucket = "silent-scalper-inbox-123456789012-eu-central-1";
            (!world.uploads.no_stack).then(|| Inbox {
                bucket: bucket.to_owned(),
                arn: format!("arn:aws:s3:::{bucket}"),
                account: "123456789012".to_owned(),
                region: "eu-central-1".to_owned(),
                key: world.uploads.key.clone(),
            })
        })
        .await
    }

    async fn bucket_policy(&self, _: &Inbox) -> Result<Option<String>, Error> {
        self.call(Operation::ReadBucketPolicy, |world| world.uploads.policy.clone()).await
    }

    async fn put_bucket_policy(&self, _: &Inbox, policy: Option<&str>) -> Result<(), Error> {
        self.call(Operation::WriteBucketPolicy, |world| world.uploads.policy = policy.map(str::to_owned))
            .await
    }
}

impl KeyGrants for Memory {
    async fn grants(&self, _: &str) -> Result<Vec<KeyGrant>, Error> {
        self.call(Operation::ListGrants, |world| {
            let grants = world.uploads.grants.iter();
            grants.map(|(id, (name, _))| KeyGrant { id: id.clone(), name: name.clone() }).collect()
        })
        .await
    }

    async fn put_grant(&self, _: &Inbox, _: &str, name: &str, principal: &str) -> Result<(), Error> {
        self.call(Operation::WriteGrant, |world| {
            let grant = (name.to_owned(), principal.to_owned());
            if !world.uploads.grants.values().any(|known| *known == grant) {
                let id = format!("grant-{}", world.uploads.grants.len() + 1);
                world.uploads.grants.insert(id, grant);
            }
        })
        .await
    }

    async fn revoke_grant(&self, _: &str, id: &str) -> Result<(), Error> {
        self.call(Operation::WriteGrant, |world| drop(world.uploads.grants.remove(id))).await
    }
}
