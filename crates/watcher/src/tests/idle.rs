//! What an idle stack asks of AWS and publishes, which its owner pays for by the month.
//!
//! The stack has no partner, the contracts of four feeds that expect files, and the heartbeat with its contract.

use std::collections::BTreeMap;

use store::Operation;
use telemetry::{Metrics, Monitoring};

use super::harness::*;

/// Requests by service and operation.
type RequestCounts = BTreeMap<&'static str, usize>;

/// Returns the request that a call of the watcher is on AWS. Where a call may be more than one request, an idle stack
/// needs one, except for the second `ListFiles` of a run (the heartbeat's undecided loads of 14 days): it filters,
/// and reads 100 entries a request, so that it is four when 336 heartbeat files are known.
fn request(call: Operation) -> &'static str {
    match call {
        Operation::ReadPartner | Operation::ListFiles | Operation::ListDead => "DynamoDB Query",
        Operation::ReadCursor => "DynamoDB GetItem",
        Operation::ReadLedger => "DynamoDB BatchGetItem",
        Operation::WriteCursor => "DynamoDB PutItem",
        Operation::ListInbox => "S3 ListObjectVersions",
        Operation::ListContracts => "S3 ListObjectsV2",
        Operation::ReadContract => "S3 GetObject",
        Operation::PublishContract | Operation::Land => "S3 PutObject",
        Operation::ReadQueue => "SQS GetQueueAttributes",
        other => panic!("an idle watcher does not call {other:?}"),
    }
}

fn requests(calls: &[Operation]) -> RequestCounts {
    let mut counted = RequestCounts::new();
    for call in calls {
        *counted.entry(request(*call)).or_default() += 1;
    }
    counted
}

/// Runs an hour of a stack whose heartbeat has been going for an hour: what the watcher asked for in each run.
async fn hour(harness: &Harness) -> Vec<RequestCounts> {
    for feed in ["visits", "labs", "charges", "claims"] {
        harness.memory.publish_contract(feed, contract(&daily("")));
    }
    let mut runs = Vec::new();
    for run in 0..24 {
        if run == 12 {
            harness.forget_lines();
        }
        let (now_ms, before) = (BEGIN_MS + run * 5 * MINUTE_MS, harness.memory.calls().len());
        harness.run(now_ms).await.expect("well");
        runs.push(requests(&harness.memory.calls()[before..]));
        if run % 12 == 0 {
            let newest = harness.memory.inbox_versions().into_iter().map(|one| one.file);
            let newest = newest.max_by_key(|file| file.key.clone()).expect("the heartbeat");
            harness.arrive_as_it_is(&newest, now_ms).await;
        }
    }
    runs.split_off(12)
}

#[tokio::test]
async fn an_idle_run_makes_eight_requests_and_reads_no_contract_again() {
    let harness = Harness::with_heartbeat_and(&Metrics::basic("Test"));
    let runs = hour(&harness).await;
    let usual = RequestCounts::from([
        // The partners, the heartbeat's undecided loads, its newest files.
        ("DynamoDB Query", 3),
        ("DynamoDB GetItem", 1),
        // The folders of the inbox.
        ("S3 ListObjectVersions", 1),
        ("S3 ListObjectsV2", 1),
        // Both queues of dead letters.
        ("SQS GetQueueAttributes", 2),
    ]);
    for run in &runs[1..] {
        assert_eq!(*run, usual);
    }
    // The first run of an hour also drops the heartbeat file, looks for dead loads and compares the inbox with the
    // ledger: one more list for each 1,000 versions of the inbox, one more read for each 100.
    let mut first = usual.clone();
    for (request, more) in [
        ("DynamoDB BatchGetItem", 1),
        ("DynamoDB PutItem", 1),
        ("DynamoDB Query", 1),
        ("S3 ListObjectVersions", 1),
        ("S3 PutObject", 2),
        ("SQS GetQueueAttributes", 1),
    ] {
        *first.entry(request).or_default() += more;
    }
    assert_eq!(runs[0], first);
    let mut whole = RequestCounts::new();
    for (request, count) in runs.iter().flatten() {
        *whole.entry(request).or_default() += count;
    }
    let expected = RequestCounts::from([
        ("DynamoDB BatchGetItem", 1),
        ("DynamoDB GetItem", 12),
        ("DynamoDB PutItem", 1),
        ("DynamoDB Query", 37),
        ("S3 ListObjectVersions", 13),
        ("S3 ListObjectsV2", 12),
        ("S3 PutObject", 2),
        ("SQS GetQueueAttributes", 25),
    ]);
    assert_eq!(whole, expected, "an hour");
}

#[tokio::test]
async fn a_cold_run_reads_each_contract_once_and_a_warm_one_only_what_was_published_since() {
    let harness = Harness::new();
    let reads = || harness.memory.calls().iter().filter(|call| **call == Operation::ReadContract).count();
    for feed in ["visits", "labs", "broken"] {
        harness
            .memory
            .publish_contract(feed, if feed == "broken" { String::new() } else { contract(&daily("")) });
    }
    let mut now_ms = BEGIN_MS;
    let mut run = async || {
        now_ms += 5 * MINUTE_MS;
        let before = reads();
        harness.forget_lines();
        harness.run(now_ms).await.expect("well");
        (reads() - before, ["visits", "labs", "broken"].map(|feed| harness.feed(feed).is_some()))
    };
    assert_eq!(run().await, (3, [true, true, false]));
    assert_eq!(run().await, (0, [true, true, false]));
    harness.memory.publish_contract("broken", contract(&daily("")));
    assert_eq!(run().await, (1, [true, true, true]), "it is fixed");
    harness.memory.publish_contract("labs", contract(""));
    assert_eq!(run().await, (1, [true, false, true]), "it expects no file any more");
    harness.memory.published_at("labs", BEGIN_MS);
    assert_eq!(run().await, (1, [true, false, true]), "the same bytes, published anew");
    assert_eq!(run().await, (0, [true, false, true]));
}

#[tokio::test]
async fn an_idle_hour_publishes_three_metrics_in_basic() {
    let full = Metrics { partner_metrics: false, ..Metrics::all("Test") };
    let off = Metrics { monitoring: Monitoring::Off, ..Metrics::all("Test") };
    // In Full: two of the heartbeat file, six of the watcher, five of all feeds together and five of each of four.
    for (metrics, count) in [(off, 0), (Metrics::basic("Test"), 3), (full, 33)] {
        let harness = Harness::with_heartbeat_and(&metrics);
        hour(&harness).await;
        let published = harness.published();
        assert_eq!(published.len(), count, "{:?}: {published:?}", metrics.monitoring);
    }
}
