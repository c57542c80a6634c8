//! What is measured of a file: what it used, how fast it was, how much of it was rejected.

use serde_json::{Value, json};

use super::harness::*;

/// The record of the last file that became terminal.
fn last(harness: &Harness) -> Value {
    let lines = harness.metrics.lock().expect("lines");
    let mut records = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    records.rfind(|record| record["Files"] == 1).expect("a record of a file")
}

#[tokio::test]
async fn what_a_file_used_is_counted_and_not_what_another_did() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let first = harness.land("north/visits/a.csv", GOOD);
    harness.until_terminal(&[&first]).await;
    // Units in tenths: the claim 2, three rows 3, the commit 2, the note of its announcement 1; a read unit to ask
    // whether its feed is held, half a unit to look for open files of its name. Reads of S3: contract and file; writes:
    // the list of its versions, which has their price, and the receipt.
    let used = json!({"memoryMegabytes": 0, "milliseconds": 0, "invocations": 1, "writeTenths": 80, "readTenths": 15,
        "objectWrites": 2, "objectReads": 2, "queueRequests": 3, "published": 1});
    assert_eq!(last(&harness)["used"], used);
    let second = harness.land("north/visits/b.csv", "id,name\n9,Eve\n");
    harness.until_terminal(&[&second]).await;
    let record = last(&harness);
    assert_eq!((&record["used"]["writeTenths"], &record["used"]["objectReads"]), (&json!(60), &json!(1)));
    // Invocation 0.2, units 6 × 0.625 and 1.5 × 0.125, LIST 5, PUT 5, GET 0.4, queue 3 × 0.4, message 0.5.
    assert_eq!(record["CostMicroDollars"], 16.237);
}

#[tokio::test]
async fn a_folder_that_is_no_feed_becomes_no_name_of_a_metric() {
    let harness = Harness::new();
    let file = harness.land("north/jane-doe/a.csv", GOOD);
    harness.until_terminal(&[&file]).await;
    assert_eq!(
        (&last(&harness)["feed"], &last(&harness)["fault"]),
        (&json!("unknown"), &json!("NO_CONTRACT"))
    );
    assert!(!harness.metrics.lock().expect("lines").concat().contains("jane"));
}

#[tokio::test]
async fn each_file_says_its_own_share_of_rejected_records() {
    let harness = Harness::new();
    visits(&harness, &[]);
    for (name, text, percent) in
        [("a", GOOD, json!(0)), ("b", MIXED, json!(50)), ("c", "wrong\n1\n", Value::Null)]
    {
        let file = harness.land(&format!("north/visits/{name}.csv"), text);
        harness.until_terminal(&[&file]).await;
        assert_eq!(last(&harness)["RejectPercent"], percent, "{name}");
    }
}
