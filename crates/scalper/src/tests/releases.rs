//! The list of the files that wait: how many it has, and where it lags behind.

use store::memory::INBOX;
use store::{Claim, FileHeld, FileId, FileVersion, HoldFiles as _, LoadId, Operation, Order};

use super::TERMINAL;
use super::harness::NOON_MS;
use super::holds::{FEED, release, releasing, stack, waiting};
use crate::audited::Audited;
use crate::interrupt::Interrupt;

#[tokio::test]
async fn a_list_that_lags_behind_is_asked_again_after_a_pause() {
    let harness = stack(true).await;
    harness.memory.waiting_list_lags(6);
    let begun = harness.memory.calls().len();
    let mut pauses = 0;
    let pause = async || {
        pauses += 1;
        harness.work().await;
    };
    let arguments = releasing(&[FEED]);
    let report =
        harness.view.release_feed(&arguments, &harness.auditor, pause, |_| (), Interrupt::never()).await;
    let report = report.and_then(Audited::finished).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!((report.sent, report.left, waiting(&harness).await), (5, 0, 0));
    let lists = harness.memory.calls()[begun..].iter().filter(|call| **call == Operation::ListHeld).count();
    assert_eq!(lists, 7 + 1, "one for the test");
    // The first list was sent; of the next five, which lag behind, each is followed by a pause.
    assert!(pauses >= 5 + 2, "{pauses} pauses");
}

#[tokio::test]
async fn the_number_of_waiting_files_is_that_of_the_list_or_said_to_be_a_part() {
    let harness = stack(false).await;
    harness.hold(FEED).await;
    let wait = async |key: String, version: usize| {
        let file = FileVersion { bucket: INBOX.to_owned(), key, version: version.to_string(), etag: None };
        let id = FileId::of(&file);
        let claim = Claim {
            partner: "north".to_owned(),
            feed: "charges".to_owned(),
            load: LoadId::new(&id, &[0; 32], 1, 0),
            owner: "owner".to_owned(),
            order: Order::parse("2026-11-20T11:00:00Z/0061").expect("an order"),
            now_ms: NOON_MS,
            lease_until_ms: NOON_MS,
            file,
        };
        assert_eq!(harness.memory.hold_file(&claim).await.expect("no fault"), FileHeld::Waits);
    };
    for number in 0..10_000 {
        wait(format!("north/charges/{number:05}.csv"), number).await;
    }
    let dry = release(&harness, &[FEED, "--dry-run"]).await.expect("no fault");
    assert_eq!((dry.waiting, dry.counted_all), (10_000, true));
    // Of a key that the list cuts, no version is counted.
    wait("north/charges/09999.csv".to_owned(), 10_000).await;
    let dry = release(&harness, &[FEED, "--dry-run"]).await.expect("no fault");
    assert_eq!((dry.waiting, dry.counted_all), (9_999, false));
    let text = dry.to_text(&harness.view.stack, TERMINAL).replace('\n', " ");
    assert!(text.contains("at least 9999 files wait"), "{text}");
}
