//! Lists of files, by the two indexes of the ledger table.

use super::entry::{self, file_key};
use super::{BY_OPEN, LedgerTable};
use crate::aws::dynamodb::{Attributes, ItemPage, ItemReader, TableQuery, attributes, malformed, text};
use crate::{Error, FilePage, FilePlace, FileQuery, ListedFile, OpenFile, OpenFiles, Operation, State};

/// The index of a partner's files: partition key `partner`, sort key `order`.
pub(super) const BY_PARTNER: &str = "by-partner";

/// Most queries for one page of files, when a filter leaves most of them out.
const MOST_QUERIES: usize = 5;

/// What a query with a filter looks through.
const FILTERED: i32 = 100;

impl LedgerTable {
    pub(super) async fn list_files(&self, query: &FileQuery) -> Result<FilePage, Error> {
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
        let limit = if filter.is_some() { FILTERED } else { i32::from(query.limit.max(1)) };
        let asked = TableQuery {
            operation: Operation::ListFiles,
            index: Some(BY_PARTNER),
            condition: range.condition,
            filter,
            values,
            newest_first: true,
            limit: Some(limit),
        };
        let page = self.table.page(&asked, start.map(|start| start_key(&query.partner, start))).await?;
        let unread = || malformed(Operation::ListFiles);
        let listed = page.items.iter().map(|item| entry::listed(item).ok_or_else(unread));
        let mut files = listed.collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| query.before.as_deref().is_none_or(|before| file.order.as_str() < before));
        let next = page.next.map(|key| entry::place(&key).ok_or_else(unread)).transpose()?;
        Ok(FilePage { files, next })
    }

    pub(super) async fn list_open_of_name(&self, partner: &str, key: &str) -> Result<Vec<OpenFile>, Error> {
        let values = attributes([(":open", text(partner)), (":key", text(key))]);
        let items = self.table.all(&open_query("#open_for = :open AND #key = :key", values)).await?;
        let unread = || malformed(Operation::ListOpen);
        items.iter().map(|item| entry::open_file(item).ok_or_else(unread)).collect()
    }

    pub(super) async fn list_open(&self, partner: Option<&str>, most: usize) -> Result<OpenFiles, Error> {
        let mut found = OpenFiles::default();
        let mut start = None;
        while found.files.len() < most {
            let page = self.open_page(partner, start).await?;
            for item in page.items.iter().filter(|item| !is_waiting(item)) {
                let read = || Some((ItemReader(item).text(entry::OPEN)?, entry::listed(item)?));
                found.files.push(read().ok_or_else(|| malformed(Operation::ListOpen))?);
            }
            start = page.next;
            if start.is_none() {
                found.complete = true;
                break;
            }
        }
        Ok(found)
    }

    /// Returns a page of the index of open files, which holds nothing else: the whole of it is what is asked for.
    async fn open_page(&self, partner: Option<&str>, start: Option<Attributes>) -> Result<ItemPage, Error> {
        let Some(partner) = partner else {
            return self.table.scan_index(Operation::ListOpen, BY_OPEN, start).await;
        };
        let values = attributes([(":open", text(partner))]);
        self.table.page(&open_query("#open_for = :open", values), start).await
    }
}

/// Returns whether a file of the index waits for the release of its feed: it is not open.
fn is_waiting(item: &Attributes) -> bool {
    ItemReader(item).text("state").as_deref() == Some(State::Held.as_str())
}

fn open_query(condition: &str, values: Attributes) -> TableQuery<'_> {
    TableQuery {
        operation: Operation::ListOpen,
        index: Some(BY_OPEN),
        condition,
        filter: None,
        values,
        newest_first: false,
        limit: None,
    }
}

/// Which part of a partner's files is asked for, as a key condition.
struct Range {
    condition: &'static str,
    values: Attributes,
    start: Option<FilePlace>,
}

/// Returns `None`: there can be none. DynamoDB rejects bounds in the wrong order and a start outside of them, either
/// of which a caller can make up.
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

fn place(listed: &ListedFile) -> FilePlace {
    FilePlace { order: listed.order.clone(), file: listed.file.clone() }
}

/// Returns the key of the index, with the caller's partner whatever the place says.
fn start_key(partner: &str, place: &FilePlace) -> Attributes {
    file_key(&place.file).item(attributes([("partner", text(partner)), ("order", text(&place.order))]))
}

#[cfg(test)]
mod tests;
