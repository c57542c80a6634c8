//! `docs/codes.md`, written from the codes of files and records and from the reasons of the inputs on this page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use contract::Code;
use ledger::State;

use super::{every_input, reasons};
use crate::FaultCode;

/// Where the page is kept.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/codes.md");

/// The page without its tables.
const FRAME: &str = include_str!("page.md");

/// The problems of the partner API, as a test of `ingest` keeps them.
const PROBLEMS: &str = include_str!("../../../../ingest/src/problem/codes.md");

/// When a file has this code.
fn meaning(code: FaultCode) -> &'static str {
    match code {
        FaultCode::Empty => "The file has no bytes, or no records where the contract wants some.",
        FaultCode::Truncated => "The compressed data or the last record ends too early.",
        FaultCode::Corrupt => "The compressed data is damaged, or followed by other bytes.",
        FaultCode::Bomb => "The file expands beyond the limits.",
        FaultCode::TooLarge => "The file is larger than `maxFileBytes`.",
        FaultCode::WrongFormat => "The content is another format: a workbook, an archive, a web page, …",
        FaultCode::Encoding => "The bytes are not text in the encoding of the contract.",
        FaultCode::UnterminatedQuote => "A quote is never closed. The line is that of the opening quote.",
        FaultCode::Header => "The header does not match the contract.",
        FaultCode::DuplicateColumn => "The header names a column twice.",
        FaultCode::MissingColumn => "The header lacks a column of the contract.",
        FaultCode::UnknownColumn => {
            "The header has a column that the contract does not name (`unknownColumn: reject`)."
        }
        FaultCode::TooManyColumns => "The header has more columns than `maxColumns`.",
        FaultCode::LineTooLong => "A line or record has no end.",
        FaultCode::Json => "The JSON document is not well formed, so no further record can be read.",
        FaultCode::RecordPath => "`recordPath` does not lead to records.",
        FaultCode::ErrorBudget => {
            "More records are rejected than `onError` or `maxRejects` allows, or no record can be loaded."
        }
        FaultCode::Gate => "A quality rule on the file as a whole is broken.",
        FaultCode::NoContract => "The feed has no contract.",
        FaultCode::ContractInvalid => "No version of the feed's contract compiles.",
        FaultCode::ContractInactive => "The feed's contract accepts no files.",
        FaultCode::Correction => {
            "The file holds corrected rejects of several files, of an unknown file, or of one that its rejects alone cannot correct."
        }
        FaultCode::SameName => "An earlier file has this name (`onSameName: reject`).",
        FaultCode::Archived => "The object is in an archive storage class.",
        FaultCode::Poison => "Processing stopped three times at the same place.",
        FaultCode::BadKey => "The key is not `<partner>/<feed>/<name>`.",
        FaultCode::PartnerSuspended => "The partner is suspended.",
    }
}

/// What a file in this state is.
fn state(state: State) -> &'static str {
    match state {
        State::Processing => "The file is being checked or loaded.",
        State::Held => "The file waits: an operator holds its feed. It is checked when the feed is released.",
        State::Complete => "The file is loaded. Rejected records, if any, are listed in its report.",
        State::Quarantined => "The file is not loaded. Its receipt has a code and what to do.",
        State::Superseded => "A newer file of the same name is loaded instead (`onSameName: supersede`).",
        State::Duplicate => "The same content is loaded under another name (`dedupeContent`).",
        State::Gone => "The file was deleted before it was read.",
        State::Ignored => "A folder marker or an editor's lock file.",
        State::Retracted => "An operator hid the rows of the file.",
    }
}

const CODES: [(Code, &str); 13] = [
    (Code::TypeError, "A value is not of the property's type."),
    (Code::ConstraintError, "A value breaks a limit, a pattern, a list of values or another rule."),
    (Code::RowConstraint, "The values of a record do not fit together: it breaks a business rule."),
    (Code::MissingCell, "A required value is null or absent, or the record has too few cells."),
    (Code::ExtraCell, "The record has more cells than columns, or a field that the contract does not name."),
    (Code::MissingLabel, "The header lacks a column."),
    (Code::ExtraLabel, "The header has a column that the contract does not name."),
    (Code::DuplicateLabel, "The header is repeated, or an object has a field twice."),
    (Code::PrimaryKey, "The primary key is null, too long, or that of another record."),
    (Code::UniqueError, "A unique value is that of an earlier record."),
    (Code::EncodingError, "The bytes are not text in the encoding of the contract."),
    (Code::FormatError, "The record does not follow the format: quotes, JSON, limits."),
    (Code::FileError, "A rule on the file as a whole is broken."),
];

fn page() -> String {
    let mut states = "| state | meaning |\n|---|---|\n".to_owned();
    for each in State::ALL {
        writeln!(states, "| `{}` | {} |", each.as_str(), state(each)).expect("a string takes every text");
    }
    let mut faults = "| code | when | what to do |\n|---|---|---|\n".to_owned();
    let every: BTreeMap<&str, FaultCode> =
        FaultCode::ALL.into_iter().map(|code| (code.as_str(), code)).collect();
    for (name, code) in every {
        writeln!(faults, "| `{name}` | {} | {} |", meaning(code), code.advice())
            .expect("a string takes every text");
    }
    let mut codes = "| code | when |\n|---|---|\n".to_owned();
    for (code, when) in CODES {
        writeln!(codes, "| `{}` | {when} |", code.as_str()).expect("a string takes every text");
    }
    let mut by_rule: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for input in every_input().into_iter().flat_map(|(_, inputs)| inputs) {
        for (rule, _, reason) in reasons(&input.source, &input.file) {
            by_rule.entry(rule).or_default().insert(reason);
        }
    }
    let mut sentences = String::new();
    for (rule, reasons) in by_rule {
        write!(sentences, "`{rule}`\n\n").expect("a string takes every text");
        for reason in reasons {
            writeln!(sentences, "* {}", reason.replace('*', "\\*").replace('<', "&lt;"))
                .expect("a string takes every text");
        }
        sentences.push('\n');
    }
    let page = FRAME
        .replace("{{states}}", states.trim_end())
        .replace("{{faults}}", faults.trim_end())
        .replace("{{problems}}", PROBLEMS.trim_end())
        .replace("{{codes}}", codes.trim_end());
    page.replace("{{reasons}}", sentences.trim_end())
}

#[test]
fn the_kept_page_is_that_of_the_code() {
    let text = page();
    if std::fs::read_to_string(KEPT).unwrap_or_default() != text {
        let fresh = Path::new(KEPT).with_extension("md.new");
        std::fs::write(&fresh, &text).expect("written next to the page");
        panic!(
            "docs/codes.md is not what the code says: compare it with docs/codes.md.new, then rename that"
        );
    }
}
