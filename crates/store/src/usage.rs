//! What the services were asked for, as they bill it.

/// Running totals over the life of a store. Units of DynamoDB are in tenths, since half a unit is billed too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Write request units in tenths, of tables and indexes.
    pub write_tenths: u64,
    /// Read request units in tenths.
    pub read_tenths: u64,
    /// Requests to S3 that are billed like a PUT: also copies, lists, and parts of uploads.
    pub object_writes: u64,
    /// Requests to S3 that are billed like a GET.
    pub object_reads: u64,
    /// Requests to SQS.
    pub queue_requests: u64,
    /// Messages published to SNS.
    pub published: u64,
}

impl Usage {
    /// Returns what was used since an earlier moment.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            write_tenths: self.write_tenths.saturating_sub(earlier.write_tenths),
            read_tenths: self.read_tenths.saturating_sub(earlier.read_tenths),
            object_writes: self.object_writes.saturating_sub(earlier.object_writes),
            object_reads: self.object_reads.saturating_sub(earlier.object_reads),
            queue_requests: self.queue_requests.saturating_sub(earlier.queue_requests),
            published: self.published.saturating_sub(earlier.published),
        }
    }
}

/// Counts what it asks of the services.
pub trait Metered {
    /// Returns the totals until now.
    fn usage(&self) -> Usage;
}
