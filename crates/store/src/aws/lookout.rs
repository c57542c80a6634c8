//! The watcher's view on AWS, and the little that it writes.
//!
//! ```text
//! pk = reconciliation    how far the reconciliation of the inbox with the ledger got
//! ```

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{EncodingType, ObjectVersion};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use aws_types::SdkConfig;
use bytes::Bytes;

use super::entry::{self, Attributes, Reader, names, number, text};
use super::failure::{code, failure};
use super::objects::{listed_key, next_place};
use super::{Backoff, clients, contracts};
use crate::file::NULL_VERSION;
use crate::operator::Depth;
use crate::watch::{
    Cursor, DeadLetter, InboxPage, InboxPlace, ListedVersion, MOST_MESSAGES, Published, Watch, WatchedQueue,
};
use crate::{Entry, Error, FileId, FileVersion, Operation};

/// Pages of a listing of folders or contracts before it is given up.
const MOST_PAGES: usize = 10;
/// Attempts at entries or messages of which a service took some and left others.
const ATTEMPTS: u32 = 6;
/// The partition key of the cursor's item.
const CURSOR: &str = "reconciliation";

/// The resources' names, as the stack made them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookoutNames {
    /// The bucket into which files land.
    pub inbox: String,
    /// The bucket of contracts.
    pub contracts_bucket: String,
    /// The ledger table, with its index `by-partner`.
    pub ledger_table: String,
    /// The partners table.
    pub partners_table: String,
    /// The queue of notifications.
    pub inbox_queue: String,
    /// Notifications that failed ten times.
    pub inbox_dead_letters: String,
    /// Outcomes that a partner's address did not take.
    pub webhooks_dead_letters: String,
    /// The account that must own the buckets; `None` leaves the check out.
    pub account: Option<String>,
}

/// The watcher's own on AWS.
pub struct Lookout {
    names: LookoutNames,
    s3: aws_sdk_s3::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    config: SdkConfig,
    sqs: OnceLock<aws_sdk_sqs::Client>,
    backoff: Backoff,
}

impl Lookout {
    /// A lookout with these credentials, region, endpoint and HTTP client; timeouts and retries are set in `clients`.
    #[must_use]
    pub fn new(config: &SdkConfig, names: LookoutNames) -> Self {
        Self {
            names,
            s3: clients::s3(config),
            dynamodb: clients::dynamodb(config),
            config: config.clone(),
            sqs: OnceLock::new(),
            backoff: Backoff::default(),
        }
    }

    fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| clients::sqs(&self.config))
    }

    fn queue(&self, queue: WatchedQueue) -> &str {
        match queue {
            WatchedQueue::Inbox => &self.names.inbox_queue,
            WatchedQueue::InboxDeadLetters => &self.names.inbox_dead_letters,
            WatchedQueue::WebhookDeadLetters => &self.names.webhooks_dead_letters,
        }
    }
}

/// What the watcher has: its own view, and through the door the partners, their files and the contracts, of which it has
/// neither the quarantine nor the records.
#[must_use]
pub fn connect_watcher(names: LookoutNames, access: clients::Access) -> (Lookout, super::Door) {
    let config = clients::configuration(access);
    let door = super::DoorNames {
        inbox: names.inbox.clone(),
        contracts_bucket: names.contracts_bucket.clone(),
        quarantine_bucket: String::new(),
        ledger_table: names.ledger_table.clone(),
        records_table: String::new(),
        partners_table: names.partners_table.clone(),
        account: names.account.clone(),
    };
    (Lookout::new(&config, names), super::Door::new(&config, door))
}

impl Watch for Lookout {
    async fn inbox_page(&self, after: Option<&InboxPlace>) -> Result<InboxPage, Error> {
        let page = self
            .s3
            .list_object_versions()
            .bucket(&self.names.inbox)
            // Without it a key with control characters would not be well-formed XML.
            .encoding_type(EncodingType::Url)
            .set_key_marker(after.map(|place| place.key.clone()))
            .set_version_id_marker(after.and_then(|place| place.version.clone()))
            .set_expected_bucket_owner(self.names.account.clone())
            .send()
            .await
            .map_err(|error| failure(Operation::ListInbox, &error))?;
        let listed = page.versions().iter().map(|version| self.listed(&page, version));
        let versions = listed.collect::<Option<Vec<_>>>();
        let malformed = || Error::new(Operation::ListInbox, "malformed page");
        Ok(InboxPage { versions: versions.ok_or_else(malformed)?, next: next_place(&page)? })
    }

    async fn entries(&self, files: &[FileId]) -> Result<BTreeMap<FileId, Entry>, Error> {
        let mut found = BTreeMap::new();
        let mut pending: Vec<Attributes> = files.iter().map(item_key).collect();
        for attempt in 0..ATTEMPTS {
            if pending.is_empty() {
                return Ok(found);
            }
            if attempt > 0 {
                self.backoff.wait(Operation::ReadLedger, attempt).await?;
            }
            pending = self.entries_once(pending, &mut found).await?;
        }
        if pending.is_empty() { Ok(found) } else { Err(Error::new(Operation::ReadLedger, "unprocessed")) }
    }

    async fn cursor(&self) -> Result<Option<Cursor>, Error> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.names.ledger_table)
            .key("pk", text(CURSOR))
            .consistent_read(true)
            .send()
            .await;
        let item = answer.map_err(|error| failure(Operation::ReadCursor, &error))?.item;
        let malformed = || Error::new(Operation::ReadCursor, "malformed item");
        item.map(|item| cursor(&item).ok_or_else(malformed)).transpose()
    }

    async fn put_cursor(&self, next: &Cursor, seen: Option<&Cursor>) -> Result<bool, Error> {
        let condition = if seen.is_some() { "#revision = :seen" } else { "attribute_not_exists(#revision)" };
        let seen = seen.map(|seen| HashMap::from([(":seen".to_owned(), number(seen.revision))]));
        let answer = self
            .dynamodb
            .put_item()
            .table_name(&self.names.ledger_table)
            .set_item(Some(cursor_item(next)))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[condition])))
            .set_expression_attribute_values(seen)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(failure(Operation::WriteCursor, &error)),
        }
    }

    async fn messages(&self, queue: WatchedQueue) -> Result<Depth, Error> {
        let asked = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.sqs().get_queue_attributes().queue_url(self.queue(queue));
        let answer = request.set_attribute_names(Some(asked.to_vec())).send().await;
        let answer = answer.map_err(|error| failure(Operation::ReadQueue, &error))?;
        let count =
            |name: &QueueAttributeName| -> Option<u64> { answer.attributes()?.get(name)?.parse().ok() };
        let [waiting, taken, delayed] = &asked;
        let waiting = count(waiting).ok_or_else(|| Error::new(Operation::ReadQueue, "no count"))?;
        let in_flight = count(taken).unwrap_or_default() + count(delayed).unwrap_or_default();
        Ok(Depth { waiting, in_flight })
    }

    async fn send(&self, bodies: &[String]) -> Result<(), Error> {
        let entries = bodies.iter().enumerate().map(|(index, body)| {
            SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>();
        let mut pending = entries.map_err(|_| Error::new(Operation::SendMessages, "request not built"))?;
        for attempt in 0..ATTEMPTS {
            if pending.is_empty() {
                return Ok(());
            }
            if attempt > 0 {
                self.backoff.wait(Operation::SendMessages, attempt).await?;
            }
            let request = self.sqs().send_message_batch().queue_url(self.queue(WatchedQueue::Inbox));
            let answer = request.set_entries(Some(pending.clone())).send().await;
            let answer = answer.map_err(|error| failure(Operation::SendMessages, &error))?;
            pending.retain(|entry| answer.failed().iter().any(|failed| failed.id() == entry.id()));
        }
        if pending.is_empty() { Ok(()) } else { Err(Error::new(Operation::SendMessages, "not taken")) }
    }

    async fn peek(&self, queue: WatchedQueue) -> Result<Vec<DeadLetter>, Error> {
        let answer = self
            .sqs()
            .receive_message()
            .queue_url(self.queue(queue))
            .max_number_of_messages(i32::try_from(MOST_MESSAGES).unwrap_or(i32::MAX))
            // Visible again at once: nobody who redrives the queue misses one.
            .visibility_timeout(0)
            .wait_time_seconds(0)
            .send()
            .await
            .map_err(|error| failure(Operation::ReadQueue, &error))?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        Ok(messages
            .filter_map(|message| Some(DeadLetter { id: message.message_id?, body: message.body? }))
            .collect())
    }

    async fn published(&self) -> Result<Vec<Published>, Error> {
        let mut found = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let page = self
                .s3
                .list_objects_v2()
                .bucket(&self.names.contracts_bucket)
                .set_continuation_token(token)
                .set_expected_bucket_owner(self.names.account.clone())
                .send()
                .await
                .map_err(|error| failure(Operation::ListContracts, &error))?;
            found.extend(page.contents().iter().filter_map(|object| {
                let feed = object.key()?.strip_suffix(contracts::SUFFIX)?.to_owned();
                let etag = object.e_tag().map(str::to_owned);
                Some(Published { feed, published_ms: millis(object.last_modified())?, etag })
            }));
            token = page.next_continuation_token().map(str::to_owned);
            if page.is_truncated() != Some(true) || token.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn publish_contract(&self, feed: &str, bytes: Bytes) -> Result<bool, Error> {
        let answer = self
            .s3
            .put_object()
            .bucket(&self.names.contracts_bucket)
            .key(format!("{feed}{}", contracts::SUFFIX))
            .content_type("application/yaml")
            .if_none_match("*")
            .set_expected_bucket_owner(self.names.account.clone())
            .body(ByteStream::from(bytes))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            // 409: somebody publishes one at this moment.
            Err(error)
                if matches!(code(&error), Some("PreconditionFailed" | "ConditionalRequestConflict")) =>
            {
                Ok(false)
            }
            Err(error) => Err(failure(Operation::PublishContract, &error)),
        }
    }
}

impl Lookout {
    fn listed(&self, page: &ListObjectVersionsOutput, version: &ObjectVersion) -> Option<ListedVersion> {
        let id = version.version_id().unwrap_or(NULL_VERSION);
        // A version id pins by itself; with an entity tag the same version would have two names.
        let etag =
            version.e_tag().filter(|_| id == NULL_VERSION).map(|etag| etag.trim_matches('"').to_owned());
        let file = FileVersion {
            bucket: self.names.inbox.clone(),
            key: listed_key(page, version.key()?)?,
            version: id.to_owned(),
            etag,
        };
        let bytes = version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
        Some(ListedVersion { file, last_modified_ms: millis(version.last_modified())?, bytes })
    }

    /// One call; the keys that are left to read.
    async fn entries_once(
        &self,
        pending: Vec<Attributes>,
        found: &mut BTreeMap<FileId, Entry>,
    ) -> Result<Vec<Attributes>, Error> {
        let malformed = || Error::new(Operation::ReadLedger, "malformed item");
        let table = &self.names.ledger_table;
        let keys = KeysAndAttributes::builder().set_keys(Some(pending)).build().map_err(|_| malformed())?;
        let answer = self.dynamodb.batch_get_item().request_items(table, keys).send().await;
        let mut answer = answer.map_err(|error| failure(Operation::ReadLedger, &error))?;
        let items = answer.responses.as_mut().and_then(|tables| tables.remove(table)).unwrap_or_default();
        for item in items {
            let id = Reader(&item).text("pk").and_then(|key| FileId::parse(key.strip_prefix("file#")?));
            let (id, entry) = id.zip(entry::entry(&item)).ok_or_else(malformed)?;
            found.insert(id, entry);
        }
        let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(table));
        Ok(left.map(|left| left.keys).unwrap_or_default())
    }
}

fn item_key(file: &FileId) -> Attributes {
    HashMap::from([("pk".to_owned(), text(entry::file_key(file)))])
}

fn millis(instant: Option<&DateTime>) -> Option<u64> {
    u64::try_from(instant?.to_millis().ok()?).ok()
}

fn cursor(item: &Attributes) -> Option<Cursor> {
    let read = Reader(item);
    let version = read.text("place_version");
    let place = read.text("place_key").map(|key| InboxPlace { key, version });
    Some(Cursor { revision: read.number("revision")?, begun_ms: read.number("begun_ms")?, place })
}

fn cursor_item(cursor: &Cursor) -> Attributes {
    let mut item: Attributes = HashMap::from([
        ("pk".to_owned(), text(CURSOR)),
        ("revision".to_owned(), number(cursor.revision)),
        ("begun_ms".to_owned(), number(cursor.begun_ms)),
    ]);
    if let Some(place) = &cursor.place {
        item.insert("place_key".to_owned(), text(&place.key));
        let version = place
            .version
            .as_ref()
            .map(|version| ("place_version".to_owned(), AttributeValue::S(version.clone())));
        item.extend(version);
    }
    item
}

#[cfg(test)]
mod tests;
