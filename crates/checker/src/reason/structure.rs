//! Reasons of the rules that every record obeys: values that are there, keys, cells, quotes, JSON, encodings.

use contract::{Contract, Format, Found, JsonFlaw, LooksLike, Structure, Violation};

use super::counted;
use crate::item_size::ROW_BYTES;
use crate::reader::encoding_name;
use crate::records::KEY_BYTES;

/// Returns what is wrong with a record as a whole, or with a value that is not there.
pub(super) fn sentence(contract: &Contract, violation: &Violation, found: Found) -> String {
    match found {
        Found::Null => null(contract, violation),
        Found::Absent if is_of(violation, Structure::UnknownField) => {
            "no field of the record is named by the contract".to_owned()
        }
        Found::Absent => "missing; the field is required".to_owned(),
        Found::Cells { cells, columns } => cells_and_columns(contract, cells, columns),
        Found::Count(count) => count_of(violation, count),
        Found::LineOfFirst(line) => duplicate(contract, violation, line),
        Found::LaterRecord => {
            "duplicate primary key: a later record has it and is loaded instead (`duplicates: keepLast`)"
                .to_owned()
        }
        Found::OtherRecord => {
            "duplicate primary key: more than one record has it and none is loaded (`duplicates: rejectAll`)"
                .to_owned()
        }
        Found::Bytes(bytes) => too_many_bytes(violation, bytes),
        Found::Quote { cell, at } => quote(violation, Some((cell, at))),
        Found::NotUtf8 { at, looks_like } => format!("not UTF-8 at byte {at}{}", guess(looks_like)),
        Found::Nul { at, looks_like } => format!("a NUL character at character {at}{}", guess(looks_like)),
        Found::Json { flaw, line, at } => json(contract, violation, flaw, line, at),
        // Those of rules on a value have their sentence there; `reason.rs` lists which ones come here.
        _ => bare(contract, violation),
    }
}

fn is_of(violation: &Violation, structure: Structure) -> bool {
    violation.rule == structure.index()
}

fn null(contract: &Contract, violation: &Violation) -> String {
    let word = if matches!(contract.format, Format::Separated(_)) { "empty" } else { "null" };
    if is_of(violation, Structure::PrimaryKey) {
        let word = if word == "null" { "null or missing" } else { word };
        return format!("{word}; the primary key needs a value");
    }
    format!("{word}; a value is required")
}

fn cells_and_columns(contract: &Contract, cells: u32, columns: u32) -> String {
    let has_header = matches!(&contract.format, Format::Separated(dialect) if dialect.header);
    let cells = counted(cells, "cell");
    if has_header {
        format!("{cells}; the header has {columns}")
    } else {
        format!("{cells}; the contract has {}", counted(columns, "column"))
    }
}

fn count_of(violation: &Violation, count: u64) -> String {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    if is_of(violation, Structure::UnknownField) {
        return format!("{} that the contract does not name", counted(count, "field"));
    }
    format!("{}; the header has another number of them", counted(count, "cell"))
}

fn duplicate(contract: &Contract, violation: &Violation, line: u64) -> String {
    let earlier = if line == 0 { "by an earlier record".to_owned() } else { format!("on line {line}") };
    let tuple = contract.unique.iter().find(|unique| unique.rule == violation.rule);
    let what = match tuple.map(|unique| unique.columns.as_slice()) {
        None => "primary key".to_owned(),
        Some([_]) => "value".to_owned(),
        Some(columns) => {
            let names: Vec<String> =
                columns.iter().map(|column| format!("`{}`", contract.column_name(*column))).collect();
            format!("combination of {}", names.join(" and "))
        }
    };
    format!("duplicate {what}: already used {earlier}")
}

fn too_many_bytes(violation: &Violation, bytes: u64) -> String {
    if is_of(violation, Structure::ItemBytes) {
        return format!("{bytes} bytes as stored; at most {ROW_BYTES} allowed");
    }
    if bytes == 0 {
        return "an empty primary key".to_owned();
    }
    format!("a primary key of {bytes} bytes; at most {KEY_BYTES} allowed")
}

/// Returns a quote in the wrong place, with the number of its cell and its place when they are known.
fn quote(violation: &Violation, place: Option<(u32, u32)>) -> String {
    let (cell, at) = match place {
        Some((cell, at)) => (format!("cell {cell}"), format!(" at character {at}")),
        None => ("a cell".to_owned(), String::new()),
    };
    if is_of(violation, Structure::AfterQuote) {
        return format!("text after the closing quote of {cell}{at}: double each quote inside a quoted cell");
    }
    if is_of(violation, Structure::UnterminatedQuote) {
        return format!("the opening quote of {cell}{at} is never closed");
    }
    format!("a quote inside {cell}{at}: put the cell in quotes and double each quote inside it")
}

fn guess(looks_like: Option<LooksLike>) -> String {
    looks_like.map_or_else(String::new, |encoding| format!("; looks like {}", encoding_name(encoding)))
}

fn json(contract: &Contract, violation: &Violation, flaw: JsonFlaw, line: u32, at: u32) -> String {
    let what = json_flaw(contract, violation, flaw);
    match (line, at) {
        (0, _) => what,
        (1, at) => format!("character {at}: {what}"),
        (line, at) => format!("line {line} of the record, character {at}: {what}"),
    }
}

fn json_flaw(contract: &Contract, violation: &Violation, flaw: JsonFlaw) -> String {
    let text = match flaw {
        JsonFlaw::Value => "a JSON value is expected",
        JsonFlaw::Word => {
            "not a JSON value; text is in double quotes, and `true`, `false` and `null` are in lower case"
        }
        JsonFlaw::SingleQuote => "a single quote; JSON has double quotes",
        JsonFlaw::Comment => "a comment; JSON has none",
        JsonFlaw::ByteOrderMark => "a byte order mark inside the text",
        JsonFlaw::CommaBeforeBrace => "a comma before the closing brace",
        JsonFlaw::CommaBeforeBracket => "a comma before the closing bracket",
        JsonFlaw::CommaOrBrace => "a comma or a closing brace is expected",
        JsonFlaw::CommaOrBracket => "a comma or a closing bracket is expected",
        JsonFlaw::Name => "a field name in double quotes is expected",
        JsonFlaw::Colon => "a colon is expected after the field name",
        JsonFlaw::Control => "a control character in a string; write an escape such as `\\n`",
        JsonFlaw::Escape => "an escape that JSON does not have",
        JsonFlaw::Surrogate => "an escape that is half of a surrogate pair",
        JsonFlaw::LeadingZero => "a number with a leading zero",
        JsonFlaw::Digit => "a digit is expected",
        JsonFlaw::Ends => "the text ends before the JSON does",
        JsonFlaw::After => "text after the end of the record",
        JsonFlaw::DuplicateField => {
            return match violation.column {
                Some(column) => format!("a second field `{}`", physical_name(contract, column)),
                None => "a duplicate field name".to_owned(),
            };
        }
        JsonFlaw::Depth => {
            return format!("nested deeper than {} levels", contract.limits.depth);
        }
        JsonFlaw::Nul => "an escaped NUL character",
        JsonFlaw::Syntax => "not well-formed JSON",
    };
    text.to_owned()
}

fn physical_name(contract: &Contract, column: u16) -> &str {
    contract.columns.get(usize::from(column)).map_or("", |column| &column.physical_name)
}

/// Returns a broken rule of which nothing more is known.
fn bare(contract: &Contract, violation: &Violation) -> String {
    let is_of = |structure| is_of(violation, structure);
    if is_of(Structure::Quoting) || is_of(Structure::AfterQuote) || is_of(Structure::UnterminatedQuote) {
        return quote(violation, None);
    }
    if is_of(Structure::DuplicateField) {
        return json_flaw(contract, violation, JsonFlaw::DuplicateField);
    }
    if is_of(Structure::RecordBytes) {
        return format!("a record of more than {} bytes (`maxRowBytes`)", contract.limits.record_bytes);
    }
    if is_of(Structure::Truncated) {
        return "the last line is not a whole record; the file was probably cut".to_owned();
    }
    if is_of(Structure::RepeatedHeader) {
        return "the header again; it is expected once, above the records".to_owned();
    }
    format!("not {}", contract.rule(violation.rule).expected)
}
