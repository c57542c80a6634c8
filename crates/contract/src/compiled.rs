//! A contract after compilation: columns as slots, rules in one table, nothing left to look up.

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::words::word_enum;
use crate::{
    Decimal, Expectation, Mask, Program, RowRule, Rule, RuleIndex, Spelling, TextPattern, Transform,
};

/// One feed's contract, ready to check records.
#[derive(Debug)]
pub struct Contract {
    /// Which document this is.
    pub identity: Identity,
    /// How bytes become records.
    pub format: Format,
    /// The declared encoding; `None`: UTF-8, or UTF-16 by its byte order mark.
    pub encoding: Option<TextEncoding>,
    /// Limits against hostile or broken files.
    pub limits: Limits,
    /// One column for each top-level property, in document order. A record is one slot for each.
    pub columns: Vec<Column>,
    /// Conditions of which a record that makes one true is left out: neither loaded nor rejected.
    pub drop_if: Vec<Program>,
    /// The columns that have a transform.
    pub transformed: Vec<u16>,
    /// The primary key: column indexes by `primaryKeyPosition`. Empty: the feed has no key.
    pub primary_key: Vec<u16>,
    /// Tuples whose values must not repeat within a file, the primary key not included.
    pub unique: Vec<TupleRule>,
    /// What happens to the file when records are rejected, and other choices.
    pub policy: Policy,
    /// Business rules, each over one record.
    pub row_rules: Vec<RowRule>,
    /// Rules on the file as a whole, decided when all records were read.
    pub gates: Vec<Gate>,
    /// The column that orders versions of one key; `None`: the order that the claim pinned.
    pub version_from: Option<u16>,
    /// When files must come. A question of time: the check of a file does not ask it.
    pub expectation: Option<Expectation>,
    /// Every rule. The first `Structure::COUNT` are the structural ones.
    pub rules: Vec<Rule>,
    /// What the document says that this system keeps but does not run on arrival.
    pub not_run: Vec<NotRun>,
}

/// Which document a contract was compiled from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The document's `id`.
    pub id: String,
    /// The document's `name`, or its id.
    pub name: String,
    /// The document's `version`.
    pub version: String,
    /// The document's `status`.
    pub status: Status,
    /// SHA-256 of the document's bytes.
    pub hash: [u8; 32],
}

/// Whether the contract accepts files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Accepts files.
    Active,
    /// Accepts files and says so in the receipt.
    Deprecated,
    /// Does not accept files (proposed, draft, retired, or another word).
    Inactive,
}

/// How bytes become records, after decompression and decoding.
#[derive(Clone, Debug)]
pub enum Format {
    /// Delimiter-separated values.
    Separated(Dialect),
    /// One JSON object per line.
    JsonLines,
    /// One JSON document: an array of objects or one object, found at `record_path` (JSON Pointer tokens, unescaped).
    Json {
        /// The way to the array or object; empty: the document itself.
        record_path: Vec<String>,
    },
}

impl Format {
    /// Returns whether every value is a cell of text, of which an empty one can be a null; a value of another format
    /// has a type of its own, can be nested and can be absent.
    #[must_use]
    pub fn has_text_cells(&self) -> bool {
        match self {
            Self::Separated(_) => true,
            Self::JsonLines | Self::Json { .. } => false,
        }
    }

    /// Returns whether the first record of a file names the columns.
    #[must_use]
    pub fn has_header(&self) -> bool {
        match self {
            Self::Separated(dialect) => dialect.header,
            Self::JsonLines | Self::Json { .. } => false,
        }
    }
}

/// A delimiter-separated dialect. All characters are single bytes below 0x80.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Whether the first record names the columns; if not, cells are the contract's columns in order.
    pub header: bool,
    /// Between cells; default `,`. A first line `sep=;`, as Excel writes it, sets another one for its file.
    pub delimiter: u8,
    /// Around a cell; `None` turns quoting off. Default `"`.
    pub quote: Option<u8>,
    /// Escapes a quote inside a quoted cell, in addition to doubling.
    pub escape: Option<u8>,
    /// Whether a doubled quote inside a quoted cell is one quote; default true.
    pub double_quote: bool,
    /// A line that begins with this byte is skipped.
    pub comment: Option<u8>,
    /// Whether blanks and tabs around unquoted cells are dropped; default false.
    pub trim: bool,
    /// Lines before the header to skip; default 0.
    pub skip_rows: u32,
    /// How labels are compared; default exact.
    pub header_match: HeaderMatch,
    /// How numbers and booleans are written; `None`: as in JSON, booleans in any letter case, and also as `1` and `0`.
    pub spelling: Option<Arc<Spelling>>,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            header: true,
            delimiter: b',',
            quote: Some(b'"'),
            escape: None,
            double_quote: true,
            comment: None,
            trim: false,
            skip_rows: 0,
            header_match: HeaderMatch::default(),
            spelling: None,
        }
    }
}

word_enum! {
    /// How a header's label is compared with a column's physical name.
    pub enum HeaderMatch, default Exact {
        /// Byte for byte.
        Exact = "exact",
        /// Without regard to letter case, blanks at either end, the kind and number of blanks between words,
        /// characters of no width, and whether letters and their accents are one character or two (NFC or NFD).
        Loose = "loose",
    }
}

/// Limits, in bytes unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The object as stored; default 5 GiB.
    pub file_bytes: u64,
    /// After decompression; default 20 GiB.
    pub decompressed_bytes: u64,
    /// Decompressed to stored, checked after the first 10 MiB of output; default 200.
    pub ratio: u32,
    /// One record; default 1 MiB. It is also the only limit on the lines of a quoted cell.
    pub record_bytes: u32,
    /// Columns of a header; default 4,096.
    pub columns: u32,
    /// JSON nesting; default and maximum 32 (DynamoDB's).
    pub depth: u32,
    /// Rejected records, which are also the most that are kept one by one; default 100,000. With more of them the
    /// file is rejected as a whole: its source is broken, not some of its records.
    pub rejects: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 5 << 30,
            decompressed_bytes: 20 << 30,
            ratio: 200,
            record_bytes: 1 << 20,
            columns: 4_096,
            depth: 32,
            rejects: 100_000,
        }
    }
}

/// An encoding that a contract declares.
#[derive(Clone, Copy, Debug)]
pub struct TextEncoding(pub &'static encoding_rs::Encoding);

/// What happens to the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Policy {
    /// When records are rejected.
    pub on_error: OnError,
    /// When the file has a column or field that the contract does not name.
    pub unknown_column: UnknownColumn,
    /// When a CSV header lacks a column.
    pub missing_column: MissingColumn,
    /// When the file has no records.
    pub empty_file: EmptyFile,
    /// When a second version of the same key lands.
    pub on_same_name: OnSameName,
    /// Whether the same bytes under another name are taken once.
    pub dedupe_content: bool,
    /// Whether a sender who only uses S3 gets its rejected records back, with their values.
    pub return_rejects: bool,
    /// Which of the records with one key is taken.
    pub duplicates: Duplicates,
}

/// Snowflake's `ON_ERROR` words.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum OnError {
    /// Load the good records whatever the number of bad ones.
    #[default]
    Continue,
    /// One rejected record quarantines the file.
    Abort,
    /// This number of rejected records quarantines the file (at least 1).
    SkipFile(u64),
    /// More than this share of rejected records, in percent, quarantines the file.
    SkipFilePercent(f64),
}

word_enum! {
    /// A column or field that the contract does not name.
    pub enum UnknownColumn, default Ignore {
        /// It is not loaded. The receipt counts it.
        Ignore = "ignore",
        /// CSV: the file is quarantined. JSON: the record is rejected.
        Reject = "reject",
    }
}

word_enum! {
    /// A column of the contract that a CSV header does not name.
    pub enum MissingColumn, default Reject {
        /// The file is quarantined.
        Reject = "reject",
        /// All its cells are null. A required one still quarantines the file.
        Null = "null",
    }
}

word_enum! {
    /// A file without records.
    pub enum EmptyFile, default RejectZeroBytes {
        /// A header without records is a complete load of 0 rows. A file with neither header nor record, such as one
        /// of 0 bytes or of blank lines, is quarantined.
        RejectZeroBytes = "rejectZeroBytes",
        /// Any file without records is quarantined.
        Reject = "reject",
        /// Any file without records is a complete load of 0 rows.
        Accept = "accept",
    }
}

word_enum! {
    /// What a second file with the same name means.
    pub enum OnSameName, default Append {
        /// Both loads stay visible. Newer rows replace older ones by key.
        Append = "append",
        /// Only the newest version's load is visible.
        Supersede = "supersede",
        /// The name belongs to the oldest version that was loaded. Every other one is quarantined.
        Reject = "reject",
    }
}

word_enum! {
    /// Which of the records with one key is taken.
    pub enum Duplicates, default RejectRepeats {
        /// The first. Each repeat is rejected with the first one's line.
        RejectRepeats = "rejectRepeats",
        /// None: all of them are rejected.
        RejectAll = "rejectAll",
        /// The last. Earlier ones are rejected.
        KeepLast = "keepLast",
    }
}

/// One top-level or nested property.
#[derive(Debug)]
pub struct Column {
    /// The property's name: the attribute in the records table.
    pub name: String,
    /// The header label or field name in the file.
    pub physical_name: String,
    /// Further labels and field names that mean the same property.
    pub synonyms: Vec<String>,
    /// JSON only: where the value is, as JSON Pointer tokens, when it is not the top-level field `physical_name`.
    pub source_path: Option<Vec<String>>,
    /// The type, with what is needed to parse it.
    pub kind: Kind,
    /// The rule `<name>.type`.
    pub type_rule: RuleIndex,
    /// The rule `<name>.required`, when null is rejected.
    pub required: Option<RuleIndex>,
    /// What becomes of a cell before its rules see it; only at the top.
    pub transform: Vec<Transform>,
    /// What is stored of a value; only at the top.
    pub mask: Mask,
    /// Spellings of null beyond the empty CSV cell.
    pub null_tokens: Vec<Vec<u8>>,
    /// The dialect's spelling of numbers and booleans, of a CSV column of such a type.
    pub spelling: Option<Arc<Spelling>>,
    /// Whether the content is never shown (classification pii, phi, …, or a mask).
    pub classified: bool,
    /// Limits and other rules on a non-null value, in document order.
    pub checks: Vec<(RuleIndex, Check)>,
}

/// A column's type.
#[derive(Debug)]
pub enum Kind {
    /// Any text.
    String,
    /// A whole number within ±(10^38 − 1). `1.0` and `1e2` are whole.
    Integer,
    /// A decimal; with precision and scale when the physical type gives them.
    Number {
        /// Digits in all, and digits after the point.
        precision_scale: Option<(u32, u32)>,
    },
    /// `true` or `false`; in CSV also in any case, and `1` or `0`, or the words of [`Spelling`].
    Boolean,
    /// A calendar date.
    Date(Pattern),
    /// A date and time.
    Timestamp {
        /// How it is written.
        pattern: Pattern,
        /// The zone of a text without an offset; `None`: such text is kept as local time.
        default_zone: Option<TimeZone>,
    },
    /// A time of day.
    Time(Pattern),
    /// A JSON object with known properties; others are kept.
    Object(Vec<Column>),
    /// A JSON array; each item is checked as the column says.
    Array(Option<Box<Column>>),
    /// A JSON object with any keys; each value is checked as the column says.
    Map(Option<Box<Column>>),
}

use crate::temporal::Pattern;

/// One rule on a non-null value.
#[derive(Clone, Debug)]
pub enum Check {
    /// The least number of characters (Unicode code points).
    MinLength(u32),
    /// The greatest number of characters.
    MaxLength(u32),
    /// The text contains a match (unanchored, as JSON Schema).
    Pattern(TextPattern),
    /// The text has a well-known form.
    Format(StringFormat),
    /// Not below the bound.
    Minimum(Bound),
    /// Not above the bound.
    Maximum(Bound),
    /// A multiple of this positive number.
    MultipleOf(Decimal),
    /// One of these texts; for number columns compared by value.
    OneOf(crate::cell_set::CellSet),
    /// None of these.
    NotOneOf(crate::cell_set::CellSet),
    /// The least number of items or members.
    MinItems(u64),
    /// The greatest number of items or members.
    MaxItems(u64),
    /// No item twice.
    UniqueItems,
}

/// An end of a range, in the column's own type.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// The value.
    pub at: Measure,
    /// Whether the value itself is rejected.
    pub exclusive: bool,
}

/// A value that can be compared: a number, or a date or time in the order of `temporal`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Integer and number columns.
    Number(Decimal),
    /// Date, timestamp and time columns: nanoseconds since 1970-01-01T00:00:00 (UTC or local), or since midnight.
    Instant(i128),
}

word_enum! {
    /// Well-known text forms, by the names of v3.2.0 (schema, "Logical Type Options").
    pub enum StringFormat {
        /// An email address, such as `a@example.org`.
        Email = "email",
        /// A UUID.
        Uuid = "uuid",
        /// A URI that begins with a scheme.
        Uri = "uri",
        /// A host name.
        Hostname = "hostname",
        /// An IPv4 address.
        Ipv4 = "ipv4",
        /// An IPv6 address.
        Ipv6 = "ipv6",
        /// Any text.
        Password = "password",
        /// Base64 text, padded.
        Byte = "byte",
        /// Any text.
        Binary = "binary",
    }
}

/// Columns whose values together must not repeat within a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TupleRule {
    /// The rule in the table.
    pub rule: RuleIndex,
    /// The columns.
    pub columns: Vec<u16>,
}

/// A rule on the file as a whole.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The rule in the table; its severity says whether breaking it quarantines the file.
    pub rule: RuleIndex,
    /// What is measured.
    pub metric: Metric,
    /// As a share of all records, in percent, and not as a count.
    pub percent: bool,
    /// The values that pass: from, to (inclusive unless the flag says exclusive), or anything but.
    pub must: Must,
}

/// The comparison of a gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Must {
    /// Equal.
    Be(f64),
    /// Not equal.
    NotBe(f64),
    /// Greater.
    BeGreaterThan(f64),
    /// Greater or equal.
    BeGreaterOrEqualTo(f64),
    /// Less.
    BeLessThan(f64),
    /// Less or equal.
    BeLessOrEqualTo(f64),
    /// Within, both ends included.
    BeBetween(f64, f64),
    /// Outside, both ends excluded.
    NotBeBetween(f64, f64),
}

/// What a gate measures over all records that were read.
#[derive(Clone, Debug)]
pub enum Metric {
    /// Records that can be loaded.
    RowCount,
    /// Records whose column is null.
    NullValues(u16),
    /// Records whose column is null, or one of these texts.
    MissingValues(u16, crate::cell_set::CellSet),
    /// Records whose non-null column fails any of these.
    InvalidValues(u16, Vec<Check>),
    /// Records that repeat an earlier record's values in these columns.
    DuplicateValues(Vec<u16>),
}

/// Something in the document that is kept but not run on arrival.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NotRun {
    /// Where it is: `schema[0].properties[3].quality[1]`.
    pub path: String,
    /// What it is: `quality rule of type sql`.
    pub what: String,
    /// Why it is not run, and what to use instead.
    pub why: String,
}
