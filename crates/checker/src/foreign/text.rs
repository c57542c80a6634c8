//! Formats that are text themselves.

use std::borrow::Cow;

use contract::{Contract, Format};
use encoding_rs::{Encoding, UTF_8};

use super::Foreign;

/// The longest boundary of a form (RFC 2046, section 5.1.1), with the two hyphens before it.
const BOUNDARY_BYTES: usize = 72;

/// What separates values, whatever the contract says.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

pub(super) fn likely(head: &[u8], contract: &Contract) -> Option<Foreign> {
    let text = decoded(head);
    let text = text.trim_start();
    markup(text).or_else(|| message(text)).or_else(|| form(text)).or_else(|| match contract.format {
        Format::Separated(_) => begins_json(text).then_some(Foreign::Json),
        Format::JsonLines => json_document(text).or_else(|| separated(text, contract)),
        Format::Json { .. } => separated(text, contract),
    })
}

/// Returns the head as text: by its byte order mark, else as UTF-8.
fn decoded(head: &[u8]) -> Cow<'_, str> {
    let (encoding, mark) = Encoding::for_bom(head).unwrap_or((UTF_8, 0));
    encoding.decode_without_bom_handling(head.get(mark..).unwrap_or_default()).0
}

fn begins(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word))
}

fn markup(text: &str) -> Option<Foreign> {
    let inner = text.strip_prefix('<')?;
    let html = ["<!doctype html", "<html", "<head", "<body", "<title", "<script", "<meta"];
    let prolog = begins(text, "<?xml");
    let after_prolog =
        if prolog { text.split_once("?>").map_or("", |(_, rest)| rest.trim_start()) } else { text };
    if html.iter().any(|tag| begins(after_prolog, tag)) {
        return Some(Foreign::Html);
    }
    let tag = inner.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '!' | '_'));
    let closed = inner.contains("</") || inner.contains("/>");
    (prolog || (tag && closed)).then_some(Foreign::Xml)
}

/// Messages between systems, which say themselves how they are separated.
fn message(text: &str) -> Option<Foreign> {
    let bytes = text.as_bytes();
    let separator = bytes.get(3).copied().filter(u8::is_ascii_punctuation);
    let at = |places: &[usize]| places.iter().all(|place| bytes.get(*place).copied() == separator);
    // `MSH|^~\&|`: the separator, four or five characters, and the separator (HL7 v2.9, section 2.14.9).
    if ["MSH", "FHS", "BHS"].iter().any(|segment| begins(text, segment)) {
        return (separator.is_some() && (at(&[8]) || at(&[9]))).then_some(Foreign::Hl7);
    }
    // The first segment of an interchange has elements of fixed lengths.
    if text.starts_with("ISA") {
        return (separator.is_some() && at(&[6, 17, 20, 31, 34])).then_some(Foreign::X12);
    }
    if text.starts_with("UNB+") || (text.starts_with("UNA") && text.contains("UNB+")) {
        return Some(Foreign::Edifact);
    }
    begins(text, "-----BEGIN PGP MESSAGE-----").then_some(Foreign::Pgp)
}

fn form(text: &str) -> Option<Foreign> {
    let line = text.lines().next().unwrap_or_default();
    if line.starts_with("--") && (3..=BOUNDARY_BYTES).contains(&line.len()) {
        let rest = text.to_ascii_lowercase();
        return rest.contains("\ncontent-disposition: form-data").then_some(Foreign::MultipartForm);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%+&=._*-~".contains(&byte);
    let escaped = ["%0A", "%0D", "%2C", "%3B", "%22", "%7B", "%5B"]
        .iter()
        .any(|code| line.contains(code) || line.contains(&code.to_ascii_lowercase()));
    let fields = line.split('&').count() > 1 && line.split('&').all(|field| field.contains('='));
    (text.trim_end() == line && line.bytes().all(plain) && (escaped || fields))
        .then_some(Foreign::EncodedForm)
}

fn begins_json(text: &str) -> bool {
    let mut characters = text.chars().filter(|character| !character.is_ascii_whitespace());
    match (characters.next(), characters.next()) {
        (Some('{'), second) => matches!(second, Some('"' | '}')),
        (Some('['), second) => {
            matches!(second, Some('{' | '[' | ']' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n'))
        }
        _ => false,
    }
}

/// Returns one document where each line should be one.
fn json_document(text: &str) -> Option<Foreign> {
    if !begins_json(text) {
        return None;
    }
    let (line, rest) = text.split_once(['\n', '\r']).unwrap_or((text, ""));
    if text.starts_with('[') {
        return Some(Foreign::JsonArray);
    }
    (!line.trim_end().ends_with('}') && !rest.trim().is_empty()).then_some(Foreign::JsonOverLines)
}

/// Returns a first line that names a column of the contract, or two lines with as many delimiters.
fn separated(text: &str, contract: &Contract) -> Option<Foreign> {
    if text.starts_with(['{', '[']) {
        return None;
    }
    let mut lines = text.split(['\n', '\r']).filter(|line| !line.trim().is_empty());
    let (first, second) = (lines.next()?, lines.next());
    let names_a_column = |delimiter: char| {
        let mut labels = first.split(delimiter).map(|label| label.trim().trim_matches('"'));
        labels.any(|label| contract.columns.iter().any(|column| column.physical_name == label))
    };
    let as_many = |delimiter: char| {
        let count = first.matches(delimiter).count();
        count > 0 && second.is_some_and(|line| line.matches(delimiter).count() == count)
    };
    let found = DELIMITERS.into_iter().any(|delimiter| names_a_column(delimiter) || as_many(delimiter));
    found.then_some(Foreign::Separated)
}
