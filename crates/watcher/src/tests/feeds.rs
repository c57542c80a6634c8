//! The files that contracts expect.

use serde_json::json;
use store::Operation;
use store::memory::When;

use super::harness::*;

const FOLDER: &str = "north/visits";
/// The deadline of the first day, and the run after it.
const DEADLINE_MS: u64 = BEGIN_MS + HOUR_MS;
const AFTER_MS: u64 = DEADLINE_MS + 5 * MINUTE_MS;

/// Returns a daily feed that has been there for long, with yesterday's file.
async fn daily_feed(rows: &str) -> Harness {
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily(rows)));
    harness.arrive(FOLDER, 3, BEGIN_MS - DAY_MS).await;
    harness
}

async fn judged(harness: &Harness, at_ms: u64) -> Option<[u64; 4]> {
    harness.forget_lines();
    harness.run(at_ms).await.expect("well");
    harness.feed("visits")
}

#[tokio::test]
async fn a_missing_file_is_reported_until_it_arrives_and_then_as_late_for_a_short_while() {
    let harness = daily_feed("").await;
    assert_eq!(judged(&harness, DEADLINE_MS - MINUTE_MS).await, Some([0; 4]), "there is still time");
    assert_eq!(judged(&harness, AFTER_MS).await, Some([1, 0, 0, 0]));
    let line = harness.last_with("FilesMissing");
    assert_eq!(
        (&line["missing"], &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]),
        (&json!(["unknown"]), &json!([[], ["feed"]])),
        "a partner that is in no table has no name"
    );
    harness.arrive(FOLDER, 3, AFTER_MS + MINUTE_MS).await;
    assert_eq!(judged(&harness, AFTER_MS + 5 * MINUTE_MS).await, Some([0, 1, 0, 0]));
    assert_eq!(judged(&harness, AFTER_MS + HOUR_MS).await, Some([0; 4]), "it was reported");
    assert_eq!(judged(&harness, AFTER_MS + DAY_MS).await, Some([1, 0, 0, 0]), "the next day's");
}

#[tokio::test]
async fn a_file_that_comes_early_or_within_the_grace_is_in_time() {
    for landed in [BEGIN_MS - 6 * HOUR_MS, BEGIN_MS, DEADLINE_MS] {
        let harness = daily_feed("").await;
        harness.arrive(FOLDER, 3, landed).await;
        assert_eq!(judged(&harness, AFTER_MS).await, Some([0; 4]), "{landed}");
    }
}

#[tokio::test]
async fn a_feed_or_a_partner_that_is_newer_than_the_deadline_is_not_missed() {
    // A contract that was published after it, for a partner that never sent a file.
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily("")));
    harness.memory.published_at("visits", DEADLINE_MS + MINUTE_MS);
    harness.register("north", "visits", 1, true).await;
    assert_eq!(judged(&harness, AFTER_MS).await, Some([0; 4]), "a new feed");
    assert_eq!(judged(&harness, AFTER_MS + DAY_MS).await, Some([1, 0, 0, 0]), "a day later it is not new");

    // A contract that was published anew, for a partner that has sent files.
    let harness = daily_feed("").await;
    harness.memory.published_at("visits", DEADLINE_MS + MINUTE_MS);
    assert_eq!(judged(&harness, AFTER_MS).await, Some([1, 0, 0, 0]), "a new version of the contract");

    // A partner that was added after it.
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily("")));
    harness.register("north", "visits", DEADLINE_MS + MINUTE_MS, true).await;
    assert_eq!(judged(&harness, AFTER_MS).await, Some([0; 4]), "a new partner");

    // One that is in no table, with its first file after it.
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily("")));
    harness.arrive(FOLDER, 3, DEADLINE_MS + MINUTE_MS).await;
    assert_eq!(judged(&harness, AFTER_MS).await, Some([0; 4]), "its first file");
}

#[tokio::test]
async fn every_partner_of_a_feed_is_judged_and_suspended_ones_and_others_are_not() {
    let harness = daily_feed("").await;
    harness.register("south", "visits,labs", 1, true).await;
    harness.register("west", "visits", 1, false).await;
    harness.register("east", "*", 1, true).await;
    harness.arrive("elsewhere/labs", 3, BEGIN_MS - DAY_MS).await;
    harness.register("heartbeat", "visits", 1, true).await;
    assert_eq!(judged(&harness, AFTER_MS).await, Some([2, 0, 0, 0]));
    assert_eq!(harness.last_with("FilesMissing")["missing"], json!(["unknown", "south"]));
}

#[tokio::test]
async fn a_partner_whose_files_were_all_deleted_is_still_missed() {
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(&daily("")));
    harness.register("north", "visits", 1, true).await;
    let file = harness.arrive(FOLDER, 3, BEGIN_MS - DAY_MS).await;
    harness.memory.delete(&file);
    assert_eq!(judged(&harness, AFTER_MS).await, Some([1, 0, 0, 0]));
}

#[tokio::test]
async fn the_newest_file_is_compared_with_the_band_or_with_those_before() {
    let harness = daily_feed(", rows: {min: 2, max: 4}").await;
    assert_eq!(judged(&harness, BEGIN_MS).await, Some([0; 4]));
    harness.arrive(FOLDER, 1, BEGIN_MS + MINUTE_MS).await;
    assert_eq!(judged(&harness, BEGIN_MS + 2 * MINUTE_MS).await, Some([0, 0, 1, 0]));
    harness.arrive(FOLDER, 5, BEGIN_MS + 3 * MINUTE_MS).await;
    assert_eq!(judged(&harness, BEGIN_MS + 4 * MINUTE_MS).await, Some([0, 0, 0, 1]));
    harness.arrive(FOLDER, 4, BEGIN_MS + 5 * MINUTE_MS).await;
    assert_eq!(judged(&harness, BEGIN_MS + 6 * MINUTE_MS).await, Some([0; 4]), "a usual file ends it");

    let harness = daily_feed("").await;
    for day in 2..6 {
        harness.arrive(FOLDER, 3, BEGIN_MS - day * DAY_MS).await;
    }
    harness.arrive(FOLDER, 13, BEGIN_MS).await;
    assert_eq!(judged(&harness, AFTER_MS).await, Some([0, 0, 0, 1]));
}

#[tokio::test]
async fn a_contract_without_expectation_has_no_line_and_needs_no_listing() {
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract(""));
    harness.memory.publish_contract("broken", "no contract");
    harness.arrive(FOLDER, 3, BEGIN_MS - DAY_MS).await;
    assert_eq!(judged(&harness, AFTER_MS).await, None);
    let listings = harness.memory.calls().into_iter().filter(|call| *call == Operation::ListInbox);
    assert_eq!(listings.count(), 2, "the partners, and the page of the reconciliation");
}

#[tokio::test]
async fn a_feed_of_which_something_could_not_be_read_has_no_line() {
    let clean = daily_feed("").await;
    let before = clean.memory.calls().len();
    clean.run(AFTER_MS).await.expect("well");
    // Stuck loads are looked for first, then the feed's history.
    let calls = clean.memory.calls();
    let history = calls.iter().rposition(|call| *call == Operation::ListFiles).expect("a history") + 1;
    assert!(history > before);
    let harness = daily_feed("").await;
    harness.memory.fail_at(history, When::BeforeEffect);
    assert!(harness.run(AFTER_MS).await.is_err());
    assert_eq!(harness.feed("visits"), None, "no word is not a good word");
}
