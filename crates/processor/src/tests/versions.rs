use serde_json::Value;
use store::{FileVersion, State, memory::When};

use super::harness::*;

const KEY: &str = "north/visits/a.csv";

fn three(harness: &Harness) -> [FileVersion; 3] {
    [1, 2, 3].map(|number| harness.land(KEY, format!("id,name\n1,v{number}\n{number}0,x\n")))
}

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[tokio::test]
async fn of_three_snapshots_the_newest_is_visible_in_whatever_order_they_are_delivered() {
    let mut heads = Vec::new();
    for order in ORDERS {
        let harness = Harness::new();
        visits(&harness, &[("onSameName", "supersede")]);
        let files = three(&harness);
        for place in order {
            harness.until_terminal(&[&files[place]]).await;
        }
        let states: Vec<State> = files.iter().map(|file| harness.state(file)).collect();
        assert_eq!(states, [State::Superseded, State::Superseded, State::Complete], "{order:?}");
        let state = harness.memory.state();
        heads.push(state.lines().find(|line| line.starts_with("head")).map(str::to_owned));
    }
    assert!(heads.iter().all(|head| head.is_some() && *head == heads[0]), "{heads:?}");
}

#[tokio::test]
async fn a_rejected_snapshot_leaves_the_older_one_visible() {
    for newest_first in [false, true] {
        let harness = Harness::new();
        visits(&harness, &[("onSameName", "supersede")]);
        let good = harness.land(KEY, GOOD);
        let bad = harness.land(KEY, "id\n1\n");
        let order = if newest_first { [&bad, &good] } else { [&good, &bad] };
        harness.until_terminal(&order).await;
        assert_eq!((harness.state(&good), harness.state(&bad)), (State::Complete, State::Quarantined));
    }
}

#[tokio::test]
async fn a_head_that_moves_during_the_commit_is_looked_at_again() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let older = harness.land(KEY, GOOD);
    let newer = harness.land(KEY, GOOD);
    let rival = newer.clone();
    let memory = harness.memory.clone();
    // Calls: contract, rank, hold, claim, open, chunk, end, head, rows, receipt, head, commit.
    harness.memory.before(12, move |_| async move {
        let other = Harness::on(memory, |_| ());
        other.until_terminal(&[&rival]).await;
    });
    harness.until_terminal(&[&older]).await;
    assert_eq!((harness.state(&older), harness.state(&newer)), (State::Superseded, State::Complete));
}

#[tokio::test]
async fn a_newest_version_that_was_deleted_after_its_load_stays_newer_than_the_older() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let [first, second, third] = three(&harness);
    harness.until_terminal(&[&second]).await;
    harness.memory.delete(&second);
    harness.until_terminal(&[&first]).await;
    assert_eq!((harness.state(&first), harness.state(&second)), (State::Superseded, State::Complete));
    harness.until_terminal(&[&third]).await;
    assert_eq!((harness.state(&second), harness.state(&third)), (State::Superseded, State::Complete));
}

#[tokio::test]
async fn without_versions_an_object_that_was_replaced_while_it_was_read_does_not_replace_its_successor() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let older = harness.memory.land_unversioned(INBOX, KEY, GOOD);
    let (memory, newer) = (harness.memory.clone(), std::sync::Arc::new(std::sync::Mutex::new(None)));
    let landed = std::sync::Arc::clone(&newer);
    // Before the head is read for the commit: contract, rank, hold, claim, open, chunk, end, head, rows, receipt, head.
    harness.memory.before(11, move |_| async move {
        let file = memory.land_unversioned(INBOX, KEY, MIXED);
        let other = Harness::on(memory, |_| ());
        other.until_terminal(&[&file]).await;
        *landed.lock().expect("file") = Some(file);
    });
    harness.until_terminal(&[&older]).await;
    let newer = newer.lock().expect("file").take().expect("landed");
    assert_eq!((harness.state(&older), harness.state(&newer)), (State::Gone, State::Complete));
}

#[tokio::test]
async fn the_newest_snapshot_is_visible_also_when_it_repeats_an_earlier_one() {
    for order in ORDERS {
        let harness = Harness::new();
        visits(&harness, &[("onSameName", "supersede")]);
        let files = [GOOD, MIXED, GOOD].map(|bytes| harness.land(KEY, bytes));
        for place in order {
            harness.until_terminal(&[&files[place]]).await;
        }
        let states: Vec<State> = files.iter().map(|file| harness.state(file)).collect();
        assert_eq!(states, [State::Superseded, State::Superseded, State::Complete], "{order:?}");
    }
}

#[tokio::test]
async fn the_row_of_the_greatest_version_is_the_newest_and_of_two_with_one_version_the_later_files() {
    let harness = Harness::new();
    let text = "logicalType: string\n        logicalTypeOptions:\n          maxLength: 5\n";
    let document = contract("csv", "active", &[("versionFrom", "name")]);
    harness
        .memory
        .publish_contract("visits", document.replace(text, "logicalType: integer\n        required: true\n"));
    let files =
        ["9", "10", "-2", "10", "10"].map(|version| harness.land(KEY, format!("id,name\n1,{version}\n")));
    for file in &files {
        harness.until_terminal(&[file]).await;
    }
    let loads: Vec<_> = files.iter().map(|file| harness.entry(file).load).collect();
    let newest_first = harness.memory.rows().into_iter().rev().map(|row| {
        loads.iter().position(|load| row.sort.ends_with(load.as_str())).expect("a load of these files")
    });
    assert_eq!(newest_first.collect::<Vec<_>>(), [4, 3, 1, 0, 2]);
}

#[tokio::test]
async fn deltas_under_one_name_all_stay_visible() {
    for order in ORDERS {
        let harness = Harness::new();
        visits(&harness, &[]);
        let files = three(&harness);
        for place in order {
            harness.until_terminal(&[&files[place]]).await;
        }
        assert!(files.iter().all(|file| harness.state(file) == State::Complete));
        let rows = harness.memory.rows();
        let newest =
            rows.iter().filter(|row| row.partition == "north/visits#1").max_by_key(|row| row.sort.clone());
        let load = harness.entry(&files[2]).load;
        assert!(newest.is_some_and(|row| row.sort.ends_with(load.as_str())), "the newer row wins by key");
    }
}

#[tokio::test]
async fn a_superseded_file_gets_a_receipt_that_names_its_successor_and_is_announced_once_more() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let older = harness.land(KEY, MIXED);
    harness.until_terminal(&[&older]).await;
    let before = harness.entry(&older).outcome.expect("outcome");
    let newer = harness.land(KEY, GOOD);
    harness.until_terminal(&[&newer]).await;
    let told: Vec<Value> = harness.memory.published().iter().map(|one| json(one.body.as_bytes())).collect();
    let states: Vec<_> = told.iter().map(|event| (&event["fileId"], &event["state"])).collect();
    let (old, new) = (harness.entry(&older).load.file(), harness.entry(&newer).load.file());
    let (old, new) = (Value::from(old.as_str()), Value::from(new.as_str()));
    let word = |state: State| Value::from(state.as_str());
    let (complete, superseded) = (word(State::Complete), word(State::Superseded));
    assert_eq!(states, [(&old, &complete), (&old, &superseded), (&new, &complete)]);
    assert_eq!((&told[1]["loaded"], &told[1]["other"]), (&Value::from(0), &new));

    let outcome = harness.entry(&older).outcome.expect("outcome");
    assert_eq!(told[1]["receipt"]["key"], outcome.receipt.as_str());
    let receipt = json(&harness.object(&outcome.receipt).expect("receipt"));
    assert_eq!(
        (&receipt["state"], &receipt["other"], &receipt["loaded"]),
        (&superseded, &new, &Value::from(0))
    );
    assert_eq!(receipt["earlier"], before.receipt.as_str());
    let earlier = json(&harness.object(&before.receipt).expect("the receipt before"));
    for same in ["fileId", "load", "key", "version", "order", "counts", "sha256", "bytes", "verdict"] {
        assert_eq!(receipt[same], earlier[same], "{same}");
    }
    assert_eq!(earlier["state"], complete, "what was said then stays");
}

#[tokio::test]
async fn a_superseded_file_is_announced_also_when_its_successor_died_and_was_superseded_itself() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let [first, second, third] = three(&harness);
    harness.until_terminal(&[&first]).await;
    let clean = Harness::new();
    visits(&clean, &[("onSameName", "supersede")]);
    let same = three(&clean);
    clean.until_terminal(&[&same[0]]).await;
    clean.until_terminal(&[&same[1]]).await;
    // The second dies after its commit and before it announced anything: the last five calls read the older entry,
    // publish it, note that, and publish and note its own.
    harness.memory.die_at(clean.memory.calls().len() - 4, When::BeforeEffect);
    assert_eq!(harness.deliver(&[&second]).await, ["m0"]);
    assert_eq!(harness.state(&second), State::Complete);
    assert_eq!(harness.memory.published().len(), 1);
    harness.memory.revive();
    harness.until_terminal(&[&third]).await;
    let told: Vec<_> = harness.memory.published().iter().map(|one| json(one.body.as_bytes())).collect();
    let ends: Vec<_> = told.iter().map(|event| (event["fileId"].clone(), event["state"].clone())).collect();
    let end = |file: &FileVersion, state: State| {
        (Value::from(harness.entry(file).load.file().as_str()), Value::from(state.as_str()))
    };
    let superseded = [end(&first, State::Superseded), end(&second, State::Superseded)];
    assert_eq!(ends[1..3], superseded);
    assert_eq!(ends[3..], [end(&third, State::Complete)]);
    harness.until_terminal(&[&second]).await;
    assert_eq!(harness.memory.published().len(), 4, "the second's own message finds everything said");
}

#[tokio::test]
async fn a_decision_that_comes_late_has_a_report_of_its_own_beside_the_rejects() {
    let harness = Harness::new();
    visits(&harness, &[("onSameName", "supersede")]);
    let older = harness.land(KEY, MIXED);
    let newer = harness.land(KEY, GOOD);
    let (memory, rival) = (harness.memory.clone(), newer.clone());
    // Calls: contract, rank, hold, claim, open, chunk, end, head, rows, two of rejects, report, receipt, head.
    harness.memory.before(14, move |_| async move {
        let other = Harness::on(memory, |_| ());
        other.until_terminal(&[&rival]).await;
    });
    harness.until_terminal(&[&older]).await;
    let outcome = harness.entry(&older).outcome.expect("outcome");
    assert_eq!(outcome.state, State::Superseded);
    let prefix = outcome.quarantine.expect("the rejects are named");
    let report = json(&harness.object(&format!("{prefix}report.superseded.json")).expect("report"));
    assert_eq!((&report["state"], &report["loaded"]), (&Value::from("SUPERSEDED"), &Value::from(0)));
    assert!(harness.object(&format!("{prefix}rejects.csv")).is_some());
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}
