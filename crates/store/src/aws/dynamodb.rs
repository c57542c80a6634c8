//! Items of tables: one read, one query, one conditional write for everything that is kept in DynamoDB.
//!
//! A write whose answer was lost is sent again by the SDK and then fails its own condition. So every condition asks for
//! the old item on failure, and an old item that already is what was wanted counts as success.

mod item;

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnConsumedCapacity, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, WriteRequest,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub(super) use self::item::{Attributes, ItemReader, attributes, names, number, text};
use super::failure::{code, failure};
use crate::{Error, Operation};

/// How DynamoDB says that a table, an index or an account takes no more for now. An on-demand table says the second.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const THROTTLED: [&str; 3] =
    ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];

/// A table and its client.
#[derive(Clone)]
pub(super) struct Table {
    client: Client,
    name: Arc<str>,
}

/// The key of an item. Without a sort key in the ledger table, which has none.
#[derive(Clone)]
pub(super) struct ItemKey {
    partition: String,
    sort: Option<String>,
}

/// An update, made where its condition holds.
pub(super) struct Update<'a> {
    operation: Operation,
    key: ItemKey,
    expression: &'a str,
    condition: Option<&'a str>,
    values: Attributes,
}

/// The answer to a write.
pub(super) enum Written {
    /// It was made. The item as it is now, when it was an update.
    Made(Attributes),
    /// The item that failed the condition, as far as DynamoDB showed it.
    Rejected(Option<Attributes>),
}

/// A query of a table or of one of its indexes.
pub(super) struct TableQuery<'a> {
    pub(super) operation: Operation,
    /// An index may lag behind by moments; the table itself is read strongly consistent.
    pub(super) index: Option<&'static str>,
    pub(super) condition: &'a str,
    pub(super) filter: Option<String>,
    pub(super) values: Attributes,
    pub(super) newest_first: bool,
    pub(super) limit: Option<i32>,
}

/// A page of items.
pub(super) struct ItemPage {
    pub(super) items: Vec<Attributes>,
    /// The key after which to go on; `None` at the end.
    pub(super) next: Option<Attributes>,
}

/// An error of a write that may have a condition.
trait Conditional {
    fn rejection(&self) -> Option<&ConditionalCheckFailedException>;
}

macro_rules! conditional {
    ($($error:ident),*) => {
        $(impl Conditional for $error {
            fn rejection(&self) -> Option<&ConditionalCheckFailedException> {
                match self {
                    Self::ConditionalCheckFailedException(rejection) => Some(rejection),
                    _ => None,
                }
            }
        })*
    };
}

conditional!(PutItemError, UpdateItemError, DeleteItemError);

/// Returns the one place that tells a condition that does not hold from a call that failed.
fn written<E: Conditional + ProvideErrorMetadata>(
    operation: Operation,
    answer: Result<Option<Attributes>, SdkError<E, HttpResponse>>,
) -> Result<Written, Error> {
    let error = match answer {
        Ok(item) => return Ok(Written::Made(item.unwrap_or_default())),
        Err(error) => error,
    };
    match error.as_service_error().and_then(Conditional::rejection) {
        Some(rejection) => Ok(Written::Rejected(rejection.item.clone().filter(|item| !item.is_empty()))),
        None => Err(failure(operation, &error)),
    }
}

impl Written {
    /// Returns whether it was made.
    pub(super) fn is_made(&self) -> bool {
        matches!(self, Self::Made(_))
    }
}

impl ItemKey {
    pub(super) fn new(partition: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: None }
    }

    pub(super) fn sorted(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: Some(sort.into()) }
    }

    /// Returns the item of this key with these attributes.
    pub(super) fn item(self, mut attributes: Attributes) -> Attributes {
        attributes.insert("pk".to_owned(), text(self.partition));
        attributes.extend(self.sort.map(|sort| ("sk".to_owned(), text(sort))));
        attributes
    }

    fn alone(self) -> Attributes {
        self.item(Attributes::new())
    }
}

impl<'a> Update<'a> {
    pub(super) fn new(operation: Operation, key: ItemKey, expression: &'a str) -> Self {
        Self { operation, key, expression, condition: None, values: Attributes::new() }
    }

    /// Only where this holds.
    pub(super) fn only_if(self, condition: &'a str) -> Self {
        Self { condition: Some(condition), ..self }
    }

    /// What `:name` stands for.
    pub(super) fn value(&mut self, name: &str, value: AttributeValue) {
        self.values.insert(format!(":{name}"), value);
    }

    /// Returns what more names stand for.
    pub(super) fn values(mut self, values: Attributes) -> Self {
        self.values.extend(values);
        self
    }

    fn names(&self) -> HashMap<String, String> {
        names(&[self.expression, self.condition.unwrap_or_default()])
    }
}

impl Table {
    pub(super) fn new(client: &Client, name: &str) -> Self {
        Self { client: client.clone(), name: Arc::from(name) }
    }

    /// Reads an item, strongly consistent.
    pub(super) async fn get(&self, operation: Operation, key: ItemKey) -> Result<Option<Attributes>, Error> {
        self.get_some(operation, key, None).await
    }

    /// Reads some attributes of an item, as an expression `#name, #name`; all of them for `None`.
    pub(super) async fn get_some(
        &self,
        operation: Operation,
        key: ItemKey,
        attributes: Option<&str>,
    ) -> Result<Option<Attributes>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&*self.name)
            .set_key(Some(key.alone()))
            .set_projection_expression(attributes.map(str::to_owned))
            .set_expression_attribute_names(attributes.map(|attributes| names(&[attributes])))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        Ok(answer.map_err(|error| failure(operation, &error))?.item)
    }

    /// Reads what an item says; an item that does not say it is an error.
    pub(super) async fn read<T>(
        &self,
        operation: Operation,
        key: ItemKey,
        read: impl FnOnce(&Attributes) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let item = self.get(operation, key).await?;
        item.map(|item| read(&item).ok_or_else(|| malformed(operation))).transpose()
    }

    /// Returns what the item says that failed a condition: from the answer, or read where the answer has none.
    pub(super) async fn seen<T>(
        &self,
        operation: Operation,
        key: ItemKey,
        item: Option<Attributes>,
        read: impl FnOnce(&Attributes) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match item {
            Some(item) => read(&item).map(Some).ok_or_else(|| malformed(operation)),
            None => self.read(operation, key, read).await,
        }
    }

    /// Reads many items at once, not strongly consistent; those that were found, and the keys that are left to read.
    pub(super) async fn get_many(
        &self,
        operation: Operation,
        keys: Vec<Attributes>,
    ) -> Result<(Vec<Attributes>, Vec<Attributes>), Error> {
        let keys =
            KeysAndAttributes::builder().set_keys(Some(keys)).build().map_err(|_| unbuilt(operation))?;
        let answer = self.client.batch_get_item().request_items(&*self.name, keys).send().await;
        let mut answer = answer.map_err(|error| failure(operation, &error))?;
        let found = answer.responses.as_mut().and_then(|tables| tables.remove(&*self.name));
        let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&*self.name));
        Ok((found.unwrap_or_default(), left.map(|left| left.keys).unwrap_or_default()))
    }

    /// Returns a page of a query.
    pub(super) async fn page(
        &self,
        query: &TableQuery<'_>,
        start: Option<Attributes>,
    ) -> Result<ItemPage, Error> {
        let answer = self
            .client
            .query()
            .table_name(&*self.name)
            .set_index_name(query.index.map(str::to_owned))
            .key_condition_expression(query.condition)
            .set_filter_expression(query.filter.clone())
            .set_expression_attribute_names(Some(names(&[
                query.condition,
                query.filter.as_deref().unwrap_or_default(),
            ])))
            .set_expression_attribute_values(Some(query.values.clone()))
            .set_exclusive_start_key(start)
            .scan_index_forward(!query.newest_first)
            .set_limit(query.limit)
            .consistent_read(query.index.is_none())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let answer = answer.map_err(|error| failure(query.operation, &error))?;
        Ok(ItemPage::new(answer.items, answer.last_evaluated_key))
    }

    /// Returns all items of a query.
    pub(super) async fn all(&self, query: &TableQuery<'_>) -> Result<Vec<Attributes>, Error> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = self.page(query, start).await?;
            items.extend(page.items);
            start = page.next;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Returns a page of a whole index, for one that is sparse.
    pub(super) async fn scan_index(
        &self,
        operation: Operation,
        index: &str,
        start: Option<Attributes>,
    ) -> Result<ItemPage, Error> {
        let request = self.client.scan().table_name(&*self.name).index_name(index);
        let answer = request.set_exclusive_start_key(start).send().await;
        let answer = answer.map_err(|error| failure(operation, &error))?;
        Ok(ItemPage::new(answer.items, answer.last_evaluated_key))
    }

    /// Puts an item, whatever is there.
    pub(super) async fn put(&self, operation: Operation, item: Attributes) -> Result<(), Error> {
        let answer = self.client.put_item().table_name(&*self.name).set_item(Some(item)).send().await;
        answer.map_err(|error| failure(operation, &error))?;
        Ok(())
    }

    /// Puts an item where a condition holds.
    pub(super) async fn put_if(
        &self,
        operation: Operation,
        item: Attributes,
        condition: &str,
        values: Attributes,
    ) -> Result<Written, Error> {
        let answer = self
            .client
            .put_item()
            .table_name(&*self.name)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[condition])))
            .set_expression_attribute_values(not_empty(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        written(operation, answer.map(|_| None))
    }

    /// Updates an item.
    pub(super) async fn update(&self, update: Update<'_>) -> Result<Written, Error> {
        let names = update.names();
        let answer = self
            .client
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(update.key.alone()))
            .update_expression(update.expression)
            .set_condition_expression(update.condition.map(str::to_owned))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(not_empty(update.values))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_return_values_on_condition_check_failure(
                update.condition.map(|_| ReturnValuesOnConditionCheckFailure::AllOld),
            )
            .send()
            .await;
        written(update.operation, answer.map(|output| output.attributes))
    }

    /// Deletes an item unless it has an attribute. One that is not there is deleted.
    pub(super) async fn delete(
        &self,
        operation: Operation,
        key: ItemKey,
        unless: Option<&str>,
    ) -> Result<(), Error> {
        let condition = unless.map(|attribute| format!("attribute_not_exists(#{attribute})"));
        let answer = self
            .client
            .delete_item()
            .table_name(&*self.name)
            .set_key(Some(key.alone()))
            .set_expression_attribute_names(condition.as_deref().map(|condition| names(&[condition])))
            .set_condition_expression(condition)
            .send()
            .await;
        match written(operation, answer.map(|_| None))? {
            Written::Made(_) | Written::Rejected(_) => Ok(()),
        }
    }

    /// Deletes an item where a condition holds.
    pub(super) async fn delete_if(
        &self,
        operation: Operation,
        key: ItemKey,
        condition: &str,
        values: Attributes,
    ) -> Result<Written, Error> {
        let answer = self
            .client
            .delete_item()
            .table_name(&*self.name)
            .set_key(Some(key.alone()))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[condition])))
            .set_expression_attribute_values(not_empty(values))
            .send()
            .await;
        written(operation, answer.map(|_| None))
    }

    /// Writes a batch; what is left to write. DynamoDB answers "throttled" when it took none of it.
    pub(super) async fn write_many(
        &self,
        operation: Operation,
        pending: Vec<WriteRequest>,
    ) -> Result<Vec<WriteRequest>, Error> {
        let answer = self
            .client
            .batch_write_item()
            .request_items(&*self.name, pending.clone())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        match answer {
            Ok(output) => {
                Ok(output.unprocessed_items.into_iter().flatten().flat_map(|(_, left)| left).collect())
            }
            Err(error) if code(&error).is_some_and(|code| THROTTLED.contains(&code)) => Ok(pending),
            Err(error) => Err(failure(operation, &error)),
        }
    }

    /// Makes all of the writes or none. The same token is for the same writes only.
    pub(super) async fn transact(
        &self,
        writes: Vec<TransactWriteItem>,
        token: Option<String>,
    ) -> Result<(), SdkError<TransactWriteItemsError, HttpResponse>> {
        let request = self.client.transact_write_items().set_transact_items(Some(writes));
        let request = request.set_client_request_token(token);
        request.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.map(drop)
    }

    /// Returns a put as a part of a transaction.
    pub(super) fn put_part(
        &self,
        operation: Operation,
        item: Attributes,
        condition: Option<&str>,
        values: Attributes,
    ) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&*self.name)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_names(condition.map(|condition| names(&[condition])))
            .set_expression_attribute_values(not_empty(values))
            .set_return_values_on_condition_check_failure(
                condition.map(|_| ReturnValuesOnConditionCheckFailure::AllOld),
            )
            .build();
        let put = put.map_err(|_| unbuilt(operation))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Returns an update as a part of a transaction.
    pub(super) fn update_part(&self, update: Update<'_>) -> Result<TransactWriteItem, Error> {
        let names = update.names();
        let part = aws_sdk_dynamodb::types::Update::builder()
            .table_name(&*self.name)
            .set_key(Some(update.key.alone()))
            .update_expression(update.expression)
            .set_condition_expression(update.condition.map(str::to_owned))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(not_empty(update.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let part = part.map_err(|_| unbuilt(update.operation))?;
        Ok(TransactWriteItem::builder().update(part).build())
    }
}

impl ItemPage {
    fn new(items: Option<Vec<Attributes>>, last: Option<Attributes>) -> Self {
        Self { items: items.unwrap_or_default(), next: last.filter(|key| !key.is_empty()) }
    }
}

/// Returns an item that does not say what it should.
pub(super) fn malformed(operation: Operation) -> Error {
    Error::new(operation, "malformed item")
}

fn unbuilt(operation: Operation) -> Error {
    Error::new(operation, "request not built")
}

/// DynamoDB takes no empty map of values.
fn not_empty(values: Attributes) -> Option<Attributes> {
    Some(values).filter(|values| !values.is_empty())
}
