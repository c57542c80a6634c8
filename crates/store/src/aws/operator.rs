//! The operator's view on AWS, and where a stack is.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::EncodingType;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use bytes::Bytes;

use super::failure::{code, failure};
use super::objects::is_gone;
use super::{clients, keys};
use crate::operator::{Depth, Folders, StackQueue, Survey};
use crate::{Body, Error, Operation};

/// Pages of a listing before it is given up: 10,000 folders and objects of one level.
const MOST_PAGES: usize = 10;

/// Where a stack is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// `aws`, or that of another part of AWS.
    pub partition: String,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
}

impl Home {
    /// Asks DynamoDB for the ARN of a table of the stack, which names all three; `None` when there is no such table.
    pub async fn find(config: &SdkConfig, table: &str) -> Result<Option<Self>, Error> {
        let found = clients::dynamodb(config).describe_table().table_name(table).send().await;
        let described = match found {
            Ok(described) => described,
            Err(error) if code(&error) == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(failure(Operation::FindStack, &error)),
        };
        let arn = described.table().and_then(|table| table.table_arn());
        let home = arn.and_then(Self::of_arn);
        home.map(Some).ok_or_else(|| Error::new(Operation::FindStack, "malformed table ARN"))
    }

    /// Reads `arn:<partition>:<service>:<region>:<account>:…`.
    fn of_arn(arn: &str) -> Option<Self> {
        let mut parts = arn.splitn(6, ':');
        let (arn, partition, _service) = (parts.next()?, parts.next()?, parts.next()?);
        let (region, account, _resource) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
        let plain = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        (arn == "arn" && digits && plain(partition) && plain(region)).then(|| Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
        })
    }
}

/// The operator's view.
#[derive(Clone)]
pub struct Surveyor {
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
    stack: String,
    inbox: String,
    quarantine_bucket: String,
    account: String,
}

impl Surveyor {
    /// A view of a stack. The account must own its buckets.
    #[must_use]
    pub fn new(config: &SdkConfig, stack: &str, inbox: &str, quarantine_bucket: &str, account: &str) -> Self {
        Self {
            s3: clients::s3(config),
            sqs: clients::sqs(config),
            stack: stack.to_owned(),
            inbox: inbox.to_owned(),
            quarantine_bucket: quarantine_bucket.to_owned(),
            account: account.to_owned(),
        }
    }
}

/// An object of the quarantine on its way. A read that breaks off is an error: the reader begins again.
pub struct KeptBody(ByteStream);

impl Body for KeptBody {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.0.try_next().await.map_err(|_| Error::new(Operation::ReadDocument, "body broke off"))
    }
}

impl Survey for Surveyor {
    type Body = KeptBody;

    async fn inbox_folders(&self, partner: Option<&str>) -> Result<Folders, Error> {
        let prefix = partner.map(|partner| format!("{partner}/"));
        let mut folders = Folders::default();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let page = self
                .s3
                .list_objects_v2()
                .bucket(&self.inbox)
                .set_prefix(prefix.clone())
                .delimiter("/")
                // Without it a key with control characters would not be well-formed XML.
                .encoding_type(EncodingType::Url)
                .set_continuation_token(token)
                .expected_bucket_owner(&self.account)
                .send()
                .await
                .map_err(|error| failure(Operation::ListInbox, &error))?;
            let encoded = page.encoding_type() == Some(&EncodingType::Url);
            let listed = page.common_prefixes().iter().filter_map(|folder| folder.prefix());
            let decoded = listed
                .filter_map(|folder| if encoded { keys::decode(folder) } else { Some(folder.to_owned()) });
            folders.names.extend(
                decoded.filter_map(|folder| folder_name(&folder, prefix.as_deref()).map(str::to_owned)),
            );
            token = page.next_continuation_token().map(str::to_owned);
            if page.is_truncated() != Some(true) || token.is_none() {
                folders.complete = true;
                break;
            }
        }
        Ok(folders)
    }

    async fn depth(&self, queue: StackQueue) -> Result<Option<Depth>, Error> {
        let url = match self.sqs.get_queue_url().queue_name(queue.name(&self.stack)).send().await {
            Ok(found) => found.queue_url,
            Err(error) if is_no_queue(code(&error)) => return Ok(None),
            Err(error) => return Err(failure(Operation::ReadQueue, &error)),
        };
        let asked = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.sqs.get_queue_attributes().set_queue_url(url);
        let answer = request.set_attribute_names(Some(asked.to_vec())).send().await;
        let answer = answer.map_err(|error| failure(Operation::ReadQueue, &error))?;
        let number =
            |name: &QueueAttributeName| -> Option<u64> { answer.attributes()?.get(name)?.parse().ok() };
        let [waiting, taken, delayed] = &asked;
        let counted = number(waiting).map(|waiting| Depth {
            waiting,
            in_flight: number(taken).unwrap_or_default() + number(delayed).unwrap_or_default(),
        });
        counted.map(Some).ok_or_else(|| Error::new(Operation::ReadQueue, "no count"))
    }

    async fn open_kept(&self, key: &str) -> Result<Option<KeptBody>, Error> {
        let request = self.s3.get_object().bucket(&self.quarantine_bucket).key(key);
        match request.expected_bucket_owner(&self.account).send().await {
            Ok(output) => Ok(Some(KeptBody(output.body))),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(failure(Operation::ReadDocument, &error)),
        }
    }
}

/// `<prefix><name>/` as its name.
fn folder_name<'f>(folder: &'f str, prefix: Option<&str>) -> Option<&'f str> {
    folder.strip_prefix(prefix.unwrap_or_default())?.strip_suffix('/').filter(|name| !name.is_empty())
}

/// The old protocol's code and the new one's.
fn is_no_queue(code: Option<&str>) -> bool {
    matches!(code, Some("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist"))
}

#[cfg(test)]
mod tests;
