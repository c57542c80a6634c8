//! One pass over a file: bytes in, rows and rejects out, a summary at the end.

use std::borrow::Cow;
use std::sync::Arc;

use contract::{Contract, EmptyFile, OnSameName, Severity};
use sha2::{Digest, Sha256};

use crate::budget;
use crate::decode::Decoder;
use crate::foreign::{self, Takes};
use crate::form::{FileForm, FirstLineEnd};
use crate::gates;
use crate::reader::Reader;
use crate::records::Records;
use crate::returned::CorrectedFile;
use crate::summary::{GateResult, RecordSet, Summary};
use crate::{FaultCode, FileFault, Sink, Verdict};

/// The most text that one call to [`FileCheck::push`] reads.
const PIECE_BYTES: usize = 64 * 1024;

/// One pass over one file. Memory is one block of text, one record, and 16 bytes for each key that must not repeat, 24
/// where a later record decides on it.
///
/// Under `duplicates: rejectAll` and `keepLast` the first pass may give a row to the sink whose record a later one
/// rejects; its counts are right at its end, and the second pass gives the sink only what is decided.
pub struct FileCheck {
    contract: Arc<Contract>,
    decoder: Decoder,
    reader: Reader,
    records: Records,
    labels: Labels,
    line_end: FirstLineEnd,
    /// Decoded text, kept for its memory.
    text: Vec<u8>,
    /// None: the check was not asked for it.
    hash: Option<Sha256>,
    bytes: u64,
    decoded_bytes: u64,
    fault: Option<FileFault>,
    gates: Vec<GateResult>,
    finished: bool,
}

/// Whether a check also takes the SHA-256 of the stored bytes. It is the content's name in ledger and receipt and says
/// nothing about the records, so that a check which nothing is loaded from does without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentHash {
    /// [`Summary::sha256`] is none.
    Skipped,
    /// [`Summary::sha256`] is there.
    Sha256,
}

/// What one call to [`FileCheck::push`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Bytes of the input that were taken.
    pub consumed: usize,
    /// Whether there is more to give to the sink before further input is needed.
    pub pending: bool,
}

/// What one call to [`FileCheck::finish`] did.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "made once for each file")]
pub enum Finished {
    /// Call again.
    More,
    /// The file is decided.
    Done(Summary),
}

/// How far the header is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Labels {
    /// There is none, or its labels are known.
    Known,
    /// Not yet.
    Awaited {
        /// Whether the last byte read was a carriage return, which may or may not end a line by itself.
        after_return: bool,
    },
}

impl FileCheck {
    /// Makes the first pass. `seed` keys the hashes of what must not repeat; it comes from the load's name, so that
    /// the same load always decides the same.
    #[must_use]
    pub fn new(contract: Arc<Contract>, seed: [u8; 16], content_hash: ContentHash) -> Self {
        Self::start(contract, seed, content_hash, None)
    }

    /// Makes the second pass over the same bytes: decides exactly as the first did, and hashes the bytes when the
    /// first did.
    #[must_use]
    pub fn again(contract: Arc<Contract>, seed: [u8; 16], first: &Summary) -> Self {
        let content_hash = first.sha256.map_or(ContentHash::Skipped, |_| ContentHash::Sha256);
        Self::start(contract, seed, content_hash, Some(first.rejected.clone()))
    }

    fn start(
        contract: Arc<Contract>,
        seed: [u8; 16],
        content_hash: ContentHash,
        first_pass: Option<RecordSet>,
    ) -> Self {
        let labels = contract.format.has_text_cells();
        Self {
            decoder: Decoder::new(contract.limits, contract.encoding, Takes::of(&contract.format)),
            reader: Reader::new(Arc::clone(&contract)),
            records: Records::new(Arc::clone(&contract), seed, first_pass),
            labels: if labels { Labels::Awaited { after_return: false } } else { Labels::Known },
            line_end: FirstLineEnd::default(),
            text: Vec::new(),
            hash: match content_hash {
                ContentHash::Skipped => None,
                ContentHash::Sha256 => Some(Sha256::new()),
            },
            bytes: 0,
            decoded_bytes: 0,
            fault: None,
            gates: Vec::new(),
            finished: false,
            contract,
        }
    }

    /// Takes some of `input`, of which at most about 64 KiB of text are made, so that the caller can write out what
    /// the sink holds between calls. Call until all is consumed and nothing is pending. After a fault the input is
    /// only counted, and hashed when a hash was asked for.
    pub fn push(&mut self, input: &[u8], sink: &mut impl Sink) -> Pushed {
        let pushed = if self.fault.is_some() {
            Pushed { consumed: input.len(), pending: false }
        } else if self.decoder.is_plain() {
            let (piece, _) = input.split_at(input.len().min(PIECE_BYTES));
            let passed = self.decoder.pass(piece);
            self.read(piece, passed.err(), sink);
            Pushed { consumed: piece.len(), pending: false }
        } else {
            let mut text = std::mem::take(&mut self.text);
            let decoded = self.decoder.decode(input, &mut text);
            let (pushed, fault) = match decoded {
                Ok(decoded) => (Pushed { consumed: decoded.consumed, pending: decoded.pending }, None),
                Err(fault) => (Pushed { consumed: input.len(), pending: false }, Some(fault)),
            };
            self.read(&text, fault, sink);
            self.text = text;
            Pushed { pending: pushed.pending && self.fault.is_none(), ..pushed }
        };
        let consumed = input.get(..pushed.consumed).unwrap_or(input);
        if let Some(hash) = &mut self.hash {
            hash.update(consumed);
        }
        self.bytes += consumed.len() as u64;
        pushed
    }

    /// Ends the input. Call until it gives the summary.
    pub fn finish(&mut self, sink: &mut impl Sink) -> Finished {
        if !self.finished && self.fault.is_none() {
            let mut text = std::mem::take(&mut self.text);
            let ended = self.decoder.finish(&mut text);
            let (pending, fault) = ended.map_or_else(|fault| (false, Some(fault)), |pending| (pending, None));
            self.read(&text, fault, sink);
            self.text = text;
            if pending && self.fault.is_none() {
                return Finished::More;
            }
            self.end_records(sink);
            self.decide();
        }
        self.finished = true;
        Finished::Done(self.summary())
    }

    /// Reads text up to its end or a fault. `after` is the fault that ended the text, if one did.
    fn read(&mut self, text: &[u8], after: Option<FileFault>, sink: &mut impl Sink) {
        self.decoded_bytes += text.len() as u64;
        self.line_end.note(text);
        let Self { reader, records, labels, .. } = self;
        let read = read_text(reader, records, labels, text, sink);
        self.fault = self.records.fault.take().or(read.err()).or(after).map(|fault| self.explain(fault));
    }

    /// Says what the file is instead of what is wrong with its bytes, where nothing of it could be loaded and its
    /// content is recognised. A header that matches the contract is no accident.
    fn explain(&self, fault: FileFault) -> FileFault {
        if self.records.counts.rows > 0 || !self.reader.labels().is_empty() {
            return fault;
        }
        foreign::explain(fault, self.decoder.head(), &self.contract)
    }

    fn end_records(&mut self, sink: &mut impl Sink) {
        if self.fault.is_some() {
            return;
        }
        if self.decoded_bytes > 0 {
            let Self { reader, records, .. } = self;
            let ended = reader.finish(&mut |item| records.take(item, sink));
            self.fault = self.records.fault.take().or(ended.err()).map(|fault| self.explain(fault));
        }
        if self.records.counts.checked() == 0 && self.fault.is_none() {
            self.fault = self.empty();
        }
    }

    /// Returns why a file of which no record is to be loaded is rejected, if it is. A newer version without records
    /// would take all the rows of an older one away: only the contract's own word allows that.
    fn empty(&self) -> Option<FileFault> {
        let policy = self.contract.policy;
        let blank = self.decoded_bytes == 0 || !self.reader.has_content();
        let none = match self.records.counts.dropped {
            0 => Cow::Borrowed("no records"),
            dropped => Cow::Owned(format!("no records but {dropped} that `dropIf` leaves out")),
        };
        let found = match policy.empty_file {
            EmptyFile::Accept => return None,
            _ if blank => Cow::Borrowed("a file without content"),
            EmptyFile::Reject => none,
            EmptyFile::RejectZeroBytes if policy.on_same_name == OnSameName::Supersede => {
                Cow::Owned(format!("{none}, which would replace those of an earlier version"))
            }
            EmptyFile::RejectZeroBytes => return None,
        };
        let fault = FileFault::new(FaultCode::Empty, found, "at least one record");
        Some(if blank {
            fault
        } else {
            fault.with_advice(
                "check the export; if a file without records is meant, ask the feed's owner to set `emptyFile: accept` in the contract",
            )
        })
    }

    /// Decides on the file as a whole, once it was read to its end.
    fn decide(&mut self) {
        if self.fault.is_some() {
            return;
        }
        let counts = self.records.counts;
        self.gates = gates::decide(&self.contract, &self.records.tallies, &counts);
        self.fault = budget::decide(&self.contract, &counts, self.records.rejected_bytes)
            .map(|fault| if counts.rows == 0 { self.explain(fault) } else { fault });
        for (gate, rule) in self.gates.iter().zip(&self.contract.gates).filter(|(gate, _)| !gate.passed) {
            let unit = if rule.percent { " percent" } else { "" };
            if let Some(count) = self.records.by_rule.get_mut(usize::from(gate.rule.0)) {
                *count += 1;
            }
            let rule = self.contract.rule(gate.rule);
            if rule.severity == Severity::Warn {
                self.records.counts.warnings += 1;
            } else if self.fault.is_none() {
                let found = format!("{}: {}{unit}", rule.id, gate.measured);
                self.fault = Some(FileFault::new(FaultCode::Gate, found, rule.expected.clone()));
            }
        }
    }

    fn form(&self) -> FileForm {
        let (encoding, has_mark) = self.decoder.encoding();
        let declared = FileForm::declared(&self.contract);
        let (delimiter, ends_in_delimiter) = self.reader.delimiters().unwrap_or((declared.delimiter, false));
        FileForm { encoding, has_mark, line_end: self.line_end.get(), delimiter, ends_in_delimiter }
    }

    fn summary(&self) -> Summary {
        let counts = self.records.counts;
        let verdict = match (&self.fault, counts.rejects) {
            (Some(_), _) => Verdict::Rejected,
            (None, 0) => Verdict::Accepted,
            (None, _) => Verdict::Partial,
        };
        let corrects = self.reader.corrects();
        Summary {
            counts,
            verdict,
            fault: self.fault.clone(),
            sha256: self.hash.clone().map(|hash| hash.finalize().into()),
            bytes: self.bytes,
            decoded_bytes: self.decoded_bytes,
            by_rule: self.records.by_rule.clone(),
            dropped: self.records.dropped.clone(),
            first: self.records.first.clone(),
            gates: self.gates.clone(),
            unknown_columns: self.reader.unknown_columns(),
            rejects_kept: self.records.rejects_kept,
            corrects: corrects.and_then(|corrects| corrects.get().cloned()),
            returned_lines: corrects.map(CorrectedFile::lines).unwrap_or_default(),
            rejected_lines: self.records.rejected_lines,
            form: self.form(),
            rejected: self.records.rejected.clone(),
        }
    }
}

/// Gives text to the reader. Until the header is known it goes in pieces that end at its line ends, so that the labels
/// are there before the first record that is rejected.
fn read_text(
    reader: &mut Reader,
    records: &mut Records,
    labels: &mut Labels,
    text: &[u8],
    sink: &mut impl Sink,
) -> Result<(), FileFault> {
    let mut rest = text;
    while let Labels::Awaited { after_return } = *labels
        && !rest.is_empty()
    {
        let line = memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |end| end + 1);
        let (piece, later) = rest.split_at(if after_return { 1 } else { line });
        reader.push(piece, &mut |item| records.take(item, sink))?;
        records.labels = reader.labels().to_vec();
        *labels = if reader.has_labels() {
            Labels::Known
        } else {
            Labels::Awaited { after_return: piece.last() == Some(&b'\r') }
        };
        rest = later;
    }
    if rest.is_empty() { Ok(()) } else { reader.push(rest, &mut |item| records.take(item, sink)) }
}
