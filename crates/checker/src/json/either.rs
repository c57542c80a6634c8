//! A feed of JSON documents, to which rejects come back as JSON lines.

use contract::json::members;
use contract::{Contract, reject_label};

use super::{JsonDocument, JsonLines};
use crate::reader::record_limit;
use crate::returned::{ADDED_BYTES, CorrectedFile};
use crate::{FileFault, Item};

/// Reads a JSON document, or corrected rejects on lines. The first line says which: rejects have a whole object there
/// with a member `_file`.
pub(crate) struct JsonEither {
    document: Option<Box<JsonDocument>>,
    lines: Option<Box<JsonLines>>,
    /// The beginning of the file, until it is known which of the two reads it.
    begin: Vec<u8>,
    most: usize,
}

impl JsonEither {
    pub(crate) fn new(contract: &Contract, path: Vec<String>) -> Self {
        Self {
            document: Some(Box::new(JsonDocument::new(contract, path))),
            lines: Some(Box::new(JsonLines::new(contract))),
            begin: Vec::new(),
            most: 2 * record_limit(contract) + ADDED_BYTES,
        }
    }

    pub(crate) fn push(&mut self, block: &[u8], found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        if self.is_undecided() {
            self.begin.extend_from_slice(block);
            return if self.decide(false) { self.push_begin(found) } else { Ok(()) };
        }
        match (&mut self.document, &mut self.lines) {
            (Some(document), _) => document.push(block, found),
            (None, Some(lines)) => lines.push(block, found),
            (None, None) => Ok(()),
        }
    }

    pub(crate) fn finish(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        if self.is_undecided() && self.decide(true) {
            self.push_begin(found)?;
        }
        match (&mut self.document, &mut self.lines) {
            (Some(document), _) => document.finish(found),
            (None, Some(lines)) => lines.finish(found),
            (None, None) => Ok(()),
        }
    }

    fn push_begin(&mut self, found: &mut impl FnMut(Item<'_>)) -> Result<(), FileFault> {
        let begin = std::mem::take(&mut self.begin);
        self.push(&begin, found)
    }

    fn is_undecided(&self) -> bool {
        self.document.is_some() && self.lines.is_some()
    }

    /// Looks at the beginning of the file. Returns false when more of it is needed.
    fn decide(&mut self, last: bool) -> bool {
        let text = self.begin.trim_ascii_start();
        let line = memchr::memchr2(b'\n', b'\r', text).and_then(|end| text.get(..end));
        let is_object = text.first().is_none_or(|first| *first == b'{');
        if !last && is_object && line.is_none() && self.begin.len() <= self.most {
            return false;
        }
        let line = line.unwrap_or(text);
        let has_file = |line: &[u8]| {
            members(line).any(|(name, _)| *name.content(line) == *reject_label::FILE.as_bytes())
        };
        if is_object && line.trim_ascii_end().ends_with(b"}") && has_file(line) {
            self.document = None;
        } else {
            self.lines = None;
        }
        true
    }

    pub(crate) fn unknown_fields(&self) -> u32 {
        let document = self.document.as_ref().map_or(0, |document| document.unknown_fields());
        document + self.lines.as_ref().map_or(0, |lines| lines.unknown_fields())
    }

    pub(crate) fn has_content(&self) -> bool {
        self.document.as_ref().is_some_and(|document| document.has_content())
            || self.lines.as_ref().is_some_and(|lines| lines.has_content())
    }

    pub(crate) fn corrects(&self) -> Option<&CorrectedFile> {
        match (&self.document, &self.lines) {
            (Some(document), None) => Some(document.corrects()),
            (None, Some(lines)) => Some(lines.corrects()),
            _ => None,
        }
    }
}
