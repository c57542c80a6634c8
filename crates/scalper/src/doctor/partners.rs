//! Checks contracts, and who uploads by S3 and reads the outbox.

use std::collections::BTreeSet;

use contract::{Published, Status};
use runtime::InForce;
use store::{BucketUse, ContractText, Partner, PartnerBucket};

use super::{CONTRACTS, DoctorFinding, Known, UPLOADS_POLICY};
use crate::feeds::{self, Broken};
use crate::reading::shell_word;
use crate::uploads::{self, BucketFacts};

const UPLOADS: &str = UPLOADS_POLICY.check;

/// Checks the contract of a feed; `None` when nothing is wrong.
pub(super) fn contract(known: &Known, feed: &str, held: &InForce) -> Option<DoctorFinding> {
    let file = format!("{feed}.odcs.yaml");
    let publish = known.places.publish(&known.stack, feed);
    if let Some(Broken { problem, until_then }) = feeds::broken(feed, held) {
        let finding = DoctorFinding::fail(CONTRACTS.check, format!("does not compile: {problem}"));
        let advice = format!("correct the document and publish it; {until_then}");
        return Some(finding.advice(advice).command(publish));
    }
    // The document in force compiled: it is whole, and it is text.
    let ContractText::Whole(bytes) = &held.document.as_ref()?.text else { return None };
    let published = Published { feed: Some(feed), inbox: Some(&known.places.inbox) };
    let (contract, warnings) =
        contract::compile_published(std::str::from_utf8(bytes).ok()?, published).ok()?;
    if contract.identity.status == Status::Inactive {
        let advice = "set `status: active` and publish it when files may come";
        let what = format!("{file} is not active: files of the feed are quarantined");
        return Some(DoctorFinding::warn(CONTRACTS.check, what).advice(advice).command(publish));
    }
    let what = format!("{file}{}", first_of(&warnings)?);
    let advice = "the contract is in force; correct the document and publish it";
    Some(DoctorFinding::warn(CONTRACTS.check, what).advice(advice).command(publish))
}

/// Returns the finding on a document whose name is not `<feed>.odcs.yaml` with the name of a feed: no file is checked
/// by it.
pub(super) fn misnamed(known: &Known, found: &str) -> DoctorFinding {
    let bucket = known.places.contracts(&known.stack);
    let what = format!(
        "{found}.odcs.yaml is the contract of no feed: `{found}` is not a feed name (a lower-case letter or digit, then lower-case \
         letters, digits, `-` or `_`, at most 63 in all)"
    );
    let from = shell_word(&format!("s3://{bucket}/{found}.odcs.yaml"));
    let command =
        format!("aws s3 mv --region {} {from} s3://{bucket}/<feed>.odcs.yaml", known.places.home.region);
    let advice =
        "rename it to the feed, the second folder of its files' keys; no file is checked by it until then";
    DoctorFinding::warn(CONTRACTS.check, what).advice(advice).command(command)
}

/// Returns the first finding on a document with its place, and how many follow; none of none.
fn first_of<'f>(findings: impl IntoIterator<Item = &'f contract::Finding>) -> Option<String> {
    let mut findings = findings.into_iter();
    let first = findings.next()?;
    let more = match findings.count() {
        0 => String::new(),
        several => format!(" (and {several} more)"),
    };
    Some(format!(":{}:{}: {}{more}", first.line, first.column, first.message()))
}

/// Returns the findings on all contracts.
pub(super) fn contracts(known: &Known, feeds: usize, wrong: Vec<DoctorFinding>) -> Vec<DoctorFinding> {
    if feeds == 0 {
        let bucket = known.places.contracts(&known.stack);
        let finding =
            DoctorFinding::warn(CONTRACTS.check, "no contract is published: every file would be quarantined");
        let command = format!("aws s3 cp <feed>.odcs.yaml s3://{bucket}/");
        return vec![finding.advice("publish one for each feed").command(command)];
    }
    if wrong.is_empty() {
        return vec![DoctorFinding::ok(CONTRACTS.check, format!("contracts, all active: {feeds}"))];
    }
    wrong
}

pub(super) fn unreadable(bucket: &PartnerBucket) -> DoctorFinding {
    let what = format!("the bucket policy of the {} cannot be read as a policy", words_of(bucket).bucket);
    let finding = DoctorFinding::fail(UPLOADS, what);
    finding
        .advice("see what it says, and write a valid one")
        .command(format!("aws s3api get-bucket-policy --bucket {}", bucket.bucket))
}

/// A bucket and what partners do in it, in words.
struct BucketWords {
    bucket: &'static str,
    /// What a principal may do.
    may: &'static str,
    /// What principals do.
    does: &'static str,
    /// Where no principal does.
    nobody: &'static str,
}

fn words_of(bucket: &PartnerBucket) -> BucketWords {
    match bucket.bucket_use {
        BucketUse::Upload => BucketWords {
            bucket: "inbox",
            may: "upload",
            does: "upload as",
            nobody: "no partner uploads by S3",
        },
        BucketUse::Read => BucketWords {
            bucket: "outbox",
            may: "read the outbox",
            does: "read the outbox of",
            nobody: "no partner reads the outbox",
        },
    }
}

/// A bucket that partners reach by S3, as remembered and as in force.
pub(super) struct SenderFacts<'f> {
    pub(super) partners: &'f [Partner],
    pub(super) remembered: &'f [(String, BTreeSet<String>)],
    pub(super) facts: BucketFacts<'f>,
}

pub(super) fn senders(known: &Known, senders: SenderFacts<'_>) -> Vec<DoctorFinding> {
    let SenderFacts { partners, remembered, facts } = senders;
    let BucketWords { may, does, nobody, .. } = words_of(facts.bucket);
    let remembered_of = |name: &str| {
        let found = remembered.iter().find(|(partner, _)| partner == name);
        found.map(|(_, principals)| principals.clone()).unwrap_or_default()
    };
    let mut names: BTreeSet<String> = facts.policy.partners();
    names.extend(remembered.iter().map(|(name, _)| name.clone()));
    let deleted = facts.policy.with_deleted_principals();
    let facts = [facts];
    let (mut findings, mut in_force) = (Vec::new(), 0_usize);
    for name in &names {
        let active = partners.iter().any(|partner| partner.name == *name && partner.active);
        let views = uploads::principals(&known.stack, &facts, name, &remembered_of(name));
        let missing = views.iter().filter(|one| active && one.is_remembered() && !one.is_in_force()).count();
        let surplus = views.iter().filter(|one| one.is_in_part() && !(active && one.is_remembered())).count();
        let show = known.stack.command(&format!("partner s3 {name}"));
        if deleted.contains(name) {
            let what =
                format!("a principal of {name} was deleted: AWS rejects every change of the bucket policy");
            findings.push(
                DoctorFinding::fail(UPLOADS, what)
                    .advice("remove it (--principal <arn> --remove)")
                    .command(show),
            );
            continue;
        }
        if missing > 0 {
            let what = format!(
                "principals of {name} that cannot {may}: {missing}; the bucket policy or a grant was changed"
            );
            let finding = DoctorFinding::fail(UPLOADS, what).advice("put the statements back");
            findings.push(finding.command(known.stack.command("partner s3 --all")));
        }
        if surplus > 0 {
            let what = format!(
                "principals that {does} {name} without being remembered, or while it is suspended: {surplus}"
            );
            let finding =
                DoctorFinding::fail(UPLOADS, what).advice("see who they are, then name or remove them");
            findings.push(finding.command(show));
        }
        in_force += views.iter().filter(|one| one.is_in_force()).count();
    }
    if findings.is_empty() {
        let what = match in_force {
            0 => nobody.to_owned(),
            several => format!("principals that may {may}, all as remembered: {several}"),
        };
        findings.push(DoctorFinding::ok(UPLOADS, what));
    }
    findings
}
