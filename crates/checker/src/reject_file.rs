//! Rejected records in the form of their feed, to be corrected and sent back.

use contract::{Contract, Format, Violation};
use ledger::RejectsForm;

use crate::Reject;
use crate::form::{FileForm, TextWriter};
use crate::reject_object::RejectObjects;
use crate::reject_table::RejectTable;
use crate::returned::{CUT, TEXT_BYTES};

/// Returns the form in which the rejected records of a feed are written to be sent back.
#[must_use]
pub fn rejects_form(contract: &Contract) -> RejectsForm {
    match contract.format {
        Format::Separated(_) => RejectsForm::Csv,
        Format::JsonLines | Format::Json { .. } => RejectsForm::Ndjson,
    }
}

/// Writes the rejects of one file in the form of its feed: the sender's own cells or members exactly as they came, and
/// the columns of [`contract::reject_label`]. Sent back under the same contract the file is read as the same records.
/// Holds content: for the quarantine, and for the sender where the contract says so.
#[derive(Debug)]
pub struct RejectFile(RejectWriter);

#[derive(Debug)]
enum RejectWriter {
    Table(Box<RejectTable>),
    Objects(RejectObjects),
}

impl RejectFile {
    /// Begins the rejects of this file, which came in this form.
    #[must_use]
    pub fn new(contract: &Contract, form: &FileForm, file: &str) -> Self {
        let text = TextWriter::new(form, contract);
        Self(match &contract.format {
            Format::Separated(dialect) => {
                RejectWriter::Table(Box::new(RejectTable::new(dialect, *form, text, file)))
            }
            Format::JsonLines | Format::Json { .. } => RejectWriter::Objects(RejectObjects::new(text, file)),
        })
    }

    /// Returns the media type.
    #[must_use]
    pub fn media_type(&self) -> String {
        match &self.0 {
            RejectWriter::Table(table) => table.media_type(),
            RejectWriter::Objects(objects) => objects.media_type(),
        }
    }

    /// Appends one rejected record, and what a file begins with before the first.
    pub fn write(&mut self, reject: &Reject<'_>, out: &mut Vec<u8>) {
        match &mut self.0 {
            RejectWriter::Table(table) => table.write(reject, out),
            RejectWriter::Objects(objects) => objects.write(reject, out),
        }
    }
}

/// Returns the column of a violation, empty when it is about none.
pub(crate) fn column_of(contract: &Contract, violation: &Violation) -> String {
    violation.column.map_or_else(String::new, |column| contract.column_name(column).to_owned())
}

/// Returns the id of the broken rule.
pub(crate) fn rule_of(contract: &Contract, violation: &Violation) -> String {
    contract.rule(violation.rule).id.clone()
}

/// Returns one text for each violation, up to [`TEXT_BYTES`]; an ellipsis stands for the others.
pub(crate) fn texts(reject: &Reject<'_>, text: fn(&Contract, &Violation) -> String) -> Vec<String> {
    let mut bytes = 0;
    let mut texts = Vec::new();
    for violation in reject.violations {
        let one = text(reject.contract, violation);
        bytes += one.len() + "; ".len();
        if bytes > TEXT_BYTES {
            texts.push(CUT.to_owned());
            break;
        }
        texts.push(one);
    }
    texts
}
