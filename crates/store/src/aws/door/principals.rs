//! Who uploads by S3 as a partner: one item each, below one partition, so that a query finds all.

use std::collections::BTreeSet;

use super::super::entry::{Attributes, Reader, text};
use super::Directory;
use super::table::{Key, attributes};
use crate::uploads::S3Principals;
use crate::{Error, Operation};

const S3: &str = "s3";

impl S3Principals for Directory {
    async fn s3_principals(&self, partner: &str) -> Result<Option<BTreeSet<String>>, Error> {
        let item = self.table.get(Operation::ReadPartner, Key::new(S3, partner)).await?;
        item.map(|item| principals(&item)).transpose()
    }

    async fn all_s3_principals(&self) -> Result<Vec<(String, BTreeSet<String>)>, Error> {
        let items = self.table.partition(Operation::ReadPartner, S3.to_owned(), "").await?;
        let read = |item: &Attributes| {
            let partner = Reader(item).text("sk").ok_or_else(malformed)?;
            Ok((partner, principals(item)?))
        };
        items.iter().map(read).collect()
    }

    async fn put_s3_principals(&self, partner: &str, principals: &BTreeSet<String>) -> Result<(), Error> {
        // A text and not a set, which may not be empty. An ARN has no blank.
        let all: Vec<&str> = principals.iter().map(String::as_str).collect();
        let item = Key::new(S3, partner).item(attributes([("principals", text(all.join(" ")))]));
        self.table.put(Operation::WritePartner, item).await
    }
}

fn principals(item: &Attributes) -> Result<BTreeSet<String>, Error> {
    let principals = Reader(item).text("principals").ok_or_else(malformed)?;
    Ok(principals.split_whitespace().map(str::to_owned).collect())
}

fn malformed() -> Error {
    Error::new(Operation::ReadPartner, "malformed item")
}
