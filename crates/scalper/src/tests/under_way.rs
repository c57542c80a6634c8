//! The window of files that are under way.

use std::collections::VecDeque;

use store::{FileId, State};

use super::harness::{GOOD, Harness};
use crate::under_way::{EndedFile, FilesUnderWay, PATIENCE_MS};

fn listed(number: u64) -> (FileId, String) {
    let file = store::FileVersion {
        bucket: "inbox".to_owned(),
        key: format!("north/labs/{}.csv", number % 4),
        version: number.to_string(),
        etag: None,
    };
    (FileId::of(&file), file.key)
}

#[test]
fn of_each_key_one_version_is_taken_and_the_order_of_the_others_stays() {
    let mut under_way = FilesUnderWay::at_most(3);
    let mut next: VecDeque<_> = (0..9).map(listed).collect();
    let keys = |files: &[(FileId, String)]| files.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>();
    let first = under_way.take(&mut next, |(_, key)| key);
    assert_eq!(first, [0, 1, 2].map(listed));
    for (file, key) in first {
        under_way.add(file, key, 0);
    }
    assert!(!under_way.has_room() && under_way.take(&mut next, |(_, key)| key).is_empty());
    // Versions of keys that are under way wait, and those behind them do not.
    let mut wider = FilesUnderWay::at_most(5);
    for (file, key) in [0, 1, 2].map(listed) {
        wider.add(file, key, 0);
    }
    assert_eq!(wider.take(&mut next, |(_, key)| key), [listed(3)]);
    assert_eq!(keys(next.make_contiguous()), keys(&[4, 5, 6, 7, 8].map(listed)));
}

#[tokio::test]
async fn a_file_is_under_way_until_it_has_ended_or_is_late() {
    let harness = Harness::new();
    let decided = harness.send("north/labs/a.csv", GOOD, 5).await;
    let (waits, key) = listed(7);
    let mut under_way = FilesUnderWay::at_most(10);
    under_way.add(decided.clone(), "north/labs/a.csv".to_owned(), 0);
    under_way.add(waits.clone(), key, 1);
    let mut look =
        async |now_ms| under_way.look(&harness.memory, now_ms, State::is_terminal).await.expect("no fault");
    let ended = EndedFile { file: decided, state: Some(State::Complete) };
    assert_eq!(look(PATIENCE_MS + 1).await, [ended]);
    assert_eq!(look(PATIENCE_MS + 1).await, []);
    assert_eq!(look(PATIENCE_MS + 2).await, [EndedFile { file: waits, state: None }]);
    assert!(under_way.is_empty());
}
