//! Names of files, from the ledger: two attributes of one item.

use aws_sdk_dynamodb::Client;
use aws_types::SdkConfig;

use super::super::entry::{Reader, file_key, names, text};
use super::super::failure::failure;
use super::clients;
use super::partners::InTable;
use super::table::Table;
use crate::door::{FileNames, name_in};
use crate::{Error, FileId, Operation};

/// What is read of an entry. The webhook's role may read no more (`template.yaml`).
const ATTRIBUTES: &str = "#partner, #key";

/// The partners table, and the names of files.
#[derive(Clone)]
pub struct Addresses {
    table: Table,
    dynamodb: Client,
    ledger: String,
}

impl Addresses {
    /// With these credentials, region, endpoint and HTTP client.
    #[must_use]
    pub fn new(config: &SdkConfig, partners_table: &str, ledger_table: &str) -> Self {
        let dynamodb = clients::dynamodb(config);
        let table = Table::new(dynamodb.clone(), partners_table);
        Self { table, dynamodb, ledger: ledger_table.to_owned() }
    }
}

impl InTable for Addresses {
    fn table(&self) -> &Table {
        &self.table
    }
}

impl FileNames for Addresses {
    async fn name_of(&self, partner: &str, file: &FileId) -> Result<Option<String>, Error> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.ledger)
            .key("pk", text(file_key(file)))
            .projection_expression(ATTRIBUTES)
            .set_expression_attribute_names(Some(names(&[ATTRIBUTES])))
            .consistent_read(true)
            .send()
            .await;
        let item = answer.map_err(|error| failure(Operation::ReadLedger, &error))?.item;
        let own = item.filter(|item| Reader(item).text("partner").as_deref() == Some(partner));
        Ok(own.and_then(|item| name_in(&Reader(&item).text("key")?, partner)))
    }
}
