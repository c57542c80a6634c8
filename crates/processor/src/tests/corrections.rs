//! Rejects that come back corrected: what they load, whom they correct, and what stays open.

use serde_json::{Value, json};
use store::{FileId, FileVersion, State};

use super::files::land_correction;
use super::harness::*;

const KEY: &str = "north/visits/a.csv";
const BACK: &str = "north/visits/a corrected.csv";

/// A file without a good record.
const REJECTED: &str = "id,name\nx,Ann\ny,Bob\nz,Cid\n";

/// Returns the rejects of a decided file in the form of its feed.
fn rejects_of(harness: &Harness, file: &FileVersion, name: &str) -> String {
    let folder = harness.entry(file).outcome.and_then(|outcome| outcome.quarantine).expect("rejects");
    let object = harness.memory.quarantine().remove(&format!("{folder}{name}")).expect("an object");
    String::from_utf8(object.bytes.to_vec()).expect("UTF-8")
}

/// Lands a file and decides it.
async fn decided(harness: &Harness, key: &str, bytes: &str) -> FileVersion {
    let file = harness.land(key, bytes);
    harness.until_terminal(&[&file]).await;
    file
}

fn receipt(harness: &Harness, file: &FileVersion) -> Value {
    let outcome = harness.entry(file).outcome.expect("an outcome");
    let document = harness.memory.quarantine().remove(&outcome.receipt).expect("a receipt");
    serde_json::from_slice(&document.bytes).expect("JSON")
}

/// The fault of a quarantined file without the names of the file.
fn told(harness: &Harness, file: &FileVersion) -> Value {
    receipt(harness, file)["fault"].clone()
}

fn is_open(harness: &Harness, file: &FileVersion) -> bool {
    harness.entry(file).open
}

#[tokio::test]
async fn corrected_rejects_of_a_partial_file_are_loaded_beside_it() {
    let harness = Harness::new();
    visits(&harness, &[("unknownColumn", "reject")]);
    let file = decided(&harness, KEY, MIXED).await;
    let table = rejects_of(&harness, &file, "rejects.csv");
    let id = FileId::of(&file);
    assert!(table.starts_with("id,name,_line,_column,_rule,_reason,_record,_file\n"), "{table}");
    assert!(table.lines().skip(1).all(|line| line.ends_with(id.as_str())), "{table}");
    let corrected = table.replace("\nx,Bob", "\n2,Bob").replace("Constantine", "Con");
    let back = decided(&harness, BACK, &corrected).await;
    let outcome = harness.entry(&back).outcome.expect("an outcome");
    assert_eq!((outcome.state, outcome.counts.rows, outcome.counts.rejects), (State::Complete, 2, 0));
    assert_eq!((&outcome.corrects, outcome.corrects_rejects), (&Some(id.clone()), true));
    assert_eq!(receipt(&harness, &back)["corrects"], json!(id.as_str()));
    assert_eq!(harness.memory.rows().len(), 4);
    assert_eq!(harness.state(&file), State::Complete);
}

#[tokio::test]
async fn rejects_of_a_json_feed_come_back_as_lines() {
    for (format, text) in [
        ("ndjson", "{\"id\":\"x\",\"name\":\"Ann\"}\n{\"id\":\"y\",\"name\":\"Bob\"}\n"),
        ("json", "[{\"id\":\"x\",\"name\":\"Ann\"},\n {\"id\":\"y\",\n\"name\":\"Bob\"}]"),
    ] {
        let harness = Harness::new();
        harness.memory.publish_contract("visits", contract(format, "active", &[]));
        let file = decided(&harness, "north/visits/a.json", text).await;
        assert!(is_open(&harness, &file));
        let lines = rejects_of(&harness, &file, "rejects.ndjson");
        let corrected = lines.replace("\"id\":\"x\"", "\"id\":1").replace("\"id\":\"y\"", "\"id\":2");
        let back = decided(&harness, "north/visits/back.ndjson", &corrected).await;
        assert_eq!((harness.state(&back), harness.fault(&back)), (State::Complete, None), "{corrected}");
        assert_eq!(harness.memory.rows().len(), 2);
        assert!(!is_open(&harness, &file));
    }
}

#[tokio::test]
async fn all_rejects_of_a_file_close_it_when_they_come_back_good() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = decided(&harness, KEY, REJECTED).await;
    assert!(is_open(&harness, &file));
    let table = rejects_of(&harness, &file, "rejects.csv");
    let some = table.replace("\nx,", "\n1,").replace("\ny,", "\n2,");
    let partial = decided(&harness, "north/visits/some.csv", &some).await;
    assert_eq!(harness.state(&partial), State::Complete);
    assert!(is_open(&harness, &file), "one record is still rejected");
    let rest = rejects_of(&harness, &partial, "rejects.csv");
    assert!(rest.contains("\nz,Cid,4,"), "{rest}");
    let back = decided(&harness, BACK, &rest.replace("\nz,", "\n3,")).await;
    assert_eq!(harness.state(&back), State::Complete);
    assert!(!is_open(&harness, &file), "all of its records are loaded, over two corrections");
    assert_eq!(harness.memory.rows().len(), 3);

    let other = decided(&harness, "north/visits/b.csv", REJECTED).await;
    let table = rejects_of(&harness, &other, "rejects.csv").replace("\nx,", "\n1,");
    let one: String = table.lines().take(2).map(|line| line.to_owned() + "\n").collect();
    let back = decided(&harness, "north/visits/one.csv", &one).await;
    assert_eq!(harness.state(&back), State::Complete);
    assert!(is_open(&harness, &other), "two of its records did not come back");
}

#[tokio::test]
async fn as_many_other_records_or_one_that_comes_twice_leave_the_file_open() {
    let harness = Harness::new();
    visits(&harness, &[("duplicates", "keepLast")]);
    let file = decided(&harness, KEY, REJECTED).await;
    let table = rejects_of(&harness, &file, "rejects.csv");
    let lines: Vec<String> = table
        .replace("\nx,", "\n1,")
        .replace("\ny,", "\n2,")
        .replace("\nz,", "\n3,")
        .lines()
        .map(|line| line.to_owned() + "\n")
        .collect();
    let [header, one, two, three] = &lines[..] else { panic!("three rejects: {table}") };
    let unnumbered = |record: &str| record.replace(",2,", ",,").replace(",3,", ",,").replace(",4,", ",,");
    for (name, records) in [
        ("others", [one.replace(",2,", ",12,"), two.replace(",3,", ",13,"), three.replace(",4,", ",14,")]),
        ("twice", [one.clone(), one.replace("1,Ann", "9,Ann"), two.clone()]),
        ("unnumbered", [unnumbered(one), unnumbered(two), unnumbered(three)]),
    ] {
        let back =
            decided(&harness, &format!("north/visits/{name}.csv"), &(header.clone() + &records.concat()))
                .await;
        assert_eq!((harness.state(&back), harness.fault(&back)), (State::Complete, None), "{name}");
        assert!(is_open(&harness, &file), "{name}");
    }
    let turned = [header, three, one, two].map(String::as_str).concat();
    decided(&harness, BACK, &turned).await;
    assert!(!is_open(&harness, &file), "all of its lines, in another order");
}

#[tokio::test]
async fn a_part_that_comes_under_the_name_of_the_file_does_not_close_it_in_whatever_order() {
    for newest_first in [false, true] {
        let harness = Harness::new();
        visits(&harness, &[]);
        let file = harness.land(KEY, REJECTED);
        if !newest_first {
            harness.until_terminal(&[&file]).await;
        }
        let id = FileId::of(&file);
        let one = format!("id,name,_line,_file\n1,Ann,2,{id}\n");
        let bad = decided(&harness, "north/visits/other.csv", &one.replace("1,Ann", "x,Ann")).await;
        let part = harness.land(KEY, &one);
        if newest_first {
            harness.until_terminal(&[&file]).await;
        }
        harness.until_terminal(&[&part]).await;
        assert_eq!(harness.state(&part), State::Complete);
        assert!(is_open(&harness, &file), "two of its records did not come back");
        // Another attempt at the same correction, under the name of the one that failed.
        assert!(is_open(&harness, &bad));
        decided(&harness, "north/visits/other.csv", &one).await;
        assert!(!is_open(&harness, &bad) && is_open(&harness, &file));
        let whole = decided(&harness, KEY, GOOD).await;
        assert_eq!(harness.state(&whole), State::Complete);
        assert!(!is_open(&harness, &file), "a whole good file of its name");
    }
}

#[tokio::test]
async fn rejects_that_come_back_as_they_are_leave_the_file_open() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = decided(&harness, KEY, REJECTED).await;
    let table = rejects_of(&harness, &file, "rejects.csv");
    let same = decided(&harness, "north/visits/same.csv", &table).await;
    assert_eq!(harness.fault(&same).as_deref(), Some("ERROR_BUDGET"));
    assert!(is_open(&harness, &file) && is_open(&harness, &same));
    let again = rejects_of(&harness, &same, "rejects.csv");
    let good = again.replace("\nx,", "\n1,").replace("\ny,", "\n2,").replace("\nz,", "\n3,");
    let back = decided(&harness, BACK, &good).await;
    assert_eq!(harness.state(&back), State::Complete);
    assert!(!is_open(&harness, &file) && !is_open(&harness, &same));
}

#[tokio::test]
async fn a_part_of_a_file_of_which_nothing_is_loaded_is_not_taken() {
    let harness = Harness::new();
    visits(&harness, &[("onError", "abort")]);
    let file = decided(&harness, KEY, MIXED).await;
    let table = rejects_of(&harness, &file, "rejects.csv");
    let good = table.replace("\nx,", "\n2,").replace("Constantine", "Con");
    let back = decided(&harness, BACK, &good).await;
    assert_eq!(harness.fault(&back).as_deref(), Some("CORRECTION"));
    assert!(told(&harness, &back)["advice"].as_str().is_some_and(|text| text.contains("good records")));
    assert!(harness.memory.rows().is_empty() && is_open(&harness, &file));
}

#[tokio::test]
async fn a_feed_of_versions_takes_whole_files_only() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let file = decided(&harness, KEY, MIXED).await;
    let table = rejects_of(&harness, &file, "rejects.csv");
    let good = table.replace("\nx,", "\n2,").replace("Constantine", "Con");
    for key in [BACK, KEY] {
        let back = decided(&harness, key, &good).await;
        assert_eq!(harness.fault(&back).as_deref(), Some("CORRECTION"), "{key}");
        assert_eq!(harness.state(&file), State::Complete, "{key}: the version stays visible");
    }
}

#[tokio::test]
async fn rejects_of_a_file_that_was_retracted_are_not_taken() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = decided(&harness, KEY, MIXED).await;
    let good = rejects_of(&harness, &file, "rejects.csv").replace("\nx,", "\n2,").replace("Constantine", "C");
    harness.memory.retract(&FileId::of(&file));
    let back = decided(&harness, BACK, &good).await;
    assert_eq!(harness.fault(&back).as_deref(), Some("CORRECTION"));
}

#[tokio::test]
async fn a_file_of_another_partner_or_feed_is_as_unknown_as_one_that_does_not_exist() {
    let harness = Harness::new();
    visits(&harness, &[]);
    harness.memory.publish_contract("scans", contract("csv", "active", &[]));
    let south = decided(&harness, "south/visits/a.csv", REJECTED).await;
    let scans = decided(&harness, "north/scans/a.csv", REJECTED).await;
    let own = decided(&harness, KEY, REJECTED).await;
    let table = rejects_of(&harness, &own, "rejects.csv");
    let good = table.replace("\nx,", "\n1,").replace("\ny,", "\n2,").replace("\nz,", "\n3,");
    let naming = |id: &str| good.replace(FileId::of(&own).as_str(), id);
    let missing = decided(&harness, "north/visits/m.csv", &naming("r78c69kajr602vj4sbw2tybqa0")).await;
    assert_eq!(harness.fault(&missing).as_deref(), Some("CORRECTION"));
    let unknown = told(&harness, &missing);
    for (name, other) in [("s", &south), ("t", &scans)] {
        let id = FileId::of(other);
        let back = decided(&harness, &format!("north/visits/{name}.csv"), &naming(id.as_str())).await;
        assert_eq!(told(&harness, &back), unknown);
        assert_eq!(harness.entry(&back).outcome.and_then(|outcome| outcome.corrects), None);
        assert!(is_open(&harness, other));
    }
    assert!(harness.memory.rows().is_empty());
}

#[tokio::test]
async fn the_senders_own_word_wins_and_may_not_contradict_the_records() {
    for same in [true, false] {
        let harness = Harness::new();
        visits(&harness, &[]);
        let file = decided(&harness, KEY, REJECTED).await;
        let other = decided(&harness, "north/visits/b.csv", REJECTED).await;
        let table = rejects_of(&harness, &file, "rejects.csv");
        let good = table.replace("\nx,", "\n1,").replace("\ny,", "\n2,").replace("\nz,", "\n3,");
        let named = FileId::of(if same { &file } else { &other });
        let back = land_correction(&harness, good.leak(), named.as_str()).await;
        harness.until_terminal(&[&back]).await;
        let outcome = harness.entry(&back).outcome.expect("an outcome");
        assert_eq!(outcome.corrects, Some(named));
        assert_eq!(outcome.fault.as_deref(), (!same).then_some("CORRECTION"));
        assert_eq!([is_open(&harness, &file), is_open(&harness, &other)], [!same, true]);
    }
}

#[tokio::test]
async fn a_process_that_dies_anywhere_closes_the_corrected_file_in_the_end() {
    let run = async |kill: Option<usize>| {
        let harness = Harness::new();
        visits(&harness, &[]);
        let file = decided(&harness, KEY, REJECTED).await;
        let table = rejects_of(&harness, &file, "rejects.csv");
        let good = table.replace("\nx,", "\n1,").replace("\ny,", "\n2,").replace("\nz,", "\n3,");
        let back = harness.land(BACK, &good);
        let before = harness.memory.calls().len();
        let died = match kill {
            Some(call) => {
                let died = harness.killed(&back, call).await;
                harness.wait(3_600_000);
                died
            }
            None => false,
        };
        harness.until_terminal(&[&back]).await;
        let calls = harness.memory.calls().len() - before;
        assert_eq!(harness.state(&back), State::Complete, "{kill:?}");
        assert!(!is_open(&harness, &file), "{kill:?}");
        (died, calls, harness.memory.rows().len())
    };
    let (_, calls, rows) = run(None).await;
    assert_eq!(rows, 3);
    let mut deaths = 0;
    for call in 1..=calls {
        let (died, _, rows) = run(Some(call)).await;
        deaths += usize::from(died);
        assert_eq!(rows, 3, "call {call}");
    }
    assert!(deaths > 10, "{deaths} of {calls}");
}
