//! The heartbeat: a small good file that the stack sends to itself each hour, and the age of the newest that was
//! loaded. It checks the whole path of a file, and the watcher itself.

use bytes::Bytes;
use ledger::State;
use runtime::{HEARTBEAT, format_hour, landed_ms};
use sha2::{Digest, Sha256};
use store::{Condition, ContractPut, Error, FileQuery, Land, Landed, ListedFile, Operation, UploadId};

use crate::{Watcher, WatcherStore};

/// The contract of the heartbeat's feed, published where there is none.
const CONTRACT: &[u8] = include_bytes!("heartbeat.odcs.yaml");
/// Rows of a heartbeat file.
const ROWS: u64 = 3;
/// Heartbeat files that are looked through for one that is loaded: a day.
const LOOKED_AT: u16 = 24;

impl<S: WatcherStore> Watcher<S> {
    /// Drops the file of this hour unless it was claimed already. The age of the newest that is loaded, seconds;
    /// `None`: none is.
    pub(crate) async fn heartbeat(&self, now_ms: u64) -> Result<Option<u64>, Error> {
        // Without the feed: a filter would read a hundred entries to give these.
        let query = FileQuery { partner: HEARTBEAT.to_owned(), limit: LOOKED_AT, ..FileQuery::default() };
        let mut files = self.store.files(&query).await?.files;
        files.retain(|file| file.feed == HEARTBEAT);
        let hour = format_hour(now_ms);
        let key = format!("{HEARTBEAT}/{HEARTBEAT}/{hour}.csv");
        if !files.iter().any(|file| file.key == key) {
            self.drop_heartbeat(key, &hour).await?;
        }
        let loaded = files.iter().find(|file| is_loaded(file)).and_then(|file| landed_ms(&file.order));
        Ok(loaded.map(|landed| now_ms.saturating_sub(landed) / 1_000))
    }

    /// Drops the file of an hour. Its name is computed from the hour and taken once, so that a second run changes
    /// nothing.
    async fn drop_heartbeat(&self, key: String, hour: &str) -> Result<(), Error> {
        let contract = Bytes::from_static(CONTRACT);
        if let ContractPut::Written(_) =
            self.store.put_contract(HEARTBEAT, contract, &Condition::Absent).await?
        {
            tracing::info!("the contract of the heartbeat's feed was published");
        }
        let bytes = Bytes::from(content(hour));
        let land = Land {
            upload: UploadId::of(&[key.as_bytes()]),
            key,
            content_type: "text/csv".to_owned(),
            corrects: None,
            condition: Condition::Absent,
        };
        let sha256 = Sha256::digest(&bytes).into();
        match self.store.land(&land, &sha256, bytes).await? {
            Landed::Version { .. } | Landed::Conflict => Ok(()),
            Landed::Rejected(code) => Err(Error::new(Operation::Land, code)),
        }
    }
}

/// Returns whether every row of a heartbeat file is visible.
fn is_loaded(file: &ListedFile) -> bool {
    let counts = file.outcome.as_ref().map(|outcome| outcome.counts);
    file.state == State::Complete && counts.is_some_and(|counts| counts.rows == ROWS && counts.rejects == 0)
}

/// Returns the file of an hour: the same bytes whenever it is made.
fn content(hour: &str) -> String {
    let lines = (1..=ROWS).map(|line| format!("{line},{hour}\n"));
    format!("line,hour\n{}", lines.collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_of_the_heartbeat_compiles_without_a_finding() {
        let document = std::str::from_utf8(CONTRACT).expect("UTF-8");
        let (contract, findings) = contract::compile(document).expect("a contract");
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!((contract.columns.len(), contract.identity.id.as_str()), (2, HEARTBEAT));
    }

    #[test]
    fn a_file_is_a_function_of_its_hour() {
        assert_eq!(
            content("2026-11-21T06"),
            "line,hour\n1,2026-11-21T06\n2,2026-11-21T06\n3,2026-11-21T06\n"
        );
    }
}
