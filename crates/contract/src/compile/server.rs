//! How bytes become records: format, encoding, dialect, limits, key globs.

use encoding_rs::Encoding;

use crate::compiled::{Dialect, Format, HeaderMatch, Limits, TextEncoding};
use crate::document::{Document, Fields, Node, ScalarKind, Server, Yaml, text_of, unknown_setting};
use crate::finding::{Findings, did_you_mean, quoted};

use super::spelling;
use crate::words;

/// The kinds of server from which files come to the inbox.
const FILE_SERVERS: [&str; 3] = ["s3", "local", "custom"];

/// What the feed's server says.
pub(super) struct Source {
    pub(super) format: Format,
    pub(super) encoding: Option<TextEncoding>,
    pub(super) limits: Limits,
}

/// A value of `format`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormatWord {
    Csv,
    Tsv,
    Json,
    JsonLines,
}

/// The values of `format`, in any letter case.
pub(crate) const FORMATS: [(&str, FormatWord, &str); 5] = [
    ("csv", FormatWord::Csv, "Cells separated by `,` or by `delimiter`."),
    ("tsv", FormatWord::Tsv, "Cells separated by tabs."),
    (
        "json",
        FormatWord::Json,
        "One JSON document: an array of objects or one object. With `delimiter: new_line` as `ndjson`.",
    ),
    ("ndjson", FormatWord::JsonLines, "One JSON object on each line."),
    ("jsonl", FormatWord::JsonLines, "As `ndjson`."),
];

pub(super) fn compile(document: &Document, findings: &mut Findings) -> Source {
    let mut source =
        Source { format: Format::Separated(Dialect::default()), encoding: None, limits: Limits::default() };
    let takes_files = |server: &&Server| {
        server.kind.as_ref().is_some_and(|kind| FILE_SERVERS.contains(&kind.value.as_str()))
    };
    let mut servers = document.servers.iter().filter(takes_files);
    let Some(server) = servers.next() else {
        findings.warning(
            &document.place,
            "no server of type s3, local or custom",
            "a server that says the files' `format`",
            "files are read as comma-separated UTF-8 with a header",
        );
        return source;
    };
    for other in servers {
        findings.warning(
            &other.place,
            "a second server that takes files",
            "one of them",
            "the first is used; this one is not",
        );
    }
    source.encoding = encoding(server, findings);
    let word = format(server, findings);
    let settings = settings(server, &mut source, findings);
    source.format = match word {
        FormatWord::Csv | FormatWord::Tsv => {
            if let Some(path) = settings.record_path {
                findings.error(
                    &path.place,
                    "`recordPath` with a separated format",
                    "format `json`",
                    "remove it",
                );
            }
            Format::Separated(dialect(word, server, settings.dialect, findings))
        }
        FormatWord::Json | FormatWord::JsonLines => {
            if let Some(dialect) = settings.dialect {
                findings.error(
                    &dialect.place,
                    "`csvDialect` with a JSON format",
                    "format `csv` or `tsv`",
                    "remove it",
                );
            }
            json_format(json_word(word, server, findings), settings.record_path, findings)
        }
    };
    source
}

fn format(server: &Server, findings: &mut Findings) -> FormatWord {
    let Some(format) = &server.format else {
        findings.warning(
            &server.place,
            "no `format`",
            "csv, tsv, json, ndjson or jsonl",
            "files are read as csv",
        );
        return FormatWord::Csv;
    };
    let word = format.value.to_ascii_lowercase();
    if let Some((_, word, _)) = FORMATS.iter().find(|(name, _, _)| *name == word) {
        return *word;
    }
    let names = FORMATS.map(|(name, _, _)| name);
    findings.error(
        &format.place,
        quoted(&format.value),
        "csv, tsv, json, ndjson or jsonl",
        did_you_mean(&format.value, &names, "this version reads no other format"),
    );
    FormatWord::Csv
}

/// Returns the declared encoding by its label (WHATWG Encoding Standard). UTF-8 is what is read anyway.
fn encoding(server: &Server, findings: &mut Findings) -> Option<TextEncoding> {
    let label = server.encoding.as_ref()?;
    match Encoding::for_label_no_replacement(label.value.as_bytes()) {
        Some(encoding) if encoding == encoding_rs::UTF_8 => None,
        Some(encoding) => Some(TextEncoding(encoding)),
        None => {
            findings.error(
                &label.place,
                quoted(&label.value),
                "an encoding label, such as `utf-8`, `windows-1252`, `iso-8859-1` or `shift_jis`",
                "see the labels of the WHATWG Encoding Standard",
            );
            None
        }
    }
}

#[derive(Default)]
struct FormatSettings<'document> {
    dialect: Option<&'document Node>,
    record_path: Option<&'document Node>,
}

fn settings<'document>(
    server: &'document Server,
    source: &mut Source,
    findings: &mut Findings,
) -> FormatSettings<'document> {
    let mut settings = FormatSettings::default();
    for setting in &server.settings {
        match setting.key.value.as_str() {
            "limits" => limits(&setting.value, &mut source.limits, findings),
            "csvDialect" => settings.dialect = Some(&setting.value),
            "recordPath" => settings.record_path = Some(&setting.value),
            _ => unknown_setting(setting, &words::SERVER_SETTINGS, findings),
        }
    }
    settings
}

fn limits(node: &Node, limits: &mut Limits, findings: &mut Findings) {
    let Some(fields) = Fields::open(node, &words::LIMITS, findings) else { return };
    let mut limit = |key, most: u64| {
        let number = fields.whole(key, findings)?;
        if (1..=most).contains(&number.value) {
            return Some(number.value);
        }
        findings.error(&number.place, number.value.to_string(), format!("a number from 1 to {most}"), "");
        None
    };
    // S3 objects end at 50 TB (Amazon S3 User Guide, "Uploading objects"); no limit is a number above that.
    let most_bytes = 50 << 40;
    limits.file_bytes = limit("maxFileBytes", most_bytes).unwrap_or(limits.file_bytes);
    limits.decompressed_bytes =
        limit("maxDecompressedBytes", most_bytes).unwrap_or(limits.decompressed_bytes);
    // A million rejects are about 100 MB of reasons: more than anyone reads, and about what one invocation can write.
    limits.rejects = limit("maxRejects", 1_000_000).unwrap_or(limits.rejects);
    let mut narrow = |key, most: u32, before: u32| {
        limit(key, u64::from(most)).and_then(|number| u32::try_from(number).ok()).unwrap_or(before)
    };
    limits.ratio = narrow("maxRatio", 100_000, limits.ratio);
    limits.record_bytes = narrow("maxRowBytes", 64 << 20, limits.record_bytes);
    limits.columns = narrow("maxColumns", 65_535, limits.columns);
    limits.depth = narrow("maxDepth", ledger::dynamodb::DEPTH, limits.depth);
    fields.close(findings);
}

/// Returns how documents are separated: ODCS says it by the `delimiter` of the format `json`. Without one the file is
/// one document.
fn json_word(word: FormatWord, server: &Server, findings: &mut Findings) -> FormatWord {
    const WORDS: [(&str, FormatWord); 2] = [("new_line", FormatWord::JsonLines), ("array", FormatWord::Json)];
    let Some(delimiter) = &server.delimiter else { return word };
    let said = WORDS.iter().find(|(name, _)| *name == delimiter.value).map(|(_, said)| *said);
    match said {
        Some(said) if word == FormatWord::Json || said == word => said,
        Some(_) => {
            findings.error(
                &delimiter.place,
                "`delimiter: array` with one document on each line",
                "`delimiter: new_line`",
                "remove it, or set `format: json`",
            );
            word
        }
        None => {
            findings.error(
                &delimiter.place,
                quoted(&delimiter.value),
                "`new_line` for one JSON document on each line, or `array` for one array",
                did_you_mean(&delimiter.value, &WORDS.map(|(name, _)| name), ""),
            );
            word
        }
    }
}

fn json_format(word: FormatWord, record_path: Option<&Node>, findings: &mut Findings) -> Format {
    let Some(node) = record_path else {
        return match word {
            FormatWord::JsonLines => Format::JsonLines,
            FormatWord::Json | FormatWord::Csv | FormatWord::Tsv => Format::Json { record_path: Vec::new() },
        };
    };
    if word == FormatWord::JsonLines {
        findings.error(&node.place, "`recordPath` with one record per line", "format `json`", "remove it");
    }
    let tokens = text_of(node, findings).and_then(|text| {
        let tokens = super::pointer(&text.value);
        if tokens.is_none() {
            findings.error(
                &text.place,
                quoted(&text.value),
                "a JSON Pointer (RFC 6901), such as `/data/records`",
                "begin it with `/`",
            );
        }
        tokens
    });
    Format::Json { record_path: tokens.unwrap_or_default() }
}

fn dialect(word: FormatWord, server: &Server, node: Option<&Node>, findings: &mut Findings) -> Dialect {
    let mut dialect = Dialect::default();
    if word == FormatWord::Tsv {
        dialect.delimiter = b'\t';
    }
    if let Some(delimiter) = &server.delimiter {
        match character(&delimiter.value) {
            Some(byte) => dialect.delimiter = byte,
            None => not_a_character(delimiter, findings),
        }
    }
    let Some(node) = node else { return dialect };
    let Some(mut fields) = Fields::open(node, &words::CSV_DIALECT, findings) else { return dialect };
    if let Some(byte) = required_character(&mut fields, "delimiter", findings) {
        dialect.delimiter = byte;
    }
    dialect.quote = optional_character(&mut fields, node, "quote", dialect.quote, findings);
    dialect.escape = optional_character(&mut fields, node, "escape", dialect.escape, findings);
    dialect.comment = optional_character(&mut fields, node, "comment", dialect.comment, findings);
    let mut switch = |key, before: bool| fields.boolean(key, findings).map_or(before, |flag| flag.value);
    dialect.header = switch("header", dialect.header);
    dialect.double_quote = switch("doubleQuote", dialect.double_quote);
    dialect.trim = switch("trim", dialect.trim);
    if let Some(rows) = fields.whole("skipRows", findings) {
        match u32::try_from(rows.value) {
            Ok(number) => dialect.skip_rows = number,
            Err(_) => {
                findings.error(&rows.place, rows.value.to_string(), "fewer than 4,294,967,296 rows", "");
            }
        }
    }
    if let Some(word) = fields.word("headerMatch", HeaderMatch::WORDS, findings) {
        dialect.header_match = word.value;
    }
    dialect.spelling = spelling::compile(&mut fields, &dialect, findings);
    fields.close(findings);
    check_distinct(&dialect, node, findings);
    dialect
}

/// Two roles for one character would make a file ambiguous. The escape may be the quote: that is doubling.
fn check_distinct(dialect: &Dialect, node: &Node, findings: &mut Findings) {
    let escape = dialect.escape.filter(|escape| Some(*escape) != dialect.quote);
    let mut bytes: Vec<u8> =
        [Some(dialect.delimiter), dialect.quote, escape, dialect.comment].into_iter().flatten().collect();
    let roles = bytes.len();
    bytes.sort_unstable();
    bytes.dedup();
    if bytes.len() != roles {
        findings.error(
            &node.place,
            "one character in two roles",
            "different characters for delimiter, quote, escape and comment",
            "",
        );
    }
}

fn required_character(fields: &mut Fields<'_>, key: &'static str, findings: &mut Findings) -> Option<u8> {
    let text = fields.text(key, findings)?;
    let byte = character(&text.value);
    if byte.is_none() {
        not_a_character(&text, findings);
    }
    byte
}

/// Returns a character, or none when the value is null or an empty text.
fn optional_character(
    fields: &mut Fields<'_>,
    dialect: &Node,
    key: &'static str,
    before: Option<u8>,
    findings: &mut Findings,
) -> Option<u8> {
    let Yaml::Mapping(entries) = &dialect.yaml else { return before };
    let Some(entry) = entries.iter().find(|entry| entry.key == key) else {
        return before;
    };
    let empty =
        entry.value.scalar().is_some_and(|scalar| scalar.kind == ScalarKind::Null || scalar.text.is_empty());
    if empty {
        return None;
    }
    required_character(fields, key, findings)
}

/// Returns one ASCII character that is no line end; `\t` and `tab` are the tab.
fn character(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"\\t" | b"tab" => Some(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Some(*byte),
        _ => None,
    }
}

fn not_a_character(text: &crate::document::Located<String>, findings: &mut Findings) {
    findings.error(
        &text.place,
        quoted(&text.value),
        "one ASCII character other than a line end",
        "for a tab write `\"\\t\"`",
    );
}
