//! Whether uploads by S3 are as they are remembered: grants of the key by their names, and statements of the bucket
//! policy.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use store::Inbox;

use crate::bucket_policy::BucketPolicy;
use crate::names::Stack;
use crate::report::PrincipalView;

/// Returns how the names of a partner's grants begin.
pub(crate) fn grant_prefix(stack: &Stack, partner: &str) -> String {
    format!("scalper/{}/{partner}/", stack.as_str())
}

/// Returns the name of a grant: of its partner and principal, so that made twice it is one.
pub(crate) fn grant_name(stack: &Stack, partner: &str, principal: &str) -> String {
    let digest = Sha256::digest(principal.as_bytes());
    let hash = hex::encode(digest.get(..8).unwrap_or_default());
    grant_prefix(stack, partner) + &hash
}

/// Returns the principals of a partner that the partners table remembers or the policy names, and whether each may
/// upload. With a customer key one without a grant cannot: `granted` are the names of the key's grants, `None`
/// without such a key.
pub(crate) fn upload_principals(
    stack: &Stack,
    inbox: &Inbox,
    policy: &BucketPolicy<'_>,
    granted: Option<&BTreeSet<String>>,
    partner: &str,
    remembered: &BTreeSet<String>,
) -> Vec<PrincipalView> {
    let in_policy = policy.in_force(&inbox.arn, partner);
    let all = remembered.union(&in_policy).map(|arn| {
        let name = grant_name(stack, partner, arn);
        let open = in_policy.contains(arn) && granted.is_none_or(|granted| granted.contains(&name));
        PrincipalView::new(arn, open, remembered.contains(arn))
    });
    all.collect()
}
