//! The second reading: rows to the records table, rejects to the quarantine, both while the file is read.

use std::io::Write;

use checker::{Reject, RejectFile, RejectsForm, Row, Sink, Summary, rejects_form, write_reject_line};
use contract::Contract;
use flate2::{Compression, GzBuilder, write::GzEncoder};
use store::{Error, Fenced, Operation, RecordItem, Upload, WriteQuarantine};

use crate::{ProcessorStore, error::ProcessError, read::Pass, settings::Settings, work::Work};

/// Takes what the second reading decides.
pub(crate) struct Load<'a, S: ProcessorStore> {
    work: &'a Work<'a, S>,
    rows: Option<RowWriter>,
    rejects: Option<RejectFiles<<S as WriteQuarantine>::Upload>>,
}

/// Whether the rows are loaded, or only the rejects are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rows {
    Written,
    Left,
}

impl<'a, S: ProcessorStore> Load<'a, S> {
    /// For a file of which the first reading found this.
    pub(crate) fn new(work: &'a Work<'a, S>, contract: &Contract, first: &Summary, rows: Rows) -> Self {
        let files = || {
            RejectFiles::new(
                work,
                RejectFile::new(contract, &first.form, work.id.as_str()),
                rejects_form(contract),
            )
        };
        Self {
            work,
            rows: (rows == Rows::Written).then(|| RowWriter::new(work.rows_written, first.counts.rows)),
            rejects: (first.counts.rejects > 0).then(files),
        }
    }

    /// Writes what is left and makes the reject files visible.
    pub(crate) async fn finish(mut self) -> Result<(), ProcessError> {
        if let Some(rows) = &mut self.rows {
            rows.write(self.work).await?;
        }
        match self.rejects {
            Some(rejects) => rejects.finish().await,
            None => Ok(()),
        }
    }
}

impl<S: ProcessorStore> Sink for Load<'_, S> {
    fn row(&mut self, row: Row<'_>) {
        if let Some(rows) = &mut self.rows {
            rows.take(self.work, &row);
        }
    }

    fn reject(&mut self, reject: Reject<'_>) {
        if let Some(rejects) = &mut self.rejects {
            rejects.take(&reject);
        }
    }
}

impl<S: ProcessorStore> Pass for Load<'_, S> {
    async fn write_out(&mut self) -> Result<(), ProcessError> {
        if let Some(rejects) = &mut self.rejects {
            rejects.send().await?;
        }
        let Some(rows) = &mut self.rows else {
            return self.work.time_left();
        };
        if rows.are_many(self.work.settings) {
            rows.write(self.work).await?;
        }
        let time = self.work.time_left();
        if time.is_err() || rows.written - rows.checkpoint >= self.work.settings.rows_per_checkpoint {
            rows.remember(self.work).await?;
        }
        time
    }
}

/// Rows on their way, in the order of the file: a checkpoint says how many of them are written.
struct RowWriter {
    items: Vec<RecordItem>,
    bytes: usize,
    seen: u64,
    written: u64,
    checkpoint: u64,
    shards: u32,
}

impl RowWriter {
    fn new(written: u64, rows: u64) -> Self {
        Self {
            items: Vec::new(),
            bytes: 0,
            seen: 0,
            written,
            checkpoint: written,
            shards: store::shards(rows),
        }
    }

    fn take<S: ProcessorStore>(&mut self, work: &Work<'_, S>, row: &Row<'_>) {
        self.seen += 1;
        if self.seen > self.written {
            let item =
                store::row_item(&work.partner, &work.feed, &work.load, work.order.as_str(), row, self.shards);
            self.bytes += item.bytes();
            self.items.push(item);
        }
    }

    fn are_many(&self, settings: &Settings) -> bool {
        self.items.len() >= settings.rows_at_once || self.bytes >= settings.row_bytes_at_once
    }

    /// Writes what is held. After a failure what was written before is remembered: so a table that takes few rows at a
    /// time is filled in the end.
    async fn write<S: ProcessorStore>(&mut self, work: &Work<'_, S>) -> Result<(), ProcessError> {
        if self.items.is_empty() {
            return Ok(());
        }
        if let Err(error) = work.store.write(std::mem::take(&mut self.items)).await {
            self.remember(work).await?;
            return Err(error.into());
        }
        self.written = self.seen;
        self.bytes = 0;
        Ok(())
    }

    async fn remember<S: ProcessorStore>(&mut self, work: &Work<'_, S>) -> Result<(), ProcessError> {
        if self.written == self.checkpoint {
            return Ok(());
        }
        match work.store.checkpoint(&work.fence, self.written, work.lease_until_ms()).await? {
            Fenced::Kept => {
                self.checkpoint = self.written;
                work.note_advance();
            }
            Fenced::Lost => return Err(ProcessError::Lost),
        }
        Ok(())
    }
}

/// `rejects.ndjson.gz`, and the rejects in the form of their feed: `rejects.csv` or `rejects.ndjson`. They are written
/// whole by each attempt, since an upload is visible only when it is finished; without a time in the gzip header each
/// attempt writes the same bytes.
struct RejectFiles<U> {
    lines: GzEncoder<Vec<u8>>,
    line: Vec<u8>,
    lines_upload: U,
    returned: RejectFile,
    records: Vec<u8>,
    returned_upload: U,
    broken: bool,
}

impl<U: Upload> RejectFiles<U> {
    fn new<S: ProcessorStore + WriteQuarantine<Upload = U>>(
        work: &Work<'_, S>,
        returned: RejectFile,
        form: RejectsForm,
    ) -> Self {
        let (store, folder, open) = (work.store, work.quarantine(), &work.uploads);
        let key = folder.rejects(form);
        Self {
            lines: GzBuilder::new().mtime(0).write(Vec::new(), Compression::default()),
            line: Vec::new(),
            lines_upload: store.upload(&folder.reject_lines(), "application/gzip", open),
            returned_upload: store.upload(&key, &returned.media_type(), open),
            returned,
            records: Vec::new(),
            broken: false,
        }
    }

    fn take(&mut self, reject: &Reject<'_>) {
        self.line.clear();
        write_reject_line(reject, &mut self.line);
        self.broken |= self.lines.write_all(&self.line).is_err();
        self.returned.write(reject, &mut self.records);
    }

    /// Sends what there is; an upload keeps it until a part is full.
    async fn send(&mut self) -> Result<(), ProcessError> {
        if self.broken {
            return Err(Error::new(Operation::WriteObject, "gzip").into());
        }
        if !self.lines.get_ref().is_empty() {
            self.lines_upload.write(self.lines.get_ref()).await?;
            self.lines.get_mut().clear();
        }
        if !self.records.is_empty() {
            self.returned_upload.write(&self.records).await?;
            self.records.clear();
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<(), ProcessError> {
        self.send().await?;
        let end = self.lines.finish().map_err(|_| Error::new(Operation::WriteObject, "gzip"))?;
        self.lines_upload.write(&end).await?;
        self.lines_upload.finish().await?;
        self.returned_upload.finish().await?;
        Ok(())
    }
}
