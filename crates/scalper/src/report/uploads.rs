//! Who uploads by S3 and reads the outbox, and the instructions for the partner.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};
use store::{BucketUse, Partner, PartnerBucket};

use super::{Fit, Style, table};
use crate::bucket_policy::allowances;

/// A principal as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalView {
    arn: String,
    in_force: bool,
    #[serde(skip)]
    in_part: bool,
    remembered: bool,
}

impl PrincipalView {
    /// Makes the view of a principal that may use all of some buckets, or any of them.
    pub(crate) fn new(arn: &str, in_force: bool, in_part: bool, remembered: bool) -> Self {
        Self { arn: arn.to_owned(), in_force, in_part, remembered }
    }

    /// Returns whether it may do now all that a partner may.
    pub(crate) fn is_in_force(&self) -> bool {
        self.in_force
    }

    /// Returns whether it may do now anything that a partner may.
    pub(crate) fn is_in_part(&self) -> bool {
        self.in_part
    }

    /// Returns whether it is remembered.
    pub(crate) fn is_remembered(&self) -> bool {
        self.remembered
    }

    fn state(&self) -> &'static str {
        match (self.in_force, self.in_part, self.remembered) {
            (true, _, true) => "in force",
            (false, true, true) => "in force in part",
            (_, true, false) => "in force, not remembered",
            (_, false, _) => "not in force",
        }
    }
}

/// A partner whose statement was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestoredView {
    pub(crate) partner: String,
    pub(crate) principals: usize,
    pub(crate) state: &'static str,
}

/// Who uploads by S3 as a partner, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadsView {
    partner: String,
    state: &'static str,
    /// Whether exactly the remembered principals may upload.
    in_force: bool,
    principals: Vec<PrincipalView>,
    bucket: String,
    region: String,
    account: String,
    prefix: String,
    resource: String,
    /// The bucket of receipts; none in a stack that is older than it.
    outbox: Option<String>,
    key: Option<String>,
    #[serde(skip)]
    allowances: Vec<Value>,
    #[serde(skip)]
    restore: String,
}

impl UploadsView {
    pub(crate) fn new(
        partner: &Partner,
        principals: Vec<PrincipalView>,
        buckets: &[PartnerBucket],
        restore: String,
    ) -> Self {
        let as_wanted = |one: &PrincipalView| {
            if one.remembered && partner.active { one.in_force } else { !one.in_part }
        };
        let bucket =
            |bucket_use: BucketUse| buckets.iter().find(|bucket| bucket.bucket_use == bucket_use).cloned();
        let inbox = bucket(BucketUse::Upload);
        let of_inbox = |member: fn(PartnerBucket) -> String| inbox.clone().map(member).unwrap_or_default();
        Self {
            partner: partner.name.clone(),
            state: if partner.active { "active" } else { "suspended" },
            in_force: principals.iter().all(as_wanted),
            principals,
            bucket: of_inbox(|inbox| inbox.bucket),
            region: of_inbox(|inbox| inbox.region),
            account: of_inbox(|inbox| inbox.account),
            prefix: format!("{}/", partner.name),
            resource: of_inbox(|inbox| inbox.arn) + &format!("/{}/*", partner.name),
            outbox: bucket(BucketUse::Read).map(|outbox| outbox.bucket),
            key: inbox.as_ref().and_then(|inbox| inbox.key.clone()),
            allowances: buckets.iter().flat_map(|bucket| allowances(bucket, &partner.name)).collect(),
            restore,
        }
    }

    /// Returns who may upload, and the instructions for the partner.
    pub(super) fn given(&self, style: Style) -> String {
        format!("{}\n{}\n{}", self.shown(style), self.instructions(), self.own_policy())
    }

    /// Returns who may upload, and whether this is in force.
    pub(super) fn shown(&self, style: Style) -> String {
        let Self { partner, principals, restore, .. } = self;
        if principals.is_empty() {
            return format!(
                "no principal may upload by S3 as {partner}; allow a role, a user or an account:\n  scalper partner s3 {partner} \
                 --principal arn:aws:iam::<account>:role/<name>\n"
            );
        }
        let rows: Vec<_> = principals.iter().map(|one| [one.arn.clone(), one.state().to_owned()]).collect();
        // An ARN is copied into a command: it is always whole.
        let rows = table(["principal", "S3 uploads"], &rows, Fit::shorten(&[]), style);
        let note = match (self.state, self.in_force) {
            ("suspended", true) => {
                format!(
                    "{partner} is suspended; when it is active again:\n  scalper partner resume {partner}\n"
                )
            }
            (_, false) => {
                format!("the bucket policy or a grant is not as remembered; put it right:\n  {restore}\n")
            }
            _ => String::new(),
        };
        rows + &note
    }

    fn instructions(&self) -> String {
        let Self { partner, bucket, region, prefix, key, .. } = self;
        let key = key.as_deref().map_or_else(String::new, |key| format!("  key      {key}\n"));
        let outbox = self.outbox.as_deref().map_or_else(String::new, |outbox| {
            format!(
                "  outbox   {outbox}\n  receipt  aws s3 cp s3://{outbox}/{prefix}<feed>/day.csv.receipt.json - --region {region}\n"
            )
        });
        format!(
            "Send this to {partner}:\n  bucket   {bucket}\n  region   {region}\n  prefix   {prefix}<feed>/\n{key}  example  aws s3 cp day.csv \
             s3://{bucket}/{prefix}<feed>/day.csv --region {region}\n{outbox}\
             Leave encryption to the bucket: no --sse option. Uploads under a key of the sender's are denied.\n"
        )
    }

    /// Returns the policy that principals of other accounts need in their own account.
    fn own_policy(&self) -> String {
        let mut statements = self.allowances.clone();
        if let Some(key) = &self.key {
            let actions = ["kms:GenerateDataKey", "kms:Decrypt"];
            statements.push(json!({ "Effect": "Allow", "Action": actions, "Resource": key }));
        }
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        format!(
            "A principal of another account than {}, and any below …:root, also needs this in its own IAM policy:\n  {policy}\n",
            self.account
        )
    }
}

pub(super) fn removed(partner: &str, removed: &BTreeSet<String>, left: &BTreeSet<String>) -> String {
    let list = |arns: &BTreeSet<String>| arns.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let gone = if removed.is_empty() {
        format!("nothing to remove: no such principal uploads by S3 as {partner}")
    } else {
        format!("removed from the S3 uploads of {partner}: {}", list(removed))
    };
    let left =
        if left.is_empty() { "no principal is left".to_owned() } else { format!("left: {}", list(left)) };
    format!("{gone}; {left}\n")
}

pub(super) fn restored(stack: &str, partners: &[RestoredView], style: Style) -> String {
    if partners.is_empty() {
        return format!("no partner of {stack} uploads by S3\n");
    }
    let rows =
        partners.iter().map(|one| [one.partner.clone(), one.principals.to_string(), one.state.to_owned()]);
    table(["partner", "principals", "S3 uploads"], &rows.collect::<Vec<_>>(), Fit::shorten(&[0]), style)
}
