//! What is likely a mistake although it can be read: the document as a whole, and lists of values.

use crate::document::{ApiVersion, Document, Enumeration, Node, ScalarKind};
use crate::finding::{Findings, quoted};

/// Plain words that YAML 1.1 reads as booleans and YAML 1.2 does not (yaml.org/type/bool.html).
const YAML_1_1_BOOLEANS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "Y", "N"];

/// One feed is one schema object.
pub(crate) fn document(document: &Document, findings: &mut Findings) {
    match document.schema.as_slice() {
        [] => findings.error(
            &document.place,
            "no `schema`",
            "one schema object, which describes the records of the feed",
            "",
        ),
        [_] => {}
        [_, second, ..] => findings.error(
            &second.place,
            format!("{} schema objects", document.schema.len()),
            "one schema object",
            "a feed is one kind of file; write one document for each",
        ),
    }
}

/// `enum` came with v3.2.0; it runs under older versions too.
pub(crate) fn enumeration(enumeration: &Enumeration, version: Option<ApiVersion>, findings: &mut Findings) {
    if version.is_some_and(|version| version < ApiVersion::V32) {
        findings.warning(
            &enumeration.place,
            "`enum` in a document before v3.2.0",
            "`apiVersion: v3.2.0`",
            "the values are checked all the same; other tools may reject the document",
        );
    }
}

/// Plain scalars of which tools make different values.
pub(crate) fn values(values: &[Node], text_column: bool, findings: &mut Findings) {
    for value in values {
        let Some(scalar) = value.scalar().filter(|scalar| scalar.plain) else { continue };
        let text = scalar.text.as_str();
        let boolean = scalar.kind == ScalarKind::Text
            && (YAML_1_1_BOOLEANS.contains(&text)
                || YAML_1_1_BOOLEANS.contains(&text.to_lowercase().as_str()));
        if boolean {
            findings.warning(
                &value.place,
                format!("{} without quotes", quoted(text)),
                "a quoted text",
                "tools that follow YAML 1.1 read a boolean",
            );
        }
        let leading_zero = text.strip_prefix(['-', '+']).unwrap_or(text);
        let leading_zero = leading_zero.len() > 1
            && leading_zero.starts_with('0')
            && leading_zero.bytes().all(|byte| byte.is_ascii_digit());
        if text_column && leading_zero {
            findings.warning(
                &value.place,
                format!("{} without quotes", quoted(text)),
                "a quoted text",
                "other tools read a number and lose the leading zero",
            );
        }
    }
}
