//! Rejected records as JSON objects.

use contract::json::members;
use contract::{Structure, reject_label};

use crate::form::TextWriter;
use crate::reject_file::{column_of, rule_of, texts};
use crate::returned::{CUT, whole_characters};
use crate::{Reject, reason};

/// Writes `rejects.ndjson`: on each line one record with its own members as they came, and those of [`reject_label`].
/// `_file` is the first, by which the file is recognised also in a feed of JSON documents.
///
/// A record that is no JSON object has its whole text in `_record` and no member of its own; above the size limit it
/// is cut there, and ends in ` ...`.
#[derive(Debug)]
pub(crate) struct RejectObjects {
    text: TextWriter,
    file: String,
    has_begun: bool,
    /// One line as UTF-8.
    line: Vec<u8>,
}

/// Rules whose breach leaves no object with members.
const WITHOUT_MEMBERS: [Structure; 6] = [
    Structure::Json,
    Structure::Truncated,
    Structure::NotAnObject,
    Structure::Encoding,
    Structure::Nul,
    Structure::RecordBytes,
];

impl RejectObjects {
    pub(crate) fn new(text: TextWriter, file: &str) -> Self {
        Self { text, file: file.to_owned(), has_begun: false, line: Vec::new() }
    }

    pub(crate) fn media_type(&self) -> String {
        format!("application/x-ndjson; charset={}", self.text.name())
    }

    pub(crate) fn write(&mut self, reject: &Reject<'_>, out: &mut Vec<u8>) {
        if !self.has_begun {
            self.has_begun = true;
            self.text.begin(out);
        }
        let line = &mut self.line;
        line.clear();
        line.extend_from_slice(b"{\"_file\":\"");
        line.extend_from_slice(self.file.as_bytes());
        line.push(b'"');
        if breaks(reject, &WITHOUT_MEMBERS) {
            line.extend_from_slice(b",\"_record\":\"");
            if breaks(reject, &[Structure::RecordBytes]) {
                write_string(whole_characters(reject.raw), line);
                line.extend_from_slice(CUT.as_bytes());
            } else {
                write_string(reject.raw, line);
            }
            line.push(b'"');
        } else {
            write_members(reject.raw, line);
        }
        line.extend_from_slice(format!(",\"_line\":{}", reject.position.line).as_bytes());
        write_list(reject_label::COLUMN, &texts(reject, column_of), line);
        write_list(reject_label::RULE, &texts(reject, rule_of), line);
        write_list(reject_label::REASON, &texts(reject, reason), line);
        line.extend_from_slice(b"}\n");
        self.text.write(line, out);
    }
}

/// Appends a member that is a list of texts. Writing text into memory cannot fail.
fn write_list(label: &str, texts: &[String], line: &mut Vec<u8>) {
    line.extend_from_slice(format!(",\"{label}\":").as_bytes());
    let before = line.len();
    if serde_json::to_writer(&mut *line, texts).is_err() {
        line.truncate(before);
        line.extend_from_slice(b"null");
    }
}

/// Appends the content of a JSON string. Bytes that are not UTF-8 stay as they are.
fn write_string(raw: &[u8], line: &mut Vec<u8>) {
    for byte in raw {
        match byte {
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\t' => line.extend_from_slice(b"\\t"),
            0..0x20 => line.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => line.push(*byte),
        }
    }
}

/// Appends the members of an object, each behind a comma, with line ends between them as blanks, which they cannot be
/// within a string. Members of an earlier file of rejects are left out.
fn write_members(raw: &[u8], line: &mut Vec<u8>) {
    for (name, value) in members(raw) {
        if is_added(&name.content(raw)) {
            continue;
        }
        line.push(b',');
        line.extend_from_slice(raw.get(name.source()).unwrap_or_default());
        line.push(b':');
        let value = raw.get(value.source()).unwrap_or_default();
        line.extend(value.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    }
}

/// Returns whether a member is one that rejects have in addition to the sender's.
#[inline]
pub(crate) fn is_added(name: &[u8]) -> bool {
    name.first() == Some(&b'_') && reject_label::ALL.iter().any(|label| label.as_bytes() == name)
}

fn breaks(reject: &Reject<'_>, structures: &[Structure]) -> bool {
    reject.violations.iter().any(|broken| structures.iter().any(|structure| structure.index() == broken.rule))
}
