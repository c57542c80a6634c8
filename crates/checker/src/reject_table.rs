//! Rejected records as a table in the sender's own layout, to be corrected in a spreadsheet and sent again.

use std::borrow::Cow;

use contract::{Format, Violation};

use crate::record::cell_text;
use crate::{Reject, reason};

/// What a cell may not begin with in a spreadsheet, where it would be run as a formula
/// (OWASP, "CSV Injection": `=`, `+`, `-`, `@`, tab, carriage return).
const FORMULA_STARTS: [u8; 6] = [b'=', b'+', b'-', b'@', b'\t', b'\r'];

/// Writes `rejects.csv` (RFC 4180, comma, CRLF): the sender's columns in the sender's order, then `_line`, `_column`,
/// `_rule` and `_reason`; one line for each rejected record. JSON gives the contract's columns.
///
/// Nothing of a record is lost: cells beyond the last column are put into the last one, joined by the delimiter; and
/// a record whose cells cannot be told apart, because of its quotes or its size, is put as sent into the first
/// column, all lines of it, with the others empty. A record above the size limit is kept up to that limit. Of a JSON
/// record the table shows what the contract names; the whole of it is in `rejects.ndjson`. A cell that a spreadsheet
/// would run as a formula gets a leading `'`, unless it is a plain number. Bytes that are not UTF-8 are shown as
/// U+FFFD here; the exact bytes are in `rejects.ndjson`. Holds content: for the quarantine only.
#[derive(Clone, Debug, Default)]
pub struct RejectTable {
    has_header: bool,
}

impl RejectTable {
    /// Returns a table without lines.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one rejected record, and the header before the first.
    pub fn write(&mut self, reject: &Reject<'_>, out: &mut Vec<u8>) {
        if !self.has_header {
            self.has_header = true;
            write_header(reject, out);
        }
        write_cells(reject, out);
        let contract = reject.contract;
        write_cell(reject.position.line.to_string().as_bytes(), out);
        out.push(b',');
        let column = |violation: &Violation| {
            Cow::Borrowed(violation.column.map_or("", |column| contract.column_name(column)))
        };
        write_joined(reject.violations, column, out);
        out.push(b',');
        let rule = |violation: &Violation| Cow::Borrowed(contract.rule(violation.rule).id.as_str());
        write_joined(reject.violations, rule, out);
        out.push(b',');
        write_joined(reject.violations, |violation| Cow::Owned(reason(contract, violation)), out);
        out.extend_from_slice(b"\r\n");
    }
}

fn write_header(reject: &Reject<'_>, out: &mut Vec<u8>) {
    if reject.labels.is_empty() {
        for column in &reject.contract.columns {
            write_cell(column.physical_name.as_bytes(), out);
            out.push(b',');
        }
    } else {
        for label in reject.labels {
            write_cell(label.as_bytes(), out);
            out.push(b',');
        }
    }
    out.extend_from_slice(b"_line,_column,_rule,_reason\r\n");
}

fn write_cells(reject: &Reject<'_>, out: &mut Vec<u8>) {
    let labels = reject.labels.len();
    let columns = if labels == 0 { reject.contract.columns.len() } else { labels };
    let whole = reject.cells.is_empty();
    for column in 0..columns {
        if whole && column == 0 {
            write_cell(reject.raw, out);
        } else if column + 1 == columns && reject.cells.len() > columns {
            write_cell(&surplus(reject, column), out);
        } else if let Some(slot) = reject.cells.get(column) {
            write_cell(cell_text(reject.text, *slot), out);
        }
        out.push(b',');
    }
}

/// Returns the cells from the last column on, as the sender wrote them side by side.
fn surplus(reject: &Reject<'_>, first: usize) -> Vec<u8> {
    let delimiter = match &reject.contract.format {
        Format::Separated(dialect) => dialect.delimiter,
        Format::JsonLines | Format::Json { .. } => b',',
    };
    let cells = reject.cells.iter().skip(first).map(|slot| cell_text(reject.text, *slot));
    cells.collect::<Vec<_>>().join(&delimiter)
}

fn write_joined<'a>(
    violations: &'a [Violation],
    text: impl Fn(&'a Violation) -> Cow<'a, str>,
    out: &mut Vec<u8>,
) {
    let parts: Vec<_> = violations.iter().map(text).collect();
    write_cell(parts.join("; ").as_bytes(), out);
}

fn write_cell(bytes: &[u8], out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.as_bytes();
    let formula = text.first().is_some_and(|first| FORMULA_STARTS.contains(first)) && !is_number(text);
    let quoted = text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'));
    if quoted {
        out.push(b'"');
    }
    if formula {
        out.push(b'\'');
    }
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    if quoted {
        out.push(b'"');
    }
}

/// Accepts a sign, digits and at most one point: nothing that a spreadsheet could compute.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    digits.iter().any(u8::is_ascii_digit) && parts.all(|part| part.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests;
