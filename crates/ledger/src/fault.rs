//! Why a whole file is quarantined: a code, a position and what to do, without any of its content.

use std::borrow::Cow;

use serde::Serialize;

/// Why a file is quarantined as a whole.
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
    /// What to do next: [`FaultCode::advice`], or something more exact.
    pub advice: Cow<'static, str>,
}

impl FileFault {
    /// Makes a fault without a position, with the advice of its code.
    #[must_use]
    pub fn new(code: FaultCode, found: impl Into<String>, expected: impl Into<String>) -> Self {
        let advice = Cow::Borrowed(code.advice());
        Self { code, line: None, column: None, found: found.into(), expected: expected.into(), advice }
    }

    /// Makes the fault at this 1-based line.
    #[must_use]
    pub fn at_line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    /// Makes the fault with another advice than its code's.
    #[must_use]
    pub fn with_advice(self, advice: impl Into<Cow<'static, str>>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    /// Returns what is wrong and what is expected, as one sentence without the position and the advice.
    #[must_use]
    pub fn message(&self) -> String {
        let Self { found, expected, .. } = self;
        match self.code {
            FaultCode::WrongFormat => format!("this is {found}; the feed takes {expected}"),
            FaultCode::ErrorBudget => format!("{found}; {expected}"),
            FaultCode::Gate => format!("{found}, expected {expected}"),
            _ => format!("found {found}, expected {expected}"),
        }
    }
}

words! {
    /// The stable code of a file fault, as it stands in ledger, receipt and metrics.
    FaultCode {
        /// No bytes, or no records where the contract wants some.
        Empty = "EMPTY",
        /// Compressed data or the last record ends too early.
        Truncated = "TRUNCATED",
        /// Compressed data is damaged, or followed by other bytes.
        Corrupt = "CORRUPT",
        /// The file expands beyond the limits.
        Bomb = "BOMB",
        /// The file is larger than the contract's limit.
        TooLarge = "TOO_LARGE",
        /// The content is recognised as another format than the feed's: a workbook, an archive, a web page, …
        WrongFormat = "WRONG_FORMAT",
        /// The bytes are not text in the declared or recognised encoding.
        Encoding = "ENCODING",
        /// A quote is never closed; the line is that of the opening quote.
        UnterminatedQuote = "UNTERMINATED_QUOTE",
        /// The header does not match the contract.
        Header = "HEADER",
        /// The header names a column twice.
        DuplicateColumn = "DUPLICATE_COLUMN",
        /// The header lacks a column.
        MissingColumn = "MISSING_COLUMN",
        /// The header has a column that the contract does not allow.
        UnknownColumn = "UNKNOWN_COLUMN",
        /// The header has more columns than the limit.
        TooManyColumns = "TOO_MANY_COLUMNS",
        /// A line or record without end.
        LineTooLong = "LINE_TOO_LONG",
        /// The JSON document is not well formed, so that no further record can be told apart.
        Json = "JSON",
        /// The record path leads nowhere.
        RecordPath = "RECORD_PATH",
        /// Too many records were rejected: more than `onError` or `maxRejects` allows, or all of them.
        ErrorBudget = "ERROR_BUDGET",
        /// A rule on the file as a whole was broken.
        Gate = "GATE",
        /// There is no contract for the feed.
        NoContract = "NO_CONTRACT",
        /// The feed's contract cannot be read.
        ContractInvalid = "CONTRACT_INVALID",
        /// The feed's contract does not accept files.
        ContractInactive = "CONTRACT_INACTIVE",
        /// The file holds corrected rejects that cannot be taken: they name several files, or one that cannot be
        /// corrected by its rejects alone.
        Correction = "CORRECTION",
        /// An earlier version took this name, and the contract accepts each name once.
        SameName = "SAME_NAME",
        /// The object is in an archive storage class.
        Archived = "ARCHIVED",
        /// Processing died three times at the same place.
        Poison = "POISON",
        /// The key is not `<partner>/<feed>/<name>`.
        BadKey = "BAD_KEY",
        /// The sender is suspended.
        PartnerSuspended = "PARTNER_SUSPENDED",
    }
}

impl FaultCode {
    /// Returns whether it comes from the file's content: the same bytes under the same contract have it again.
    #[must_use]
    pub fn is_of_content(self) -> bool {
        match self {
            Self::NoContract
            | Self::ContractInvalid
            | Self::ContractInactive
            | Self::Correction
            | Self::SameName
            | Self::Archived
            | Self::Poison
            | Self::PartnerSuspended => false,
            Self::Empty
            | Self::Truncated
            | Self::Corrupt
            | Self::Bomb
            | Self::TooLarge
            | Self::WrongFormat
            | Self::Encoding
            | Self::UnterminatedQuote
            | Self::Header
            | Self::DuplicateColumn
            | Self::MissingColumn
            | Self::UnknownColumn
            | Self::TooManyColumns
            | Self::LineTooLong
            | Self::Json
            | Self::RecordPath
            | Self::ErrorBudget
            | Self::Gate
            | Self::BadKey => true,
        }
    }

    /// Returns what the sender or operator does next, in one sentence. Contract words in backquotes are words that
    /// the compiler accepts.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Empty => "check the export, then send the file with its records",
            Self::Truncated => "the export or the upload broke off: send the whole file again",
            Self::Corrupt => "compress the file again and send it as binary data",
            Self::Bomb => {
                "split the file, or ask the feed's owner to raise `maxDecompressedBytes` or `maxRatio` in the contract"
            }
            Self::TooLarge => "split the file, or ask the feed's owner to raise the `limits` in the contract",
            Self::WrongFormat => "export the records in the format of the feed's contract and send that",
            Self::Encoding => {
                "send UTF-8, or ask the feed's owner to declare the `encoding` of the files in the contract"
            }
            Self::UnterminatedQuote => {
                "close the quote that opens on this line, and write a quote inside a cell twice"
            }
            Self::Header | Self::MissingColumn | Self::DuplicateColumn => {
                "name each of the contract's columns once in the header"
            }
            Self::UnknownColumn => {
                "remove the columns that the contract does not name, or ask the feed's owner to add them"
            }
            Self::TooManyColumns => "check the delimiter, or send fewer columns",
            Self::LineTooLong => "check line ends and quotes around this line",
            Self::Json => "send well-formed JSON (RFC 8259)",
            Self::RecordPath => "put the records where the contract's `recordPath` says",
            Self::ErrorBudget => "fix the rejected records and send the whole file again",
            Self::Gate => "compare the file with its source: it breaks a rule on the file as a whole",
            Self::NoContract => {
                "check the feed's name in the key, or ask the operator to publish a contract for the feed"
            }
            Self::ContractInvalid => "ask the feed's owner to correct the contract, then send the file again",
            Self::ContractInactive => {
                "ask the feed's owner to set `status: active` in the contract, then send the file again"
            }
            Self::Correction => {
                "send the whole file with all corrections, without the columns that rejects have in addition"
            }
            Self::SameName => "send the file under a new name",
            Self::Archived => "restore the object, then send the file again",
            Self::Poison => "report this file to the operator: processing it stopped three times",
            Self::BadKey => "send the file as `<partner>/<feed>/<name>`",
            Self::PartnerSuspended => "wait until the operator resumes the partner, then send the file again",
        }
    }
}

#[cfg(test)]
mod tests;
