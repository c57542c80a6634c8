//! Files of another format than the feed's: workbooks, archives, web pages, forms.
//!
//! Their sender reads what the file is and what to send, and not what is wrong with its bytes. The question is asked
//! at two moments, each time of the first [`HEAD_BYTES`] after decompression:
//!
//! * [`Foreign::certain`] before the content is read: signatures that no text begins with.
//! * [`Foreign::likely`] after the reader found no header and no record to load: signatures that text may begin with.
//!
//! So a file of which something can be loaded is never called wrong.

mod data;
mod text;

use contract::{Contract, Format};

use crate::{FaultCode, FileFault};

/// How much of the decompressed content is looked at. The names that tell an Excel workbook from another archive stand
/// after two or three short members, each padded to about 800 bytes by Excel itself.
pub(crate) const HEAD_BYTES: usize = 4 * 1024;

/// What a feed takes, as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Values separated by this byte.
    Separated(u8),
    /// One JSON object on each line.
    JsonLines,
    /// One JSON document.
    Json,
}

impl Takes {
    pub(crate) fn of(format: &Format) -> Self {
        match format {
            Format::Separated(dialect) => Self::Separated(dialect.delimiter),
            Format::JsonLines => Self::JsonLines,
            Format::Json { .. } => Self::Json,
        }
    }

    /// Returns the format with what a sender may not know of it.
    fn described(self) -> &'static str {
        match self {
            Self::Separated(b';') => "CSV with semicolons",
            Self::Separated(b'|') => "CSV with vertical bars",
            Self::JsonLines => "NDJSON, which is one JSON object on each line",
            Self::Json => "one JSON document",
            Self::Separated(_) => self.name(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Separated(b'\t') => "TSV",
            Self::Separated(_) => "CSV",
            Self::JsonLines => "NDJSON",
            Self::Json => "JSON",
        }
    }
}

/// What a file is, when it is not what its feed takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreign {
    ExcelWorkbook,
    OpenDocumentSheet,
    OldOfficeFile,
    WordDocument,
    PowerPoint,
    OfficeFile,
    Zip,
    SevenZip,
    Rar,
    Tar,
    Bzip2,
    Xz,
    Lz4,
    CompressedTwice,
    Parquet,
    Orc,
    Avro,
    Arrow,
    Hdf5,
    Sqlite,
    Dicom,
    Pdf,
    Rtf,
    Image,
    Html,
    Xml,
    Hl7,
    X12,
    Edifact,
    Pgp,
    MultipartForm,
    EncodedForm,
    /// JSON where values separated by a delimiter are expected.
    Json,
    /// An array where one object on each line is expected.
    JsonArray,
    /// One object over several lines where one object on each line is expected.
    JsonOverLines,
    /// Values separated by a delimiter where JSON is expected.
    Separated,
}

impl Foreign {
    /// Returns what the first bytes are beyond doubt. None of these signatures is text, so no feed could load the file.
    pub(crate) fn certain(head: &[u8]) -> Option<Self> {
        data::certain(head)
    }

    /// Returns what the first bytes probably are, of a file of which nothing can be loaded.
    pub(crate) fn likely(head: &[u8], contract: &Contract) -> Option<Self> {
        data::likely(head).or_else(|| text::likely(head, contract))
    }

    /// Returns the fault of a file that is this.
    pub(crate) fn fault(self, takes: Takes) -> FileFault {
        FileFault::new(FaultCode::WrongFormat, self.name(), takes.described()).with_advice(self.advice(takes))
    }

    fn name(self) -> &'static str {
        match self {
            Self::ExcelWorkbook => "an Excel workbook",
            Self::OpenDocumentSheet => "an OpenDocument spreadsheet",
            Self::OldOfficeFile => "an Office file in the old binary format, such as an `.xls` workbook",
            Self::WordDocument => "a Word document",
            Self::PowerPoint => "a PowerPoint presentation",
            Self::OfficeFile => "an Office file, such as an Excel workbook",
            Self::Zip => "a ZIP archive",
            Self::SevenZip => "a 7z archive",
            Self::Rar => "a RAR archive",
            Self::Tar => "a tar archive",
            Self::Bzip2 => "bzip2-compressed data",
            Self::Xz => "xz-compressed data",
            Self::Lz4 => "LZ4-compressed data",
            Self::CompressedTwice => "a file compressed twice",
            Self::Parquet => "a Parquet file",
            Self::Orc => "an ORC file",
            Self::Avro => "an Avro file",
            Self::Arrow => "an Arrow file",
            Self::Hdf5 => "an HDF5 file",
            Self::Sqlite => "an SQLite database",
            Self::Dicom => "a DICOM file",
            Self::Pdf => "a PDF document",
            Self::Rtf => "an RTF document",
            Self::Image => "an image",
            Self::Html => "an HTML page",
            Self::Xml => "XML",
            Self::Hl7 => "an HL7 v2 message",
            Self::X12 => "an X12 interchange",
            Self::Edifact => "an EDIFACT interchange",
            Self::Pgp => "a PGP message",
            Self::MultipartForm => "the body of a multipart form",
            Self::EncodedForm => "the body of a URL-encoded form",
            Self::Json => "JSON",
            Self::JsonArray => "a JSON array",
            Self::JsonOverLines => "a JSON document over several lines",
            Self::Separated => "delimiter-separated text, such as CSV",
        }
    }

    fn advice(self, takes: Takes) -> String {
        let name = takes.name();
        let separated = matches!(takes, Takes::Separated(_));
        match self {
            Self::ExcelWorkbook | Self::OpenDocumentSheet | Self::OldOfficeFile | Self::OfficeFile
                if separated =>
            {
                format!("save the sheet as {name} and send that")
            }
            Self::Zip | Self::SevenZip | Self::Rar | Self::Tar => {
                "unpack the archive and send each file by itself, plain or compressed by gzip or zstd".to_owned()
            }
            Self::Bzip2 | Self::Xz | Self::Lz4 => {
                "decompress the file, and send it plain or compressed by gzip or zstd".to_owned()
            }
            Self::CompressedTwice => "compress the file once".to_owned(),
            Self::Pgp => "decrypt the file before you send it".to_owned(),
            Self::Html => format!(
                "open the file: it may be the error page of the system that should have exported it; send the records as {name}"
            ),
            Self::MultipartForm | Self::EncodedForm => {
                "send the file itself as the body of the request: `curl --data-binary @<file>`".to_owned()
            }
            Self::Json => format!(
                "send {name}, or ask the feed's owner to set `format: json` or `format: ndjson` in the contract"
            ),
            Self::JsonArray | Self::JsonOverLines => {
                "write one JSON object on each line, or ask the feed's owner to set `format: json` with `delimiter: array`"
                    .to_owned()
            }
            Self::Separated => {
                format!("send {name}, or ask the feed's owner to set `format: csv` in the contract")
            }
            _ => format!("export the records as {name} and send that"),
        }
    }
}

/// Returns the fault to tell in place of one that the reader found without a record to load; the reader's own when
/// the content is not recognised.
pub(crate) fn explain(fault: FileFault, head: &[u8], contract: &Contract) -> FileFault {
    let from_content = matches!(
        fault.code,
        FaultCode::Header
            | FaultCode::Json
            | FaultCode::RecordPath
            | FaultCode::Encoding
            | FaultCode::UnterminatedQuote
            | FaultCode::LineTooLong
            | FaultCode::TooManyColumns
            | FaultCode::ErrorBudget
    );
    if !from_content {
        return fault;
    }
    match Foreign::likely(head, contract) {
        Some(foreign) => foreign.fault(Takes::of(&contract.format)),
        None => data::utf_16(head).unwrap_or(fault),
    }
}

#[cfg(test)]
mod tests;
