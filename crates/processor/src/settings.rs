//! How to work: names and sizes, each with its source.

use std::path::PathBuf;

use telemetry::Metrics;

/// Raised when the same bytes under the same contract give other rows than before: the load's name changes with it,
/// and a checkpoint of another epoch is ignored.
pub const PARSER_EPOCH: u32 = 1;

/// The generation of a file's first load. A replay raises it.
pub const FIRST_GENERATION: u32 = 0;

/// How to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The only bucket whose events are followed.
    pub inbox: String,
    /// The quarantine bucket, where originals, rejects and receipts are. Announcements name it.
    pub quarantine: String,
    /// What is published as metrics, and where.
    pub metrics: Metrics,
    /// Memory of the function, MB, for the estimate of costs; 0 where it is not known.
    pub memory_megabytes: u64,
    /// Time that must be left to go on, milliseconds. Default 20 s: one write of a batch with all its retries is
    /// bounded by 15 s, and a checkpoint and a release follow. What still runs when half of it is over is given up.
    pub reserve_ms: u64,
    /// A lease lasts until the invocation's deadline and this much longer, milliseconds. Default 30 s, for clocks that
    /// differ.
    pub lease_margin_ms: u64,
    /// A file of at most this many bytes is kept between its two readings. Default 8 MiB.
    pub small_file_bytes: u64,
    /// Rows given to the store at once. Default 1,000: 40 calls of 25.
    pub rows_at_once: usize,
    /// Or rows of this number of bytes, if that is reached first. Default 4 MiB: a row may have 400 KB.
    pub row_bytes_at_once: usize,
    /// Rows between two checkpoints. Default 20,000: one write unit for 20,000.
    pub rows_per_checkpoint: u64,
    /// Rows of a dead load that one delivery deletes. Default 25,000: what is left goes on by a fresh message, behind
    /// the new files that wait meanwhile.
    pub rows_per_clean_up: u64,
    /// How long a contract, and whether a partner is registered, are used without asking again, milliseconds. Default
    /// 60 s.
    pub contract_ttl_ms: u64,
    /// Deaths of processes at one place of one load after which the file is taken for poison. Default 3.
    pub deaths: u32,
    /// The folder in which claims are noted while they are worked on; `None`: deaths of processes are not noticed.
    pub journal: Option<PathBuf>,
}

impl Settings {
    /// Makes the defaults, for these names and metrics.
    #[must_use]
    pub fn new(inbox: &str, quarantine: &str, metrics: Metrics) -> Self {
        Self {
            inbox: inbox.to_owned(),
            quarantine: quarantine.to_owned(),
            metrics,
            memory_megabytes: 0,
            reserve_ms: 20_000,
            lease_margin_ms: 30_000,
            small_file_bytes: 8 * 1024 * 1024,
            rows_at_once: 1_000,
            row_bytes_at_once: 4 * 1024 * 1024,
            rows_per_checkpoint: 20_000,
            rows_per_clean_up: 25_000,
            contract_ttl_ms: 60_000,
            deaths: 3,
            journal: None,
        }
    }
}
