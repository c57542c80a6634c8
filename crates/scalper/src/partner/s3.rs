//! Who uploads by S3 as a partner.
//!
//! ```text
//! give      remembered ─▶ grants of the key ─▶ bucket policy: from here on the partner uploads
//! take      remembered ─▶ bucket policy: from here on it does not ─▶ grants of the key
//! ```
//!
//! The partners table is written first and says what is wanted; the policy and the grants follow it. A command that
//! is killed is finished by the next one, and a policy that CloudFormation rewrote by `partner s3 --all`. A suspended
//! partner has no statement.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use store::{ActDetail, DetailName, DetailValue, Inbox, KeyGrant, Partner, WritePartners};

use super::{Operator, acts};
use crate::arguments::S3Arguments;
use crate::audited::Effect;
use crate::bucket_policy::{self, BucketPolicy, Change, MOST_BYTES, WantedStatement};
use crate::error::CommandError;
use crate::gateway::Gateway;
use crate::names;
use crate::partner::Uploads;
use crate::report::{CommandReport, RestoredView, UploadsView};
use crate::uploads::{grant_name, grant_prefix, upload_principals};

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
        let inbox = self.inbox().await?;
        let before = self.remembered(&partner.name).await?;
        let after: BTreeSet<String> = before.iter().flatten().cloned().chain(named).collect();
        let wanted = wanted(partner, &after);
        self.must_fit(&inbox, &wanted).await?;
        self.remember(&partner.name, before.as_ref(), &after).await?;
        let changed = match self.put_in_force(&inbox, &wanted).await {
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
        Ok(Effect { report: CommandReport::S3Given { uploads: self.uploads_of(partner).await? }, details })
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
        let inbox = self.inbox().await?;
        let before = self.remembered(&partner.name).await?.unwrap_or_default();
        let removed = if named.is_empty() { before.clone() } else { named };
        let left: BTreeSet<String> = before.difference(&removed).cloned().collect();
        self.remember(&partner.name, Some(&before), &left).await?;
        let changed = self.put_in_force(&inbox, &wanted(partner, &left)).await?;
        match removed.iter().find(|arn| !before.contains(*arn)) {
            Some(arn) if !changed => {
                Err(CommandError::NoSuchPrincipal { partner: partner.name.clone(), arn: arn.clone() })
            }
            _ => {
                let mut details = acts::principals(removed.intersection(&before), ActDetail::gone);
                details.extend(acts::statement(changed, !left.is_empty()));
                let partner = partner.name.clone();
                Ok(Effect { report: CommandReport::S3Removed { partner, removed, left }, details })
            }
        }
    }

    /// Makes the statement and the grants of every partner as the table says.
    async fn restore_all(&self) -> Result<Effect<CommandReport>, CommandError> {
        let inbox = self.inbox().await?;
        let partners = self.partners.all_partners().await?;
        let (mut restored, mut rejected, mut put_back) = (Vec::new(), Vec::new(), 0);
        for (name, principals) in self.uploads.all_s3_principals().await.map_err(CommandError::Uploads)? {
            let Some(partner) = partners.iter().find(|partner| partner.name == name) else { continue };
            match self.put_in_force(&inbox, &wanted(partner, &principals)).await {
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

    /// Removes the statement of a suspended partner, or puts that of an active one back. Returns whether anything
    /// changed.
    pub(super) async fn follow_state(&self, partner: &Partner) -> Result<bool, CommandError> {
        match self.remembered(&partner.name).await? {
            Some(principals) => self.put_in_force(&self.inbox().await?, &wanted(partner, &principals)).await,
            None => Ok(false),
        }
    }

    async fn uploads_of(&self, partner: &Partner) -> Result<UploadsView, CommandError> {
        let inbox = self.inbox().await?;
        let remembered = self.remembered(&partner.name).await?.unwrap_or_default();
        let text = self.uploads.bucket_policy(&inbox).await.map_err(CommandError::Uploads)?;
        let policy = read(&inbox, text.as_deref())?;
        let granted: Option<BTreeSet<String>> = match &inbox.key {
            Some(key) => {
                let own = self.own_grants(key, &partner.name).await?;
                Some(own.into_iter().map(|grant| grant.name).collect())
            }
            None => None,
        };
        let principals =
            upload_principals(&self.stack, &inbox, &policy, granted.as_ref(), &partner.name, &remembered);
        Ok(UploadsView::new(partner, principals, &inbox, self.stack.command("partner s3 --all")))
    }

    /// Makes grants and statement of a partner as wanted. Returns whether anything changed.
    async fn put_in_force(&self, inbox: &Inbox, wanted: &WantedStatement) -> Result<bool, CommandError> {
        let Some(key) = &inbox.key else { return self.put_statement(inbox, wanted).await };
        let grants = self.own_grants(key, &wanted.partner).await?;
        let names: BTreeMap<String, &String> = wanted
            .principals
            .iter()
            .map(|arn| (grant_name(&self.stack, &wanted.partner, arn), arn))
            .collect();
        let mut changed = false;
        for (name, principal) in &names {
            if !grants.iter().any(|grant| grant.name == *name) {
                let made = self.uploads.put_grant(inbox, key, name, principal).await;
                made.map_err(|error| rejected(error, &[]))?;
                changed = true;
            }
        }
        changed |= self.put_statement(inbox, wanted).await?;
        for grant in grants.iter().filter(|grant| !names.contains_key(&grant.name)) {
            self.uploads.revoke_grant(key, &grant.id).await.map_err(CommandError::Uploads)?;
            changed = true;
        }
        Ok(changed)
    }

    async fn put_statement(&self, inbox: &Inbox, wanted: &WantedStatement) -> Result<bool, CommandError> {
        for look in 0..LOOKS {
            if look > 1 {
                tokio::time::sleep(PAUSE * (1 << (look - 2))).await;
            }
            let text = self.uploads.bucket_policy(inbox).await.map_err(CommandError::Uploads)?;
            let policy = read(inbox, text.as_deref())?;
            let Change::Write(next) = policy.with(&inbox.arn, std::slice::from_ref(wanted)) else {
                return Ok(look > 0);
            };
            let bytes = next.as_ref().map_or(0, String::len);
            if bytes > MOST_BYTES {
                return Err(too_large(inbox, bytes));
            }
            let put = self.uploads.put_bucket_policy(inbox, next.as_deref()).await;
            put.map_err(|error| rejected(error, &policy.with_deleted_principals()))?;
        }
        Err(CommandError::PolicyContested { bucket: inbox.bucket.clone() })
    }

    /// Rejects a policy that is too large for S3, before the partners table is written.
    async fn must_fit(&self, inbox: &Inbox, wanted: &WantedStatement) -> Result<(), CommandError> {
        let text = self.uploads.bucket_policy(inbox).await.map_err(CommandError::Uploads)?;
        match read(inbox, text.as_deref())?.with(&inbox.arn, std::slice::from_ref(wanted)) {
            Change::Write(Some(next)) if next.len() > MOST_BYTES => Err(too_large(inbox, next.len())),
            Change::Write(_) | Change::Unchanged => Ok(()),
        }
    }

    async fn inbox(&self) -> Result<Inbox, CommandError> {
        let found = self.uploads.inbox().await.map_err(CommandError::Uploads)?;
        found.ok_or_else(|| CommandError::NoSuchStack { stack: self.stack.as_str().to_owned() })
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

    /// Returns the grants that this command line made for a partner.
    async fn own_grants(&self, key: &str, partner: &str) -> Result<Vec<KeyGrant>, CommandError> {
        let prefix = grant_prefix(&self.stack, partner);
        let grants = self.uploads.grants(key).await.map_err(CommandError::Uploads)?;
        Ok(grants.into_iter().filter(|grant| grant.name.starts_with(&prefix)).collect())
    }
}

/// Returns the principals that a partner's statement is to have: none while it is suspended.
fn wanted(partner: &Partner, principals: &BTreeSet<String>) -> WantedStatement {
    let principals = if partner.active { principals.clone() } else { BTreeSet::new() };
    WantedStatement { partner: partner.name.clone(), principals }
}

fn read<'t>(inbox: &Inbox, text: Option<&'t str>) -> Result<BucketPolicy<'t>, CommandError> {
    BucketPolicy::read(text).map_err(|bucket_policy::UnreadablePolicy| CommandError::PolicyUnreadable {
        bucket: inbox.bucket.clone(),
    })
}

fn too_large(inbox: &Inbox, bytes: usize) -> CommandError {
    CommandError::PolicyTooLarge { bucket: inbox.bucket.clone(), bytes, most: MOST_BYTES }
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
