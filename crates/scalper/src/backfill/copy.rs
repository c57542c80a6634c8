//! `backfill --to`: objects of another bucket are copied into the inbox, and go the way of every file from there.
//!
//! The name of a copy is made of its source, and a copy never replaces anything: copying twice is copying once. What
//! the inbox holds under such a name was copied before, unless it is older than its source or of another length. Both
//! lists have their keys in the same order, so that one pass over both tells what is left.

use std::collections::VecDeque;
use std::fmt;

use ledger::{FileId, FileVersion};
use runtime::Key;
use serde::Serialize;
use store::{
    ActSubject, CopiedIn, CopyIntoInbox, Current, Error, InboxPlace, ListInbox, ListedVersion,
    MOST_COPIED_BYTES, MOST_ENTRIES, SendToQueue, SourceObject, UploadId,
};
use telemetry::Used;

use super::range::ModifiedRange;
use super::{BackfillPlace, BackfillReport, BackfillSurvey, OF_A_FILE};
use crate::arguments::BackfillArguments;
use crate::error::CommandError;
use crate::feeds::{self, UnknownFeed};
use crate::interrupt::Interrupt;
use crate::names;
use crate::preview::counted;
use crate::reading::{Readable, StackView};
use crate::report::{Style, paragraph};
use crate::under_way::FilesUnderWay;

/// The most bytes of a key. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const MOST_KEY_BYTES: usize = 1_024;

/// Characters of the digest that stands for a key that is too long.
const DIGEST_CHARACTERS: usize = 26;

/// The folder of the inbox into which objects are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyTarget {
    partner: String,
    feed: String,
}

impl fmt::Display for CopyTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.partner, self.feed)
    }
}

impl CopyTarget {
    /// Reads `<partner>/<feed>`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = text.split_once('/').filter(|(partner, feed)| {
            runtime::is_name(partner) && runtime::is_name(feed) && names::new_partner(partner).is_ok()
        });
        let (partner, feed) = named.ok_or_else(|| "expected <partner>/<feed>".to_owned())?;
        Ok(Self { partner: partner.to_owned(), feed: feed.to_owned() })
    }

    /// Returns what an act on it is about.
    pub(super) fn subject(&self) -> ActSubject {
        ActSubject { feed: ActSubject::feed(&self.feed).feed, ..ActSubject::partner(&self.partner) }
    }

    /// Returns where the copies of a bucket are.
    fn folder(&self, bucket: &str) -> String {
        format!("{self}/{bucket}/")
    }

    /// Returns the key of a copy: `<partner>/<feed>/<bucket>/<key>`. A key that would be too long stands as its digest.
    fn key_of(&self, bucket: &str, key: &str) -> String {
        let folder = self.folder(bucket);
        if folder.len() + key.len() <= MOST_KEY_BYTES {
            return folder + key;
        }
        folder + &ledger::digest(&[key.as_bytes()], DIGEST_CHARACTERS)
    }
}

/// Returns the name of the upload that copies an object as it is listed.
fn upload_of(source: &SourceObject) -> UploadId {
    UploadId::of(&[source.bucket.as_bytes(), source.key.as_bytes(), source.etag.as_bytes()])
}

/// An object, and what is done with it.
struct CopyCase {
    source: SourceObject,
    key: String,
    step: CopyStep,
}

/// What is done with an object.
enum CopyStep {
    /// It is copied.
    Copy,
    /// It was copied before, as this version.
    Copied(FileVersion),
    /// It is a folder marker, or what a desktop leaves beside files.
    NoFile,
    /// It is larger than one copy.
    TooLarge,
    /// Its name in the inbox is that of other content.
    Changed,
}

/// Objects that are not copied, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotCopied {
    /// Folder markers, and what desktops leave beside files.
    pub no_files: u64,
    /// Larger than 5 GiB.
    pub too_large: u64,
    /// Their name in the inbox is that of other content: they were replaced after they were copied.
    pub changed: u64,
    /// In an archive storage class. A survey does not know it.
    pub archived: u64,
}

/// Walks through the objects of another bucket, each with what the inbox has of it. It holds a page of each list.
struct CopyWalk<'w, S> {
    store: &'w S,
    inbox: &'w str,
    target: &'w CopyTarget,
    from: &'w BackfillPlace,
    range: ModifiedRange,
    after: Option<String>,
    ended: bool,
    copies: VecDeque<ListedVersion>,
    copies_after: Option<InboxPlace>,
    copies_ended: bool,
    pages: u64,
}

impl<'w, S: ListInbox + CopyIntoInbox> CopyWalk<'w, S> {
    fn new(
        store: &'w S,
        inbox: &'w str,
        target: &'w CopyTarget,
        from: &'w BackfillPlace,
        range: ModifiedRange,
    ) -> Self {
        Self {
            store,
            inbox,
            target,
            from,
            range,
            after: None,
            ended: false,
            copies: VecDeque::new(),
            copies_after: None,
            copies_ended: false,
            pages: 0,
        }
    }

    /// Returns the next page of objects that were last modified in the range; `None` at the end.
    async fn next(&mut self) -> Result<Option<Vec<CopyCase>>, Error> {
        if self.ended {
            return Ok(None);
        }
        let BackfillPlace { bucket, prefix } = self.from;
        let page = self.store.source_page(bucket, prefix, self.after.as_deref()).await?;
        self.pages += 1;
        self.ended = page.next.is_none();
        self.after = page.next;
        let range = self.range;
        let mut cases = Vec::new();
        for source in page.objects.into_iter().filter(|object| range.contains(object.last_modified_ms)) {
            let key = self.target.key_of(bucket, &source.key);
            let step = self.step(&source, &key).await?;
            cases.push(CopyCase { source, key, step });
        }
        Ok(Some(cases))
    }

    async fn step(&mut self, source: &SourceObject, key: &str) -> Result<CopyStep, Error> {
        if !matches!(Key::read(key), Key::File { .. }) {
            return Ok(CopyStep::NoFile);
        }
        if !key.ends_with(&source.key) {
            // A digest is not at the place of its key in the list.
            return Ok(match self.store.copied(key).await? {
                Some(current) => self.copied(source, key, &current),
                None => CopyStep::of_new(source),
            });
        }
        Ok(match self.held(key).await? {
            None => CopyStep::of_new(source),
            Some(held) if held.bytes == source.bytes && held.last_modified_ms >= source.last_modified_ms => {
                CopyStep::Copied(held.file)
            }
            Some(_) => CopyStep::Changed,
        })
    }

    /// Returns whether the current version of a key is a copy of an object as it is listed.
    fn copied(&self, source: &SourceObject, key: &str, current: &Current) -> CopyStep {
        if current.upload.as_ref() != Some(&upload_of(source)) {
            return CopyStep::Changed;
        }
        CopyStep::Copied(version_of(self.inbox, key, &current.version))
    }

    /// Returns the newest version of a key, which comes after all keys that were asked for before.
    async fn held(&mut self, key: &str) -> Result<Option<ListedVersion>, Error> {
        let prefix = self.target.folder(&self.from.bucket) + &self.from.prefix;
        loop {
            while self.copies.front().is_some_and(|copy| copy.file.key.as_str() <= key) {
                if let Some(copy) = self.copies.pop_front().filter(|copy| copy.file.key == key) {
                    return Ok(Some(copy));
                }
            }
            if !self.copies.is_empty() || self.copies_ended {
                return Ok(None);
            }
            let page = self.store.inbox_page(&prefix, self.copies_after.as_ref()).await?;
            self.pages += 1;
            self.copies_ended = page.next.is_none();
            self.copies_after = page.next;
            self.copies = page.versions.into();
        }
    }
}

impl CopyStep {
    /// Returns what is done with an object of which the inbox has nothing.
    fn of_new(source: &SourceObject) -> Self {
        if source.bytes > MOST_COPIED_BYTES { Self::TooLarge } else { Self::Copy }
    }
}

impl NotCopied {
    /// Returns how many objects an operator has to care for.
    pub(super) fn problems(self) -> u64 {
        self.too_large + self.changed + self.archived
    }

    /// Renders what is left out and what to do; nothing when nothing is.
    pub(super) fn to_text(self, style: Style) -> String {
        let Self { no_files, too_large, changed, archived } = self;
        let lines = [
            (no_files, "folder markers and what desktops leave beside files"),
            (too_large, "larger than 5 GiB; copy each into the inbox with `aws s3 cp`"),
            (changed, "replaced since they were copied; copy each over its copy with `aws s3 cp`"),
            (archived, "in an archive storage class; restore them first"),
        ];
        let left = lines.into_iter().filter(|(count, _)| *count > 0);
        left.map(|(count, why)| {
            paragraph("", &format!("left out {}: {why}", counted(count, "object")), style)
        })
        .collect()
    }

    /// Counts an object that is left out.
    fn count(&mut self, step: &CopyStep) {
        match step {
            CopyStep::Copy | CopyStep::Copied(_) => {}
            CopyStep::NoFile => self.no_files += 1,
            CopyStep::TooLarge => self.too_large += 1,
            CopyStep::Changed => self.changed += 1,
        }
    }
}

/// Returns a version of the inbox, which has versions: its id alone names it.
fn version_of(inbox: &str, key: &str, version: &str) -> FileVersion {
    FileVersion { bucket: inbox.to_owned(), key: key.to_owned(), version: version.to_owned(), etag: None }
}

impl<S: Readable + SendToQueue + CopyIntoInbox> StackView<S> {
    /// Counts the objects that would be copied, and changes nothing. Without any it fails.
    pub(super) async fn copy_survey(
        &self,
        arguments: &BackfillArguments,
        target: &CopyTarget,
        range: ModifiedRange,
    ) -> Result<BackfillSurvey, CommandError> {
        if arguments.from.bucket == self.places.inbox {
            return Err(CommandError::CopiesTheInbox { inbox: self.places.inbox.clone() });
        }
        self.must_be_known(&target.partner).await?;
        self.must_have_contract(&target.feed).await?;
        let mut walk = CopyWalk::new(&self.store, &self.places.inbox, target, &arguments.from, range);
        let mut survey = BackfillSurvey::new(arguments, range);
        let mut not_copied = NotCopied::default();
        while let Some(cases) = walk.next().await.map_err(CommandError::SourceNotRead)? {
            let held: Vec<FileVersion> = cases.iter().filter_map(CopyCase::copied).collect();
            let mut decided = self.are_decided(&held).await.map_err(CommandError::Read)?.into_iter();
            for case in &cases {
                not_copied.count(&case.step);
                match case.step {
                    CopyStep::Copy => survey.count(case.source.bytes, false),
                    CopyStep::Copied(_) => survey.count(case.source.bytes, decided.next().unwrap_or(false)),
                    CopyStep::NoFile | CopyStep::TooLarge | CopyStep::Changed => survey.files += 1,
                }
            }
        }
        survey.not_copied = Some(not_copied);
        survey.must_have_files(arguments)?;
        // One copy for each, besides what every file uses.
        let of_a_file = Used { object_writes: OF_A_FILE.object_writes + 1, ..OF_A_FILE };
        survey.estimate(of_a_file, walk.pages);
        Ok(survey)
    }

    async fn must_have_contract(&self, feed: &str) -> Result<(), CommandError> {
        let unknown = feeds::without_contract(&self.store, [feed]).await.map_err(CommandError::Read)?;
        unknown.map_or(Ok(()), |UnknownFeed { feed, hint }| Err(CommandError::NoContract { feed, hint }))
    }

    /// Returns which versions the ledger has decided.
    async fn are_decided(&self, versions: &[FileVersion]) -> Result<Vec<bool>, Error> {
        let mut decided = Vec::new();
        for some in versions.chunks(MOST_ENTRIES) {
            let ids: Vec<FileId> = some.iter().map(FileId::of).collect();
            let entries = self.store.entries(&ids).await?;
            decided
                .extend(ids.iter().map(|id| entries.get(id).is_some_and(|entry| entry.state.is_terminal())));
        }
        Ok(decided)
    }

    /// Copies the objects of a survey that are not in the inbox, a few at a time, and waits until they are decided.
    pub(super) async fn copy_in(
        &self,
        arguments: &BackfillArguments,
        target: &CopyTarget,
        survey: BackfillSurvey,
        mut pause: impl AsyncFnMut(),
        mut progress: impl FnMut(&BackfillReport),
        mut interrupt: Interrupt<'_>,
    ) -> Result<BackfillReport, CommandError> {
        let range = survey.range;
        let mut report = BackfillReport::new(survey);
        let mut walk = CopyWalk::new(&self.store, &self.places.inbox, target, &arguments.from, range);
        let mut under_way = FilesUnderWay::at_most(arguments.concurrency);
        let mut next: VecDeque<CopyCase> = VecDeque::new();
        let mut ended = false;
        loop {
            if interrupt.has_happened().await {
                report.interrupt(under_way.len());
                return Ok(report);
            }
            if next.is_empty() && !ended {
                let cases = walk.next().await.map_err(CommandError::SourceNotRead)?;
                ended = cases.is_none();
                next.extend(
                    self.still_open(cases.unwrap_or_default()).await.map_err(CommandError::NotCopied)?,
                );
                continue;
            }
            if under_way.has_room()
                && let Some(case) = next.pop_front()
            {
                self.copy_one(&walk, case, &mut under_way, &mut report)
                    .await
                    .map_err(CommandError::NotCopied)?;
                progress(&report);
                continue;
            }
            if under_way.is_empty() {
                return Ok(report);
            }
            interrupt.or(pause()).await;
            self.look(&mut under_way, &mut report).await.map_err(CommandError::NotCopied)?;
            progress(&report);
        }
    }

    /// Leaves out what is not copied, and what was copied before and is decided.
    async fn still_open(&self, cases: Vec<CopyCase>) -> Result<Vec<CopyCase>, Error> {
        let held: Vec<FileVersion> = cases.iter().filter_map(CopyCase::copied).collect();
        let mut decided = self.are_decided(&held).await?.into_iter();
        let open = cases.into_iter().filter(|case| match case.step {
            CopyStep::Copy => true,
            CopyStep::Copied(_) => !decided.next().unwrap_or(false),
            CopyStep::NoFile | CopyStep::TooLarge | CopyStep::Changed => false,
        });
        Ok(open.collect())
    }

    /// Copies an object, unless that was done before. S3 announces the copy as every new file.
    async fn copy_one(
        &self,
        walk: &CopyWalk<'_, S>,
        case: CopyCase,
        under_way: &mut FilesUnderWay,
        report: &mut BackfillReport,
    ) -> Result<(), Error> {
        let CopyCase { source, key, step } = case;
        let step = match step {
            CopyStep::Copy => match self.store.copy_in(&source, &key, &upload_of(&source)).await? {
                CopiedIn::Version(version) => {
                    CopyStep::Copied(version_of(&self.places.inbox, &key, &version))
                }
                CopiedIn::Archived => {
                    report.leave_out(|not_copied| not_copied.archived += 1);
                    return Ok(());
                }
                // An earlier command copied it, or its answer was lost; or the object was replaced meanwhile.
                CopiedIn::Conflict => match self.store.copied(&key).await? {
                    Some(current) => walk.copied(&source, &key, &current),
                    None => CopyStep::Changed,
                },
            },
            step => step,
        };
        let CopyStep::Copied(file) = step else {
            report.leave_out(|not_copied| not_copied.count(&step));
            return Ok(());
        };
        under_way.add(FileId::of(&file), key, self.host.now());
        report.sent += 1;
        Ok(())
    }
}

impl CopyCase {
    /// Returns the version that was copied before.
    fn copied(&self) -> Option<FileVersion> {
        match &self.step {
            CopyStep::Copied(file) => Some(file.clone()),
            CopyStep::Copy | CopyStep::NoFile | CopyStep::TooLarge | CopyStep::Changed => None,
        }
    }
}
