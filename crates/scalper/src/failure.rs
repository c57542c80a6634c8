//! What can go wrong, as the user reads it: what was found, what was expected, what to do.

use serde_json::{Value, json};

use crate::gateway::GatewayError;

/// A command that was not carried out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is its own message")]
pub enum Failure {
    #[error(
        "{stack:?} is no name of a stack: expected a letter, then letters, digits and hyphens, at most 128 in all"
    )]
    NotAStack { stack: String },
    #[error(
        "{found:?} is no name of a {what}: expected a lower-case letter or digit, then lower-case letters, digits, `-` or `_`, \
         at most 63 in all"
    )]
    NotAName { what: &'static str, found: String },
    #[error("{found:?} is the name of the stack's own canary files: choose another one")]
    Reserved { found: String },
    #[error(
        "{found:?} is not a scope: expected `submit` (send and check files), `read` (states, receipts, rejected records, \
         records), or both separated by a comma"
    )]
    NotAScope { found: String },
    #[error("no feed is named: expected names separated by commas, or `*` for all of the partner's")]
    NoFeeds,
    #[error("{found:?} is no address for a webhook: {refused}")]
    NotAnAddress { found: String, refused: outbound::Refused },
    #[error("{found:?} is no role: expected arn:aws:iam::<12 digits>:role/<name>")]
    NotARole { found: String },
    #[error(
        "{found:?} cannot be given S3 uploads: expected the ARN of a role, a user or an account, \
         arn:aws:iam::<12 digits>:role/<name>, …:user/<name> or …:root"
    )]
    NotAPrincipal { found: String },
    #[error("{arn} may not upload as {partner} and is not remembered: see `scalper partner s3 {partner}`")]
    NoSuchPrincipal { partner: String, arn: String },
    #[error(
        "the bucket policy of {bucket} would have {bytes} bytes, at most {most} are allowed: remove principals that are not needed, or \
         name one account (arn:aws:iam::<12 digits>:root) instead of its roles"
    )]
    PolicyTooLarge { bucket: String, bytes: usize, most: usize },
    #[error(
        "the bucket policy of {bucket} cannot be read as a policy, so nothing was changed: see `aws s3api get-bucket-policy --bucket {bucket}`"
    )]
    PolicyUnreadable { bucket: String },
    #[error(
        "the bucket policy of {bucket} was changed by others at the same time: run the command again; a deployment that runs must end first"
    )]
    PolicyContested { bucket: String },
    #[error(
        "AWS does not know one of the principals ({code}){deleted}: check the ARN, take a deleted principal away with \
         `scalper partner s3 <partner> --principal <arn> --remove`, and run the command again"
    )]
    PrincipalMissing { code: String, deleted: String },
    #[error(
        "the statements of {partners} were not put back, those of the other partners are in force: AWS does not know one of their \
         principals any more; see `scalper partner s3 <partner>` and take it away with `--principal <arn> --remove`"
    )]
    NotRestored { partners: String },
    #[error(
        "S3 uploads could not be changed ({0}): run the command again, it finishes what is unfinished; if access is denied, use credentials with \
         s3:GetBucketPolicy, s3:PutBucketPolicy and s3:GetEncryptionConfiguration on the inbox bucket, and with a customer key kms:CreateGrant, \
         kms:ListGrants and kms:RevokeGrant on its key"
    )]
    Uploads(#[source] store::Error),
    #[error(
        "the stack could not be checked ({0}): see the region and the network; if access is denied, use credentials with \
         dynamodb:DescribeTable on its ledger table"
    )]
    NotChecked(#[source] store::Error),
    #[error(
        "{name} is no partner of {stack}: see `scalper partner list`, or add it with `scalper partner add {name}`"
    )]
    NoSuchPartner { name: String, stack: String },
    #[error("{partner} has no credential {credential}: see `scalper partner list {partner}`")]
    NoSuchCredential { partner: String, credential: String },
    #[error("{partner} has no credential yet: make the first with `scalper partner add {partner}`")]
    NoCredential { partner: String },
    #[error("{partner} has no webhook: set it with `scalper partner webhook {partner} --url https://…`")]
    NoWebhook { partner: String },
    #[error("{arn} is no role of {partner}: nothing to remove")]
    NoSuchRole { partner: String, arn: String },
    #[error(
        "{partner} has two valid credentials already, {first} and {second}, and may not have three: revoke one with `scalper \
         partner revoke {partner} <credential>`"
    )]
    TwoCredentials { partner: String, first: String, second: String },
    #[error(
        "{arn} is a role of {partner} already: remove it there with `scalper partner role {partner} {arn} --remove`"
    )]
    RoleTaken { arn: String, partner: String },
    #[error(
        "{arn} uploads as {partner} already: remove it there with `scalper partner s3 {partner} --principal {arn} --remove`"
    )]
    PrincipalTaken { arn: String, partner: String },
    #[error(
        "there is no stack {stack} in this region: see --stack, --region and SCALPER_STACK (its ledger table was not found)"
    )]
    NoSuchStack { stack: String },
    #[error(
        "{stack} has no partner yet: add one with `scalper partner add <name>`, or drop a file into its inbox"
    )]
    NoPartners { stack: String },
    #[error("there is more than one partner: choose one with --partner ({names})")]
    WhichPartner { names: String },
    #[error("{name} is no partner of {stack} and has dropped no file: expected one of these: {names}")]
    UnknownPartner { name: String, stack: String, names: String },
    #[error(
        "\"{found}\" names no file: expected a file's id (26 characters), a load's, or a key <partner>/<feed>/<name>"
    )]
    NotAFile { found: String },
    #[error(
        "the ledger of {stack} has no file {found}: it was not claimed yet, or the name is another; see `{list}`"
    )]
    NoSuchFile { found: String, stack: String, list: String },
    #[error("{file} is not decided yet, so it has no receipt: see `{show}`")]
    NotDecided { file: String, show: String },
    #[error("{file} has no receipt that can be read: it is {state}")]
    NoReceipt { file: String, state: &'static str },
    #[error("{file} has no refused records: it is {state}")]
    NoRejects { file: String, state: &'static str },
    #[error("the refused records are not there any more: looked for {place}")]
    RecordsGone { place: String },
    #[error(
        "{found:?} is no state: expected one of processing, complete, quarantined, superseded, duplicate, gone, ignored, retracted"
    )]
    NotAState { found: String },
    #[error("{found:?} is no time: expected 30m, 12h, 7d, 2026-11-20 or 2026-11-20T08:15:00Z")]
    NotATime { found: String },
    #[error("records themselves are no JSON: leave --json out with --values and --download")]
    RecordsAreNoJson,
    #[error("{path} could not be made ({kind}): expected a new file in a folder that is there")]
    NotOpened { path: String, kind: String },
    #[error("the records could not be written whole ({kind}): run the command again")]
    NotWritten { kind: String },
    #[error(
        "AWS did not answer as expected ({0}): nothing was changed, run the command again; if access is denied, use credentials that may read the stack"
    )]
    Read(#[source] store::Error),
    #[error("no AWS region is given: use --region, set AWS_REGION, or set `region` in your AWS profile")]
    NoRegion,
    #[error(
        "no AWS credentials were found: set AWS_PROFILE to a profile of your AWS configuration, or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY (looked in the environment, the profile, web identity, the container and the instance)"
    )]
    NoCredentials,
    #[error(
        "the AWS credentials cannot be used ({problem}): sign in again, with single sign-on by `aws sso login`, or choose another \
         profile with AWS_PROFILE"
    )]
    CredentialsRefused { problem: String },
    #[error("the system gave no randomness for a secret: try again")]
    NoRandomness,
    #[error(
        "the answer could not be written: a secret that was not shown is lost, replace it with `scalper partner rotate`"
    )]
    NotShown,
    #[error(
        "the partners table did not answer ({0}): run the command again, it finishes what is unfinished; `scalper partner list` shows what is open"
    )]
    Table(#[from] store::Error),
    #[error(
        "API Gateway did not answer as expected ({0}): run the command again, it finishes what is unfinished; `scalper partner list` shows what is open"
    )]
    Gateway(#[from] GatewayError),
}

impl Failure {
    /// 1 failed, 2 not understood, 3 not found.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotAStack { .. }
            | Self::NotAName { .. }
            | Self::Reserved { .. }
            | Self::NotAScope { .. }
            | Self::NoFeeds
            | Self::NotAnAddress { .. }
            | Self::NotARole { .. }
            | Self::NotAPrincipal { .. }
            | Self::NotChecked(_)
            | Self::NotAFile { .. }
            | Self::NotAState { .. }
            | Self::NotATime { .. }
            | Self::WhichPartner { .. }
            | Self::RecordsAreNoJson
            | Self::NoRegion => 2,
            Self::NoSuchPartner { .. }
            | Self::NoSuchCredential { .. }
            | Self::NoCredential { .. }
            | Self::NoWebhook { .. }
            | Self::NoSuchStack { .. }
            | Self::NoPartners { .. }
            | Self::UnknownPartner { .. }
            | Self::NoSuchFile { .. }
            | Self::NotDecided { .. }
            | Self::NoReceipt { .. }
            | Self::NoRejects { .. }
            | Self::RecordsGone { .. }
            | Self::NoSuchRole { .. }
            | Self::NoSuchPrincipal { .. } => 3,
            Self::TwoCredentials { .. }
            | Self::RoleTaken { .. }
            | Self::PrincipalTaken { .. }
            | Self::NoCredentials
            | Self::CredentialsRefused { .. }
            | Self::PolicyTooLarge { .. }
            | Self::PolicyUnreadable { .. }
            | Self::PolicyContested { .. }
            | Self::PrincipalMissing { .. }
            | Self::NotRestored { .. }
            | Self::Uploads(_)
            | Self::NoRandomness
            | Self::NotShown
            | Self::NotOpened { .. }
            | Self::NotWritten { .. }
            | Self::Read(_)
            | Self::Table(_)
            | Self::Gateway(_) => 1,
        }
    }

    /// The failure as JSON: the exit code's word, and the message.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let code = match self.exit_code() {
            _ if matches!(self, Self::NotChecked(_)) => "not-checked",
            2 => "usage",
            3 => "not-found",
            _ => "failed",
        };
        json!({ "error": { "code": code, "message": self.to_string() } })
    }
}
