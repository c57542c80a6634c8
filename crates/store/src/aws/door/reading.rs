//! Answers out: queries by a partner's name, objects of the quarantine.

use bytes::Bytes;

use super::super::contracts;
use super::super::entry::{self, Attributes, Reader, names, text};
use super::super::failure::failure;
use super::super::objects::is_gone;
use super::super::rows;
use super::table::attributes;
use super::{BY_PARTNER, Door};
use crate::door::{
    FilePage, FilePlace, FileQuery, ListedFile, MOST_FEEDS, Presigned, Reading, RecordPage, RecordVersion,
};
use crate::{Error, Operation};

/// Most queries for one page of files, when a filter leaves most of them out.
const MOST_QUERIES: usize = 5;
/// What a query with a filter looks through.
const FILTERED: i32 = 100;

impl Reading for Door {
    async fn files(&self, query: &FileQuery) -> Result<FilePage, Error> {
        let nothing = FilePage { files: Vec::new(), next: None };
        let Some(range) = range(query) else { return Ok(nothing) };
        let limit = usize::from(query.limit.max(1));
        let mut files = Vec::new();
        let mut next = range.start.clone();
        for _ in 0..MOST_QUERIES {
            let page = self.query_files(query, &range, next.as_ref()).await?;
            files.extend(page.files);
            next = page.next;
            if files.len() >= limit || next.is_none() {
                break;
            }
        }
        if files.len() > limit {
            files.truncate(limit);
            next = files.last().map(place);
        }
        Ok(FilePage { files, next })
    }

    async fn document(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let answer = self
            .s3
            .get_object()
            .bucket(&self.names.quarantine_bucket)
            .key(key)
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await;
        let output = match answer {
            Ok(output) => output,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(failure(Operation::ReadDocument, &error)),
        };
        let broken_off = |_| Error::new(Operation::ReadDocument, "body broke off");
        Ok(Some(output.body.collect().await.map_err(broken_off)?.into_bytes()))
    }

    async fn sign_download(&self, key: &str, file_name: &str, seconds: u32) -> Result<Presigned, Error> {
        self.presign_download(key, file_name, seconds).await
    }

    async fn feeds(&self) -> Result<Vec<String>, Error> {
        let page = self
            .s3
            .list_objects_v2()
            .bucket(&self.names.contracts_bucket)
            .max_keys(i32::try_from(MOST_FEEDS).unwrap_or(i32::MAX))
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await
            .map_err(|error| failure(Operation::ListContracts, &error))?;
        let keys = page.contents().iter().filter_map(|object| object.key());
        Ok(keys.filter_map(|key| key.strip_suffix(contracts::SUFFIX)).map(str::to_owned).collect())
    }

    async fn record_versions(
        &self,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<RecordPage, Error> {
        let start = after.filter(|after| !after.is_empty());
        let start = start.map(|after| attributes([("pk", text(partition)), ("sk", text(after))]));
        let output = self
            .dynamodb
            .query()
            .table_name(&self.names.records_table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(partition))
            .set_exclusive_start_key(start)
            .scan_index_forward(false)
            .limit(i32::from(limit.max(1)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failure(Operation::ReadRows, &error))?;
        let items = output.items.unwrap_or_default().into_iter();
        let versions = items.map(|item| RecordVersion::of(rows::item(item)?)).collect::<Option<_>>();
        let next = output.last_evaluated_key.and_then(|key| Reader(&key).text("sk"));
        let versions = versions.ok_or_else(|| Error::new(Operation::ReadRows, "malformed item"))?;
        Ok(RecordPage { versions, next })
    }
}

/// Which part of a partner's files is asked for, as a key condition.
struct Range {
    condition: &'static str,
    values: Attributes,
    start: Option<FilePlace>,
}

/// `None`: there can be none. DynamoDB rejects bounds in the wrong order and a start outside of them, either of which
/// a caller can make up.
fn range(query: &FileQuery) -> Option<Range> {
    let from = query.from.as_deref().filter(|from| !from.is_empty());
    let before = query.before.as_deref();
    let start =
        query.after.as_ref().filter(|after| before.is_none_or(|before| after.order.as_str() < before));
    let below = |order: &str| from.is_some_and(|from| order < from);
    if before.is_some_and(|before| before.is_empty() || below(before))
        || start.is_some_and(|start| start.order.is_empty() || below(&start.order))
    {
        return None;
    }
    let mut values = attributes([(":partner", text(&query.partner))]);
    let bounds = [(":from", from), (":before", before)];
    let bounds = bounds.into_iter().filter_map(|(name, bound)| Some((name.to_owned(), text(bound?))));
    values.extend(bounds);
    let condition = match (from, before) {
        (None, None) => "#partner = :partner",
        (Some(_), None) => "#partner = :partner AND #order >= :from",
        (None, Some(_)) => "#partner = :partner AND #order < :before",
        // Takes the upper bound in, which is left out when it is read.
        (Some(_), Some(_)) => "#partner = :partner AND #order BETWEEN :from AND :before",
    };
    Some(Range { condition, values, start: start.cloned() })
}

impl Door {
    async fn query_files(
        &self,
        query: &FileQuery,
        range: &Range,
        start: Option<&FilePlace>,
    ) -> Result<FilePage, Error> {
        let mut values = range.values.clone();
        let wanted = [
            ("#feed = :feed", ":feed", query.feed.as_deref()),
            ("#state = :state", ":state", query.state.map(crate::State::as_str)),
        ];
        let mut filters = Vec::new();
        for (filter, name, value) in wanted {
            if let Some(value) = value {
                values.insert(name.to_owned(), text(value));
                filters.push(filter);
            }
        }
        let filter = (!filters.is_empty()).then(|| filters.join(" AND "));
        let expressions = [range.condition, filter.as_deref().unwrap_or_default()];
        let limit = if filter.is_some() { FILTERED } else { i32::from(query.limit.max(1)) };
        let output = self
            .dynamodb
            .query()
            .table_name(&self.names.ledger_table)
            .index_name(BY_PARTNER)
            .key_condition_expression(range.condition)
            .set_expression_attribute_names(Some(names(&expressions)))
            .set_filter_expression(filter)
            .set_expression_attribute_values(Some(values))
            .set_exclusive_start_key(start.map(|start| start_key(&query.partner, start)))
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(|error| failure(Operation::ListFiles, &error))?;
        let malformed = || Error::new(Operation::ListFiles, "malformed item");
        let items = output.items.unwrap_or_default();
        let mut files = items
            .iter()
            .map(|item| entry::listed(item).ok_or_else(malformed))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| query.before.as_deref().is_none_or(|before| file.order.as_str() < before));
        let next = output.last_evaluated_key.filter(|key| !key.is_empty());
        let next = next.map(|key| entry::place(&key).ok_or_else(malformed)).transpose()?;
        Ok(FilePage { files, next })
    }
}

fn place(listed: &ListedFile) -> FilePlace {
    FilePlace { order: listed.order.clone(), file: listed.file.clone() }
}

/// The key of the index, with the caller's partner whatever the place says.
fn start_key(partner: &str, place: &FilePlace) -> Attributes {
    attributes([
        ("pk", text(entry::file_key(&place.file))),
        ("partner", text(partner)),
        ("order", text(&place.order)),
    ])
}
