//! `replay`: has files that were decided processed again under the contract in force.
//!
//! ```text
//! select ─▶ preview: what each file becomes, what it costs ─▶ ask ─▶ note, request a few ─▶ follow, request more
//! ```
//!
//! The work is the processor's, and as safe from crashes as a first load. The command asks and follows: it can be
//! interrupted at any time and run again. It has few replays under way at a time, so that new files wait behind few
//! of them. A file that was decided under the contract in force is left out, since the same bytes under the same
//! contract give the same load.

mod follow;
mod select;
mod view;

use std::io::Write;
use std::sync::Arc;

use contract::{Contract, OnSameName};
use ledger::{ActId, Entry, FileId, State, Worse};
use store::{CallerIdentity, Error, ReadInbox, SendToQueue, WriteAudit};

use crate::arguments::ReplayArguments;
use crate::audited::{Audited, Auditor};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::preview::{Before, EarlierContracts, FilePreview, PreviewCase, PreviewTotals, Progress, preview};
use crate::reading::{Readable, StackView, shell_word};
use follow::{ReplayConditions, ReplayRun, ReplayWork};
pub use follow::{ReplayEnd, ReplayedFile};
pub use view::{LeftOut, ReplayPlan, ReplayReport};

/// What the command reaches.
pub trait CanReplay: Readable + ReadInbox + SendToQueue {}

impl<T: Readable + ReadInbox + SendToQueue> CanReplay for T {}

/// A file that is to be replayed.
pub(crate) struct ReplayCase {
    pub(crate) file: FileId,
    pub(crate) entry: Entry,
    pub(crate) contract: Arc<Contract>,
}

impl<S: CanReplay> StackView<S> {
    /// Selects files and says what each becomes. Reads only. `terminal` gets the progress.
    pub async fn plan_replay<W: Write>(
        &self,
        arguments: &ReplayArguments,
        terminal: Option<W>,
    ) -> Result<ReplayPlan, CommandError> {
        let selected = self.select(arguments).await?;
        let (cases, left_out) = self.sort_out(selected, arguments).await?;
        let mut previews = Vec::new();
        let mut earlier = EarlierContracts::default();
        let mut progress = Progress::new(terminal, cases.len());
        for case in &cases {
            let found = self.preview_of(case, &mut earlier, &mut progress).await;
            previews.push(found.map_err(CommandError::Read)?);
            progress.end_file();
        }
        drop(progress);
        let shown_again = self.shown_again(&cases, &previews).await.map_err(CommandError::Read)?;
        let totals = PreviewTotals::of(&previews);
        let kept = !arguments.quarantine;
        Ok(ReplayPlan { previews, totals, left_out, shown_again, cases, keeps_loaded: kept })
    }

    /// Returns how many retracted files would be visible again.
    async fn shown_again(&self, cases: &[ReplayCase], previews: &[FilePreview]) -> Result<usize, Error> {
        let mut shown = 0;
        for (case, preview) in cases.iter().zip(previews) {
            if case.entry.state == State::Retracted && preview.after.is_loaded() {
                shown += usize::from(!self.stays_hidden(case).await?);
            }
        }
        Ok(shown)
    }

    /// Returns whether another version of the name stays the visible one.
    async fn stays_hidden(&self, case: &ReplayCase) -> Result<bool, Error> {
        let on_same_name = case.contract.policy.on_same_name;
        if on_same_name == OnSameName::Append {
            return Ok(false);
        }
        let head = self.store.head(&case.entry.file.key).await?;
        let Some(head) = head.filter(|head| head.file != case.file) else { return Ok(false) };
        let holder = self.store.entry(&head.file).await?.filter(|holder| holder.state == State::Complete);
        Ok(holder.is_some_and(|holder| on_same_name == OnSameName::Reject || holder.order > case.entry.order))
    }

    async fn preview_of<W: Write>(
        &self,
        case: &ReplayCase,
        earlier: &mut EarlierContracts,
        progress: &mut Progress<W>,
    ) -> Result<FilePreview, Error> {
        let before = earlier.of(&self.store, &case.entry).await?;
        let case = PreviewCase {
            entry: &case.entry,
            contract: &case.contract,
            before: Before::Ledger(before.as_ref()),
        };
        preview(&self.store, &case, &mut |bytes| progress.read(bytes)).await
    }

    /// Has the files of a plan replayed, a few at a time, and follows each to its end. `pause` waits between two looks.
    /// `seen` is told how many have ended. At the interrupt no more are asked for, and those that were are left to the
    /// stack.
    pub async fn replay<T: WriteAudit + CallerIdentity>(
        &self,
        plan: ReplayPlan,
        arguments: &ReplayArguments,
        auditor: &Auditor<T>,
        pause: impl AsyncFnMut(),
        seen: impl FnMut(usize, usize),
        interrupt: Interrupt<'_>,
    ) -> Result<Audited<ReplayReport>, CommandError> {
        if plan.cases.is_empty() {
            return Ok(Audited::unchanged(ReplayReport::new(plan, ReplayWork::none()).0));
        }
        let conditions = ReplayConditions {
            id: ActId::of((self.host.random)()).as_str().to_owned(),
            worse: if arguments.quarantine { Worse::Quarantine } else { Worse::Keep },
            most: usize::from(arguments.concurrency),
            reason: arguments.reason.clone(),
        };
        let run = ReplayRun::new(conditions, &plan.cases);
        let work = Box::pin(self.work_off(run, auditor, pause, seen, interrupt)).await?;
        let (mut report, noted) = ReplayReport::new(plan, work);
        report.go_on = arguments.again.then(|| self.go_on(&report, arguments)).flatten();
        Ok(Audited { report, noted })
    }

    /// Returns the command that replays the files that were not asked for, by their ids: with `--again` the same
    /// command would begin with those that are done.
    fn go_on(&self, report: &ReplayReport, arguments: &ReplayArguments) -> Option<String> {
        let ReplayArguments { quarantine, yes, concurrency, reason, .. } = arguments;
        let cases = &report.preview.cases;
        let left = cases.get(cases.len().checked_sub(report.not_asked)?..)?;
        if left.is_empty() || !report.interrupted {
            return None;
        }
        let mut words = vec!["replay".to_owned()];
        words.extend(left.iter().map(|case| case.file.to_string()));
        let switches = [(true, "--again"), (*quarantine, "--quarantine"), (*yes, "--yes")];
        words.extend(switches.into_iter().filter(|(is_said, _)| *is_said).map(|(_, word)| word.to_owned()));
        words.push(format!("--concurrency {concurrency}"));
        words.extend(reason.as_ref().map(|reason| format!("--reason {}", shell_word(reason.as_str()))));
        Some(self.stack.command(&words.join(" ")))
    }
}
