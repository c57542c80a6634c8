//! The commit that moves a head, takes a content or depends on another version: one transaction.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, TransactWriteItem};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;

use super::{LedgerTable, decision, decision_values, entry, fenced};
use crate::aws::dynamodb::{Attributes, Update, attributes, malformed, text};
use crate::aws::failure::failure;
use crate::aws::pause;
use crate::{Commit, Committed, ContentClaim, Error, FileId, HeadMove, Operation, State};
use ledger::digest;

/// Attempts at a transaction that meets others at the same items, or whose plan has to change.
pub(super) const ATTEMPTS: u32 = 6;

/// The content's item is taken by nobody, or by us, or by a file that is no longer complete.
const CONTENT_FREE: &str = "attribute_not_exists(#pk) OR #file = :file";
const CONTENT_FREE_OR: &str = "attribute_not_exists(#pk) OR #file = :file OR #file = :former";
const HEAD_ABSENT: &str = "attribute_not_exists(#pk)";
const HEAD_AS_SEEN: &str = "#version = :version AND #file = :file AND #load = :load";
const SUPERSEDE: &str = "SET #state = :superseded, #announced = :false, #outcome.#state = :superseded, \
    #outcome.#other = :newer, #outcome.#receipt = :receipt, \
    #moves = list_append(if_not_exists(#moves, :none), :moved) REMOVE #replay";
const STILL_COMPLETE: &str = "#state = :complete";
/// Changes nothing, and fails where the load is visible again. A condition check would be one more permission.
const STAYS_RETRACTED: &str = "SET #state = :retracted";
const STILL_RETRACTED: &str = "#state = :retracted";
/// Changes nothing, and fails where the load was retracted.
const STAYS: &str = "SET #state = if_not_exists(#state, :retracted)";
const NOT_RETRACTED: &str = "attribute_exists(#state) AND #state <> :retracted";

/// The parts of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransactionPart {
    Entry,
    Content,
    Head,
    Older,
    /// The retracted load that had the head, or the newer version that supersedes this one.
    Holder,
    /// A load that is noted as dead, whatever is there.
    Dead,
    /// The hold of a feed. Without it the state of the entry is of no interest.
    Hold,
}

/// What is learnt about the other items while committing.
#[derive(Default)]
struct CommitPlan {
    /// The older entry is no longer complete (retracted): the head moves without it.
    leave_older: bool,
    /// Had the content and is no longer complete.
    former: Option<FileId>,
}

/// Why a transaction was cancelled, the first in the order of [`Committed`].
pub(super) enum Blocked {
    Entry(Option<Attributes>),
    Content(Option<Attributes>),
    /// The head, its holder or the hold.
    Head,
    Older,
    /// Met another transaction, or was throttled.
    Passing(String),
    Other(String),
}

impl LedgerTable {
    pub(super) async fn commit_together(&self, commit: &Commit) -> Result<Committed, Error> {
        let mut plan = CommitPlan::default();
        let mut last_code = String::new();
        for attempt in 0..ATTEMPTS {
            let Some(blocked) = self.transact(commit, &plan).await? else {
                return Ok(Committed::Done);
            };
            match blocked {
                Blocked::Entry(item) => {
                    let item = item.filter(|item| !item.is_empty());
                    let entry = self.seen(Operation::Commit, &commit.fence.file, item).await?;
                    let ours = |entry: crate::Entry| entry.was_decided(&commit.fence, &commit.outcome);
                    return Ok(if entry.is_some_and(ours) { Committed::Done } else { Committed::Lost });
                }
                Blocked::Content(item) => {
                    match self.holder(Operation::Commit, commit.content.as_ref(), item).await? {
                        (holder, true) => return Ok(Committed::Duplicate(holder)),
                        (holder, false) => plan.former = Some(holder),
                    }
                }
                Blocked::Head => return Ok(Committed::HeadMoved),
                Blocked::Older => plan.leave_older = true,
                Blocked::Passing(code) => {
                    last_code = code;
                    pause(Operation::Commit, attempt).await?;
                }
                Blocked::Other(code) => return Err(Error::new(Operation::Commit, code)),
            }
        }
        Err(Error::new(Operation::Commit, if last_code.is_empty() { "contended" } else { &last_code }))
    }

    /// Returns the file that has the content, and whether it is complete.
    pub(super) async fn holder(
        &self,
        operation: Operation,
        content: Option<&ContentClaim>,
        item: Option<Attributes>,
    ) -> Result<(FileId, bool), Error> {
        let item = match (item.filter(|item| !item.is_empty()), content) {
            (None, Some(content)) => self.table.get(operation, entry::content_key(content)).await?,
            (item, _) => item,
        };
        let holder = item.and_then(|item| entry::holder(&item));
        let holder = holder.ok_or_else(|| malformed(operation))?;
        let entry = self.read_entry(operation, &holder).await?;
        Ok((holder, entry.is_some_and(|entry| entry.state == State::Complete)))
    }

    /// Writes a transaction. Returns `None` when it is committed, otherwise what was in its way.
    async fn transact(&self, commit: &Commit, plan: &CommitPlan) -> Result<Option<Blocked>, Error> {
        let (parts, writes): (Vec<_>, Vec<_>) = self.parts(commit, plan)?.into_iter().unzip();
        let Err(error) = self.table.transact(writes, Some(token(commit, plan))).await else {
            return Ok(None);
        };
        in_the_way(Operation::Commit, &parts, &error).map(Some)
    }

    fn parts(
        &self,
        commit: &Commit,
        plan: &CommitPlan,
    ) -> Result<Vec<(TransactionPart, TransactWriteItem)>, Error> {
        let expression = decision(&commit.fence, commit.outcome.state);
        let update = fenced(Operation::Commit, &commit.fence, &expression).values(decision_values(
            &commit.fence,
            &commit.outcome,
            commit.at_ms,
        ));
        let mut parts = vec![(TransactionPart::Entry, self.table.update_part(update)?)];
        if let Some(newer) = commit.outcome.superseded_by() {
            parts.push((TransactionPart::Holder, self.depends_on(newer, STAYS, NOT_RETRACTED)?));
        }
        if let Some(content) = &commit.content {
            parts.push((
                TransactionPart::Content,
                self.takes(Operation::Commit, content, &commit.fence.file, plan.former.as_ref())?,
            ));
        }
        if let Some(head) = &commit.head {
            parts.push((TransactionPart::Head, self.moves(Operation::Commit, &commit.file.key, head)?));
            if let Some(from) = head.from.as_ref().filter(|_| head.retracted) {
                parts.push((
                    TransactionPart::Holder,
                    self.depends_on(&from.file, STAYS_RETRACTED, STILL_RETRACTED)?,
                ));
            }
            let older =
                head.from.as_ref().map(|from| &from.file).filter(|older| **older != commit.fence.file);
            if let (Some(older), Some(receipt), false) = (older, &head.receipt, plan.leave_older) {
                let newer = (&commit.fence.file, commit.at_ms);
                parts.push((TransactionPart::Older, self.supersedes(older, newer, receipt)?));
            }
        }
        let buried = self.buries(Operation::Commit, &commit.dead)?;
        parts.extend(buried.into_iter().map(|write| (TransactionPart::Dead, write)));
        Ok(parts)
    }

    pub(super) fn takes(
        &self,
        operation: Operation,
        content: &ContentClaim,
        file: &FileId,
        former: Option<&FileId>,
    ) -> Result<TransactWriteItem, Error> {
        let mut values = attributes([(":file", text(file.as_str()))]);
        let condition = match former {
            None => CONTENT_FREE,
            Some(former) => {
                values.insert(":former".to_owned(), text(former.as_str()));
                CONTENT_FREE_OR
            }
        };
        let item = entry::content_item(content, file);
        self.table.put_part(operation, item, Some(condition), values)
    }

    pub(super) fn moves(
        &self,
        operation: Operation,
        key: &str,
        head: &HeadMove,
    ) -> Result<TransactWriteItem, Error> {
        let item = entry::head_item(key, &head.to);
        let (condition, values) = match &head.from {
            None => (HEAD_ABSENT, Attributes::new()),
            Some(from) => {
                let seen = [
                    (":version", text(&from.version)),
                    (":file", text(from.file.as_str())),
                    (":load", text(from.load.as_str())),
                ];
                (HEAD_AS_SEEN, attributes(seen))
            }
        };
        self.table.put_part(operation, item, Some(condition), values)
    }

    /// Returns a write that leaves another file as it is, and fails where the condition on its state does not hold.
    fn depends_on(
        &self,
        file: &FileId,
        expression: &str,
        condition: &'static str,
    ) -> Result<TransactWriteItem, Error> {
        let update = Update::new(Operation::Commit, entry::file_key(file), expression);
        let values = attributes([(":retracted", text(State::Retracted.as_str()))]);
        self.table.update_part(update.only_if(condition).values(values))
    }

    fn supersedes(
        &self,
        older: &FileId,
        (newer, at_ms): (&FileId, u64),
        receipt: &str,
    ) -> Result<TransactWriteItem, Error> {
        let mut values = attributes([
            (":superseded", text(State::Superseded.as_str())),
            (":complete", text(State::Complete.as_str())),
            (":newer", text(newer.as_str())),
            (":receipt", text(receipt)),
            (":false", AttributeValue::Bool(false)),
        ]);
        values.extend(entry::moved_values(State::Superseded, Some(newer), at_ms));
        let update = Update::new(Operation::Commit, entry::file_key(older), SUPERSEDE);
        self.table.update_part(update.only_if(STILL_COMPLETE).values(values))
    }
}

/// Returns the same token only for the same transaction: DynamoDB rejects another body under it for ten minutes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
fn token(commit: &Commit, plan: &CommitPlan) -> String {
    let Commit { fence, outcome, head, content, dead, at_ms, .. } = commit;
    let seen = head.as_ref().and_then(|head| head.from.as_ref());
    let parts = [
        fence.file.to_string(),
        fence.fence.to_string(),
        fence.owner.clone(),
        seen.map(|seen| format!("{} {}", seen.version, seen.load)).unwrap_or_default(),
        head.as_ref().map(|head| head.to.load.to_string()).unwrap_or_default(),
        head.as_ref().map(|head| format!("{:?} {}", head.receipt, head.retracted)).unwrap_or_default(),
        format!("{outcome:?} {content:?} {dead:?} {at_ms}"),
        plan.leave_older.to_string(),
        plan.former.as_ref().map(ToString::to_string).unwrap_or_default(),
    ];
    digest(&parts.each_ref().map(String::as_bytes), 36)
}

/// Returns what was in the way of a transaction of these parts, from its error.
///
/// # Errors
///
/// The service failed in another way.
pub(super) fn in_the_way(
    operation: Operation,
    parts: &[TransactionPart],
    error: &SdkError<TransactWriteItemsError, HttpResponse>,
) -> Result<Blocked, Error> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Ok(blocked(parts, cancelled.cancellation_reasons()))
        }
        Some(TransactWriteItemsError::TransactionInProgressException(_)) => {
            Ok(Blocked::Passing("TransactionInProgressException".to_owned()))
        }
        _ => Err(failure(operation, error)),
    }
}

fn blocked(parts: &[TransactionPart], reasons: &[CancellationReason]) -> Blocked {
    let rejected = |wanted: TransactionPart| {
        let of_part = parts.iter().zip(reasons).find(|(part, _)| **part == wanted);
        of_part
            .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            .map(|(_, reason)| reason)
    };
    if rejected(TransactionPart::Hold).is_some() {
        return Blocked::Head;
    }
    if let Some(reason) = rejected(TransactionPart::Entry) {
        return Blocked::Entry(reason.item.clone());
    }
    if let Some(reason) = rejected(TransactionPart::Content) {
        return Blocked::Content(reason.item.clone());
    }
    if rejected(TransactionPart::Head).or_else(|| rejected(TransactionPart::Holder)).is_some() {
        return Blocked::Head;
    }
    if rejected(TransactionPart::Older).is_some() {
        return Blocked::Older;
    }
    let code = reasons.iter().filter_map(CancellationReason::code).find(|code| *code != "None");
    match code {
        Some(code @ ("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")) => {
            Blocked::Passing(code.to_owned())
        }
        Some(code) => Blocked::Other(code.to_owned()),
        None => Blocked::Other("TransactionCanceledException".to_owned()),
    }
}

#[cfg(test)]
mod tests;
