//! The resources that a file used, and an estimate of their cost.
//!
//! Prices are AWS's public list prices of the region us-east-1 without free tier, discounts and taxes, as the price
//! pages named below had them in 2025. They are here to compare files, feeds and weeks with each other; the bill is
//! AWS's. Not in it: storage, log lines and metrics, requests to KMS under a customer key, the queue's empty polls,
//! invocations that ended before the file was decided, and the costs of subscribers to its outcome.

use serde::Serialize;

/// Picodollars (10^-12 dollars) of a micro-dollar.
const PICO_OF_MICRO: u64 = 1_000_000;

/// Lambda, a millisecond of 1,024 MB: 0.0000133334 dollars a second on arm64, 0.0000166667 on x86_64.
/// <https://aws.amazon.com/lambda/pricing/>
const GIGABYTE_MILLISECOND: u64 = if cfg!(target_arch = "aarch64") { 13_333 } else { 16_667 };
/// Lambda, an invocation: 0.20 dollars a million.
const INVOCATION: u64 = 200_000;
/// DynamoDB on demand, a tenth of a write request unit: 0.625 dollars a million units.
/// <https://aws.amazon.com/dynamodb/pricing/on-demand/>
const WRITE_TENTH: u64 = 62_500;
/// DynamoDB on demand, a tenth of a read request unit: 0.125 dollars a million units.
const READ_TENTH: u64 = 12_500;
/// S3 Standard, a PUT, COPY, POST or LIST: 0.005 dollars a thousand. <https://aws.amazon.com/s3/pricing/>
const OBJECT_WRITE: u64 = 5_000_000;
/// S3 Standard, a GET or any other: 0.0004 dollars a thousand.
const OBJECT_READ: u64 = 400_000;
/// SQS, a request to a standard queue: 0.40 dollars a million. <https://aws.amazon.com/sqs/pricing/>
const QUEUE_REQUEST: u64 = 400_000;
/// SNS, a message published to a standard topic: 0.50 dollars a million. <https://aws.amazon.com/sns/pricing/>
const PUBLISHED: u64 = 500_000;

/// The resources that the deciding invocation used for a file, as counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Used {
    /// Memory of the function, MB; 0 when it is not known.
    pub memory_megabytes: u64,
    /// Time from the message to the record, milliseconds.
    pub milliseconds: u64,
    /// Invocations.
    pub invocations: u64,
    /// Write request units of DynamoDB in tenths: rows, the ledger and its index, by DynamoDB's own count.
    pub write_tenths: u64,
    /// Read request units in tenths.
    pub read_tenths: u64,
    /// Requests to S3 of the price of a PUT: also copies, lists, and parts of uploads.
    pub object_writes: u64,
    /// Requests to S3 of the price of a GET.
    pub object_reads: u64,
    /// Requests to SQS.
    pub queue_requests: u64,
    /// Messages published to SNS.
    pub published: u64,
}

impl Used {
    /// Returns the estimate in thousandths of a micro-dollar (10^-9 dollars), rounded down.
    #[must_use]
    pub fn nano_dollars(&self) -> u64 {
        let megabyte_milliseconds = self.memory_megabytes.saturating_mul(self.milliseconds);
        let pico = [
            megabyte_milliseconds.saturating_mul(GIGABYTE_MILLISECOND) / 1_024,
            self.invocations.saturating_mul(INVOCATION),
            self.write_tenths.saturating_mul(WRITE_TENTH),
            self.read_tenths.saturating_mul(READ_TENTH),
            self.object_writes.saturating_mul(OBJECT_WRITE),
            self.object_reads.saturating_mul(OBJECT_READ),
            self.queue_requests.saturating_mul(QUEUE_REQUEST),
            self.published.saturating_mul(PUBLISHED),
        ];
        pico.into_iter().fold(0_u64, u64::saturating_add) / (PICO_OF_MICRO / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_is_used_has_its_list_price() {
        let million = 1_000_000;
        let nothing = Used::default();
        let dollars = |used: Used| used.nano_dollars() / 10_u64.pow(6);
        // Thousandths of a dollar.
        for (used, expected) in [
            (nothing, 0),
            (Used { invocations: million, ..nothing }, 200),
            (Used { write_tenths: 10 * million, ..nothing }, 625),
            (Used { read_tenths: 10 * million, ..nothing }, 125),
            (Used { object_writes: 1_000, ..nothing }, 5),
            (Used { object_reads: 10_000, ..nothing }, 4),
            (Used { queue_requests: million, ..nothing }, 400),
            (Used { published: million, ..nothing }, 500),
        ] {
            assert_eq!(dollars(used), expected, "{used:?}");
        }
        // A million gigabyte-seconds.
        let ran = Used { memory_megabytes: 1_024, milliseconds: 1_000 * million, ..nothing };
        let expected = if cfg!(target_arch = "aarch64") { 13_333 } else { 16_667 };
        assert_eq!(dollars(ran), expected);
    }

    #[test]
    fn what_is_used_adds_up_and_never_overflows() {
        let one = Used { memory_megabytes: 1_769, milliseconds: 200, invocations: 1, ..Used::default() };
        let other = Used { write_tenths: 50, object_writes: 1, object_reads: 2, ..Used::default() };
        let both = Used { memory_megabytes: 1_769, milliseconds: 200, invocations: 1, ..other };
        let sum = one.nano_dollars() + other.nano_dollars();
        assert!((sum..=sum + 1).contains(&both.nano_dollars()), "rounded once instead of twice");
        let most = Used {
            memory_megabytes: u64::MAX,
            milliseconds: u64::MAX,
            invocations: u64::MAX,
            write_tenths: u64::MAX,
            read_tenths: u64::MAX,
            object_writes: u64::MAX,
            object_reads: u64::MAX,
            queue_requests: u64::MAX,
            published: u64::MAX,
        };
        assert_eq!(most.nano_dollars(), u64::MAX / 1_000);
    }
}
