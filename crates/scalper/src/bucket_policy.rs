//! The bucket policy of the inbox: one statement for each partner that uploads by S3, next to statements that others
//! wrote.
//!
//! A policy is changed as text: what others wrote stays as it is, byte for byte.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value, json};

/// The largest bucket policy that S3 takes, bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
pub(crate) const MOST_BYTES: usize = 20 * 1_024;

/// What a partner may do below its own prefix: send an object, also in parts, and give an upload in parts up.
pub(crate) const ACTIONS: [&str; 3] =
    ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"];

/// How the ids of the statements of this program begin.
const PREFIX: &str = "ScalperUploads0";

/// Returns the id of a partner's statement. Ids hold letters and digits only, names of partners lower-case letters,
/// digits, `-` and `_`: two partners never share an id.
pub(crate) fn statement_id(partner: &str) -> String {
    format!("{PREFIX}{}", partner.replace('-', "D").replace('_', "U"))
}

/// Returns the partner whose statement has this id.
pub(crate) fn partner_of(id: &str) -> Option<String> {
    Some(id.strip_prefix(PREFIX)?.replace('D', "-").replace('U', "_"))
}

/// Returns the objects that a partner may upload, as a resource of a policy: all below its own prefix.
pub(crate) fn resource(bucket_arn: &str, partner: &str) -> String {
    format!("{bucket_arn}/{partner}/*")
}

/// A partner's principals as they are to be; an empty set for no statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedStatement {
    pub(crate) partner: String,
    pub(crate) principals: BTreeSet<String>,
}

/// The change that a policy needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// None: it is as wanted.
    Unchanged,
    /// Write this policy; `None`: delete the policy, because no statement is left.
    Write(Option<String>),
}

/// A policy that cannot be read as one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnreadablePolicy;

/// A policy as it was read.
pub(crate) struct BucketPolicy<'t> {
    /// Everything before the first statement, and behind the last.
    around: (&'t str, &'t str),
    statements: Vec<Statement<'t>>,
}

/// A statement: its text, and what it says.
struct Statement<'t> {
    text: &'t str,
    says: Value,
}

impl<'t> BucketPolicy<'t> {
    /// Reads a policy; no policy is one without statements.
    pub(crate) fn read(text: Option<&'t str>) -> Result<Self, UnreadablePolicy> {
        let Some(text) = text else {
            let around = ("{\"Version\":\"2012-10-17\",\"Statement\":[", "]}");
            return Ok(Self { around, statements: Vec::new() });
        };
        let document: Value = serde_json::from_str(text).map_err(|_| UnreadablePolicy)?;
        let listed = document.get("Statement").ok_or(UnreadablePolicy)?.is_array();
        let at = member(text, "Statement").ok_or(UnreadablePolicy)?;
        let pieces = if listed { elements(text, at.start) } else { vec![at.clone()] };
        let (before, behind) = (text.get(..at.start), text.get(at.end..));
        let (before, behind) = before.zip(behind).ok_or(UnreadablePolicy)?;
        let statements = pieces.into_iter().map(|piece| {
            let text = text.get(piece)?;
            Some(Statement { text, says: serde_json::from_str(text).ok()? })
        });
        let statements = statements.collect::<Option<_>>().ok_or(UnreadablePolicy)?;
        Ok(Self { around: (before, behind), statements })
    }

    /// Returns the policy with these partners' statements as they are to be.
    pub(crate) fn with(&self, bucket_arn: &str, wanted: &[WantedStatement]) -> Change {
        let mut changed = false;
        let mut pieces: Vec<String> = Vec::new();
        let mut met = BTreeSet::new();
        for Statement { text, says } in &self.statements {
            let id = says["Sid"].as_str().unwrap_or_default();
            match wanted.iter().find(|wanted| statement_id(&wanted.partner) == id) {
                None => pieces.push((*text).to_owned()),
                Some(wanted) if wanted.principals.is_empty() || !met.insert(&wanted.partner) => {
                    changed = true;
                }
                Some(wanted) if says_so(says, bucket_arn, wanted) => pieces.push((*text).to_owned()),
                Some(wanted) => {
                    changed = true;
                    pieces.push(statement(bucket_arn, wanted).to_string());
                }
            }
        }
        for wanted in wanted.iter().filter(|wanted| !wanted.principals.is_empty()) {
            if !met.contains(&wanted.partner) {
                changed = true;
                pieces.push(statement(bucket_arn, wanted).to_string());
            }
        }
        match (changed, pieces.is_empty()) {
            (false, _) => Change::Unchanged,
            (true, true) => Change::Write(None),
            (true, false) => Change::Write(Some(self.text_of(&pieces))),
        }
    }

    /// Returns the principals that may upload as a partner under this policy; a statement that was changed by hand
    /// counts for none.
    pub(crate) fn in_force(&self, bucket_arn: &str, partner: &str) -> BTreeSet<String> {
        let id = statement_id(partner);
        let own = self.statements.iter().filter(|statement| statement.says["Sid"] == id.as_str());
        own.filter_map(|statement| {
            let principals = words(&statement.says["Principal"]["AWS"])?;
            let wanted = WantedStatement { partner: partner.to_owned(), principals };
            says_so(&statement.says, bucket_arn, &wanted).then_some(wanted.principals)
        })
        .flatten()
        .collect()
    }

    /// Returns the partners that have a statement.
    pub(crate) fn partners(&self) -> BTreeSet<String> {
        self.statements.iter().filter_map(|one| partner_of(one.says["Sid"].as_str()?)).collect()
    }

    /// Returns the partners whose statement names a principal that was deleted since: AWS shows its id in place of
    /// its ARN, and rejects every policy that holds one.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
    pub(crate) fn with_deleted_principals(&self) -> Vec<String> {
        let deleted = self.statements.iter().filter_map(|statement| {
            let partner = partner_of(statement.says["Sid"].as_str()?)?;
            let principals = words(&statement.says["Principal"]["AWS"])?;
            principals.iter().any(|principal| !principal.starts_with("arn:")).then_some(partner)
        });
        deleted.collect()
    }

    fn text_of(&self, pieces: &[String]) -> String {
        let (before, behind) = self.around;
        // The text around an array ends and begins with its brackets; a lone statement or no policy has none.
        let bracketed = before.ends_with('[') && behind.starts_with(']');
        let (open, close) = if bracketed { ("", "") } else { ("[", "]") };
        format!("{before}{open}{}{close}{behind}", pieces.join(","))
    }
}

/// Returns a partner's statement.
fn statement(bucket_arn: &str, wanted: &WantedStatement) -> Value {
    json!({
        "Sid": statement_id(&wanted.partner),
        "Effect": "Allow",
        "Principal": { "AWS": wanted.principals },
        "Action": ACTIONS,
        "Resource": resource(bucket_arn, &wanted.partner),
    })
}

/// Returns whether a statement is as wanted. AWS writes one value as a text or as a list of one.
fn says_so(says: &Value, bucket_arn: &str, wanted: &WantedStatement) -> bool {
    let expected = statement(bucket_arn, wanted);
    let (Some(says), Some(expected)) = (says.as_object(), expected.as_object()) else { return false };
    let same = |name: &str| match name {
        "Principal" => {
            let only_aws = says["Principal"].as_object().is_some_and(|kinds| kinds.len() == 1);
            only_aws && words(&says["Principal"]["AWS"]).as_ref() == Some(&wanted.principals)
        }
        name => words(&says[name]) == words(&expected[name]),
    };
    says.len() == expected.len() && expected.keys().all(|name| says.contains_key(name) && same(name))
}

/// Returns a text, or a list of texts, as a set.
fn words(value: &Value) -> Option<BTreeSet<String>> {
    match value {
        Value::String(text) => Some(BTreeSet::from([text.clone()])),
        Value::Array(texts) => texts.iter().map(|text| text.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Returns the place of a member's value in a document; for an array, of all between its brackets. The document is
/// known to be JSON; when a name is there twice, the last one counts, as it does for the parser.
fn member(text: &str, name: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = blank(bytes, 0) + 1;
    let mut found = None;
    loop {
        at = blank(bytes, at);
        if *bytes.get(at)? != b'"' {
            return found;
        }
        let key = at..value_end(bytes, at);
        // The name is followed by a colon.
        let start = blank(bytes, blank(bytes, key.end) + 1);
        let end = value_end(bytes, start);
        if serde_json::from_str::<String>(text.get(key)?).is_ok_and(|key| key == name) {
            let array = bytes.get(start) == Some(&b'[');
            found = Some(if array { start + 1..end - 1 } else { start..end });
        }
        at = blank(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at += 1;
        }
    }
}

/// Returns the places of an array's elements, from just behind its bracket.
fn elements(text: &str, start: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut elements = Vec::new();
    let mut at = blank(bytes, start);
    while bytes.get(at).is_some_and(|byte| *byte != b']') {
        let end = value_end(bytes, at);
        elements.push(at..end);
        at = blank(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at = blank(bytes, at + 1);
        }
    }
    elements
}

/// Returns the first byte from here that is not white space (RFC 8259, 2).
fn blank(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
        at += 1;
    }
    at
}

/// Returns the end of the value that begins here, in a document that is known to be JSON.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth, mut quoted) = (start, 0_usize, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => {
                quoted = !quoted;
                if !quoted && depth == 0 {
                    return at + 1;
                }
            }
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests;
