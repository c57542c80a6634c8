//! The dry run: the same check as for a file, and nothing is stored.

use std::sync::Arc;

use bytes::Buf;
use checker::{
    ContentHash, Counts, DroppedRecords, FileCheck, FileFacts, Finished, Receipt, ReceiptContract,
    ReceiptFault, ReceiptViolation, Reject, Row, RuleTotal, Sink, Summary, Verdict,
};
use contract::{Contract, NotRun};
use ledger::State;
use runtime::Correction;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::ApiStore;
use crate::call::{ApiCall, FeedTerms};
use crate::problem::{ProblemCode, ProblemDetails, RequestError};
use crate::respond::ApiResponse;

/// What would be decided on a file. Nothing is stored; no value of the file is in it
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub(crate) struct DryRun {
    /// The feed
    #[cfg_attr(test, schemars(with = "crate::openapi::FeedName"))]
    feed: String,
    /// Always false
    #[cfg_attr(test, schemars(with = "crate::openapi::False"))]
    stored: bool,
    /// The state that the file would have
    #[cfg_attr(test, schemars(with = "crate::openapi::DryRunState"))]
    would_be: &'static str,
    /// Records that would be loaded
    would_load: u64,
    /// The length in bytes
    bytes: u64,
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "crate::openapi::Findings"))]
    findings: Findings,
}

/// What the check found. The members are those of a receipt.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Findings {
    verdict: Option<Verdict>,
    fault: Option<ReceiptFault>,
    counts: Option<Counts>,
    sha256: Option<String>,
    contract: Option<ReceiptContract>,
    rules: Vec<RuleTotal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dropped: Vec<DroppedRecords>,
    violations: Vec<ReceiptViolation>,
    not_run: Vec<NotRun>,
    warnings: Vec<String>,
}

/// Handles `POST /v1/feeds/{feed}/check`.
pub(crate) async fn check<S: ApiStore>(call: &ApiCall<'_, S>) -> Result<ApiResponse, RequestError> {
    let feed = call.feed()?;
    let terms = call.terms(feed).await?;
    terms.within_limit(call.body.len() as u64)?;
    let facts = FileFacts {
        partner: feed.partner().to_owned(),
        feed: feed.name().to_owned(),
        ..FileFacts::default()
    };
    let (receipt, state) = match &terms {
        FeedTerms::Quarantine(rejection) => {
            let state = State::Quarantined;
            let contract = rejection.contract.as_deref();
            (checker::receipt(&facts, contract, None, state, Some(&rejection.fault)), state)
        }
        FeedTerms::Active(contract) => {
            let summary = decide(call, contract)?;
            let rejected = summary.verdict == Verdict::Rejected;
            let fault = match &summary.corrects {
                Some(corrects) if !rejected => {
                    let (partner, feed) = (feed.partner(), feed.name());
                    let correction = Correction { corrects, partner, feed, file: None, named: None };
                    correction.fault(call.store, contract).await?
                }
                _ => None,
            };
            let state = if rejected || fault.is_some() { State::Quarantined } else { State::Complete };
            (checker::receipt(&facts, Some(contract), Some(&summary), state, fault.as_ref()), state)
        }
    };
    Ok(ApiResponse::json(200, &dry_run(receipt, state, call.body.len() as u64)))
}

fn dry_run(receipt: Receipt, state: State, bytes: u64) -> DryRun {
    DryRun {
        feed: receipt.file.feed,
        stored: false,
        would_be: state.as_str(),
        would_load: receipt.loaded,
        bytes,
        findings: Findings {
            verdict: receipt.verdict,
            fault: receipt.fault,
            counts: receipt.counts,
            sha256: receipt.sha256,
            contract: receipt.contract,
            rules: receipt.rules,
            dropped: receipt.dropped,
            violations: receipt.violations,
            not_run: receipt.not_run,
            warnings: receipt.warnings,
        },
    }
}

/// Reads the body once, and again where a first reading cannot know the lines of what it rejects. The body is here as a
/// whole: one hash of it is the seed and the summary's, and the check takes none.
fn decide<S: ApiStore>(call: &ApiCall<'_, S>, contract: &Arc<Contract>) -> Result<Summary, ProblemDetails> {
    let sha256: [u8; 32] = Sha256::digest(&call.body).into();
    let mut seed = [0; 16];
    seed.iter_mut().zip(sha256).for_each(|(byte, from)| *byte = from);
    let until_ms = call.now_ms.saturating_add(call.settings.check_ms);
    let first = pass(call, FileCheck::new(Arc::clone(contract), seed, ContentHash::Skipped), until_ms)?;
    let summary = if first.rejected.is_empty() {
        first
    } else {
        pass(call, FileCheck::again(Arc::clone(contract), seed, &first), until_ms)?
    };
    Ok(Summary { sha256: Some(sha256), ..summary })
}

fn pass<S: ApiStore>(
    call: &ApiCall<'_, S>,
    mut check: FileCheck,
    until_ms: u64,
) -> Result<Summary, ProblemDetails> {
    let in_time = || {
        let detail = "the check takes longer than a request may: send the file; its receipt says the same";
        if call.host.now() < until_ms {
            Ok(())
        } else {
            Err(ProblemDetails::new(ProblemCode::TooLarge, detail))
        }
    };
    let mut rest = call.body.clone();
    loop {
        let pushed = check.push(&rest, &mut Nothing);
        rest.advance(pushed.consumed.min(rest.len()));
        in_time()?;
        if rest.is_empty() && !pushed.pending {
            break;
        }
    }
    loop {
        if let Finished::Done(summary) = check.finish(&mut Nothing) {
            return Ok(summary);
        }
        in_time()?;
    }
}

/// A sink that drops rows and rejects.
struct Nothing;

impl Sink for Nothing {
    fn row(&mut self, _: Row<'_>) {}
    fn reject(&mut self, _: Reject<'_>) {}
}
