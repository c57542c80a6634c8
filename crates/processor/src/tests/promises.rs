//! The invariants of the protocol, each as a sentence, held to over every crash of a mixed scene.

use std::collections::BTreeMap;

use store::{Entry, FileId, FileVersion, State, memory::When};

use super::harness::*;

/// Every store that a crash at any call of a mixed scene leaves behind, right after the crash and at the end.
async fn every_harness(mut look: impl FnMut(&Harness, &[FileVersion])) {
    every_numbered_harness(|_, harness, files| look(harness, files)).await;
}

/// The same, each crash under its own number.
async fn every_numbered_harness(mut look: impl FnMut(usize, &Harness, &[FileVersion])) {
    let begin = || {
        let harness = Harness::with(|settings| settings.small_file_bytes = 0);
        visits(&harness, &[("onSameName", "supersede")]);
        let files = vec![
            harness.land("north/visits/a.csv", MIXED),
            harness.land("north/visits/a.csv", GOOD),
            harness.land("north/visits/b.csv", "id\n1\n"),
        ];
        (harness, files)
    };
    let (clean, files) = begin();
    for file in &files {
        clean.until_terminal(&[file]).await;
    }
    let mut index = 0;
    for call in 1..=clean.memory.calls().len() {
        for when in [When::BeforeEffect, When::AfterEffect] {
            let (harness, files) = begin();
            harness.memory.die_at(call, when);
            index += 1;
            for file in &files {
                harness.deliver(&[file]).await;
                look(index, &harness, &files);
                harness.until_terminal(&[file]).await;
                look(index, &harness, &files);
            }
        }
    }
}

fn complete(harness: &Harness) -> Vec<Entry> {
    harness.memory.entries().into_iter().filter(|entry| entry.state == State::Complete).collect()
}

#[tokio::test]
async fn a_visible_load_has_every_row_and_rows_and_rejects_are_the_records_read() {
    every_harness(|harness, _| {
        for entry in complete(harness) {
            let counts = entry.outcome.as_ref().expect("outcome").counts;
            assert_eq!(counts.rows + counts.rejects, counts.records);
            let rows = harness.memory.rows();
            let mine = rows.iter().filter(|row| row.sort.ends_with(entry.load.as_str())).count();
            assert_eq!(mine as u64, counts.rows);
        }
    })
    .await;
}

#[tokio::test]
async fn a_quarantined_file_has_its_copy_and_report_before_the_ledger_says_so_and_no_row() {
    every_harness(|harness, _| {
        let kept = harness.memory.quarantine();
        let rejected = harness.memory.entries().into_iter().filter(|entry| entry.state == State::Quarantined);
        for entry in rejected {
            let outcome = entry.outcome.expect("outcome");
            let prefix = outcome.quarantine.expect("prefix");
            assert!(kept.contains_key(&format!("{prefix}original")));
            assert!(kept.contains_key(&format!("{prefix}report.quarantined.json")));
            assert!(!harness.memory.rows().iter().any(|row| row.sort.ends_with(entry.load.as_str())));
        }
    })
    .await;
}

#[tokio::test]
async fn every_receipt_that_the_ledger_names_exists_and_says_the_same() {
    every_harness(|harness, _| {
        let kept = harness.memory.quarantine();
        for entry in harness.memory.entries().into_iter().filter(|entry| entry.state != State::Processing) {
            let outcome = entry.outcome.expect("outcome");
            let receipt: serde_json::Value =
                serde_json::from_slice(&kept[&outcome.receipt].bytes).expect("a receipt is JSON");
            assert_eq!(receipt["state"], entry.state.as_str());
            let other = outcome.other.map(|other| other.to_string());
            assert_eq!(receipt["other"].as_str(), other.as_deref());
            assert_eq!(receipt["load"], entry.load.as_str());
        }
    })
    .await;
}

#[tokio::test]
async fn a_terminal_entry_changes_only_from_complete_to_superseded() {
    let mut seen: BTreeMap<(usize, FileId), State> = BTreeMap::new();
    every_numbered_harness(|index, harness, _| {
        for entry in harness.memory.entries() {
            let before = seen.insert((index, FileId::of(&entry.file)), entry.state);
            let before = before.unwrap_or(State::Processing);
            let allowed = before == State::Processing
                || before == entry.state
                || (before, entry.state) == (State::Complete, State::Superseded);
            assert!(allowed, "{before:?} became {:?}", entry.state);
        }
    })
    .await;
    assert!(seen.len() > 100, "{}", seen.len());
}

#[tokio::test]
async fn at_most_one_load_of_a_key_is_visible_where_the_newer_replaces_the_older() {
    every_harness(|harness, files| {
        let visible: Vec<_> =
            complete(harness).into_iter().filter(|entry| entry.file.key == files[0].key).collect();
        assert!(visible.len() <= 1);
    })
    .await;
}

#[tokio::test]
async fn no_value_of_a_file_leaves_the_quarantine_and_the_records() {
    const SECRET: &str = "Zyxwvut";
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness
        .land(&format!("north/visits/{SECRET}.csv"), format!("id,name\n1,{SECRET}\n{SECRET},Bob\n2,Eve\n"));
    harness.until_terminal(&[&file]).await;
    for line in harness.metrics.lock().expect("lines").iter() {
        assert!(!line.contains(SECRET), "{line}");
    }
    for announcement in harness.memory.published() {
        assert!(!format!("{announcement:?}").contains(SECRET));
    }
    let outcome = harness.entry(&file).outcome.expect("outcome");
    assert!(!format!("{outcome:?}").contains(SECRET));
    let receipt = harness.object("complete.json").expect("receipt");
    let receipt = String::from_utf8(receipt).expect("UTF-8").replace(&file.key, "");
    assert!(!receipt.contains(SECRET), "{receipt}");
}
