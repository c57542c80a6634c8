//! Rules and violations: what was promised, and what broke it.
//!
//! Every rule of a contract, written or structural, is once in [`crate::Contract::rules`] and is named by its index.
//! The first [`Structure::COUNT`] entries are the rules that every file obeys, in the order of [`Structure::ALL`].

use serde::Serialize;

use crate::Found;

/// A rule's place in [`crate::Contract::rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub u16);

/// Whether breaking the rule rejects the record (or file) or only counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The record is rejected.
    Fail,
    /// The record is loaded; the violation is counted.
    Warn,
}

/// One rule, with everything a message needs. Contains contract text only, never data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable id shown to senders, e.g. `mrn.pattern`, `record.quoting`, or the quality rule's own name.
    pub id: String,
    /// The Frictionless-style reason code.
    pub code: Code,
    /// What breaking it does.
    pub severity: Severity,
    /// What was expected, as a noun phrase: `an integer from 0 to 120`.
    pub expected: String,
}

/// Reason codes, after the Frictionless Data error taxonomy (specs.frictionlessdata.io).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The cell is not of the column's type.
    TypeError,
    /// The cell breaks a limit, pattern, enumeration or other rule.
    ConstraintError,
    /// The cells of a record do not fit together.
    RowConstraint,
    /// A required cell is null, or a record has too few cells.
    MissingCell,
    /// A record has more cells than columns, or an unknown field.
    ExtraCell,
    /// The header lacks a column.
    MissingLabel,
    /// The header has a column that the contract does not know.
    ExtraLabel,
    /// The header names a column twice, or an object names a field twice.
    DuplicateLabel,
    /// The record's key is null or repeats an earlier record's.
    PrimaryKey,
    /// A unique value repeats.
    UniqueError,
    /// The bytes are not text in the declared encoding.
    EncodingError,
    /// The bytes do not follow the format (quotes, JSON syntax, limits).
    FormatError,
    /// The file as a whole breaks a rule (row count, share of bad values).
    FileError,
}

impl Code {
    /// Returns the code as it appears in receipts, reports and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TypeError => "type-error",
            Self::ConstraintError => "constraint-error",
            Self::RowConstraint => "row-constraint",
            Self::MissingCell => "missing-cell",
            Self::ExtraCell => "extra-cell",
            Self::MissingLabel => "missing-label",
            Self::ExtraLabel => "extra-label",
            Self::DuplicateLabel => "duplicate-label",
            Self::PrimaryKey => "primary-key",
            Self::UniqueError => "unique-error",
            Self::EncodingError => "encoding-error",
            Self::FormatError => "format-error",
            Self::FileError => "file-error",
        }
    }
}

/// One broken rule at one record. `Copy` and free of content, so it may go anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule that was broken.
    pub rule: RuleIndex,
    /// The column, as an index into [`crate::Contract::columns`]; none for a rule about the whole record.
    pub column: Option<u16>,
    /// What broke it.
    pub found: Found,
}

/// The rules that every record obeys, whatever its contract says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Structure {
    /// Valid text in the file's encoding.
    Encoding,
    /// No NUL character.
    Nul,
    /// A quote only at the beginning and end of a cell, doubled inside.
    Quoting,
    /// The closing quote is followed by a delimiter or a line end.
    AfterQuote,
    /// A quoted cell ends.
    UnterminatedQuote,
    /// Not fewer cells than columns.
    TooFewCells,
    /// Not more cells than columns.
    TooManyCells,
    /// The header is above the records and not repeated among them.
    RepeatedHeader,
    /// A record within the size limit.
    RecordBytes,
    /// Well-formed JSON.
    Json,
    /// A JSON record is an object.
    NotAnObject,
    /// A field once per object.
    DuplicateField,
    /// No field that the contract does not know, when the contract rejects those.
    UnknownField,
    /// JSON nesting within the limit.
    Depth,
    /// The last line is whole.
    Truncated,
    /// The primary key is not null and repeats no earlier record's.
    PrimaryKey,
    /// A key within DynamoDB's 2,048 bytes, not empty.
    KeyBytes,
    /// An item within DynamoDB's 400 KB.
    ItemBytes,
}

impl Structure {
    /// How many structural rules there are.
    pub const COUNT: usize = Self::ALL.len();

    /// All of them, in the order in which they begin every contract's rule table.
    pub const ALL: [Self; 18] = [
        Self::Encoding,
        Self::Nul,
        Self::Quoting,
        Self::AfterQuote,
        Self::UnterminatedQuote,
        Self::TooFewCells,
        Self::TooManyCells,
        Self::RepeatedHeader,
        Self::RecordBytes,
        Self::Json,
        Self::NotAnObject,
        Self::DuplicateField,
        Self::UnknownField,
        Self::Depth,
        Self::Truncated,
        Self::PrimaryKey,
        Self::KeyBytes,
        Self::ItemBytes,
    ];

    /// Returns its place in every contract's rule table.
    #[must_use]
    pub const fn index(self) -> RuleIndex {
        RuleIndex(self as u16)
    }

    /// Returns the rule for the table.
    #[must_use]
    pub fn rule(self) -> Rule {
        let (id, code, expected) = match self {
            Self::Encoding => ("record.encoding", Code::EncodingError, "text in the declared encoding"),
            Self::Nul => ("record.nul", Code::EncodingError, "text without NUL characters"),
            Self::Quoting => {
                ("record.quoting", Code::FormatError, "a quote only around a cell, and doubled inside it")
            }
            Self::AfterQuote => {
                ("record.afterQuote", Code::FormatError, "a delimiter or a line end after the closing quote")
            }
            Self::UnterminatedQuote => {
                ("record.unterminatedQuote", Code::FormatError, "a closing quote for each opening quote")
            }
            Self::TooFewCells => {
                ("record.tooFewCells", Code::MissingCell, "one cell for each column of the header")
            }
            Self::TooManyCells => {
                ("record.tooManyCells", Code::ExtraCell, "one cell for each column of the header")
            }
            Self::RepeatedHeader => (
                "record.repeatedHeader",
                Code::DuplicateLabel,
                "a record; the header only once, above the records",
            ),
            Self::RecordBytes => {
                ("record.bytes", Code::FormatError, "a record within the contract's size limit")
            }
            Self::Json => ("record.json", Code::FormatError, "well-formed JSON (RFC 8259)"),
            Self::NotAnObject => ("record.notAnObject", Code::TypeError, "a JSON object"),
            Self::DuplicateField => {
                ("record.duplicateField", Code::DuplicateLabel, "each field once in an object")
            }
            Self::UnknownField => {
                ("record.unknownField", Code::ExtraCell, "only fields that the contract names")
            }
            Self::Depth => ("record.depth", Code::FormatError, "nesting within the contract's depth limit"),
            Self::Truncated => ("record.truncated", Code::FormatError, "a whole last record"),
            Self::PrimaryKey => (
                "record.primaryKey",
                Code::PrimaryKey,
                "a primary key that no earlier record of the file has",
            ),
            Self::KeyBytes => ("record.keyBytes", Code::PrimaryKey, "a primary key of 1 to 1,024 bytes"),
            Self::ItemBytes => {
                ("record.itemBytes", Code::FormatError, "a record that fits in one 400 KB item")
            }
        };
        Rule { id: id.to_owned(), code, severity: Severity::Fail, expected: expected.to_owned() }
    }
}
