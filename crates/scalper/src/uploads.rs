//! Whether a partner's use of S3 is as it is remembered: grants of the key by their names, and statements of the bucket
//! policies of inbox and outbox.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use store::{BucketUse, PartnerBucket};

use crate::bucket_policy::BucketPolicy;
use crate::names::Stack;
use crate::report::PrincipalView;

/// Returns how the names of a partner's grants for one bucket begin.
fn grant_prefix(stack: &Stack, bucket_use: BucketUse, partner: &str) -> String {
    let part = match bucket_use {
        BucketUse::Upload => "",
        BucketUse::Read => "outbox/",
    };
    format!("scalper/{}/{partner}/{part}", stack.as_str())
}

/// Returns whether a grant is one of a partner's for a bucket.
pub(crate) fn is_own_grant(name: &str, stack: &Stack, bucket_use: BucketUse, partner: &str) -> bool {
    name.strip_prefix(&grant_prefix(stack, bucket_use, partner)).is_some_and(|hash| !hash.contains('/'))
}

/// Returns the name of a grant: of its bucket, partner and principal, so that made twice it is one.
pub(crate) fn grant_name(stack: &Stack, bucket_use: BucketUse, partner: &str, principal: &str) -> String {
    let digest = Sha256::digest(principal.as_bytes());
    let hash = hex::encode(digest.get(..8).unwrap_or_default());
    grant_prefix(stack, bucket_use, partner) + &hash
}

/// A bucket as it is: its policy, and with a customer key the names of the key's grants.
pub(crate) struct BucketFacts<'f> {
    pub(crate) bucket: &'f PartnerBucket,
    pub(crate) policy: BucketPolicy<'f>,
    pub(crate) granted: Option<&'f BTreeSet<String>>,
}

impl BucketFacts<'_> {
    /// Returns those of a partner's principals that have what they need of the key.
    fn with_grant(&self, stack: &Stack, partner: &str, mut principals: BTreeSet<String>) -> BTreeSet<String> {
        principals.retain(|arn| {
            let name = grant_name(stack, self.bucket.bucket_use, partner, arn);
            self.granted.is_none_or(|granted| granted.contains(&name))
        });
        principals
    }
}

/// Returns the principals of a partner that the partners table remembers or a policy names, and whether each may use
/// all of these buckets, or any of them.
pub(crate) fn principals(
    stack: &Stack,
    buckets: &[BucketFacts<'_>],
    partner: &str,
    remembered: &BTreeSet<String>,
) -> Vec<PrincipalView> {
    let reach = |facts: &BucketFacts<'_>, principals| facts.with_grant(stack, partner, principals);
    let in_force = |facts| reach(facts, facts.policy.in_force(&facts.bucket.arn, partner));
    let in_part = |facts| reach(facts, facts.policy.in_part(&facts.bucket.arn, partner));
    let whole: Vec<BTreeSet<String>> = buckets.iter().map(in_force).collect();
    let part: BTreeSet<String> = buckets.iter().flat_map(in_part).collect();
    let named = buckets.iter().flat_map(|facts| facts.policy.in_part(&facts.bucket.arn, partner));
    let all: BTreeSet<String> = remembered.iter().cloned().chain(named).collect();
    let view = |arn: &String| {
        let (everywhere, somewhere) = (whole.iter().all(|whole| whole.contains(arn)), part.contains(arn));
        PrincipalView::new(arn, everywhere, somewhere, remembered.contains(arn))
    };
    all.iter().map(view).collect()
}
