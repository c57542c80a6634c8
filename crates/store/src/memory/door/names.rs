//! Names of files.

use super::super::Memory;
use crate::door::{FileNames, name_in};
use crate::{Error, FileId, Operation};

impl FileNames for Memory {
    async fn name_of(&self, partner: &str, file: &FileId) -> Result<Option<String>, Error> {
        self.call(Operation::ReadLedger, |world| {
            let own = world.entries.get(file).filter(|entry| entry.partner == partner);
            own.and_then(|entry| name_in(&entry.file.key, partner))
        })
        .await
    }
}
