//! What is likely a mistake although it can be read: the document as a whole, and lists of values.

use crate::compile::Published;
use crate::document::{ApiVersion, Document, Enumeration, Located, Node, ScalarKind, SchemaObject, VENDOR};
use crate::finding::{Findings, nearest, quoted};
use crate::words::SETTINGS;

/// Plain words that YAML 1.1 reads as booleans and YAML 1.2 does not (yaml.org/type/bool.html).
const YAML_1_1_BOOLEANS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "Y", "N"];

/// The bucket of a location that means the inbox of whatever stack the contract is published to.
const ANY_INBOX: &str = "inbox";

/// What the document says of its feed and its place, and that it describes one kind of file.
pub(crate) fn document(document: &Document, published: Published<'_>, findings: &mut Findings) {
    id(document, published, findings);
    locations(document, published, findings);
    schema(document, findings);
}

/// An id that looks like a feed's name should be this feed's. Other ids, such as UUIDs, say nothing about it.
fn id(document: &Document, published: Published<'_>, findings: &mut Findings) {
    let (Some(id), Some(feed)) = (&document.id, published.feed) else { return };
    if id.value != feed && is_name(&id.value) && !is_uuid(&id.value) {
        findings.warning(
            &id.place,
            format!("the id {}", quoted(&id.value)),
            format!("{}, the name of the feed", quoted(feed)),
            format!("a contract is for the feed that its file is named after: `{feed}.odcs.yaml`"),
        );
    }
}

/// The location of a server is for people and other tools: a file is assigned by its key. So it should say the same.
fn locations(document: &Document, published: Published<'_>, findings: &mut Findings) {
    for location in document.servers.iter().filter_map(|server| server.location.as_ref()) {
        let Some((bucket, path)) =
            location.value.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
        else {
            continue;
        };
        if let Some(inbox) =
            published.inbox.filter(|inbox| ![*inbox, ANY_INBOX].contains(&bucket) && !is_open(bucket))
        {
            findings.warning(
                &location.place,
                format!("the bucket {}", quoted(bucket)),
                format!("{}, the inbox of this stack, or `{ANY_INBOX}`", quoted(inbox)),
                "files are taken from the inbox only",
            );
        }
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let fits = |part: Option<&str>, name: Option<&str>| {
            part.is_some_and(|part| is_open(part) || (is_name(part) && name.is_none_or(|name| name == part)))
        };
        if !(fits(parts.next(), None) && fits(parts.next(), published.feed)) {
            findings.warning(
                &location.place,
                format!("the path {}", quoted(path)),
                format!("`<partner>/{}/`", published.feed.unwrap_or("<feed>")),
                "a file belongs to the partner and the feed that its key begins with, whatever the location says",
            );
        }
    }
}

/// Returns whether a part of a location means several names.
fn is_open(part: &str) -> bool {
    part.contains(['*', '?', '{', '<', '$'])
}

/// Returns whether a text is a name of a partner or feed.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(plain) && text.bytes().all(|byte| plain(byte) || b"_-".contains(&byte))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Reports a custom property of another or no vendor whose name this system reads: its vendor is probably missing.
pub(crate) fn other_setting(
    key: &Located<String>,
    vendor: Option<&Located<String>>,
    findings: &mut Findings,
) {
    let names: Vec<&str> = SETTINGS.iter().flat_map(|section| section.names()).collect();
    let known = names.contains(&key.value.as_str());
    let advice = format!("did you mean `vendor: {VENDOR}`");
    match vendor {
        None if known => findings.error(
            &key.place,
            format!("the custom property {} without a vendor", quoted(&key.value)),
            format!("`vendor: {VENDOR}`, or the vendor of another tool"),
            advice,
        ),
        None => {
            if let Some(near) = nearest(&key.value, &names) {
                findings.warning(
                    &key.place,
                    format!("the custom property {} without a vendor", quoted(&key.value)),
                    "a vendor",
                    format!("it is ignored; did you mean `{near}` with `vendor: {VENDOR}`"),
                );
            }
        }
        Some(vendor) if known && nearest(&vendor.value, &[VENDOR]).is_some() => findings.error(
            &vendor.place,
            format!("the vendor {}", quoted(&vendor.value)),
            format!("`vendor: {VENDOR}`"),
            advice,
        ),
        Some(_) => {}
    }
}

/// Without a key no record is the newer version of another.
pub(crate) fn key(feed: &SchemaObject, primary_key: &[u16], findings: &mut Findings) {
    if primary_key.is_empty() {
        findings.warning(
            &feed.place,
            "no primary key",
            "`primaryKey: true` on a property",
            "without one, a record sent again is kept a second time, and no record can be read by its key",
        );
    }
}

/// One feed is one schema object.
fn schema(document: &Document, findings: &mut Findings) {
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
