//! The operator's view on AWS, and where a stack is.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_types::SdkConfig;
use bytes::Bytes;

use super::clients;
use super::entry::{self, Attributes, Reader, names, text};
use super::failure::{code, failure};
use super::ledger::{BY_OPEN, read_entry};
use super::objects::is_gone;
use crate::operator::{Acknowledge, Acknowledged, Depth, OpenFiles, StackQueue, Survey};
use crate::{Acknowledgement, Body, Entry, Error, FileId, Operation, State};

/// Notes what an operator said; the file leaves the index of open files in the same write.
const ACKNOWLEDGE: &str = "SET #acknowledged = :said REMOVE #open_for";
const MAY_ACKNOWLEDGE: &str = "#state = :quarantined AND attribute_not_exists(#acknowledged)";

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
    pub(super) fn of_arn(arn: &str) -> Option<Self> {
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
    dynamodb: aws_sdk_dynamodb::Client,
    ledger_table: String,
    stack: String,
    quarantine_bucket: String,
    account: String,
}

impl Surveyor {
    /// A view of a stack. The account must own its buckets.
    #[must_use]
    pub fn new(config: &SdkConfig, stack: &str, quarantine_bucket: &str, account: &str) -> Self {
        Self {
            s3: clients::s3(config),
            sqs: clients::sqs(config),
            dynamodb: clients::dynamodb(config),
            ledger_table: format!("{stack}-ledger"),
            stack: stack.to_owned(),
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

    async fn open_files(&self, partner: Option<&str>, most: usize) -> Result<OpenFiles, Error> {
        let mut found = OpenFiles::default();
        let mut start = None;
        while found.files.len() < most {
            let (items, next) = self.open_page(partner, start).await?;
            for item in &items {
                let read = || Some((Reader(item).text(entry::OPEN)?, entry::listed(item)?));
                found.files.push(read().ok_or_else(|| Error::new(Operation::ListOpen, "malformed item"))?);
            }
            start = next.filter(|key| !key.is_empty());
            if start.is_none() {
                found.complete = true;
                break;
            }
        }
        Ok(found)
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

impl Surveyor {
    /// A page of the index of open files, which holds nothing else: the whole of it is what is asked for.
    async fn open_page(
        &self,
        partner: Option<&str>,
        start: Option<Attributes>,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), Error> {
        let Some(partner) = partner else {
            let request = self.dynamodb.scan().table_name(&self.ledger_table).index_name(BY_OPEN);
            let page = request.set_exclusive_start_key(start).send().await;
            let page = page.map_err(|error| failure(Operation::ListOpen, &error))?;
            return Ok((page.items.unwrap_or_default(), page.last_evaluated_key));
        };
        let condition = "#open_for = :open";
        let request = self.dynamodb.query().table_name(&self.ledger_table).index_name(BY_OPEN);
        let page = request
            .key_condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[condition])))
            .expression_attribute_values(":open", text(partner))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| failure(Operation::ListOpen, &error))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }
}

impl Acknowledge for Surveyor {
    async fn acknowledge(&self, file: &FileId, said: &Acknowledgement) -> Result<Acknowledged, Error> {
        let values: HashMap<String, AttributeValue> = [
            (":said", entry::acknowledgement_map(said)),
            (":quarantined", text(State::Quarantined.as_str())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&self.ledger_table)
            .key("pk", text(entry::file_key(file)))
            .update_expression(ACKNOWLEDGE)
            .condition_expression(MAY_ACKNOWLEDGE)
            .set_expression_attribute_names(Some(names(&[ACKNOWLEDGE, MAY_ACKNOWLEDGE])))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = answer else { return Ok(Acknowledged::Noted) };
        let Some(UpdateItemError::ConditionalCheckFailedException(rejected)) = error.as_service_error()
        else {
            return Err(failure(Operation::Acknowledge, &error));
        };
        let seen = match rejected.item.as_ref().filter(|item| !item.is_empty()) {
            Some(item) => entry::entry(item).map(Some),
            None => Some(read_entry(&self.dynamodb, &self.ledger_table, Operation::Acknowledge, file).await?),
        };
        let seen = seen.ok_or_else(|| Error::new(Operation::Acknowledge, "malformed item"))?;
        Ok(match seen {
            None => Acknowledged::Unknown,
            Some(Entry { acknowledged: Some(before), .. }) if before == *said => Acknowledged::Noted,
            Some(Entry { acknowledged: Some(before), .. }) => Acknowledged::Before(before),
            Some(Entry { state, .. }) => Acknowledged::NotQuarantined(state),
        })
    }
}

/// The old protocol's code and the new one's.
pub(super) fn is_no_queue(code: Option<&str>) -> bool {
    matches!(code, Some("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist"))
}

#[cfg(test)]
mod tests;
