//! The partners table: items by partition and sort key.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};

use super::super::entry::{Attributes, names, text};
use super::super::failure::failure;
use crate::{Error, Operation};

/// The table and its client.
#[derive(Clone)]
pub(super) struct Table {
    dynamodb: Client,
    name: Arc<str>,
}

/// The key of an item.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) partition: String,
    pub(super) sort: String,
}

/// Whether a conditional write was made.
pub(super) enum Write {
    Made,
    /// The item that failed the condition, as far as DynamoDB showed it.
    Rejected(Option<Attributes>),
}

impl Key {
    pub(super) fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: sort.into() }
    }

    /// The item of this key with these attributes.
    pub(super) fn item(self, attributes: Attributes) -> Attributes {
        let keys = [("pk", self.partition), ("sk", self.sort)];
        let keys = keys.into_iter().map(|(name, key)| (name.to_owned(), text(key)));
        attributes.into_iter().chain(keys).collect()
    }
}

impl Table {
    pub(super) fn new(dynamodb: Client, name: &str) -> Self {
        Self { dynamodb, name: Arc::from(name) }
    }

    /// Reads an item, strongly consistent.
    pub(super) async fn get(&self, operation: Operation, key: Key) -> Result<Option<Attributes>, Error> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&*self.name)
            .set_key(Some(key.item(Attributes::new())))
            .consistent_read(true)
            .send()
            .await;
        Ok(answer.map_err(|error| failure(operation, &error))?.item)
    }

    /// All items of a partition whose sort key begins so, in its order, strongly consistent.
    pub(super) async fn partition(
        &self,
        operation: Operation,
        partition: String,
        prefix: &str,
    ) -> Result<Vec<Attributes>, Error> {
        let mut query = self
            .dynamodb
            .query()
            .table_name(&*self.name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(partition))
            .consistent_read(true);
        if !prefix.is_empty() {
            query = query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix));
        }
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let answer = query.clone().set_exclusive_start_key(start).send().await;
            let page = answer.map_err(|error| failure(operation, &error))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    pub(super) async fn put(&self, operation: Operation, item: Attributes) -> Result<(), Error> {
        let answer = self.dynamodb.put_item().table_name(&*self.name).set_item(Some(item)).send().await;
        answer.map_err(|error| failure(operation, &error))?;
        Ok(())
    }

    /// Puts all of the items or none.
    pub(super) async fn put_together(
        &self,
        operation: Operation,
        items: impl IntoIterator<Item = Attributes>,
    ) -> Result<(), Error> {
        let mut writes = Vec::new();
        for item in items {
            let put = Put::builder().table_name(&*self.name).set_item(Some(item)).build();
            let put = put.map_err(|_| Error::new(operation, "request not built"))?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        let answer = self.dynamodb.transact_write_items().set_transact_items(Some(writes)).send().await;
        answer.map_err(|error| failure(operation, &error))?;
        Ok(())
    }

    pub(super) async fn put_if(
        &self,
        operation: Operation,
        item: Attributes,
        condition: &str,
        values: Attributes,
    ) -> Result<Write, Error> {
        let answer = self
            .dynamodb
            .put_item()
            .table_name(&*self.name)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[condition])))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Write::Made),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(rejected)) => {
                    Ok(Write::Rejected(rejected.item.clone()))
                }
                _ => Err(failure(operation, &error)),
            },
        }
    }

    pub(super) async fn update_if(
        &self,
        operation: Operation,
        key: Key,
        update: &str,
        condition: &str,
        values: Attributes,
    ) -> Result<Write, Error> {
        let answer = self
            .dynamodb
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(key.item(Attributes::new())))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names(&[update, condition])))
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(Write::Made),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(rejected)) => {
                    Ok(Write::Rejected(rejected.item.clone()))
                }
                _ => Err(failure(operation, &error)),
            },
        }
    }

    /// Deletes an item unless it has an attribute. One that is not there is deleted.
    pub(super) async fn delete(
        &self,
        operation: Operation,
        key: Key,
        unless: Option<&str>,
    ) -> Result<(), Error> {
        let condition = unless.map(|attribute| format!("attribute_not_exists(#{attribute})"));
        let answer = self
            .dynamodb
            .delete_item()
            .table_name(&*self.name)
            .set_key(Some(key.item(Attributes::new())))
            .set_expression_attribute_names(condition.as_deref().map(|condition| names(&[condition])))
            .set_condition_expression(condition)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failure(operation, &error)),
        }
    }

    /// The item that failed a condition: from the answer, or read when the answer has none.
    pub(super) async fn seen(
        &self,
        operation: Operation,
        key: Key,
        item: Option<Attributes>,
    ) -> Result<Option<Attributes>, Error> {
        match item.filter(|item| !item.is_empty()) {
            Some(item) => Ok(Some(item)),
            None => self.get(operation, key).await,
        }
    }
}

/// Attributes by their names.
pub(super) fn attributes<const N: usize>(
    attributes: [(&str, aws_sdk_dynamodb::types::AttributeValue); N],
) -> Attributes {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
