//! The bucket policies of the inbox and the outbox: the statements of each partner that uses S3, next to statements
//! that others wrote.
//!
//! A policy is changed as text: what others wrote stays as it is, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Value, json};
use store::{BucketUse, PartnerBucket};

/// The largest bucket policy that S3 takes, bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
pub(crate) const MOST_BYTES: usize = 20 * 1_024;

/// What a partner may do below its own prefix of the inbox: send an object, also in parts, and give an upload in parts
/// up.
pub(crate) const ACTIONS: [&str; 3] =
    ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"];

/// What a statement of this program lets a partner do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartnerRight {
    /// Put objects below its prefix of the inbox.
    Upload,
    /// Read objects below its prefix of the outbox.
    Read,
    /// List its prefix of the outbox. A statement of its own: its condition is on the prefix that is listed, which a
    /// read does not have.
    List,
}

impl PartnerRight {
    /// Returns the rights that a partner has in a bucket.
    fn of(bucket_use: BucketUse) -> &'static [Self] {
        match bucket_use {
            BucketUse::Upload => &[Self::Upload],
            BucketUse::Read => &[Self::Read, Self::List],
        }
    }

    /// Returns how the ids of the statements begin.
    fn prefix(self) -> &'static str {
        match self {
            Self::Upload => "ScalperUploads0",
            Self::Read => "ScalperReads0",
            Self::List => "ScalperLists0",
        }
    }

    /// Returns the id of a partner's statement. Ids hold letters and digits only, names of partners lower-case
    /// letters, digits, `-` and `_`: two partners never share an id.
    pub(crate) fn statement_id(self, partner: &str) -> String {
        format!("{}{}", self.prefix(), partner.replace('-', "D").replace('_', "U"))
    }

    /// Returns the partner whose statement has this id.
    pub(crate) fn partner_of(self, id: &str) -> Option<String> {
        Some(id.strip_prefix(self.prefix())?.replace('D', "-").replace('U', "_"))
    }

    /// Returns actions, resource and condition, without principals: as a partner's own policy has them.
    pub(crate) fn allowance(self, bucket_arn: &str, partner: &str) -> Value {
        let objects = format!("{bucket_arn}/{partner}/*");
        match self {
            Self::Upload => json!({ "Effect": "Allow", "Action": ACTIONS, "Resource": objects }),
            Self::Read => json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": objects }),
            Self::List => json!({
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket_arn,
                "Condition": { "StringLike": { "s3:prefix": format!("{partner}/*") } },
            }),
        }
    }
}

/// Returns what a partner's own policy must allow, where the bucket policy alone is not enough.
pub(crate) fn allowances(bucket: &PartnerBucket, partner: &str) -> Vec<Value> {
    let rights = PartnerRight::of(bucket.bucket_use).iter();
    rights.map(|right| right.allowance(&bucket.arn, partner)).collect()
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
    rights: &'static [PartnerRight],
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
    /// Reads the policy of a bucket of this use; no policy is one without statements.
    pub(crate) fn read(bucket_use: BucketUse, text: Option<&'t str>) -> Result<Self, UnreadablePolicy> {
        let rights = PartnerRight::of(bucket_use);
        let Some(text) = text else {
            let around = ("{\"Version\":\"2012-10-17\",\"Statement\":[", "]}");
            return Ok(Self { rights, around, statements: Vec::new() });
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
        Ok(Self { rights, around: (before, behind), statements })
    }

    /// Returns the policy with these partners' statements as they are to be.
    pub(crate) fn with(&self, bucket_arn: &str, wanted: &[WantedStatement]) -> Change {
        let mut changed = false;
        let mut pieces: Vec<String> = Vec::new();
        // By id, in the order in which they are added; `None` for a statement that is to go.
        let own = wanted.iter().flat_map(|wanted| {
            self.rights.iter().map(move |right| {
                let said = (!wanted.principals.is_empty()).then(|| statement(*right, bucket_arn, wanted));
                (right.statement_id(&wanted.partner), said)
            })
        });
        let own: Vec<(String, Option<Value>)> = own.collect();
        let mut met = BTreeSet::new();
        for Statement { text, says } in &self.statements {
            let id = says["Sid"].as_str().unwrap_or_default();
            match own.iter().find(|(own, _)| own == id) {
                None => pieces.push((*text).to_owned()),
                Some((_, None)) => changed = true,
                Some((id, Some(_))) if !met.insert(id) => changed = true,
                Some((_, Some(expected))) if says_so(says, expected) => pieces.push((*text).to_owned()),
                Some((_, Some(expected))) => {
                    changed = true;
                    pieces.push(expected.to_string());
                }
            }
        }
        for (_, expected) in own.iter().filter(|(id, _)| !met.contains(id)) {
            if let Some(expected) = expected {
                changed = true;
                pieces.push(expected.to_string());
            }
        }
        match (changed, pieces.is_empty()) {
            (false, _) => Change::Unchanged,
            (true, true) => Change::Write(None),
            (true, false) => Change::Write(Some(self.text_of(&pieces))),
        }
    }

    /// Returns the principals that have all rights of a partner under this policy; a statement that was changed by hand
    /// counts for none.
    pub(crate) fn in_force(&self, bucket_arn: &str, partner: &str) -> BTreeSet<String> {
        let rights = self.rights.iter().map(|right| self.having(*right, bucket_arn, partner));
        rights.reduce(|all, more| all.intersection(&more).cloned().collect()).unwrap_or_default()
    }

    /// Returns the principals that have any right of a partner under this policy.
    pub(crate) fn in_part(&self, bucket_arn: &str, partner: &str) -> BTreeSet<String> {
        self.rights.iter().flat_map(|right| self.having(*right, bucket_arn, partner)).collect()
    }

    /// Returns the principals that have a right of a partner.
    fn having(&self, right: PartnerRight, bucket_arn: &str, partner: &str) -> BTreeSet<String> {
        let id = right.statement_id(partner);
        let own = self.statements.iter().filter(|statement| statement.says["Sid"] == id.as_str());
        own.filter_map(|says| {
            let principals = words(&says.says["Principal"]["AWS"])?;
            let wanted = WantedStatement { partner: partner.to_owned(), principals };
            says_so(&says.says, &statement(right, bucket_arn, &wanted)).then_some(wanted.principals)
        })
        .flatten()
        .collect()
    }

    /// Returns the partners that have a statement.
    pub(crate) fn partners(&self) -> BTreeSet<String> {
        self.statements.iter().filter_map(|one| self.partner_of(one)).collect()
    }

    fn partner_of(&self, statement: &Statement<'_>) -> Option<String> {
        let id = statement.says["Sid"].as_str()?;
        self.rights.iter().find_map(|right| right.partner_of(id))
    }

    /// Returns the partners whose statement names a principal that was deleted since: AWS shows its id in place of
    /// its ARN, and rejects every policy that holds one.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
    pub(crate) fn with_deleted_principals(&self) -> Vec<String> {
        let deleted = self.statements.iter().filter_map(|statement| {
            let partner = self.partner_of(statement)?;
            let principals = words(&statement.says["Principal"]["AWS"])?;
            principals.iter().any(|principal| !principal.starts_with("arn:")).then_some(partner)
        });
        deleted.collect::<BTreeSet<_>>().into_iter().collect()
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
fn statement(right: PartnerRight, bucket_arn: &str, wanted: &WantedStatement) -> Value {
    let mut statement = right.allowance(bucket_arn, &wanted.partner);
    statement["Sid"] = right.statement_id(&wanted.partner).into();
    statement["Principal"] = json!({ "AWS": wanted.principals });
    statement
}

/// Returns whether a statement is as expected. AWS writes one value as a text or as a list of one.
fn says_so(says: &Value, expected: &Value) -> bool {
    let (Some(says), Some(expected)) = (says.as_object(), expected.as_object()) else { return false };
    let same = |name: &str| match name {
        "Principal" | "Condition" => leaves(&says[name]) == leaves(&expected[name]),
        name => words(&says[name]) == words(&expected[name]),
    };
    says.len() == expected.len() && expected.keys().all(|name| says.contains_key(name) && same(name))
}

/// Returns the values of an object by the path to each. A list is one value; its order says nothing.
fn leaves(value: &Value) -> BTreeMap<String, BTreeSet<String>> {
    fn walk(path: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    walk(&format!("{path}\n{name}"), value, found);
                }
            }
            value => {
                let texts = words(value).unwrap_or_else(|| BTreeSet::from([value.to_string()]));
                found.insert(path.to_owned(), texts);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk("", value, &mut found);
    found
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
