//! One JSON document: an array of records or one record, at the document's top or at a path.

use contract::json::Delimiter;
use contract::{Contract, Found, Structure};

use super::objects::{Objects, is_key};
use super::returned::{ObjectReader, SentObject};
use crate::reader::{
    END_MARK, InvalidText, PIECE_BYTES, ReadStep, Window, check_text, endless, fault_at, longest,
    record_limit, violation,
};
use crate::returned::CorrectedFile;
use crate::{FaultCode, FileFault, Item};

/// Reads a document record by record: memory holds one record, or one value outside of the records.
pub(crate) struct JsonDocument {
    path: Vec<Vec<u8>>,
    limit: usize,
    window: Window,
    records: ObjectReader,
    invalid: InvalidText,
    place: DocumentPlace,
    /// How many objects of the path are open.
    level: usize,
    /// Whether the value at the path was read.
    arrived: bool,
    /// Of the element, name or value that is read.
    delimiter: Delimiter,
    /// The place behind a record above the size limit.
    after_oversize: DocumentPlace,
}

/// What comes next in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DocumentPlace {
    /// The document itself, or the value of the path's next name.
    Value,
    /// The first record, or the end of an empty array.
    FirstElement,
    /// A record.
    Element,
    /// A comma, or the end of the array.
    AfterElement,
    /// The rest of a record above the size limit, with the number of bytes that were dropped; the line on which it
    /// begins.
    Oversize { dropped: u64, line: u64 },
    /// The first member of an object of the path, or the end of an empty one.
    FirstMember,
    /// A member of an object of the path.
    Member,
    /// The value of a member beside the path. The window begins with the member, and the value behind this number of
    /// bytes.
    Beside(usize),
    /// A comma, or the end of an object of the path.
    AfterMember,
    /// White space.
    End,
}

impl JsonDocument {
    pub(crate) fn new(contract: &Contract, path: Vec<String>) -> Self {
        Self {
            path: path.into_iter().map(String::into_bytes).collect(),
            limit: record_limit(contract),
            window: Window::default(),
            records: ObjectReader::new(Objects::new(contract), record_limit(contract)),
            invalid: InvalidText::default(),
            place: DocumentPlace::Value,
            level: 0,
            arrived: false,
            delimiter: Delimiter::default(),
            after_oversize: DocumentPlace::AfterElement,
        }
    }

    pub(crate) fn unknown_fields(&self) -> u32 {
        self.records.objects.unknown()
    }

    pub(crate) fn corrects(&self) -> &CorrectedFile {
        self.records.corrects()
    }

    /// Returns whether there was more than white space.
    pub(crate) fn has_content(&self) -> bool {
        self.place != DocumentPlace::Value || self.level > 0
    }

    pub(crate) fn push(&mut self, block: &[u8], found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        for piece in block.chunks(PIECE_BYTES) {
            self.window.fill(piece);
            while self.step(found)? == ReadStep::More {}
        }
        Ok(())
    }

    pub(crate) fn finish(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        self.window.drop_end_marks();
        while self.step(found)? == ReadStep::More {}
        let untouched = !self.has_content() && self.window.rest().is_empty();
        if self.place == DocumentPlace::End || untouched {
            return Ok(());
        }
        Err(self.fault(FaultCode::Truncated, "a document that ends within a value", "a whole JSON document"))
    }

    /// Takes one token, record or member.
    fn step(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<ReadStep, FileFault> {
        if let DocumentPlace::Oversize { dropped, line } = self.place {
            return self.skip_oversize(dropped, line);
        }
        let blanks = blank(self.window.rest(), 0);
        self.window.advance_counting(blanks);
        let Some(first) = self.window.rest().first().copied() else { return Ok(ReadStep::Wait) };
        if self.window.rest().iter().all(|byte| *byte == END_MARK) {
            return Ok(ReadStep::Wait);
        }
        match self.place {
            DocumentPlace::Value => self.value(first, found),
            DocumentPlace::FirstElement if first == b']' => Ok(self.close_array()),
            DocumentPlace::Element if first == b']' => Err(self.fault(
                FaultCode::Json,
                "a comma before the closing bracket",
                "a record after each comma",
            )),
            DocumentPlace::FirstElement | DocumentPlace::Element => {
                self.element(DocumentPlace::AfterElement, found)
            }
            DocumentPlace::AfterElement => match first {
                b',' => Ok(self.token(DocumentPlace::Element)),
                b']' => Ok(self.close_array()),
                _ => Err(self.fault(
                    FaultCode::Json,
                    "other text after a record",
                    "a comma or a closing bracket",
                )),
            },
            DocumentPlace::FirstMember if first == b'}' => self.close_object(),
            DocumentPlace::FirstMember | DocumentPlace::Member => self.member(first),
            DocumentPlace::Beside(start) => self.pass_over(start),
            DocumentPlace::AfterMember => match first {
                b',' => Ok(self.token(DocumentPlace::Member)),
                b'}' => self.close_object(),
                _ => Err(self.fault(
                    FaultCode::Json,
                    "other text after a member",
                    "a comma or a closing brace",
                )),
            },
            DocumentPlace::End | DocumentPlace::Oversize { .. } => Err(self.after_end()),
        }
    }

    /// Takes one byte.
    fn token(&mut self, next: DocumentPlace) -> ReadStep {
        self.window.advance_counting(1);
        self.place = next;
        ReadStep::More
    }

    fn close_array(&mut self) -> ReadStep {
        self.arrived = true;
        self.token(if self.level == 0 { DocumentPlace::End } else { DocumentPlace::AfterMember })
    }

    fn value(&mut self, first: u8, found: &mut impl FnMut(Item<'_>)) -> Result<ReadStep, FileFault> {
        match first {
            b'{' if self.level < self.path.len() => {
                self.level += 1;
                Ok(self.token(DocumentPlace::FirstMember))
            }
            b'[' if self.level == self.path.len() => Ok(self.token(DocumentPlace::FirstElement)),
            b'{' => {
                let next = if self.level == 0 { DocumentPlace::End } else { DocumentPlace::AfterMember };
                let step = self.element(next, found)?;
                self.arrived = step == ReadStep::More;
                Ok(step)
            }
            b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'[' => Err(self.fault(
                if self.path.is_empty() { FaultCode::Json } else { FaultCode::RecordPath },
                "another kind of value",
                if self.level < self.path.len() { "an object" } else { "an array of objects, or one object" },
            )),
            _ => Err(self.fault(FaultCode::Json, "text that is not JSON", "a JSON document")),
        }
    }

    /// Reads the record that the window begins with.
    fn element(
        &mut self,
        next: DocumentPlace,
        found: &mut impl FnMut(Item<'_>),
    ) -> Result<ReadStep, FileFault> {
        let view = self.window.view(self.limit);
        let end = match self.delimiter.find_end(view) {
            Some(0) => return Err(self.fault(FaultCode::Json, "no record", "a record between two commas")),
            Some(end) if end <= self.limit => end,
            None if view.len() < self.limit + 2 => return Ok(ReadStep::Wait),
            _ => return Ok(self.begin_oversize(next, found)),
        };
        self.delimiter = Delimiter::default();
        let position = self.window.number();
        let raw = self.window.rest().get(..end).unwrap_or_default();
        let sent = SentObject { position, raw, clean: self.window.is_clean() };
        if let Some(broken) = self.records.give(sent, |broken| broken, found)? {
            self.invalid.note(broken, position.record, position.line)?;
        }
        self.window.advance_counting(end);
        self.place = next;
        Ok(ReadStep::More)
    }

    /// Rejects a record above the size limit, and drops what is known of it.
    fn begin_oversize(&mut self, next: DocumentPlace, found: &mut impl FnMut(Item<'_>)) -> ReadStep {
        let position = self.window.number();
        let raw = self.window.rest().get(..self.limit).unwrap_or_default();
        let violation = violation(Structure::RecordBytes, Found::Unspecified);
        found(Item::Broken { position, raw, text: raw, cells: &[], violation });
        // Looked at afresh, because the delimiter may have seen more than what is dropped here.
        self.delimiter = Delimiter::default();
        let _end_is_beyond = self.delimiter.find_end(raw);
        self.delimiter.forget(self.limit);
        self.window.advance_counting(self.limit);
        self.place = DocumentPlace::Oversize { dropped: self.limit as u64, line: position.line };
        self.after_oversize = next;
        ReadStep::More
    }

    fn skip_oversize(&mut self, dropped: u64, line: u64) -> Result<ReadStep, FileFault> {
        let rest = self.window.rest();
        if rest.is_empty() {
            return Ok(ReadStep::Wait);
        }
        let end = self.delimiter.find_end(rest);
        let bytes = end.unwrap_or(rest.len());
        let dropped = dropped + bytes as u64;
        if dropped > longest(self.limit) {
            return Err(endless(line, self.limit));
        }
        self.delimiter.forget(bytes);
        self.window.advance_counting(bytes);
        self.place = DocumentPlace::Oversize { dropped, line };
        if end.is_some() {
            self.delimiter = Delimiter::default();
            self.place = self.after_oversize;
        }
        Ok(ReadStep::More)
    }

    /// Reads a member of an object on the path: enters the path's next name, and passes over any other.
    fn member(&mut self, first: u8) -> Result<ReadStep, FileFault> {
        if first != b'"' {
            return Err(self.fault(FaultCode::Json, "no name", "a member's name in quotes"));
        }
        let view = self.window.view(self.limit);
        let Some(name_end) = self.delimiter.find_end(view) else { return self.more_of_member() };
        self.delimiter = Delimiter::default();
        let colon = name_end + blank(view, name_end);
        match view.get(colon) {
            None => return self.more_of_member(),
            Some(b':') => {}
            Some(_) => return Err(self.fault(FaultCode::Json, "a name without a colon", "a colon")),
        }
        let name = view.get(..name_end).unwrap_or_default();
        self.check_beside(name)?;
        let wanted = self.level.checked_sub(1).and_then(|level| self.path.get(level));
        match is_key(name, wanted.map_or(&[][..], Vec::as_slice)) {
            None => Err(self.fault(FaultCode::Json, "a name that is no JSON string", "a JSON string")),
            Some(true) if self.arrived => {
                Err(self.fault(FaultCode::Json, "a second member on the record path", "each name once"))
            }
            Some(true) => {
                self.window.advance_counting(colon + 1);
                self.place = DocumentPlace::Value;
                Ok(ReadStep::More)
            }
            Some(false) => {
                self.place = DocumentPlace::Beside(colon + 1);
                Ok(ReadStep::More)
            }
        }
    }

    /// Passes over the value behind `start`, a piece at a time: a long one is searched once.
    fn pass_over(&mut self, start: usize) -> Result<ReadStep, FileFault> {
        let view = self.window.view(self.limit);
        let begin = start + blank(view, start);
        let value = view.get(begin..).unwrap_or_default();
        let Some(length) = self.delimiter.find_end(value) else { return self.more_of_member() };
        self.delimiter = Delimiter::default();
        let value = value.get(..length).unwrap_or_default();
        self.check_beside(value)?;
        if !self.records.objects.is_value(value) {
            return Err(self.fault(FaultCode::Json, "a value that is not JSON", "a JSON value"));
        }
        self.window.advance_counting(begin + length);
        self.place = DocumentPlace::AfterMember;
        Ok(ReadStep::More)
    }

    fn check_beside(&self, text: &[u8]) -> Result<(), FileFault> {
        if self.window.is_clean() || check_text(text).is_ok() {
            return Ok(());
        }
        Err(self.fault(FaultCode::Encoding, "bytes outside of the records that are not UTF-8 text", "UTF-8"))
    }

    /// A member is read as a whole.
    fn more_of_member(&self) -> Result<ReadStep, FileFault> {
        if self.window.view(self.limit).len() < self.limit + 2 {
            return Ok(ReadStep::Wait);
        }
        Err(self.fault(
            FaultCode::Json,
            format!("a member outside of the records of more than {} bytes", self.limit),
            "members outside of the records within the record size limit",
        ))
    }

    fn close_object(&mut self) -> Result<ReadStep, FileFault> {
        if !self.arrived {
            let found = format!("no member for name {} of the record path", self.level);
            return Err(self.fault(FaultCode::RecordPath, found, "the records at the contract's recordPath"));
        }
        self.level = self.level.saturating_sub(1);
        let next = if self.level == 0 { DocumentPlace::End } else { DocumentPlace::AfterMember };
        Ok(self.token(next))
    }

    /// A second document is what a file has that is written line by line.
    fn after_end(&self) -> FileFault {
        let fault =
            self.fault(FaultCode::Json, "text after the end of the JSON document", "one JSON document");
        let second = self.path.is_empty() && self.window.rest().starts_with(b"{");
        match self.window.line() {
            2 if second => fault.with_advice(
                "the file has one JSON document on each line; the contract can say `delimiter: new_line`",
            ),
            _ if second => fault.with_advice("put the records into one array, with commas between them"),
            _ => fault,
        }
    }

    fn fault(&self, code: FaultCode, found: impl Into<String>, expected: &str) -> FileFault {
        fault_at(code, self.window.line(), found, expected)
    }
}

/// Returns how many bytes of white space begin at `from`.
fn blank(text: &[u8], from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}
