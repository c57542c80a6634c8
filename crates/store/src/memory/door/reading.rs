//! Answers out.

use std::cmp::Reverse;

use bytes::Bytes;

use super::super::Memory;
use super::signed::Signed;
use crate::door::{
    FilePage, FilePlace, FileQuery, ListedFile, MOST_FEEDS, Presigned, Reading, RecordPage, RecordVersion,
};
use crate::{Entry, Error, FileId, Operation, UNKNOWN};

impl Reading for Memory {
    async fn files(&self, query: &FileQuery) -> Result<FilePage, Error> {
        self.call(Operation::ListFiles, |world| {
            let asked = world.entries.iter().filter(|(file, entry)| is_asked(query, file, entry));
            let mut files: Vec<_> = asked.map(|(file, entry)| listed(file, entry)).collect();
            files.sort_by(|a, b| Reverse((&a.order, &a.file)).cmp(&Reverse((&b.order, &b.file))));
            let limit = usize::from(query.limit.max(1));
            let more = files.len() > limit;
            files.truncate(limit);
            let last = files.last().filter(|_| more);
            let next = last.map(|last| FilePlace { order: last.order.clone(), file: last.file.clone() });
            FilePage { files, next }
        })
        .await
    }

    async fn document(&self, key: &str) -> Result<Option<Bytes>, Error> {
        self.call(Operation::ReadDocument, |world| {
            world.quarantine.get(key).map(|object| object.bytes.clone())
        })
        .await
    }

    async fn sign_download(&self, key: &str, file_name: &str, seconds: u32) -> Result<Presigned, Error> {
        let download = Signed::Download { key: key.to_owned(), file_name: file_name.to_owned() };
        Ok(self.sign(download, seconds))
    }

    async fn feeds(&self) -> Result<Vec<String>, Error> {
        self.call(Operation::ListContracts, |world| {
            world.newest_contracts().map(|(feed, _)| feed.clone()).take(MOST_FEEDS).collect()
        })
        .await
    }

    async fn record_versions(
        &self,
        partition: &str,
        after: Option<&str>,
        limit: u16,
    ) -> Result<RecordPage, Error> {
        let items = self
            .call(Operation::ReadRows, |world| {
                let all = world.rows.values().rev().filter(|item| item.partition == partition);
                let rest = all.filter(|item| after.is_none_or(|after| item.sort.as_str() < after));
                rest.take(usize::from(limit.max(1)) + 1).cloned().collect::<Vec<_>>()
            })
            .await?;
        let limit = usize::from(limit.max(1));
        let next =
            (items.len() > limit).then(|| items.get(limit - 1).map(|last| last.sort.clone())).flatten();
        let versions = items.into_iter().take(limit).map(RecordVersion::of);
        let versions = versions.collect::<Option<Vec<_>>>();
        let malformed = || Error::new(Operation::ReadRows, "malformed item");
        Ok(RecordPage { versions: versions.ok_or_else(malformed)?, next })
    }
}

fn is_asked(query: &FileQuery, file: &FileId, entry: &Entry) -> bool {
    let order = entry.order.as_str();
    entry.listed_partner() == query.partner
        && query.feed.as_ref().is_none_or(|feed| feed == listed_feed(entry))
        && query.state.is_none_or(|state| state == entry.state)
        && query.from.as_deref().is_none_or(|from| order >= from)
        && query.before.as_deref().is_none_or(|before| order < before)
        && query.after.as_ref().is_none_or(|after| (order, file) < (after.order.as_str(), &after.file))
}

/// The feed under which the index lists an entry.
fn listed_feed(entry: &Entry) -> &str {
    if entry.partner.is_empty() { UNKNOWN } else { &entry.feed }
}

pub(in crate::memory) fn listed(file: &FileId, entry: &Entry) -> ListedFile {
    ListedFile {
        file: file.clone(),
        feed: listed_feed(entry).to_owned(),
        key: entry.file.key.clone(),
        state: entry.state,
        order: entry.order.to_string(),
        outcome: entry.outcome.clone(),
    }
}
