//! The audit table, and who calls.

use aws_sdk_dynamodb::Client;

use super::client::Connection;
use super::dynamodb::{
    Attributes, ItemKey, ItemReader, Table, TableQuery, Written, attributes, malformed, number, text,
};
use super::signed::{SignedCall, SigningClient};
use crate::audit::{GatheredActs, act_of, sort_key};
use crate::{AuditPage, AuditQuery, CallerIdentity, Error, FileId, Operation, ReadAudit, WriteAudit};
use ::ledger::{
    Act, ActEnd, ActId, ActReason, ActRecord, ActResult, ActSubject, ActWord, Actor, Arn, Verb,
    format_instant,
};

/// Most queries for one list: with the default of 200 items a page, 4,000 acts, or 40 months without any.
const MOST_QUERIES: usize = 40;

/// The index of acts on a file, and below those on a partner and on a feed.
const BY_FILE: &str = "by-file";
const BY_PARTNER: &str = "by-partner";
const BY_FEED: &str = "by-feed";

/// Items of a page.
const PAGE: i32 = 200;

/// The audit table: partition key `pk`, sort key `sk` (strings), and sparse indexes `by-partner`, `by-feed` and
/// `by-file` with the same sort key. Its own policy denies everybody to change or delete an item (`infra/data.yaml`).
#[derive(Clone)]
pub struct AuditTable {
    table: Table,
}

/// AWS Security Token Service, which knows who calls.
#[derive(Clone)]
pub struct SecurityTokens {
    signed: SigningClient,
}

impl AuditTable {
    /// Makes the table of this name.
    #[must_use]
    pub fn new(client: &Client, name: &str) -> Self {
        Self { table: Table::new(client, name) }
    }
}

impl SecurityTokens {
    /// Makes the service with the credentials of a connection.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        Self { signed: connection.signed() }
    }
}

impl<T: AsRef<SecurityTokens> + Sync> CallerIdentity for T {
    async fn caller(&self) -> Result<Arn, Error> {
        // A GET, so that the same call is signed for every service alike.
        // <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>
        let call = SignedCall {
            operation: Operation::IdentifyCaller,
            service: "sts",
            method: "GET",
            path: "/?Action=GetCallerIdentity&Version=2011-06-15",
            target: None,
            body: "",
        };
        let answer = self.as_ref().signed.text(call).await?;
        let arn = arn_of(&answer).and_then(|arn| Arn::parse(&arn));
        arn.ok_or_else(|| Error::new(Operation::IdentifyCaller, "malformed answer"))
    }
}

/// Returns the ARN of an answer: JSON, which AWS gives where it is asked for it, or else XML.
fn arn_of(answer: &str) -> Option<String> {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(answer) {
        let arn = json.pointer("/GetCallerIdentityResponse/GetCallerIdentityResult/Arn")?;
        return arn.as_str().map(str::to_owned);
    }
    let (_, rest) = answer.split_once("<Arn>")?;
    let (arn, _) = rest.split_once("</Arn>")?;
    Some(arn.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

impl<T: AsRef<AuditTable> + Sync> WriteAudit for T {
    async fn note(&self, record: &ActRecord) -> Result<(), Error> {
        let operation = Operation::WriteAudit;
        let table = &self.as_ref().table;
        let key = ItemKey::sorted(month(record.act.at_ms), sort_key(record));
        let item = key.clone().item(written(record)?);
        let never = "attribute_not_exists(#pk)";
        let stands = match table.put_if(operation, item.clone(), never, Attributes::new()).await? {
            Written::Made(_) => return Ok(()),
            Written::Rejected(Some(stands)) => Some(stands),
            Written::Rejected(None) => table.get(operation, key).await?,
        };
        // An attempt whose answer was lost.
        if stands == Some(item) { Ok(()) } else { Err(Error::new(operation, "written before")) }
    }
}

impl<T: AsRef<AuditTable> + Sync> ReadAudit for T {
    async fn acts(&self, query: &AuditQuery) -> Result<AuditPage, Error> {
        let table = &self.as_ref().table;
        let mut found = GatheredActs::new(query);
        let mut queries = 0;
        for range in ranges(query) {
            let asked = asked(query, range);
            let mut start = None;
            loop {
                if queries == MOST_QUERIES {
                    return Ok(found.page(false));
                }
                queries += 1;
                let page = table.page(&asked, start).await?;
                for item in &page.items {
                    let id = ItemReader(item).text("sk").and_then(|sort| act_of(&sort));
                    let id = id.ok_or_else(|| malformed(Operation::ReadAudit))?;
                    if !found.take(&id, read(item).ok()) {
                        return Ok(found.page(false));
                    }
                }
                start = page.next;
                if start.is_none() {
                    break;
                }
            }
        }
        Ok(found.page(true))
    }
}

/// Where acts are looked for: a month, or what an index has of one partner, feed or file.
struct ActRange {
    index: Option<&'static str>,
    condition: &'static str,
    of: String,
}

/// Returns the ranges of a query, newest first: one of an index, or the months between its instants.
fn ranges(query: &AuditQuery) -> Box<dyn Iterator<Item = ActRange> + Send> {
    if query.from_ms >= query.until_ms {
        return Box::new(std::iter::empty());
    }
    let indexed = [
        (
            BY_FILE,
            "#file = :of AND #sk BETWEEN :from AND :until",
            query.file.as_ref().map(ToString::to_string),
        ),
        (BY_PARTNER, "#partner = :of AND #sk BETWEEN :from AND :until", query.partner.clone()),
        (BY_FEED, "#feed = :of AND #sk BETWEEN :from AND :until", query.feed.clone()),
    ];
    let mut indexed = indexed
        .into_iter()
        .filter_map(|(index, condition, of)| Some(ActRange { index: Some(index), condition, of: of? }));
    if let Some(range) = indexed.next() {
        return Box::new(std::iter::once(range));
    }
    let oldest = month(query.from_ms);
    let newest = month(query.until_ms - 1);
    let months = std::iter::successors(Some(newest), |month| month_before(month));
    let condition = "#pk = :of AND #sk BETWEEN :from AND :until";
    let range = move |of| ActRange { index: None, condition, of };
    Box::new(months.take_while(move |month| *month >= oldest).map(range))
}

/// Returns the partition of an instant: `month#2026-11`.
fn month(at_ms: u64) -> String {
    format!("month#{}", format_instant(at_ms).get(..7).unwrap_or_default())
}

fn month_before(partition: &str) -> Option<String> {
    let (year, month) = partition.strip_prefix("month#")?.split_once('-')?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    let (year, month) = if month == 1 { (year.checked_sub(1)?, 12) } else { (year, month - 1) };
    Some(format!("month#{year:04}-{month:02}"))
}

fn asked(query: &AuditQuery, range: ActRange) -> TableQuery<'static> {
    let ActRange { index, condition, of } = range;
    let mut values = attributes([
        (":of", text(of)),
        (":from", text(format_instant(query.from_ms))),
        // What begins with the instant itself sorts behind it, and is left out.
        (":until", text(format_instant(query.until_ms))),
    ]);
    // A key of the index may not be in the filter too.
    let wanted = [
        ("partner", "#partner = :partner", query.partner.clone().filter(|_| index != Some(BY_PARTNER))),
        ("feed", "#feed = :feed", query.feed.clone().filter(|_| index != Some(BY_FEED))),
        ("verb", "#verb = :verb", query.verb.map(|verb| verb.as_str().to_owned())),
        ("by", "contains(#by, :by)", query.by.clone()),
    ];
    let mut filters = Vec::new();
    for (name, filter, value) in wanted {
        if let Some(value) = value {
            values.insert(format!(":{name}"), text(value));
            filters.push(filter);
        }
    }
    TableQuery {
        operation: Operation::ReadAudit,
        index,
        condition,
        filter: (!filters.is_empty()).then(|| filters.join(" AND ")),
        values,
        newest_first: true,
        limit: Some(PAGE),
    }
}

/// Returns the attributes of a record.
fn written(record: &ActRecord) -> Result<Attributes, Error> {
    let ActRecord { act: Act { id, at_ms, by, verb, subject, reason }, end } = record;
    let ActSubject { partner, feed, file, contract_version } = subject;
    let mut item = attributes([
        ("id", text(id.as_str())),
        ("at_ms", number(*at_ms)),
        ("by", text(by.to_string())),
        ("verb", text(verb.as_str())),
    ]);
    let mut put = |name: &str, value: Option<&str>| {
        item.extend(value.map(|value| (name.to_owned(), text(value))));
    };
    put("partner", partner.as_ref().map(ActWord::as_str));
    put("feed", feed.as_ref().map(ActWord::as_str));
    put("file", file.as_ref().map(FileId::as_str));
    put("contract_version", contract_version.as_ref().map(ActWord::as_str));
    put("reason", reason.as_ref().map(ActReason::as_str));
    if let Some(ActEnd { at_ms, result, error, details }) = end {
        put("result", Some(result.as_str()));
        put("error", error.as_ref().map(ActWord::as_str));
        if !details.is_empty() {
            let details = serde_json::to_string(details);
            let details = details.map_err(|_| Error::new(Operation::WriteAudit, "request not built"))?;
            put("details", Some(&details));
        }
        item.insert("ended_ms".to_owned(), number(*at_ms));
    }
    Ok(item)
}

/// An item that a newer version wrote.
struct NewerItem;

fn read(item: &Attributes) -> Result<ActRecord, NewerItem> {
    let item = ItemReader(item);
    let act = Act {
        id: required(item, "id", ActId::parse)?,
        at_ms: item.number("at_ms").ok_or(NewerItem)?,
        by: required(item, "by", Actor::parse)?,
        verb: required(item, "verb", Verb::parse)?,
        subject: ActSubject {
            partner: optional(item, "partner", ActWord::parse)?,
            feed: optional(item, "feed", ActWord::parse)?,
            file: optional(item, "file", FileId::parse)?,
            contract_version: optional(item, "contract_version", ActWord::parse)?,
        },
        reason: optional(item, "reason", |text| ActReason::parse(text).ok())?,
    };
    let Some(result) = optional(item, "result", ActResult::parse)? else {
        return Ok(ActRecord { act, end: None });
    };
    let details = optional(item, "details", |text| serde_json::from_str(text).ok())?;
    let end = ActEnd {
        at_ms: item.number("ended_ms").ok_or(NewerItem)?,
        result,
        error: optional(item, "error", ActWord::parse)?,
        details: details.unwrap_or_default(),
    };
    Ok(ActRecord { act, end: Some(end) })
}

fn required<T>(item: ItemReader<'_>, name: &str, read: fn(&str) -> Option<T>) -> Result<T, NewerItem> {
    optional(item, name, read)?.ok_or(NewerItem)
}

/// Reads an attribute that may be absent. One that is there must be understood.
fn optional<T>(
    item: ItemReader<'_>,
    name: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, NewerItem> {
    item.text(name).map(|text| read(&text).ok_or(NewerItem)).transpose()
}

#[cfg(test)]
mod tests;
