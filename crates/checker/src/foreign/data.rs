//! Binary formats, by their signatures.

use super::Foreign;
use crate::FileFault;
use crate::decode::unmarked_encoding;

/// Signatures with a byte that no text holds. Sources: the formats' own specifications, and file(1).
const CERTAIN: [(&[u8], Foreign); 12] = [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Foreign::OldOfficeFile),
    (b"\xfd7zXZ\0", Foreign::Xz),
    (b"7z\xbc\xaf\x27\x1c", Foreign::SevenZip),
    (b"Rar!\x1a\x07", Foreign::Rar),
    (b"\x04\x22\x4d\x18", Foreign::Lz4),
    // The first thing in a Parquet file is a page header or, without rows, the metadata: both begin with a 32-bit
    // field 1.
    (b"PAR1\x15", Foreign::Parquet),
    (b"Obj\x01", Foreign::Avro),
    (b"ARROW1\0\0", Foreign::Arrow),
    (b"\x89HDF\r\n\x1a\n", Foreign::Hdf5),
    (b"SQLite format 3\0", Foreign::Sqlite),
    (b"\x89PNG\r\n\x1a\n", Foreign::Image),
    // The version of the first data set element, of a DICOM file without its preamble.
    (b"DICM\x02\0\0\0", Foreign::Dicom),
];

/// Signatures that a text may begin with.
const LIKELY: [(&[u8], Foreign); 8] = [
    (b"%PDF-", Foreign::Pdf),
    (b"{\\rtf", Foreign::Rtf),
    (b"PAR1", Foreign::Parquet),
    (b"ORC", Foreign::Orc),
    (b"BZh", Foreign::Bzip2),
    (b"GIF8", Foreign::Image),
    (b"\xff\xd8\xff", Foreign::Image),
    (b"\x0bMSH", Foreign::Hl7),
];

/// Where a DICOM file says so, after a preamble for other programs (DICOM PS3.10, section 7.1).
const DICOM_PREAMBLE: usize = 128;

pub(super) fn certain(head: &[u8]) -> Option<Foreign> {
    let known = CERTAIN.iter().find(|(signature, _)| head.starts_with(signature));
    known.map(|(_, foreign)| *foreign).or_else(|| zip(head)).or_else(|| dicom(head)).or_else(|| tar(head))
}

pub(super) fn likely(head: &[u8]) -> Option<Foreign> {
    let (_, foreign) = LIKELY.iter().find(|(signature, _)| head.starts_with(signature))?;
    let begins_as_text = matches!(foreign, Foreign::Parquet | Foreign::Orc | Foreign::Bzip2 | Foreign::Image);
    (!begins_as_text || is_binary(head)).then_some(*foreign)
}

/// Returns whether the bytes cannot be text in UTF-8. A character that is cut off at the end counts as text.
fn is_binary(head: &[u8]) -> bool {
    let invalid = std::str::from_utf8(head).is_err_and(|error| error.error_len().is_some());
    invalid || memchr::memchr(0, head).is_some()
}

/// Returns a DICOM file: after a preamble, which is empty or of another binary format, the first element of its group
/// 2. Text has no NUL characters.
fn dicom(head: &[u8]) -> Option<Foreign> {
    let (preamble, rest) = head.split_at_checked(DICOM_PREAMBLE)?;
    let is_dicom = preamble.contains(&0) && rest.starts_with(b"DICM\x02\0");
    is_dicom.then_some(Foreign::Dicom)
}

/// Returns a ZIP archive, told apart by the names and the first content that its head shows (APPNOTE 6.3.10, section
/// 4.3.7).
fn zip(head: &[u8]) -> Option<Foreign> {
    const MEMBER: &[u8] = b"PK\x03\x04";
    if head.starts_with(b"PK\x05\x06") || head.starts_with(b"PK\x07\x08PK\x03\x04") {
        return Some(Foreign::Zip);
    }
    if !head.starts_with(MEMBER) {
        return None;
    }
    let mut foreign = Foreign::Zip;
    for at in memchr::memmem::find_iter(head, MEMBER) {
        let name = member_name(head.get(at..).unwrap_or_default()).unwrap_or_default();
        foreign = match name {
            _ if name.starts_with(b"xl/") => return Some(Foreign::ExcelWorkbook),
            _ if name.starts_with(b"word/") => return Some(Foreign::WordDocument),
            _ if name.starts_with(b"ppt/") => return Some(Foreign::PowerPoint),
            b"[Content_Types].xml" => Foreign::OfficeFile,
            // Stored, not compressed, so that it can be found here (OpenDocument 1.3 part 2, section 3.3).
            b"mimetype" if memchr::memmem::find(head, b"opendocument.spreadsheet").is_some() => {
                return Some(Foreign::OpenDocumentSheet);
            }
            _ => foreign,
        };
    }
    Some(foreign)
}

/// Returns the name in a member's local header, which is 30 bytes long; the name's length is at 26.
fn member_name(header: &[u8]) -> Option<&[u8]> {
    let length = header.get(26..28)?.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes))?;
    header.get(30..)?.get(..usize::from(length))
}

/// Returns a tar archive: the header's checksum is the sum of its bytes, its own counted as blanks (POSIX, pax
/// interchange format).
fn tar(head: &[u8]) -> Option<Foreign> {
    let header = head.get(..512)?;
    let digits = header.get(148..156)?;
    let told = std::str::from_utf8(digits).ok()?.trim_matches(['\0', ' ']);
    let told = u32::from_str_radix(told, 8).ok()?;
    let blanks = u32::from(b' ') * 8;
    let all: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let own: u32 = digits.iter().map(|byte| u32::from(*byte)).sum();
    // A name is padded with NUL characters, which text does not have.
    let named = header.first() != Some(&0) && header.get(99) == Some(&0);
    (named && told > blanks && all - own + blanks == told).then_some(Foreign::Tar)
}

/// UTF-16 without a byte order mark: the zero bytes of its ASCII characters are all on one side of the pairs. One of
/// four pairs is enough: delimiters, digits and line ends, whatever the language.
pub(super) fn utf_16(head: &[u8]) -> Option<FileFault> {
    let zeros = |side: usize| head.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let enough = head.len() / 8;
    match (first, second) {
        (0, zeros) if zeros > enough => Some(unmarked_encoding("UTF-16 (little endian)")),
        (zeros, 0) if zeros > enough => Some(unmarked_encoding("UTF-16 (big endian)")),
        _ => None,
    }
}
