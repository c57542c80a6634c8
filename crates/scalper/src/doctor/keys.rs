//! Keys at API Gateway: each valid credential needs one under its partner's usage plan, or its requests are answered
//! 403.

use std::collections::BTreeSet;

use store::Credential;

use super::{DoctorFinding, KEYS, Known};
use crate::gateway::{GatewayError, GatewayKey, PlanKeys};
use crate::names::KeyKind;

/// A partner and its valid credentials.
pub(super) struct Holder {
    pub(super) partner: String,
    pub(super) credentials: Vec<Credential>,
}

/// Checks the usage plans and keys of all partners.
pub(super) fn check(
    known: &Known,
    holders: &[Holder],
    plans: &[PlanKeys],
    keys: &[GatewayKey],
) -> Vec<DoctorFinding> {
    let (mut findings, mut counted) = (Vec::new(), 0_usize);
    for Holder { partner, credentials } in holders {
        let plan = known.stack.plan(partner);
        let of_plan = plans.iter().filter(|one| one.plan == plan).flat_map(|one| &one.keys);
        let of_plan: BTreeSet<&str> = of_plan.map(String::as_str).collect();
        let kinds = || keys.iter().filter_map(|key| Some((key, known.stack.key_kind(partner, &key.name)?)));
        let is_counted = |credential: &&Credential| {
            kinds().any(|(key, kind)| {
                kind == KeyKind::Usage(&credential.id) && of_plan.contains(key.id.as_str())
            })
        };
        let right = credentials.iter().filter(is_counted).count();
        counted += right;
        let again = known.stack.command(&format!("partner add {partner}"));
        if right < credentials.len() {
            let (lacking, all) = (credentials.len() - right, credentials.len());
            let what = format!(
                "{partner}: {lacking} of {all} valid credentials have no key in the usage plan; requests with them are answered 403"
            );
            let advice =
                "put the usage plan and its keys back; credentials, feeds and limits stay as they are";
            findings.push(DoctorFinding::fail(KEYS.check, what).advice(advice).command(again.clone()));
        }
        let clear = kinds().filter(|(_, kind)| *kind == KeyKind::Clear).count();
        if clear > 0 {
            let what = format!(
                "{partner}: keys of an earlier version that show a credential in clear to everybody who reads API Gateway's keys: {clear}"
            );
            let advice =
                "replace them; partners go on with the same credentials, and may rotate them afterwards";
            findings.push(DoctorFinding::warn(KEYS.check, what).advice(advice).command(again));
        }
    }
    if findings.is_empty() {
        let what = match counted {
            0 => "no partner has a valid API key".to_owned(),
            several => format!("valid API keys, all in their usage plans: {several}"),
        };
        findings.push(DoctorFinding::ok(KEYS.check, what));
    }
    findings
}

/// Returns the finding that API Gateway could not be read to the end.
pub(super) fn unchecked(error: &GatewayError) -> DoctorFinding {
    if error.code.starts_with("AccessDenied") {
        let what = format!("could not check: missing permission {}", KEYS.permission);
        return DoctorFinding::unknown(KEYS.check, what);
    }
    DoctorFinding::unknown(KEYS.check, format!("could not check: AWS did not answer as expected ({error})"))
}
