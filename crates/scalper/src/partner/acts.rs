//! What the audit trail gets of `partner` commands: names, ids, ARNs, limits and states; never an address or a secret.

use store::{
    ActDetail, ActSubject, Arn, Credential, DetailName, DetailValue, Feeds, Partner, Scope, Verb, Webhook,
};

use super::RepairedPlan;
use crate::arguments::{PartnerCommand, WhyArguments};
use crate::audited::PlannedAct;

/// Returns what a command is to do; `None` for one that only reads.
pub(super) fn planned(command: &PartnerCommand) -> Option<PlannedAct> {
    let of = |verb: Verb, name: &str, why: &WhyArguments| {
        Some(PlannedAct { verb, subject: ActSubject::partner(name), reason: why.reason.clone() })
    };
    match command {
        PartnerCommand::Add(add) => of(Verb::PartnerAdd, &add.name, &add.why),
        PartnerCommand::Rotate(rotate) => of(Verb::PartnerRotate, &rotate.name, &rotate.why),
        PartnerCommand::Revoke { name, why, .. } => of(Verb::PartnerRevoke, name, why),
        PartnerCommand::Suspend { name, why } => of(Verb::PartnerSuspend, name, why),
        PartnerCommand::Resume { name, why } => of(Verb::PartnerResume, name, why),
        PartnerCommand::Webhook(webhook) => of(Verb::PartnerWebhook, &webhook.name, &webhook.why),
        PartnerCommand::Role(role) => of(Verb::PartnerRole, &role.name, &role.why),
        PartnerCommand::S3(s3) if s3.all || s3.remove || !s3.principals.is_empty() => {
            let subject = s3.name.as_deref().map(ActSubject::partner).unwrap_or_default();
            Some(PlannedAct { verb: Verb::PartnerS3, subject, reason: s3.why.reason.clone() })
        }
        PartnerCommand::S3(_) | PartnerCommand::List { .. } => None,
    }
}

/// Returns the limits that are not as before.
pub(super) fn limits(
    before: Option<&Partner>,
    after: &Partner,
    requests_per_day: Option<i32>,
) -> Vec<ActDetail> {
    let count = |partner: &Partner, name| {
        let limits = partner.limits;
        DetailValue::Count(match name {
            DetailName::RequestsPerSecond => limits.requests_per_second.into(),
            DetailName::Burst => limits.burst.into(),
            _ => limits.bytes_per_day,
        })
    };
    let names = [DetailName::RequestsPerSecond, DetailName::Burst, DetailName::BytesPerDay];
    let changes = names.into_iter().filter_map(|name| {
        ActDetail::change(name, before.map(|before| count(before, name)), count(after, name))
    });
    let per_day = requests_per_day.and_then(|requests| u64::try_from(requests).ok());
    let per_day =
        per_day.map(|requests| ActDetail::new(DetailName::RequestsPerDay, DetailValue::Count(requests)));
    changes.chain(per_day).collect()
}

/// Returns the keys of API Gateway that were put right.
pub(super) fn keys(repaired: &RepairedPlan) -> Option<ActDetail> {
    (repaired.keys > 0).then(|| ActDetail::new(DetailName::Keys, DetailValue::Count(repaired.keys)))
}

/// Returns what a new credential opens.
pub(super) fn made(credential: &Credential) -> impl Iterator<Item = ActDetail> {
    let expires =
        credential.expires_ms.map(|at| ActDetail::new(DetailName::Expires, DetailValue::Instant(at)));
    let made = [
        ActDetail::new(DetailName::Credential, DetailValue::word(&credential.id)),
        ActDetail::new(DetailName::Feeds, feeds(&credential.feeds)),
        ActDetail::new(DetailName::Scopes, scopes(credential)),
    ];
    made.into_iter().chain(expires)
}

/// Returns the change of a partner's state.
pub(super) fn state(before: &Partner, after: &Partner) -> Option<ActDetail> {
    let word = |partner: &Partner| DetailValue::word(if partner.active { "active" } else { "suspended" });
    ActDetail::change(DetailName::State, Some(word(before)), word(after))
}

/// Returns that the partner's statement in the bucket policy, or a grant of the key, was changed.
pub(super) fn statement(changed: bool, there: bool) -> Option<ActDetail> {
    changed.then(|| ActDetail::new(DetailName::Statement, DetailValue::Present(there)))
}

/// Returns what changed where outcomes are posted.
pub(super) fn webhook(before: Option<&Webhook>, after: Option<&Webhook>) -> Vec<ActDetail> {
    let present = DetailValue::Present(true);
    let of = |name, change: (bool, bool, bool)| match change {
        (false, true, _) => Some(ActDetail::new(name, present.clone())),
        (true, false, _) => Some(ActDetail::gone(name, present.clone())),
        (true, true, true) => Some(ActDetail::new(name, DetailValue::word("replaced"))),
        (true, true, false) | (false, false, _) => None,
    };
    let (had, has) = (before.is_some(), after.is_some());
    let differs = |part: fn(&Webhook) -> &str| before.map(part) != after.map(part);
    let address = of(DetailName::Address, (had, has, differs(|webhook| &webhook.url)));
    let secret = of(DetailName::Secret, (had, has, differs(|webhook| &webhook.secret)));
    address.into_iter().chain(secret).collect()
}

/// Returns what changed of a role.
pub(super) fn role(arn: &str, before: Option<&Credential>, after: Option<&Credential>) -> Vec<ActDetail> {
    let named = Arn::parse(arn).map(DetailValue::Arn);
    let change = match (before, after) {
        (None, Some(_)) => named.map(|arn| ActDetail::new(DetailName::Role, arn)),
        (Some(_), None) => named.map(|arn| ActDetail::gone(DetailName::Role, arn)),
        (Some(_), Some(_)) | (None, None) => None,
    };
    let opened = after.into_iter().flat_map(|after| {
        let feeds =
            ActDetail::change(DetailName::Feeds, before.map(|one| feeds(&one.feeds)), feeds(&after.feeds));
        [feeds, ActDetail::change(DetailName::Scopes, before.map(scopes), scopes(after))]
    });
    change.into_iter().chain(opened.flatten()).collect()
}

/// Returns principals that upload by S3 now, or no longer.
pub(super) fn principals<'a>(
    arns: impl Iterator<Item = &'a String>,
    detail: fn(DetailName, DetailValue) -> ActDetail,
) -> Vec<ActDetail> {
    arns.filter_map(|arn| Arn::parse(arn))
        .map(|arn| detail(DetailName::Principal, DetailValue::Arn(arn)))
        .collect()
}

fn feeds(feeds: &Feeds) -> DetailValue {
    DetailValue::words(feeds.to_text().split(','))
}

fn scopes(credential: &Credential) -> DetailValue {
    DetailValue::words(credential.scopes.iter().copied().map(Scope::as_str))
}
