//! `retract`: hides the load of a file, and takes that back.
//!
//! ```text
//! plan from the ledger ─▶ receipts ─▶ one transaction ─▶ a notification, so that the processor announces the outcomes
//! ```
//!
//! Receipts are written before the transaction that names them, and each has a name of its own, so that a command that
//! was killed can be repeated: it goes on with what is missing. Where one version replaces another, the version before
//! is shown again in the same transaction, or loaded again where its rows are not there.

mod plan;
mod view;

use ledger::{Entry, FileId, ReplayRequest, State, Worse};
use runtime::Terms;
use runtime::notification::{self, NotificationAuthor};
use store::{
    ActDetail, ActSubject, CallerIdentity, DetailName, DetailValue, ReadInbox, ReverseLoads, Reversed,
    SendToQueue, StackQueue, Verb, WriteAudit, WriteQuarantine,
};

use crate::arguments::RetractArguments;
use crate::audited::{Auditor, Effect, PlannedAct};
use crate::error::CommandError;
use crate::reading::{FileView, Readable, StackView};
use plan::{Direction, ReversalPlan};
pub use view::{RetractReport, RetractResult};

/// Attempts at a file that others change at the same time.
const MOST_TRIES: usize = 5;

/// What was made, by one transaction or by several.
struct MadeReversal {
    /// The file, as it was before.
    entry: Entry,
    /// What was planned for it and made.
    plan: ReversalPlan,
    details: Vec<ActDetail>,
}

impl MadeReversal {
    /// Adds what was made after a later look: of another version of the name, or of the file again.
    fn then(mut self, later: ReversalPlan) -> Self {
        self.details.extend(details(&self.entry, &later));
        let found_as_asked =
            matches!(later.result, RetractResult::AlreadyRetracted | RetractResult::NotRetracted);
        if later.reversal.is_some() || later.replay.is_some() {
            let earlier = self.plan.result;
            self.plan = later;
            if found_as_asked {
                self.plan.result = earlier;
            }
        }
        self
    }
}

/// What the command reaches.
pub trait CanRetract: Readable + ReadInbox + ReverseLoads + WriteQuarantine + SendToQueue {}

impl<T: Readable + ReadInbox + ReverseLoads + WriteQuarantine + SendToQueue> CanRetract for T {}

impl<S: CanRetract> StackView<S> {
    /// Hides the load of a file, or shows it again.
    pub async fn retract<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &RetractArguments,
        auditor: &Auditor<T>,
    ) -> Result<RetractReport, CommandError> {
        let (file, entry) = self.version_of(&arguments.file, arguments.version.as_deref()).await?;
        let wanted = if arguments.undo { Direction::Show } else { Direction::Hide };
        if arguments.dry_run {
            let plan = Box::pin(self.reversal_plan(&file, &entry, wanted)).await?;
            return Ok(self.report(&entry, &plan, true));
        }
        let view = FileView::of_entry(&self.stack, &file, &entry);
        let planned = PlannedAct {
            verb: if arguments.undo { Verb::RetractUndo } else { Verb::Retract },
            subject: ActSubject::file(&file, &view.partner, &view.feed),
            reason: Some(arguments.reason.clone()),
        };
        // Kept on the heap: the futures of all services that it may call are large.
        Box::pin(auditor.audited(planned, self.reversed(&file, wanted))).await?.finished()
    }

    /// Carries the plan out, and looks again until there is nothing left: what happened to other versions of the name
    /// between look and transaction is seen then.
    async fn reversed(
        &self,
        file: &FileId,
        wanted: Direction,
    ) -> Result<Effect<RetractReport>, CommandError> {
        let mut made: Option<MadeReversal> = None;
        for _ in 0..MOST_TRIES {
            let entry = self.store.entry(file).await.map_err(CommandError::Read)?;
            let entry = entry.ok_or_else(|| CommandError::Contested { file: file.to_string() })?;
            let plan = self.reversal_plan(file, &entry, wanted).await?;
            if !self.carry_out(file, &plan).await? {
                continue;
            }
            let is_settled = plan.reversal.is_none();
            if made.is_none() || !is_settled {
                self.announce(&plan.announce).await?;
            }
            let asked = made.as_ref().is_some_and(|made| made.plan.replay.is_some());
            if let Some(older) = plan.replay.as_ref().filter(|_| !asked) {
                self.ask_for(older, &format!("retract-{file}")).await?;
            }
            let so_far = match made.take() {
                None => MadeReversal { details: details(&entry, &plan), entry, plan },
                Some(earlier) => earlier.then(plan),
            };
            if is_settled {
                let report = self.report(&so_far.entry, &so_far.plan, false);
                return Ok(Effect::new(report, so_far.details));
            }
            made = Some(so_far);
        }
        let file = file.to_string();
        Err(if made.is_some() { CommandError::NotSettled { file } } else { CommandError::Contested { file } })
    }

    /// Writes receipts and the transaction. Returns whether it was made; `false`: something changed since the look.
    async fn carry_out(&self, file: &FileId, plan: &ReversalPlan) -> Result<bool, CommandError> {
        for (key, receipt) in &plan.receipts {
            // Texts and numbers in structures always have a form in JSON.
            let bytes = serde_json::to_vec(receipt).unwrap_or_default();
            self.store.put(key, "application/json", bytes.into()).await.map_err(CommandError::NotReversed)?;
        }
        let Some(reversal) = &plan.reversal else { return Ok(true) };
        match self.store.reverse(reversal).await.map_err(CommandError::NotReversed)? {
            Reversed::Done => Ok(true),
            Reversed::Changed => Ok(false),
            Reversed::Duplicate(of) => {
                Err(CommandError::LoadedMeanwhile { file: file.to_string(), other: of.to_string() })
            }
        }
    }

    /// Has the processor announce the outcomes of these files. A notification that is lost is made up for by the
    /// watcher, which sends files that are not announced.
    async fn announce(&self, files: &[Entry]) -> Result<(), CommandError> {
        let notification = |entry| notification::of_entry(entry, NotificationAuthor::Operator);
        let bodies: Vec<String> = files.iter().map(notification).collect();
        if bodies.is_empty() {
            return Ok(());
        }
        self.store.send_to(StackQueue::Inbox, &bodies).await.map_err(CommandError::NotAnnounced)
    }

    /// Asks for the replay of the version that is to be visible again and whose rows are not there.
    async fn ask_for(&self, older: &Entry, id: &str) -> Result<(), CommandError> {
        let in_force = runtime::in_force(&self.store, &older.feed).await.map_err(CommandError::Read)?;
        let Terms::Active(contract) = in_force.terms else {
            return Err(CommandError::NoContractToReplay { feed: older.feed.clone() });
        };
        let request = ReplayRequest::new(id, older, &hex::encode(contract.identity.hash), Worse::Keep);
        let sent = self.store.send_to(StackQueue::Inbox, &[request.message()]).await;
        sent.map_err(CommandError::NotAsked)
    }

    fn report(&self, entry: &Entry, plan: &ReversalPlan, dry_run: bool) -> RetractReport {
        let view = |entry: &Entry| FileView::of_entry(&self.stack, &entry.load.file(), entry);
        RetractReport {
            dry_run,
            result: plan.result,
            file: view(entry),
            other: plan.other.as_ref().map(view),
            loads_again: plan.replay.is_some(),
            undo: self.stack.command(&format!("retract {} --undo --reason '…'", entry.load.file())),
        }
    }
}

/// Returns what the audit trail keeps of it.
fn details(entry: &Entry, plan: &ReversalPlan) -> Vec<ActDetail> {
    let Some(reversal) = &plan.reversal else { return Vec::new() };
    let mut details = Vec::new();
    for change in &reversal.changes {
        if change.file == entry.load.file() {
            let before = Some(DetailValue::State(change.from));
            details.extend(ActDetail::change(DetailName::State, before, DetailValue::State(change.to)));
            let load = DetailValue::Load(change.load.clone());
            details.push(if change.to == State::Complete {
                ActDetail::new(DetailName::VisibleLoad, load)
            } else {
                ActDetail::gone(DetailName::VisibleLoad, load)
            });
        } else {
            let other = DetailValue::File(change.file.clone());
            details.push(if change.to == State::Complete {
                ActDetail::new(DetailName::ShownFile, other)
            } else {
                ActDetail::gone(DetailName::ShownFile, other)
            });
        }
    }
    details
}
