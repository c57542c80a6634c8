//! `backfill`: sends files that are in the inbox already to the processor, a few at a time; with `--to` it copies
//! objects of another bucket into the inbox instead.
//!
//! The state is the bucket and the ledger: what the ledger has decided is left out, so an interrupted command is run
//! again and goes on. At most a few files are under way at a time, and of each key one version, the oldest first: a
//! feed may accept one file of a name, and waits for the older versions. Memory does not grow with the bucket.

mod copy;
mod range;
mod report;
mod walk;

use std::collections::VecDeque;
use std::fmt;

use runtime::notification::{self, NotificationAuthor};
use store::{
    ActDetail, ActSubject, CallerIdentity, CopyIntoInbox, DetailName, DetailValue, Error, FileId,
    ListedVersion, SendToQueue, StackQueue, State, Verb, WriteAudit,
};
use telemetry::Used;

use crate::arguments::BackfillArguments;
use crate::audited::{Audited, Auditor, Effect, PlannedAct};
use crate::error::CommandError;
use crate::interrupt::Interrupt;
use crate::preview::UNITS_OF_FILE;
use crate::reading::{Readable, StackView};
use crate::under_way::FilesUnderWay;
use range::ModifiedRange;
use walk::{KeyWalk, entries};

pub use copy::{CopyTarget, NotCopied};
pub use report::{BackfillReport, BackfillSurvey};

/// What a decided file uses, besides its records and Lambda's time (docs/cost.md, measured by
/// `crates/processor/src/tests/measures.rs`).
const OF_A_FILE: Used = Used {
    memory_megabytes: 0,
    milliseconds: 0,
    invocations: 1,
    write_tenths: UNITS_OF_FILE * 10,
    read_tenths: 15,
    object_writes: 2,
    object_reads: 1,
    queue_requests: 3,
    published: 1,
};

/// Which files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackfillPlace {
    bucket: String,
    prefix: String,
}

impl fmt::Display for BackfillPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl BackfillPlace {
    /// Reads `s3://<bucket>/<prefix>`; the prefix may be empty.
    pub fn parse(text: &str) -> Result<Self, String> {
        let place = text.strip_prefix("s3://").and_then(|rest| {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            (!bucket.is_empty()).then(|| Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
        });
        place.ok_or_else(|| "expected s3://<bucket>/<prefix>".to_owned())
    }

    /// Returns the partner and the feed whose folders the prefix names.
    fn subject(&self) -> ActSubject {
        let (folders, _) = self.prefix.rsplit_once('/').unwrap_or_default();
        let mut folders = folders.split('/');
        let partner = ActSubject::partner(folders.next().unwrap_or_default());
        ActSubject { feed: ActSubject::feed(folders.next().unwrap_or_default()).feed, ..partner }
    }
}

impl<S: Readable + SendToQueue + CopyIntoInbox> StackView<S> {
    /// Counts the files, and changes nothing. Without any it fails.
    pub async fn survey(&self, arguments: &BackfillArguments) -> Result<BackfillSurvey, CommandError> {
        let range = ModifiedRange::of(arguments, self.host.now())?;
        if let Some(target) = &arguments.to {
            return self.copy_survey(arguments, target, range).await;
        }
        let prefix = self.prefix_of(arguments)?;
        let mut walk = KeyWalk::new(&self.store, prefix);
        let mut survey = BackfillSurvey::new(arguments, range);
        loop {
            let mut some = walk.next().await.map_err(CommandError::Read)?;
            if some.is_empty() {
                break;
            }
            some.retain(|version| range.contains(version.last_modified_ms));
            let decided = entries(&self.store, &some).await.map_err(CommandError::Read)?;
            for (version, entry) in some.iter().zip(decided) {
                survey.count(version.bytes, entry.is_some_and(|entry| entry.state.is_terminal()));
            }
        }
        survey.must_have_files(arguments)?;
        survey.estimate(OF_A_FILE, walk.pages());
        Ok(survey)
    }

    /// Sends the files of a survey that the ledger has not decided, and waits until it has. Between two looks at the
    /// ledger it pauses. `progress` is shown what was done so far. At the interrupt it sends no more, and what is under
    /// way is left to the stack.
    pub async fn backfill<T: WriteAudit + CallerIdentity>(
        &self,
        arguments: &BackfillArguments,
        survey: BackfillSurvey,
        auditor: &Auditor<T>,
        pause: impl AsyncFnMut(),
        progress: impl FnMut(&BackfillReport),
        interrupt: Interrupt<'_>,
    ) -> Result<Audited<BackfillReport>, CommandError> {
        if survey.is_done() {
            return Ok(Audited::unchanged(BackfillReport::new(survey)));
        }
        let effect = async {
            let report = match &arguments.to {
                Some(target) => self.copy_in(arguments, target, survey, pause, progress, interrupt).await?,
                None => self.process(arguments, survey, pause, progress, interrupt).await?,
            };
            let count = |name, files| (files > 0).then(|| ActDetail::new(name, DetailValue::Count(files)));
            let sent = count(DetailName::Files, report.sent);
            Ok(if report.interrupted {
                let left = count(DetailName::FilesLeft, report.left());
                Effect::interrupted(report, sent.into_iter().chain(left))
            } else {
                Effect::new(report, sent)
            })
        };
        let planned = PlannedAct {
            verb: Verb::Backfill,
            subject: match &arguments.to {
                Some(target) => target.subject(),
                None => arguments.from.subject(),
            },
            reason: Some(arguments.reason.clone()),
        };
        auditor.audited(planned, effect).await
    }

    async fn process(
        &self,
        arguments: &BackfillArguments,
        survey: BackfillSurvey,
        mut pause: impl AsyncFnMut(),
        mut progress: impl FnMut(&BackfillReport),
        mut interrupt: Interrupt<'_>,
    ) -> Result<BackfillReport, CommandError> {
        let prefix = self.prefix_of(arguments)?;
        let range = survey.range;
        let mut report = BackfillReport::new(survey);
        let mut walk = KeyWalk::new(&self.store, prefix);
        let mut under_way = FilesUnderWay::at_most(arguments.concurrency);
        let mut next = VecDeque::new();
        let mut ended = false;
        loop {
            if interrupt.has_happened().await {
                report.interrupt(under_way.len());
                return Ok(report);
            }
            if next.is_empty() && !ended {
                let mut some = walk.next().await.map_err(CommandError::NotSent)?;
                ended = some.is_empty();
                some.retain(|version| range.contains(version.last_modified_ms));
                next.extend(self.undecided(some).await.map_err(CommandError::NotSent)?);
                continue;
            }
            let taken = under_way.take(&mut next, |version: &ListedVersion| &version.file.key);
            if !taken.is_empty() {
                self.send(&taken, &mut under_way, &mut report).await.map_err(CommandError::NotSent)?;
                progress(&report);
                continue;
            }
            if under_way.is_empty() {
                return Ok(report);
            }
            interrupt.or(pause()).await;
            self.look(&mut under_way, &mut report).await.map_err(CommandError::NotSent)?;
            progress(&report);
        }
    }

    fn prefix_of<'a>(&self, arguments: &'a BackfillArguments) -> Result<&'a str, CommandError> {
        let BackfillPlace { bucket, prefix } = &arguments.from;
        if *bucket != self.places.inbox {
            let (bucket, inbox) = (bucket.clone(), self.places.inbox.clone());
            return Err(CommandError::NotTheInbox { bucket, inbox });
        }
        Ok(prefix)
    }

    /// Leaves out what the ledger has decided.
    async fn undecided(&self, some: Vec<ListedVersion>) -> Result<Vec<ListedVersion>, Error> {
        let found = entries(&self.store, &some).await?;
        let pairs = some.into_iter().zip(found);
        let open = pairs.filter(|(_, entry)| entry.as_ref().is_none_or(|entry| !entry.state.is_terminal()));
        Ok(open.map(|(version, _)| version).collect())
    }

    async fn send(
        &self,
        taken: &[ListedVersion],
        under_way: &mut FilesUnderWay,
        report: &mut BackfillReport,
    ) -> Result<(), Error> {
        let bodies: Vec<_> =
            taken.iter().map(|version| notification::write(version, NotificationAuthor::Backfill)).collect();
        self.store.send_to(StackQueue::Inbox, &bodies).await?;
        let now_ms = self.host.now();
        for version in taken {
            under_way.add(FileId::of(&version.file), version.file.key.clone(), now_ms);
        }
        report.sent += taken.len() as u64;
        Ok(())
    }

    /// Looks which of the files that are under way were decided. A file of a held feed waits for its release.
    async fn look(&self, under_way: &mut FilesUnderWay, report: &mut BackfillReport) -> Result<(), Error> {
        let ends = |state: State| state.is_terminal() || state == State::Held;
        for ended in under_way.look(&self.store, self.host.now(), ends).await? {
            match ended.state {
                Some(state) => report.decided(state),
                None => report.undecided += 1,
            }
        }
        Ok(())
    }
}
