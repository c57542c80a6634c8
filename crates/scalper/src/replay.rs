//! `replay`: has files that were decided processed again under the contract in force.
//!
//! ```text
//! select ─▶ preview: what each file becomes, what it costs ─▶ ask ─▶ note ─▶ request a few ─▶ follow, request more
//! ```
//!
//! The work is the processor's, and as safe from crashes as a first load. The command asks and follows: it can be
//! interrupted at any time and run again. It has few replays under way at a time, so that new files go first. A file
//! that was decided under the contract in force is left out, since the same bytes under the same contract give the same
//! load.

mod follow;
mod select;
mod view;

use std::io::Write;
use std::sync::Arc;

use contract::Contract;
use ledger::{ActId, Entry, FileId, Worse};
use store::{
    ActDetail, ActSubject, CallerIdentity, DetailName, DetailValue, Error, ReadInbox, SendToQueue, Verb,
    WriteAudit,
};

use crate::arguments::ReplayArguments;
use crate::audited::{Audited, Auditor, Effect, PlannedAct};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::preview::{Before, EarlierContracts, FilePreview, PreviewCase, PreviewTotals, Progress, preview};
use crate::reading::{FileView, Readable, StackView};
pub use follow::{ReplayEnd, ReplayedFile};
use follow::{ReplayRun, ReplayWork};
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
        let totals = PreviewTotals::of(&previews);
        let kept = !arguments.quarantine;
        Ok(ReplayPlan { previews, totals, left_out, cases, keeps_loaded: kept })
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
            return Ok(Audited::unchanged(ReplayReport::new(plan, ReplayWork::default())));
        }
        let planned = PlannedAct {
            verb: Verb::Replay,
            subject: self.subject(&plan.cases),
            reason: arguments.reason.clone(),
        };
        let id = ActId::of((self.host.random)());
        auditor
            .audited(planned, async {
                let most = usize::from(arguments.concurrency);
                let worse = if arguments.quarantine { Worse::Quarantine } else { Worse::Keep };
                let run = ReplayRun::new(id.as_str(), worse, most, &plan.cases);
                let work = self.work_off(run, pause, seen, interrupt).await?;
                let details = details(&plan.cases, &work);
                let interrupted = work.interrupted;
                let report = ReplayReport::new(plan, work);
                Ok(Effect { report, details, interrupted })
            })
            .await
    }

    /// Returns what the act is about: the file, or the partner and the feed that all files have in common.
    fn subject(&self, cases: &[ReplayCase]) -> ActSubject {
        let views: Vec<FileView> =
            cases.iter().map(|case| FileView::of_entry(&self.stack, &case.file, &case.entry)).collect();
        let common = |name: fn(&FileView) -> &String| {
            let first = name(views.first()?);
            views.iter().all(|view| name(view) == first).then(|| first.clone())
        };
        let (partner, feed) = (common(|view| &view.partner), common(|view| &view.feed));
        let file = match cases {
            [only] => Some(only.file.clone()),
            _ => None,
        };
        ActSubject {
            partner: partner.and_then(|name| ActSubject::partner(&name).partner),
            feed: feed.and_then(|name| ActSubject::feed(&name).feed),
            file,
            contract_version: None,
        }
    }
}

/// Returns what replays changed, for the audit trail: how many files were asked for, how many were not, and the state
/// of a single one.
fn details(cases: &[ReplayCase], work: &ReplayWork) -> Vec<ActDetail> {
    let count = |name, files: usize| {
        (files > 0)
            .then(|| ActDetail::new(name, DetailValue::Count(u64::try_from(files).unwrap_or(u64::MAX))))
    };
    let asked = cases.len().saturating_sub(work.not_asked);
    let counts = [count(DetailName::Files, asked), count(DetailName::FilesLeft, work.not_asked)];
    let mut details: Vec<ActDetail> = counts.into_iter().flatten().collect();
    if let [only] = cases {
        details.extend(work.files.first().and_then(|end| end.change(only.entry.state)));
    }
    details
}
