//! Reading a pinned version through a check, once or twice.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use checker::{ContentHash, FileCheck, Finished, Reject, Row, Sink, Summary};
use contract::Contract;
use store::{BodyChunks, Opened, ReadInbox};

use crate::{ProcessorStore, error::ProcessError, work::Work};

/// A sink that can wait between two calls of the check, to write out what it holds.
pub(crate) trait Pass: Sink {
    /// Writes out what is due. Called after each stretch of about 64 KiB of text.
    async fn write_out(&mut self) -> Result<(), ProcessError>;
}

/// What opening the version found.
pub(crate) enum OpenedVersion<B> {
    /// Its content.
    Content(Opening<B>),
    /// It does not exist (any more).
    Gone,
    /// It is in an archive storage class.
    Archived,
    /// The file has this number of bytes, which is above the contract's limit.
    TooLarge(u64),
}

/// An opened version.
pub(crate) enum Opening<B> {
    /// All chunks of a small file.
    Small(Vec<Bytes>),
    /// The chunks of a larger one, still to come.
    Large(B),
}

/// Where the second reading finds the bytes.
pub(crate) enum Content {
    /// Here.
    Kept(Vec<Bytes>),
    /// In the inbox: the version is opened again.
    Reopened,
}

/// Opens the pinned version. One of more than `most_bytes` is not read: only to hash what is quarantined anyway could
/// take longer than an invocation lasts, again and again.
pub(crate) async fn open<S: ProcessorStore>(
    work: &Work<'_, S>,
    most_bytes: u64,
) -> Result<OpenedVersion<<S as ReadInbox>::Body>, ProcessError> {
    Ok(match work.store.open(&work.file).await? {
        Opened::Gone => OpenedVersion::Gone,
        Opened::Archived => OpenedVersion::Archived,
        Opened::Body { length, corrects, mut body, .. } => {
            work.note_corrected(corrects);
            if length > most_bytes {
                return Ok(OpenedVersion::TooLarge(length));
            }
            if length > work.settings.small_file_bytes {
                return Ok(OpenedVersion::Content(Opening::Large(body)));
            }
            let mut chunks = Vec::new();
            while let Some(chunk) = body.next().await? {
                chunks.push(chunk);
            }
            OpenedVersion::Content(Opening::Small(chunks))
        }
    })
}

/// Reads the version for the first time: nothing is written.
pub(crate) async fn first<S: ProcessorStore>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    opening: Opening<<S as ReadInbox>::Body>,
) -> Result<(Summary, Content), ProcessError> {
    let check = FileCheck::new(Arc::clone(contract), work.seed(), ContentHash::Sha256);
    let mut pass = CountOnly { work };
    match opening {
        Opening::Large(body) => Ok((stream(check, body, &mut pass).await?, Content::Reopened)),
        Opening::Small(chunks) => Ok((replay(check, &chunks, &mut pass).await?, Content::Kept(chunks))),
    }
}

/// The result of the second reading.
pub(crate) enum Again {
    /// It agrees with the first, and knows every position.
    Done(Box<Summary>),
    /// The version was deleted in between.
    Gone,
    /// It was moved to an archive storage class in between.
    Archived,
}

/// Reads the version again: the sink gets what the first reading decided.
pub(crate) async fn second<S: ProcessorStore, P: Pass>(
    work: &Work<'_, S>,
    contract: &Arc<Contract>,
    first: &Summary,
    content: &Content,
    pass: &mut P,
) -> Result<Again, ProcessError> {
    let check = FileCheck::again(Arc::clone(contract), work.seed(), first);
    let summary = match content {
        Content::Kept(chunks) => replay(check, chunks, pass).await?,
        Content::Reopened => match work.store.open(&work.file).await? {
            Opened::Gone => return Ok(Again::Gone),
            Opened::Archived => return Ok(Again::Archived),
            Opened::Body { body, .. } => stream(check, body, pass).await?,
        },
    };
    if summary.counts == first.counts && summary.sha256 == first.sha256 {
        Ok(Again::Done(Box::new(summary)))
    } else {
        Err(ProcessError::Differs)
    }
}

/// Reads a body through a check.
pub(crate) async fn stream<B: BodyChunks, P: Pass>(
    mut check: FileCheck,
    mut body: B,
    pass: &mut P,
) -> Result<Summary, ProcessError> {
    while let Some(chunk) = body.next().await? {
        feed(&mut check, chunk, pass).await?;
    }
    finish(check, pass).await
}

async fn replay<P: Pass>(
    mut check: FileCheck,
    chunks: &[Bytes],
    pass: &mut P,
) -> Result<Summary, ProcessError> {
    for chunk in chunks {
        feed(&mut check, chunk.clone(), pass).await?;
    }
    finish(check, pass).await
}

async fn feed<P: Pass>(check: &mut FileCheck, mut chunk: Bytes, pass: &mut P) -> Result<(), ProcessError> {
    loop {
        let pushed = check.push(&chunk, pass);
        chunk.advance(pushed.consumed.min(chunk.len()));
        pass.write_out().await?;
        if chunk.is_empty() && !pushed.pending {
            return Ok(());
        }
    }
}

async fn finish<P: Pass>(mut check: FileCheck, pass: &mut P) -> Result<Summary, ProcessError> {
    loop {
        let finished = check.finish(pass);
        pass.write_out().await?;
        if let Finished::Done(summary) = finished {
            return Ok(summary);
        }
    }
}

/// The first reading's sink: only time is watched.
struct CountOnly<'a, S> {
    work: &'a Work<'a, S>,
}

impl<S> Sink for CountOnly<'_, S> {
    fn row(&mut self, _: Row<'_>) {}
    fn reject(&mut self, _: Reject<'_>) {}
}

impl<S: ProcessorStore> Pass for CountOnly<'_, S> {
    async fn write_out(&mut self) -> Result<(), ProcessError> {
        self.work.time_left()
    }
}
