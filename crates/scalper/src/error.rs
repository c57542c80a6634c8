//! What can go wrong, as the user reads it: what was found, what was expected, what to do.

use serde_json::{Value, json};

use crate::gateway::GatewayError;
use crate::names::Stack;

/// A command that was not carried out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant is its own message")]
pub enum CommandError {
    #[error(
        "{stack:?} is not a stack name: expected a letter, then letters, digits and hyphens, at most 128 in all"
    )]
    NotAStack { stack: String },
    #[error(
        "{found:?} is not a {what} name: expected a lower-case letter or digit, then lower-case letters, digits, `-` or `_`, \
         at most 63 in all"
    )]
    NotAName { what: &'static str, found: String },
    #[error("{found:?} is reserved for the stack itself: choose another name")]
    Reserved { found: String },
    #[error(
        "{found:?} is not a scope{hint} (expected `submit` (send and check files), `read` (states, receipts, rejected records, \
         records), or both separated by a comma)"
    )]
    NotAScope { found: String, hint: String },
    #[error("the list of feeds is empty: expected names separated by commas, or `*` for all")]
    NoFeeds,
    #[error("{found:?} cannot be a webhook address: {rejected}")]
    NotAnAddress { found: String, rejected: outbound::TargetError },
    #[error("{found:?} is not a role: expected arn:aws:iam::<12 digits>:role/<name>")]
    NotARole { found: String },
    #[error(
        "{found:?} cannot be given S3 uploads: expected the ARN of a role, a user or an account, \
         arn:aws:iam::<12 digits>:role/<name>, …:user/<name> or …:root"
    )]
    NotAPrincipal { found: String },
    #[error(
        "{arn} is not a principal of {partner}, so there is nothing to remove: see `scalper partner s3 {partner}`"
    )]
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
        "the bucket policy of {bucket} was changed at the same time by another command: run this one again, after any running deployment has ended"
    )]
    PolicyContested { bucket: String },
    #[error(
        "AWS does not know one of the principals ({code}){deleted}: check the ARN, take a deleted principal away with \
         `scalper partner s3 <partner> --principal <arn> --remove`, and run the command again"
    )]
    PrincipalMissing { code: String, deleted: String },
    #[error(
        "the statements of {partners} were not put back, those of the other partners are in force: AWS no longer knows one of their \
         principals; see `scalper partner s3 <partner>` and take it away with `--principal <arn> --remove`"
    )]
    NotRestored { partners: String },
    #[error(
        "S3 uploads could not be changed ({0}): run the command again, it finishes what is missing; if access is denied, use credentials with \
         s3:GetBucketPolicy, s3:PutBucketPolicy and s3:GetEncryptionConfiguration on the inbox bucket, and with a customer key kms:CreateGrant, \
         kms:ListGrants and kms:RevokeGrant on its key"
    )]
    Uploads(#[source] store::Error),
    #[error(
        "the stack could not be checked ({0}): check the region and the network; if access is denied, use credentials with \
         dynamodb:DescribeTable on its ledger table"
    )]
    NotChecked(#[source] store::Error),
    #[error(
        "{stack} has no partner `{name}`{hint} (list them with `scalper partner list`, or add it with `scalper partner add {name}`)"
    )]
    NoSuchPartner { name: String, stack: String, hint: String },
    #[error(
        "feed `{feed}` has no contract{hint} (a new feed needs its contract first: `aws s3 cp {feed}.odcs.yaml s3://{contracts}/`)"
    )]
    NoSuchFeed { feed: String, hint: String, contracts: String },
    #[error("{partner} has no credential `{credential}`: list them with `scalper partner list {partner}`")]
    NoSuchCredential { partner: String, credential: String },
    #[error("{partner} has no credential yet: make one with `scalper partner add {partner}`")]
    NoCredential { partner: String },
    #[error("{partner} has no webhook: set it with `scalper partner webhook {partner} --url https://…`")]
    NoWebhook { partner: String },
    #[error("{arn} is not a role of {partner}: nothing to remove")]
    NoSuchRole { partner: String, arn: String },
    #[error(
        "{partner} already has two valid credentials, {first} and {second}; two is the maximum: revoke one with \
         `scalper partner revoke {partner} <credential>`"
    )]
    TwoCredentials { partner: String, first: String, second: String },
    #[error(
        "{arn} is already a role of {partner}: remove it there with `scalper partner role {partner} {arn} --remove`"
    )]
    RoleTaken { arn: String, partner: String },
    #[error(
        "{arn} already uploads as {partner}: remove it there with `scalper partner s3 {partner} --principal {arn} --remove`"
    )]
    PrincipalTaken { arn: String, partner: String },
    #[error(
        "stack `{stack}` was not found in this region (no table `{stack}-ledger`): check --stack, --region and SCALPER_STACK"
    )]
    NoSuchStack { stack: String },
    #[error("{stack} has no partner `{name}`{hint} (expected one of: {names})")]
    UnknownPartner { name: String, stack: String, names: String, hint: String },
    #[error(
        "no file of feed `{feed}` was found, and the feed has no contract{hint} (feeds with a contract: {names})"
    )]
    UnknownFeed { feed: String, names: String, hint: String },
    #[error(
        "\"{found}\" is not a file: expected a file's id (26 characters), a load's, or a key <partner>/<feed>/<name>"
    )]
    NotAFile { found: String },
    #[error(
        "the ledger of {stack} has no file {found}: it has not been claimed yet, or its name is different; see `{list}`"
    )]
    NoSuchFile { found: String, stack: String, list: String },
    #[error("{file} is not decided yet, so it has no receipt: see `{show}`")]
    NotDecided { file: String, show: String },
    #[error("{file} has no receipt that can be read: its state is {state}")]
    NoReceipt { file: String, state: &'static str },
    #[error("{file} has no rejected records: its state is {state}")]
    NoRejects { file: String, state: &'static str },
    #[error("the rejected records no longer exist: looked for {place}")]
    RecordsGone { place: String },
    #[error("{found:?} is not a time: expected 30m, 12h, 7d, 2026-11-20 or 2026-11-20T08:15:00Z")]
    NotATime { found: String },
    #[error("{file} is {state}: no rows of it were loaded, so there is nothing to retract; see `{show}`")]
    NothingLoaded { file: String, state: &'static str, show: String },
    #[error("the rows of {file} were deleted after it was retracted: load them again with `{replay}`")]
    RowsDeleted { file: String, replay: String },
    #[error("the name of {file} was taken by {other} meanwhile: retract that one first")]
    NameTaken { file: String, other: String },
    #[error("the content of {file} was loaded as {other} meanwhile: retract that one first")]
    LoadedMeanwhile { file: String, other: String },
    #[error("{file} was changed by others at the same time, so nothing was changed: run the command again")]
    Contested { file: String },
    #[error(
        "{file} was changed, but others changed it or another version of its name at the same time: run the command again, it finishes \
         what is missing"
    )]
    NotSettled { file: String },
    #[error(
        "the file was not changed ({0}): run the command again, it repeats nothing; if access is denied, use credentials with \
         dynamodb:UpdateItem and dynamodb:PutItem on the ledger table and s3:PutObject on the quarantine bucket"
    )]
    NotReversed(#[source] store::Error),
    #[error(
        "the file was changed, but its outcome is not announced yet ({0}): run the command again, or wait: the watcher announces \
         it within an hour; if access is denied, use credentials with sqs:SendMessage on the inbox queue"
    )]
    NotAnnounced(#[source] store::Error),
    #[error(
        "not all replays were asked for ({0}): run the command again, it leaves out what is done; if access is denied, use credentials \
         with sqs:GetQueueUrl and sqs:SendMessage on the inbox queue"
    )]
    NotAsked(#[source] store::Error),
    #[error(
        "the newer version is retracted, but the one before it could not be loaded again: feed `{feed}` has no contract that accepts files; \
         publish one, then run the command again"
    )]
    NoContractToReplay { feed: String },
    #[error(
        "partner `{partner}` is not registered{hint}, and only files of registered partners are held: add it with \
         `scalper partner add {partner}`"
    )]
    NotRegistered { partner: String, hint: String },
    #[error(
        "the feed could not be held ({0}): run the command again; if access is denied, use credentials with dynamodb:PutItem on the \
         ledger table"
    )]
    NotHeld(#[source] store::Error),
    #[error(
        "the hold could not be ended ({0}): run the command again; if access is denied, use credentials with dynamodb:DeleteItem on the \
         ledger table"
    )]
    NotReleased(#[source] store::Error),
    #[error(
        "{feed} was held again by others at the same time, so nothing was changed: run the command again"
    )]
    HeldAgain { feed: String },
    #[error(
        "the feed is released, but not all files that waited were sent ({0}): run the command again, it goes on where it stopped, or \
         wait: the watcher sends them; if access is denied, use credentials with sqs:SendMessage on the inbox queue"
    )]
    NotSentOn(#[source] store::Error),
    #[error("{file} is {state}, not quarantined, so there is nothing to acknowledge: see `{show}`")]
    NotQuarantined { file: String, state: &'static str, show: String },
    #[error(
        "the dead letters could not be read ({0}): run the command again, it goes on where it stopped; if access is denied, use credentials with \
         sqs:ReceiveMessage and sqs:ChangeMessageVisibility on the queue of dead letters"
    )]
    LettersNotRead(#[source] store::Error),
    #[error(
        "a dead letter was not sent again ({0}): run the command again, it goes on where it stopped; if access is denied, use credentials \
         with sqs:SendMessage on the queue and sqs:DeleteMessage on the queue of dead letters"
    )]
    NotRedriven(#[source] store::Error),
    #[error(
        "letters that were taken could not be put back ({0}): they are visible again after 5 minutes; all others were handled"
    )]
    NotPutBack(#[source] store::Error),
    #[error("no dead letter is about {files}: list all with `scalper redrive --dry-run`")]
    NoSuchLetter { files: String },
    #[error(
        "AWS did not answer who you are ({0}), and every change is noted in the audit trail under its caller: nothing was changed, \
         run the command again"
    )]
    NotIdentified(#[source] store::Error),
    #[error(
        "the audit trail could not be written ({0}): nothing was changed, run the command again; if access is denied, use \
         credentials with dynamodb:PutItem on the stack's table `…-audit`; if there is no such table, update the stack"
    )]
    NotTraced(#[source] store::Error),
    #[error(
        "the command was carried out, but its result could not be written to the audit trail ({0}): `scalper audit --since 1d` \
         lists it without a result"
    )]
    NotCompleted(#[source] store::Error),
    #[error(
        "the audit trail could not be read ({0}): run the command again; if access is denied, use credentials with dynamodb:Query \
         on the stack's table `…-audit` and its indexes; if there is no such table, update the stack"
    )]
    TrailNotRead(#[source] store::Error),
    #[error(
        "{bucket} is not the inbox of this stack: name a place in it, s3://{inbox}/<prefix>, or copy from the other bucket with --to <partner>/<feed>"
    )]
    NotTheInbox { bucket: String, inbox: String },
    #[error(
        "{inbox} is the inbox itself, from which nothing is copied: leave --to out, or name another bucket"
    )]
    CopiesTheInbox { inbox: String },
    #[error(
        "the other bucket could not be listed ({0}): run the command again, it goes on; check its name and region; if access is denied, use \
         credentials with s3:ListBucket on it"
    )]
    SourceNotRead(#[source] store::Error),
    #[error(
        "not all objects were copied and processed ({0}): run the command again, it goes on; if access is denied, use credentials with \
         s3:GetObject on both buckets and s3:PutObject on the inbox, and with customer keys kms:Decrypt on its key and \
         kms:GenerateDataKey and kms:Decrypt on the inbox key"
    )]
    NotCopied(#[source] store::Error),
    #[error("no file begins with {place}: check the prefix")]
    NothingThere { place: String },
    #[error("no file begins with {place}{range}: check --since and --until")]
    NothingInRange { place: String, range: String },
    #[error(
        "not all files were processed ({0}): run the command again, it goes on; if access is denied, use credentials with \
         sqs:GetQueueUrl and sqs:SendMessage on the inbox queue"
    )]
    NotSent(#[source] store::Error),
    #[error("{path} cannot be read ({kind}): name an existing document, at most 1 MiB of UTF-8 text")]
    ContractUnread { path: String, kind: String },
    #[error("{name} has {errors}, so it was not compared: {problem}")]
    ContractErrors { name: String, errors: String, problem: String },
    #[error("feed `{feed}` has no contract{hint} (list them with `scalper contract list`)")]
    NoContract { feed: String, hint: String },
    #[error(
        "the contract of `{feed}` has no version `{version}` among its newest 20 (see `scalper contract history {feed}`)"
    )]
    NoSuchVersion { feed: String, version: String },
    #[error(
        "the contract of `{feed}` has no older version that can be published again (see `scalper contract history {feed}`)"
    )]
    NoOlderVersion { feed: String },
    #[error("the feed of {path} is not known: name the file <feed>.odcs.yaml, or use --feed")]
    NoFeedName { path: String },
    #[error("not confirmed, so nothing was changed: add --yes where there is no terminal to ask on")]
    NotConfirmed,
    #[error("nothing was published")]
    NotWanted,
    #[error(
        "nothing was published: another version of the contract of `{feed}` was published meanwhile; run the command again to compare \
         with it"
    )]
    ContractContested { feed: String },
    #[error(
        "the contract was not published ({0}): run the command again; if access is denied, use credentials with s3:PutObject on \
         the contracts bucket"
    )]
    NotPublished(#[source] store::Error),
    #[error(
        "the acknowledgement was not written ({0}): run the command again, it repeats nothing; if access is denied, use \
         credentials with dynamodb:UpdateItem on the ledger table"
    )]
    NotNoted(#[source] store::Error),
    #[error(
        "--json cannot be combined with --values or --download: they print the records as they were sent"
    )]
    RecordsAreNoJson,
    #[error("{path} could not be created ({kind}): name a new file in an existing folder")]
    NotOpened { path: String, kind: String },
    #[error(
        "the output could not be written ({kind}): check the path and the space on the disk, then run the command again"
    )]
    NotWritten { kind: String },
    #[error(
        "AWS did not answer as expected ({0}): nothing was changed, run the command again; if access is denied, use credentials that may read the stack"
    )]
    Read(#[source] store::Error),
    #[error("no AWS region: use --region, set AWS_REGION, or set `region` in your AWS profile")]
    NoRegion,
    #[error("no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]
    NoCredentials,
    #[error(
        "the AWS credentials do not work ({problem}): sign in again (single sign-on: `aws sso login`) or choose another \
         profile with AWS_PROFILE"
    )]
    CredentialsRejected { problem: String },
    #[error("the operating system returned no random bytes for a secret: try again")]
    NoRandomness,
    #[error(
        "the output could not be written, so the new secret is lost: make another with `scalper partner rotate`"
    )]
    NotShown,
    #[error("the partners table did not answer ({0}): run the command again, it finishes what is missing")]
    Table(#[from] store::Error),
    #[error(
        "API Gateway did not answer as expected ({0}): run the command again, it finishes what is missing"
    )]
    Gateway(#[from] GatewayError),
}

impl CommandError {
    /// Returns the message, in which each command names the stack.
    #[must_use]
    pub fn message(&self, stack: Option<&Stack>) -> String {
        stack.map_or_else(|| self.to_string(), |stack| stack.spell(&self.to_string()))
    }

    /// Returns the name of the variant, which the audit trail keeps: never what the error is about.
    #[must_use]
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        text.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default().to_owned()
    }

    /// Returns the exit code: 1 failed, 2 not understood, 3 not found.
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
            | Self::NotATime { .. }
            | Self::RecordsAreNoJson
            | Self::NotConfirmed
            | Self::NotTheInbox { .. }
            | Self::CopiesTheInbox { .. }
            | Self::ContractUnread { .. }
            | Self::ContractErrors { .. }
            | Self::NoFeedName { .. }
            | Self::NoRegion => 2,
            Self::NoSuchPartner { .. }
            | Self::NoSuchFeed { .. }
            | Self::NoSuchCredential { .. }
            | Self::NoCredential { .. }
            | Self::NoWebhook { .. }
            | Self::NoSuchStack { .. }
            | Self::UnknownPartner { .. }
            | Self::UnknownFeed { .. }
            | Self::NoSuchFile { .. }
            | Self::NothingThere { .. }
            | Self::NothingInRange { .. }
            | Self::NoSuchLetter { .. }
            | Self::NotDecided { .. }
            | Self::NoReceipt { .. }
            | Self::NoRejects { .. }
            | Self::RecordsGone { .. }
            | Self::NoContract { .. }
            | Self::NoSuchVersion { .. }
            | Self::NoOlderVersion { .. }
            | Self::NoSuchRole { .. }
            | Self::NotRegistered { .. }
            | Self::NoSuchPrincipal { .. } => 3,
            Self::TwoCredentials { .. }
            | Self::RoleTaken { .. }
            | Self::PrincipalTaken { .. }
            | Self::NoCredentials
            | Self::CredentialsRejected { .. }
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
            | Self::NotQuarantined { .. }
            | Self::NothingLoaded { .. }
            | Self::RowsDeleted { .. }
            | Self::NameTaken { .. }
            | Self::LoadedMeanwhile { .. }
            | Self::Contested { .. }
            | Self::NotSettled { .. }
            | Self::NotReversed(_)
            | Self::NotHeld(_)
            | Self::NotReleased(_)
            | Self::HeldAgain { .. }
            | Self::NotSentOn(_)
            | Self::NotAnnounced(_)
            | Self::NotAsked(_)
            | Self::NoContractToReplay { .. }
            | Self::NotNoted(_)
            | Self::NotSent(_)
            | Self::SourceNotRead(_)
            | Self::NotCopied(_)
            | Self::LettersNotRead(_)
            | Self::NotRedriven(_)
            | Self::NotPutBack(_)
            | Self::NotIdentified(_)
            | Self::NotTraced(_)
            | Self::TrailNotRead(_)
            | Self::NotCompleted(_)
            | Self::NotWanted
            | Self::ContractContested { .. }
            | Self::NotPublished(_)
            | Self::Read(_)
            | Self::Table(_)
            | Self::Gateway(_) => 1,
        }
    }

    /// Returns the failure as JSON: the exit code's word, and the message.
    #[must_use]
    pub fn to_json(&self, stack: Option<&Stack>) -> Value {
        let code = match self.exit_code() {
            _ if matches!(self, Self::NotChecked(_)) => "not-checked",
            2 => "usage",
            3 => "not-found",
            _ => "failed",
        };
        json!({ "error": { "code": code, "message": self.message(stack) } })
    }
}

#[cfg(test)]
mod tests {
    use store::Operation;

    use super::*;

    #[test]
    fn the_name_of_an_error_is_all_that_the_audit_trail_gets_of_it() {
        let arn = || "arn:aws:iam::123456789012:role/sender".to_owned();
        for (error, name) in [
            (CommandError::NoFeeds, "NoFeeds"),
            (CommandError::NoSuchRole { partner: "north".to_owned(), arn: arn() }, "NoSuchRole"),
            (CommandError::Table(store::Error::new(Operation::WritePartner, "timeout")), "Table"),
        ] {
            assert_eq!(error.name(), name);
        }
    }
}
