//! Rejected records as separated values.

use std::borrow::Cow;

use contract::{Dialect, Structure, reject_label};

use crate::form::{FileForm, TextWriter};
use crate::reader::BYTE_ORDER_MARK;
use crate::record::cell_text;
use crate::reject_file::{column_of, rule_of, texts};
use crate::returned::{CUT, percent_encoded, whole_characters};
use crate::{Reject, Slot, reason};

/// Writes `rejects.csv`: the sender's columns in the sender's order, then those of [`reject_label`]. The delimiter,
/// quotes, line ends, encoding and skipped lines are those of the file, down to a first line `sep=;` and to delimiters
/// at line ends. A feed without header gets one here, with the contract's names.
///
/// A cell has exactly the text that came, also when a spreadsheet would run it as a formula: a guard would change the
/// record. A record whose cells cannot be told apart, or that has too many or too few, has its whole text in `_record`
/// and nothing in the sender's columns; above the size limit it is cut there, and ends in ` ...`.
#[derive(Debug)]
pub(crate) struct RejectTable {
    dialect: Dialect,
    form: FileForm,
    text: TextWriter,
    file: String,
    has_header: bool,
    /// One line as UTF-8.
    line: Vec<u8>,
}

/// Rules whose breach leaves no cells that fit the columns.
const WITHOUT_CELLS: [Structure; 7] = [
    Structure::Quoting,
    Structure::AfterQuote,
    Structure::UnterminatedQuote,
    Structure::TooFewCells,
    Structure::TooManyCells,
    Structure::RepeatedHeader,
    Structure::RecordBytes,
];

impl RejectTable {
    pub(crate) fn new(dialect: &Dialect, form: FileForm, text: TextWriter, file: &str) -> Self {
        Self {
            dialect: dialect.clone(),
            form,
            text,
            file: file.to_owned(),
            has_header: false,
            line: Vec::new(),
        }
    }

    pub(crate) fn media_type(&self) -> String {
        let kind = if self.form.delimiter == b'\t' { "text/tab-separated-values" } else { "text/csv" };
        format!("{kind}; charset={}; header=present", self.text.name())
    }

    pub(crate) fn write(&mut self, reject: &Reject<'_>, out: &mut Vec<u8>) {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        if !self.has_header {
            self.has_header = true;
            self.text.begin(out);
            self.write_header(reject, &mut line);
        }
        let columns = columns_of(reject);
        if let Some(cells) = cells_of(reject, columns) {
            for (place, slot) in cells.iter().enumerate() {
                self.write_cell(cell_text(reject.text, *slot), place == 0, &mut line);
                line.push(self.form.delimiter);
            }
            self.write_added(reject, &[], &mut line);
        } else {
            line.resize(line.len() + columns, self.form.delimiter);
            self.write_added(reject, &self.whole(reject), &mut line);
        }
        if self.form.ends_in_delimiter {
            line.push(self.form.delimiter);
        }
        line.extend_from_slice(self.form.line_end.as_bytes());
        self.text.write(&line, out);
        self.line = line;
    }

    fn write_header(&self, reject: &Reject<'_>, line: &mut Vec<u8>) {
        let end = self.form.line_end.as_bytes();
        let mut skipped = self.dialect.skip_rows;
        if self.form.delimiter != self.dialect.delimiter {
            line.extend_from_slice(b"sep=");
            line.push(self.form.delimiter);
            line.extend_from_slice(end);
            skipped = skipped.saturating_sub(1);
        }
        for _ in 0..skipped {
            line.extend_from_slice(b"rejected records of ");
            line.extend_from_slice(self.file.as_bytes());
            line.extend_from_slice(end);
        }
        let names = reject.contract.columns.iter().map(|column| column.physical_name.as_str());
        let labels: Vec<&str> = match reject.labels {
            [] => names.collect(),
            labels => labels.iter().map(String::as_str).collect(),
        };
        for (place, label) in labels.into_iter().chain(reject_label::ALL).enumerate() {
            if place > 0 {
                line.push(self.form.delimiter);
            }
            self.write_cell(label.as_bytes(), place == 0, line);
        }
        line.extend_from_slice(end);
    }

    /// Writes the columns that the sender did not send.
    fn write_added(&self, reject: &Reject<'_>, whole: &[u8], line: &mut Vec<u8>) {
        let joined = |text| texts(reject, text).join("; ");
        for label in reject_label::ALL {
            let text = match label {
                reject_label::LINE => reject.position.line.to_string(),
                reject_label::COLUMN => joined(column_of),
                reject_label::RULE => joined(rule_of),
                reject_label::REASON => joined(reason),
                reject_label::FILE => self.file.clone(),
                _ => {
                    self.write_cell(whole, false, line);
                    line.push(self.form.delimiter);
                    continue;
                }
            };
            self.write_cell(&self.tamed(&text), false, line);
            if label != reject_label::FILE {
                line.push(self.form.delimiter);
            }
        }
    }

    /// Returns a record as a text for one cell.
    fn whole(&self, reject: &Reject<'_>) -> Vec<u8> {
        let is_cut = breaks(reject, &[Structure::RecordBytes]);
        let raw = if is_cut {
            [whole_characters(reject.raw), CUT.as_bytes()].concat()
        } else {
            reject.raw.to_vec()
        };
        if can_hold_any_text(&self.dialect) {
            raw
        } else {
            percent_encoded(&raw, |byte| self.ends_a_cell(byte))
        }
    }

    fn ends_a_cell(&self, byte: u8) -> bool {
        let is_blank = self.dialect.trim && matches!(byte, b' ' | b'\t');
        byte == self.form.delimiter
            || Some(byte) == self.dialect.quote
            || matches!(byte, b'\r' | b'\n')
            || is_blank
    }

    /// Returns a text of the contract without characters that the dialect cannot write.
    fn tamed<'a>(&self, text: &'a str) -> Cow<'a, [u8]> {
        if can_hold_any_text(&self.dialect) {
            return Cow::Borrowed(text.as_bytes());
        }
        let other = if self.form.delimiter == b' ' { b'_' } else { b' ' };
        let is_blank = |byte: u8| matches!(byte, b' ' | b'\t') && byte != self.form.delimiter;
        let tame = |byte: u8| if self.ends_a_cell(byte) && !is_blank(byte) { other } else { byte };
        Cow::Owned(text.bytes().map(tame).collect())
    }

    fn write_cell(&self, text: &[u8], is_first: bool, line: &mut Vec<u8>) {
        let Dialect { quote: Some(quote), escape, .. } = self.dialect else {
            if is_first && self.is_passed_over(text) {
                // Only a cell whose blanks are dropped can begin like this.
                line.push(if self.form.delimiter == b' ' { b'\t' } else { b' ' });
            }
            line.extend_from_slice(text);
            return;
        };
        if !self.needs_quotes(text, is_first) {
            line.extend_from_slice(text);
            return;
        }
        let doubles = doubles_quotes(&self.dialect);
        line.push(quote);
        for byte in text {
            match escape.filter(|escape| *escape != quote) {
                _ if *byte == quote && doubles => line.push(quote),
                Some(escape) if *byte == quote || *byte == escape => line.push(escape),
                _ => {}
            }
            line.push(*byte);
        }
        line.push(quote);
    }

    fn needs_quotes(&self, text: &[u8], is_first: bool) -> bool {
        let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        let special = |byte: &u8| {
            *byte == self.form.delimiter
                || Some(*byte) == self.dialect.quote
                || Some(*byte) == self.dialect.escape
                || matches!(byte, b'\r' | b'\n')
        };
        text.iter().any(special)
            || self.dialect.trim && (is_blank(text.first()) || is_blank(text.last()))
            || is_first && self.is_passed_over(text)
    }

    /// Returns whether a line that begins with this cell would lose it: it is a comment, or begins with a byte order
    /// mark.
    fn is_passed_over(&self, text: &[u8]) -> bool {
        let is_comment = text.first().copied().is_some_and(|byte| Some(byte) == self.dialect.comment);
        is_comment || text.starts_with(BYTE_ORDER_MARK)
    }
}

/// Returns whether a quote within quotes is written as two.
fn doubles_quotes(dialect: &Dialect) -> bool {
    dialect.double_quote || dialect.escape.is_some() && dialect.escape == dialect.quote
}

/// Returns whether every text can be written as a cell.
pub(crate) fn can_hold_any_text(dialect: &Dialect) -> bool {
    dialect.quote.is_some() && (doubles_quotes(dialect) || dialect.escape.is_some())
}

fn columns_of(reject: &Reject<'_>) -> usize {
    if reject.labels.is_empty() { reject.contract.columns.len() } else { reject.labels.len() }
}

fn breaks(reject: &Reject<'_>, structures: &[Structure]) -> bool {
    reject.violations.iter().any(|broken| structures.iter().any(|structure| structure.index() == broken.rule))
}

/// Returns the record's cells, one for each column. `None`: they do not fit the columns.
fn cells_of<'a>(reject: &Reject<'a>, columns: usize) -> Option<&'a [Slot]> {
    let (cells, rest) = reject.cells.split_at_checked(columns)?;
    let is_delimiter = |rest: &[Slot]| matches!(rest, [last] if last.start == last.end);
    let fits = rest.is_empty() || is_delimiter(rest);
    (fits && columns > 0 && !breaks(reject, &WITHOUT_CELLS)).then_some(cells)
}

#[cfg(test)]
mod tests;
