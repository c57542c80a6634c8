//! Agreements with partners: contracts, and who uploads by S3.

use std::collections::BTreeSet;

use contract::{FindingSeverity, Published, Status};
use store::{ContractText, Inbox, Partner};

use super::{CONTRACTS, Finding, Known, UPLOADS_POLICY};
use crate::bucket_policy::Policy;
use crate::uploads::standing;

const UPLOADS: &str = UPLOADS_POLICY.check;

/// Checks the contract of a feed; `None` when nothing is wrong.
pub(super) fn contract(known: &Known, feed: &str, text: &ContractText) -> Option<Finding> {
    let file = format!("{feed}.odcs.yaml");
    let bucket = known.places.contracts(&known.stack);
    let publish = format!("aws s3 cp {file} s3://{bucket}/");
    let broken = |what: String| {
        let advice = "correct the contract and publish it; until then an earlier version that compiles stays in force, if there is one";
        Finding::fail(CONTRACTS.check, what).advice(advice).command(publish.clone())
    };
    let bytes = match text {
        ContractText::Whole(bytes) => bytes,
        ContractText::TooLong(length) => {
            let most = contract::MOST_DOCUMENT_BYTES;
            return Some(broken(format!("{file} has {length} bytes; at most {most} are read")));
        }
    };
    let Ok(source) = std::str::from_utf8(bytes) else { return Some(broken(format!("{file} is not UTF-8"))) };
    let published = Published { feed: Some(feed), inbox: Some(&known.places.inbox) };
    match contract::compile_published(source, published) {
        Ok((contract, warnings)) if contract.identity.status != Status::Inactive => {
            let what = format!("{file}{}", first_of(&warnings)?);
            let advice = "the contract is in force; correct the document and publish it";
            Some(Finding::warn(CONTRACTS.check, what).advice(advice).command(publish))
        }
        Ok(_) => {
            let advice = "set `status: active` and publish it when files may come";
            let what = format!("{file} is not active: files of the feed are quarantined");
            Some(Finding::warn(CONTRACTS.check, what).advice(advice).command(publish))
        }
        Err(findings) => {
            let errors: Vec<_> =
                findings.iter().filter(|finding| finding.severity == FindingSeverity::Error).collect();
            let first = first_of(errors).unwrap_or_default();
            Some(broken(format!("does not compile: {file}{first}")))
        }
    }
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
pub(super) fn contracts(known: &Known, feeds: usize, wrong: Vec<Finding>) -> Vec<Finding> {
    if feeds == 0 {
        let bucket = known.places.contracts(&known.stack);
        let finding =
            Finding::warn(CONTRACTS.check, "no contract is published: every file would be quarantined");
        let command = format!("aws s3 cp <feed>.odcs.yaml s3://{bucket}/");
        return vec![finding.advice("publish one for each feed").command(command)];
    }
    if wrong.is_empty() {
        return vec![Finding::ok(CONTRACTS.check, format!("contracts, all active: {feeds}"))];
    }
    wrong
}

pub(super) fn unreadable(inbox: &Inbox) -> Finding {
    let finding = Finding::fail(UPLOADS, "the bucket policy of the inbox cannot be read as a policy");
    finding
        .advice("see what it says, and write a valid one")
        .command(format!("aws s3api get-bucket-policy --bucket {}", inbox.bucket))
}

/// Uploads by S3, as remembered and as in force.
pub(super) struct SenderFacts<'f> {
    pub(super) partners: Vec<Partner>,
    pub(super) remembered: Vec<(String, BTreeSet<String>)>,
    pub(super) inbox: &'f Inbox,
    pub(super) policy: &'f Policy<'f>,
    /// Names of the grants of the customer key, where there is one.
    pub(super) granted: Option<BTreeSet<String>>,
}

pub(super) fn senders(known: &Known, facts: &SenderFacts<'_>) -> Vec<Finding> {
    let SenderFacts { partners, remembered, inbox, policy, granted } = facts;
    let remembered_of = |name: &str| {
        let found = remembered.iter().find(|(partner, _)| partner == name);
        found.map(|(_, principals)| principals.clone()).unwrap_or_default()
    };
    let mut names: BTreeSet<String> = policy.partners();
    names.extend(remembered.iter().map(|(name, _)| name.clone()));
    let deleted = policy.with_deleted_principals();
    let (mut findings, mut in_force) = (Vec::new(), 0_usize);
    for name in &names {
        let active = partners.iter().any(|partner| partner.name == *name && partner.active);
        let views = standing(&known.stack, inbox, policy, granted.as_ref(), name, &remembered_of(name));
        let missing = views.iter().filter(|one| active && one.is_remembered() && !one.is_in_force()).count();
        let surplus =
            views.iter().filter(|one| one.is_in_force() && !(active && one.is_remembered())).count();
        let show = known.stack.command(&format!("partner s3 {name}"));
        if deleted.contains(name) {
            let what =
                format!("a principal of {name} was deleted: AWS rejects every change of the bucket policy");
            findings.push(
                Finding::fail(UPLOADS, what).advice("remove it (--principal <arn> --remove)").command(show),
            );
            continue;
        }
        if missing > 0 {
            let what = format!(
                "principals of {name} that cannot upload: {missing}; the bucket policy or a grant was changed"
            );
            let finding = Finding::fail(UPLOADS, what).advice("put the statements back");
            findings.push(finding.command(known.stack.command("partner s3 --all")));
        }
        if surplus > 0 {
            let what = format!(
                "principals that upload as {name} without being remembered, or while it is suspended: {surplus}"
            );
            let finding = Finding::fail(UPLOADS, what).advice("see who they are, then name or remove them");
            findings.push(finding.command(show));
        }
        in_force += views.iter().filter(|one| one.is_in_force()).count();
    }
    if findings.is_empty() {
        let what = match in_force {
            0 => "no partner uploads by S3".to_owned(),
            several => format!("principals that may upload, all as remembered: {several}"),
        };
        findings.push(Finding::ok(UPLOADS, what));
    }
    findings
}
