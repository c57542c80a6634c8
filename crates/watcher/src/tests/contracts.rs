//! Contracts whose newest version does not compile: the one before stays in force, and operators learn of it.

use serde_json::json;
use store::Operation;
use store::memory::When;
use telemetry::Metrics;

use super::harness::*;

/// What does not compile.
const BROKEN: &str = "kind: DataContact";

#[tokio::test]
async fn a_broken_contract_is_reported_without_a_file_and_until_it_is_corrected() {
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(""));
    harness.memory.publish_contract("labs", contract(""));
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.gauge("ContractsBroken"), Some(0));
    harness.memory.publish_contract("labs", BROKEN);
    for run in 1..3 {
        harness.run(BEGIN_MS + run * 5 * MINUTE_MS).await.expect("well");
        assert_eq!(harness.gauge("ContractsBroken"), Some(1), "also of what was kept by run {run}");
        assert_eq!(harness.last_with("ContractsBroken")["brokenFeeds"], json!(["labs"]));
    }
    harness.memory.publish_contract("labs", contract(""));
    harness.run(BEGIN_MS + 15 * MINUTE_MS).await.expect("well");
    assert_eq!(harness.gauge("ContractsBroken"), Some(0));
}

#[tokio::test]
async fn a_deleted_contract_is_not_broken() {
    let harness = Harness::new();
    harness.memory.publish_contract("labs", BROKEN);
    harness.memory.delete_contract("labs");
    harness.run(BEGIN_MS).await.expect("well");
    assert_eq!(harness.gauge("ContractsBroken"), Some(0));
}

#[tokio::test]
async fn the_version_that_stays_in_force_says_when_files_must_come() {
    let deadline_ms = BEGIN_MS + HOUR_MS;
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily("")));
    harness.memory.publish_contract("visits", BROKEN);
    // After the deadline: a contract that began then would miss nothing.
    harness.memory.published_at("visits", deadline_ms + MINUTE_MS);
    harness.register("north", "visits", 1, true).await;
    harness.run(deadline_ms + 5 * MINUTE_MS).await.expect("well");
    assert_eq!(harness.feed("visits"), Some([1, 0, 0, 0]));
    assert_eq!(harness.gauge("ContractsBroken"), Some(1));
}

#[tokio::test]
async fn in_basic_the_alarm_on_overdue_files_tells_of_a_broken_contract_and_ends() {
    for expecting in [false, true] {
        let harness = Harness::with_heartbeat_and(&Metrics::basic("Test"));
        let document = if expecting { contract(&daily("")) } else { contract("") };
        let mut seen = Vec::new();
        for (run, published) in [document.clone(), BROKEN.to_owned(), document].into_iter().enumerate() {
            harness.memory.publish_contract("visits", published);
            harness.forget_lines();
            harness.run(BEGIN_MS + run as u64 * 5 * MINUTE_MS).await.expect("well");
            seen.push(harness.highest("FilesOverdue"));
        }
        assert_eq!(seen, [Some(0), Some(1), Some(0)], "a contract that expects files: {expecting}");
    }
}

#[tokio::test]
async fn a_contract_that_could_not_be_read_is_neither_broken_nor_good() {
    for (broken, reported) in [(false, None), (true, Some(1))] {
        let harness = Harness::new();
        if broken {
            harness.memory.publish_contract("a", BROKEN);
        }
        harness.memory.publish_contract("visits", contract(""));
        harness.run(BEGIN_MS).await.expect("well");
        let calls = harness.memory.calls();
        let read = calls.iter().rposition(|call| *call == Operation::ReadContract).expect("a contract") + 1;
        let again = Harness::new();
        if broken {
            again.memory.publish_contract("a", BROKEN);
        }
        again.memory.publish_contract("visits", contract(""));
        again.memory.fail_at(read, When::BeforeEffect);
        assert!(again.run(BEGIN_MS).await.is_err());
        assert_eq!(again.gauge("ContractsBroken"), reported);
    }
}

#[tokio::test]
async fn contracts_are_looked_at_also_when_the_partners_are_not_known() {
    let harness = Harness::new();
    harness.memory.publish_contract("labs", BROKEN);
    harness.memory.fail_at(1, When::BeforeEffect);
    assert!(harness.run(BEGIN_MS).await.is_err());
    assert_eq!(harness.memory.calls()[0], Operation::ReadPartner);
    assert_eq!(harness.gauge("ContractsBroken"), Some(1));
}

#[tokio::test]
async fn a_folder_of_an_unknown_sender_is_named_in_no_line() {
    let deadline_ms = BEGIN_MS + HOUR_MS;
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily(", rows: {min: 2, max: 4}")));
    harness.arrive("doe-jane-1970/visits", 1, BEGIN_MS - DAY_MS).await;
    let file = harness.memory.land("inbox", "doe-jane-1970/visits/lost.csv", "x");
    harness.memory.bury(store::WatchedQueue::InboxDeadLetters, "m", &event_of(&file, BEGIN_MS));
    harness.run(deadline_ms + 5 * MINUTE_MS).await.expect("well");
    let line = harness.last_with("FilesMissing");
    assert_eq!((&line["missing"], &line["volumeLow"]), (&json!(["unknown"]), &json!(["unknown"])));
    assert!(!harness.all_lines().contains("jane"));
}
