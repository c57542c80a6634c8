//! What refuses a whole file, with the position and without any of its content.

use serde::Serialize;

/// A file that is refused as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileFault {
    /// The stable code.
    pub code: FaultCode,
    /// The 1-based line, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The 1-based column of the header, where one is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What was found: numbers, kinds and contract text, never content of the file.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

/// Stable codes of file faults, as they stand in ledger, receipt and metrics: `SCREAMING_SNAKE_CASE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FaultCode {
    /// No bytes, or no records where the contract wants some.
    Empty,
    /// Compressed data or the last record ends too early.
    Truncated,
    /// Compressed data is damaged, or followed by other bytes.
    Corrupt,
    /// The file expands beyond the limits.
    Bomb,
    /// The file is larger than the contract's limit.
    TooLarge,
    /// The bytes are not text in the declared or recognised encoding.
    Encoding,
    /// A quote is never closed; the line is that of the opening quote.
    UnterminatedQuote,
    /// The header does not match the contract.
    Header,
    /// The header names a column twice.
    DuplicateColumn,
    /// The header lacks a column.
    MissingColumn,
    /// The header has a column that the contract refuses.
    UnknownColumn,
    /// The header has more columns than the limit.
    TooManyColumns,
    /// A line or record without end.
    LineTooLong,
    /// The JSON document is not well formed, so that no further record can be told apart.
    Json,
    /// The record path leads nowhere.
    RecordPath,
    /// More records were refused than `onError` allows.
    ErrorBudget,
    /// A rule on the file as a whole was broken.
    Gate,
    /// There is no contract for the feed.
    NoContract,
    /// The feed's contract cannot be read.
    ContractInvalid,
    /// The feed's contract does not accept files.
    ContractInactive,
    /// Another version took this name and the contract refuses a second one.
    SameName,
    /// The object is in an archive storage class.
    Archived,
    /// Processing died three times at the same place.
    Poison,
    /// The key is not `<partner>/<feed>/<name>`.
    BadKey,
    /// The sender is suspended.
    PartnerSuspended,
}

impl FaultCode {
    /// The code as it stands in ledger, receipt and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::Truncated => "TRUNCATED",
            Self::Corrupt => "CORRUPT",
            Self::Bomb => "BOMB",
            Self::TooLarge => "TOO_LARGE",
            Self::Encoding => "ENCODING",
            Self::UnterminatedQuote => "UNTERMINATED_QUOTE",
            Self::Header => "HEADER",
            Self::DuplicateColumn => "DUPLICATE_COLUMN",
            Self::MissingColumn => "MISSING_COLUMN",
            Self::UnknownColumn => "UNKNOWN_COLUMN",
            Self::TooManyColumns => "TOO_MANY_COLUMNS",
            Self::LineTooLong => "LINE_TOO_LONG",
            Self::Json => "JSON",
            Self::RecordPath => "RECORD_PATH",
            Self::ErrorBudget => "ERROR_BUDGET",
            Self::Gate => "GATE",
            Self::NoContract => "NO_CONTRACT",
            Self::ContractInvalid => "CONTRACT_INVALID",
            Self::ContractInactive => "CONTRACT_INACTIVE",
            Self::SameName => "SAME_NAME",
            Self::Archived => "ARCHIVED",
            Self::Poison => "POISON",
            Self::BadKey => "BAD_KEY",
            Self::PartnerSuspended => "PARTNER_SUSPENDED",
        }
    }

    /// What the sender or operator does next, in one sentence.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Empty => "send the file again with its records",
            Self::Truncated => "the upload was cut: send the whole file again",
            Self::Corrupt => "compress the file again and send it",
            Self::Bomb | Self::TooLarge => "split the file, or have the contract's limits raised",
            Self::Encoding => "send UTF-8, or have the contract declare the encoding",
            Self::UnterminatedQuote => "close or double the quote that opens on this line",
            Self::Header | Self::MissingColumn | Self::UnknownColumn | Self::DuplicateColumn => {
                "make the header name each of the contract's columns once"
            }
            Self::TooManyColumns => "check the delimiter, or send fewer columns",
            Self::LineTooLong => "check line ends and quotes around this line",
            Self::Json => "send well-formed JSON",
            Self::RecordPath => "put the records where the contract's recordPath says",
            Self::ErrorBudget => "mend the refused records and send the file again",
            Self::Gate => "compare the file with its source: it breaks a rule on the file as a whole",
            Self::NoContract => "check the key's feed name, or publish a contract for the feed",
            Self::ContractInvalid => "publish a corrected contract, then send the file again",
            Self::ContractInactive => "set the contract's status to active, then send the file again",
            Self::SameName => "send the file under a new name",
            Self::Archived => "restore the object, then send the file again",
            Self::Poison => "report this file to the operator: processing it stopped three times",
            Self::BadKey => "send the file as <partner>/<feed>/<name>",
            Self::PartnerSuspended => "wait until the operator resumes the partner, then send the file again",
        }
    }
}
