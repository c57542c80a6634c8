//! Who uploads by S3 as a partner, and reads its outbox.
//!
//! ```text
//! give      remembered ─▶ grants of the key ─▶ bucket policy of the inbox: from here on the partner uploads
//!                      ─▶ grants of the key ─▶ bucket policy of the outbox: from here on it reads
//! take      remembered ─▶ bucket policy of the inbox: from here on it does not ─▶ grants of the key
//!                      ─▶ bucket policy of the outbox ─▶ grants of the key
//! ```
//!
//! The partners table is written first and says what is wanted; the policies and the grants follow it. A command that
//! is killed is finished by the next one, and a policy that CloudFormation rewrote by `partner s3 --all`. A suspended
//! partner has no statement.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use store::{ActDetail, DetailName, DetailValue, KeyGrant, Partner, PartnerBucket, WritePartners};

use super::{Operator, acts};
use crate::arguments::S3Arguments;
use crate::audited::Effect;
use crate::bucket_policy::{self, BucketPolicy, Change, MOST_BYTES, WantedStatement};
use crate::error::CommandError;
use crate::gateway::Gateway;
use crate::names;
use crate::partner::Uploads;
use crate::report::{CommandReport, RestoredView, UploadsView};
use crate::uploads::{self, BucketFacts, grant_name, is_own_grant};

/// How often the policy is read until it is as wanted. S3 has no conditional write of a bucket policy, and a read just
/// after a write may still return the policy before it: each write is followed by a look.
const LOOKS: u32 = 6;

/// The pause before the third look; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

impl<S: WritePartners, G: Gateway, U: Uploads, T> Operator<S, G, U, T> {
    pub(super) async fn s3(&self, arguments: &S3Arguments) -> Result<Effect<CommandReport>, CommandError> {
        let named = arguments.principals.iter().map(|arn| names::principal(arn));
        let named = named.collect::<Result<BTreeSet<_>, _>>()?;
        let Some(name) = &arguments.name else { return self.restore_all().await };
        let partner = self.known(name).await?;
        if arguments.remove {
            self.take_uploads(&partner, named).await
        } else if named.is_empty() {
            let report = CommandReport::S3Shown { uploads: self.uploads_of(&partner).await? };
            Ok(Effect::new(report, []))
        } else {
            self.give_uploads(&partner, named).await
        }
    }

    async fn give_uploads(
        &self,
        partner: &Partner,
        named: BTreeSet<String>,
    ) -> Result<Effect<CommandReport>, CommandError> {
        self.must_be_free(&partner.name, &named).await?;
        let buckets = self.buckets().await?;
        let before = self.remembered(&partner.name).await?;
        let after: BTreeSet<String> = before.iter().flatten().cloned().chain(named).collect();
        let wanted = wanted(partner, &after);
        for bucket in &buckets {
            self.must_fit(bucket, &wanted).await?;
        }
        self.remember(&partner.name, before.as_ref(), &after).await?;
        let changed = match self.put_in_force(&buckets, &wanted).await {
            Ok(changed) => changed,
            Err(rejected @ CommandError::PrincipalMissing { .. }) => {
                // An ARN that AWS does not know would keep every later write of the policy from succeeding.
                self.remember(&partner.name, Some(&after), &before.unwrap_or_default()).await?;
                return Err(rejected);
            }
            Err(failure) => return Err(failure),
        };
        let known = before.unwrap_or_default();
        let mut details = acts::principals(after.difference(&known), ActDetail::new);
        details.extend(acts::statement(changed, true));
        Ok(Effect::new(CommandReport::S3Given { uploads: self.uploads_of(partner).await? }, details))
    }

    /// Checks that no other partner has these principals: one that could upload below two folders would be two senders.
    async fn must_be_free(&self, partner: &str, named: &BTreeSet<String>) -> Result<(), CommandError> {
        for (other, principals) in self.uploads.all_s3_principals().await.map_err(CommandError::Uploads)? {
            if let Some(arn) = principals.intersection(named).next().filter(|_| other != partner) {
                return Err(CommandError::PrincipalTaken { arn: arn.clone(), partner: other });
            }
        }
        Ok(())
    }

    /// Takes S3 uploads away from the named principals, or without names from all of the partner's.
    async fn take_uploads(
        &self,
        partner: &Partner,
        named: BTreeSet<String>,
    ) -> Result<Effect<CommandReport>, CommandError> {
        let buckets = self.buckets().await?;
        let before = self.remembered(&partner.name).await?.unwrap_or_default();
        let removed = if named.is_empty() { before.clone() } else { named };
        let left: BTreeSet<String> = before.difference(&removed).cloned().collect();
        self.remember(&partner.name, Some(&before), &left).await?;
        let changed = self.put_in_force(&buckets, &wanted(partner, &left)).await?;
        match removed.iter().find(|arn| !before.contains(*arn)) {
            Some(arn) if !changed => {
                Err(CommandError::NoSuchPrincipal { partner: partner.name.clone(), arn: arn.clone() })
            }
            _ => {
                let mut details = acts::principals(removed.intersection(&before), ActDetail::gone);
                details.extend(acts::statement(changed, !left.is_empty()));
                let partner = partner.name.clone();
                Ok(Effect::new(CommandReport::S3Removed { partner, removed, left }, details))
            }
        }
    }

    /// Makes the statements and the grants of every partner as the table says.
    async fn restore_all(&self) -> Result<Effect<CommandReport>, CommandError> {
        let buckets = self.buckets().await?;
        let partners = self.partners.all_partners().await?;
        let (mut restored, mut rejected, mut put_back) = (Vec::new(), Vec::new(), 0);
        for (name, principals) in self.uploads.all_s3_principals().await.map_err(CommandError::Uploads)? {
            let Some(partner) = partners.iter().find(|partner| partner.name == name) else { continue };
            match self.put_in_force(&buckets, &wanted(partner, &principals)).await {
                Ok(changed) => {
                    put_back += u64::from(changed);
                    let state = match (partner.active, changed) {
                        (false, _) => "suspended",
                        (true, true) => "put back",
                        (true, false) => "in force",
                    };
                    restored.push(RestoredView { partner: name, principals: principals.len(), state });
                }
                Err(CommandError::PrincipalMissing { .. }) => rejected.push(name),
                Err(failure) => return Err(failure),
            }
        }
        if !rejected.is_empty() {
            return Err(CommandError::NotRestored { partners: rejected.join(", ") });
        }
        let detail =
            (put_back > 0).then(|| ActDetail::new(DetailName::Partners, DetailValue::Count(put_back)));
        let report = CommandReport::S3Restored { stack: self.stack.as_str().to_owned(), partners: restored };
        Ok(Effect::new(report, detail))
    }

    /// Removes the statements of a suspended partner, or puts those of an active one back. Returns whether anything
    /// changed.
    pub(super) async fn follow_state(&self, partner: &Partner) -> Result<bool, CommandError> {
        match self.remembered(&partner.name).await? {
            Some(principals) => {
                self.put_in_force(&self.buckets().await?, &wanted(partner, &principals)).await
            }
            None => Ok(false),
        }
    }

    async fn uploads_of(&self, partner: &Partner) -> Result<UploadsView, CommandError> {
        let buckets = self.buckets().await?;
        let remembered = self.remembered(&partner.name).await?.unwrap_or_default();
        let mut seen = Vec::new();
        for bucket in &buckets {
            let text = self.uploads.bucket_policy(bucket).await.map_err(CommandError::Uploads)?;
            let granted: Option<BTreeSet<String>> = match &bucket.key {
                Some(key) => {
                    let own = self.own_grants(bucket, key, &partner.name).await?;
                    Some(own.into_iter().map(|grant| grant.name).collect())
                }
                None => None,
            };
            seen.push((bucket, text, granted));
        }
        let facts = seen.iter().map(|(bucket, text, granted)| {
            let policy = read(bucket, text.as_deref())?;
            Ok(BucketFacts { bucket, policy, granted: granted.as_ref() })
        });
        let facts = facts.collect::<Result<Vec<_>, CommandError>>()?;
        let principals = uploads::principals(&self.stack, &facts, &partner.name, &remembered);
        Ok(UploadsView::new(partner, principals, &buckets, self.stack.command("partner s3 --all")))
    }

    /// Makes grants and statements of a partner as wanted, in every bucket. Returns whether anything changed.
    async fn put_in_force(
        &self,
        buckets: &[PartnerBucket],
        wanted: &WantedStatement,
    ) -> Result<bool, CommandError> {
        let mut changed = false;
        for bucket in buckets {
            changed |= self.put_in_force_in(bucket, wanted).await?;
        }
        Ok(changed)
    }

    async fn put_in_force_in(
        &self,
        bucket: &PartnerBucket,
        wanted: &WantedStatement,
    ) -> Result<bool, CommandError> {
        let Some(key) = &bucket.key else { return self.put_statement(bucket, wanted).await };
        let grants = self.own_grants(bucket, key, &wanted.partner).await?;
        let names: BTreeMap<String, &String> = wanted
            .principals
            .iter()
            .map(|arn| (grant_name(&self.stack, bucket.bucket_use, &wanted.partner, arn), arn))
            .collect();
        let mut changed = false;
        for (name, principal) in &names {
            if !grants.iter().any(|grant| grant.name == *name) {
                let made = self.uploads.put_grant(bucket, key, name, principal).await;
                made.map_err(|error| rejected(error, &[]))?;
                changed = true;
            }
        }
        changed |= self.put_statement(bucket, wanted).await?;
        for grant in grants.iter().filter(|grant| !names.contains_key(&grant.name)) {
            self.uploads.revoke_grant(key, &grant.id).await.map_err(CommandError::Uploads)?;
            changed = true;
        }
        Ok(changed)
    }

    async fn put_statement(
        &self,
        bucket: &PartnerBucket,
        wanted: &WantedStatement,
    ) -> Result<bool, CommandError> {
        for look in 0..LOOKS {
            if look > 1 {
                tokio::time::sleep(PAUSE * (1 << (look - 2))).await;
            }
            let text = self.uploads.bucket_policy(bucket).await.map_err(CommandError::Uploads)?;
            let policy = read(bucket, text.as_deref())?;
            let Change::Write(next) = policy.with(&bucket.arn, std::slice::from_ref(wanted)) else {
                return Ok(look > 0);
            };
            let bytes = next.as_ref().map_or(0, String::len);
            if bytes > MOST_BYTES {
                return Err(too_large(bucket, bytes));
            }
            let put = self.uploads.put_bucket_policy(bucket, next.as_deref()).await;
            put.map_err(|error| rejected(error, &policy.with_deleted_principals()))?;
        }
        Err(CommandError::PolicyContested { bucket: bucket.bucket.clone() })
    }

    /// Rejects a policy that is too large for S3, before the partners table is written.
    async fn must_fit(&self, bucket: &PartnerBucket, wanted: &WantedStatement) -> Result<(), CommandError> {
        let text = self.uploads.bucket_policy(bucket).await.map_err(CommandError::Uploads)?;
        match read(bucket, text.as_deref())?.with(&bucket.arn, std::slice::from_ref(wanted)) {
            Change::Write(Some(next)) if next.len() > MOST_BYTES => Err(too_large(bucket, next.len())),
            Change::Write(_) | Change::Unchanged => Ok(()),
        }
    }

    /// Returns the buckets that partners reach: the inbox, and the outbox unless the stack is older than it.
    async fn buckets(&self) -> Result<Vec<PartnerBucket>, CommandError> {
        let found = self.uploads.inbox().await.map_err(CommandError::Uploads)?;
        let inbox =
            found.ok_or_else(|| CommandError::NoSuchStack { stack: self.stack.as_str().to_owned() })?;
        let outbox = self.uploads.outbox(&inbox).await.map_err(CommandError::Uploads)?;
        Ok([Some(inbox), outbox].into_iter().flatten().collect())
    }

    async fn remembered(&self, partner: &str) -> Result<Option<BTreeSet<String>>, CommandError> {
        self.uploads.s3_principals(partner).await.map_err(CommandError::Uploads)
    }

    async fn remember(
        &self,
        partner: &str,
        before: Option<&BTreeSet<String>>,
        after: &BTreeSet<String>,
    ) -> Result<(), CommandError> {
        if before != Some(after) {
            self.uploads.put_s3_principals(partner, after).await.map_err(CommandError::Uploads)?;
        }
        Ok(())
    }

    /// Returns the grants that this command line made for a partner's use of a bucket.
    async fn own_grants(
        &self,
        bucket: &PartnerBucket,
        key: &str,
        partner: &str,
    ) -> Result<Vec<KeyGrant>, CommandError> {
        let grants = self.uploads.grants(key).await.map_err(CommandError::Uploads)?;
        let own = |grant: &KeyGrant| is_own_grant(&grant.name, &self.stack, bucket.bucket_use, partner);
        Ok(grants.into_iter().filter(own).collect())
    }
}

/// Returns the principals that a partner's statement is to have: none while it is suspended.
fn wanted(partner: &Partner, principals: &BTreeSet<String>) -> WantedStatement {
    let principals = if partner.active { principals.clone() } else { BTreeSet::new() };
    WantedStatement { partner: partner.name.clone(), principals }
}

fn read<'t>(bucket: &PartnerBucket, text: Option<&'t str>) -> Result<BucketPolicy<'t>, CommandError> {
    BucketPolicy::read(bucket.bucket_use, text).map_err(|bucket_policy::UnreadablePolicy| {
        CommandError::PolicyUnreadable { bucket: bucket.bucket.clone() }
    })
}

fn too_large(bucket: &PartnerBucket, bytes: usize) -> CommandError {
    CommandError::PolicyTooLarge { bucket: bucket.bucket.clone(), bytes, most: MOST_BYTES }
}

/// Returns the error of a write that S3 or KMS rejected because of a principal: they look up each one.
fn rejected(error: store::Error, deleted: &[String]) -> CommandError {
    if !matches!(error.code.as_str(), "MalformedPolicy" | "InvalidArnException") {
        return CommandError::Uploads(error);
    }
    let deleted = match deleted {
        [] => String::new(),
        partners => format!("; the statement of {} names one that was deleted", partners.join(", ")),
    };
    CommandError::PrincipalMissing { code: error.code, deleted }
}
