//! Retracting a load and showing it again: one transaction.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::transaction::{ATTEMPTS, Blocked, TransactionPart, in_the_way};
use super::{LedgerTable, entry};
use crate::aws::dynamodb::{Attributes, Update, attributes, text};
use crate::aws::pause;
use crate::{Error, FileId, Operation, Reversal, Reversed, State, StateChange};
use ledger::digest;

/// A replay that is under way loses its claim with the attribute.
const CHANGE: &str = "SET #state = :to, #outcome.#state = :to, #outcome.#receipt = :receipt, #announced = :false, \
    #moves = list_append(if_not_exists(#moves, :none), :moved)";
const WITH_OTHER: &str = ", #outcome.#other = :other REMOVE #replay, #open_for";
const WITHOUT_OTHER: &str = " REMOVE #replay, #open_for, #outcome.#other";
const AS_SEEN: &str = "#state = :from AND #load = :load";
/// A load is shown only where its rows are.
const SHOWS: &str = "#state = :from AND #load = :load AND #loaded = :true";

impl LedgerTable {
    pub(super) async fn reverse_together(&self, reversal: &Reversal) -> Result<Reversed, Error> {
        let mut former = None;
        let mut last_code = String::new();
        for attempt in 0..ATTEMPTS {
            let Some(blocked) = self.try_reversal(reversal, former.as_ref()).await? else {
                return Ok(Reversed::Done);
            };
            match blocked {
                Blocked::Entry(_) | Blocked::Older | Blocked::Head => {
                    let done = self.is_made(reversal).await?;
                    return Ok(if done { Reversed::Done } else { Reversed::Changed });
                }
                Blocked::Content(item) => {
                    match self.holder(Operation::Reverse, reversal.content.as_ref(), item).await? {
                        (holder, true) => return Ok(Reversed::Duplicate(holder)),
                        (holder, false) => former = Some(holder),
                    }
                }
                Blocked::Passing(code) => {
                    last_code = code;
                    pause(Operation::Reverse, attempt).await?;
                }
                Blocked::Other(code) => return Err(Error::new(Operation::Reverse, code)),
            }
        }
        Err(Error::new(Operation::Reverse, if last_code.is_empty() { "contended" } else { &last_code }))
    }

    /// Returns whether this reversal changed the entries: its answer was lost.
    async fn is_made(&self, reversal: &Reversal) -> Result<bool, Error> {
        for change in &reversal.changes {
            let Some(entry) = self.read_entry(Operation::Reverse, &change.file).await? else {
                return Ok(false);
            };
            if !change.is_made(&entry, reversal.at_ms) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn try_reversal(
        &self,
        reversal: &Reversal,
        former: Option<&FileId>,
    ) -> Result<Option<Blocked>, Error> {
        let (parts, writes): (Vec<_>, Vec<_>) = self.reversal_parts(reversal, former)?.into_iter().unzip();
        let token = digest(&[format!("{reversal:?} {former:?}").as_bytes()], 36);
        let Err(error) = self.table.transact(writes, Some(token)).await else { return Ok(None) };
        in_the_way(Operation::Reverse, &parts, &error).map(Some)
    }

    fn reversal_parts(
        &self,
        reversal: &Reversal,
        former: Option<&FileId>,
    ) -> Result<Vec<(TransactionPart, TransactWriteItem)>, Error> {
        let mut parts = Vec::new();
        for change in &reversal.changes {
            let part = if parts.is_empty() { TransactionPart::Entry } else { TransactionPart::Older };
            parts.push((part, self.changes(change, reversal.at_ms)?));
        }
        let shown = reversal.changes.iter().find(|change| change.to == State::Complete);
        if let (Some(content), Some(shown)) = (&reversal.content, shown) {
            let takes = self.takes(Operation::Reverse, content, &shown.file, former)?;
            parts.push((TransactionPart::Content, takes));
        }
        if let Some(head) = &reversal.head {
            parts.push((TransactionPart::Head, self.moves(Operation::Reverse, &reversal.key, head)?));
        }
        let buried = self.buries(Operation::Reverse, &reversal.dead)?;
        parts.extend(buried.into_iter().map(|write| (TransactionPart::Dead, write)));
        Ok(parts)
    }

    fn changes(&self, change: &StateChange, at_ms: u64) -> Result<TransactWriteItem, Error> {
        let mut values: Attributes = attributes([
            (":from", text(change.from.as_str())),
            (":to", text(change.to.as_str())),
            (":load", text(change.load.as_str())),
            (":receipt", text(&change.receipt)),
            (":false", AttributeValue::Bool(false)),
        ]);
        values.extend(entry::moved_values(change.to, change.other.as_ref(), at_ms));
        if let Some(other) = &change.other {
            values.insert(":other".to_owned(), text(other.as_str()));
        }
        if change.to == State::Complete {
            values.insert(":true".to_owned(), AttributeValue::Bool(true));
        }
        let rest = if change.other.is_some() { WITH_OTHER } else { WITHOUT_OTHER };
        let expression = format!("{CHANGE}{rest}");
        let update = Update::new(Operation::Reverse, entry::file_key(&change.file), &expression);
        let condition = if change.to == State::Complete { SHOWS } else { AS_SEEN };
        self.table.update_part(update.only_if(condition).values(values))
    }
}
