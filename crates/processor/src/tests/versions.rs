use store::{FileVersion, State};

use super::bench::*;

const KEY: &str = "north/visits/a.csv";

fn three(bench: &Bench) -> [FileVersion; 3] {
    [1, 2, 3].map(|number| bench.land(KEY, format!("id,name\n1,v{number}\n{number}0,x\n")))
}

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[tokio::test]
async fn of_three_snapshots_the_newest_is_visible_in_whatever_order_they_are_delivered() {
    let mut heads = Vec::new();
    for order in ORDERS {
        let bench = Bench::new();
        visits(&bench, &[("onSameName", "supersede")]);
        let files = three(&bench);
        for place in order {
            bench.until_terminal(&[&files[place]]).await;
        }
        let states: Vec<State> = files.iter().map(|file| bench.state(file)).collect();
        assert_eq!(states, [State::Superseded, State::Superseded, State::Complete], "{order:?}");
        let state = bench.memory.state();
        heads.push(state.lines().find(|line| line.starts_with("head")).map(str::to_owned));
    }
    assert!(heads.iter().all(|head| head.is_some() && *head == heads[0]), "{heads:?}");
}

#[tokio::test]
async fn a_refused_snapshot_leaves_the_older_one_visible() {
    for newest_first in [false, true] {
        let bench = Bench::new();
        visits(&bench, &[("onSameName", "supersede")]);
        let good = bench.land(KEY, GOOD);
        let bad = bench.land(KEY, "id\n1\n");
        let order = if newest_first { [&bad, &good] } else { [&good, &bad] };
        bench.until_terminal(&order).await;
        assert_eq!((bench.state(&good), bench.state(&bad)), (State::Complete, State::Quarantined));
    }
}

#[tokio::test]
async fn a_head_that_moves_during_the_commit_is_looked_at_again() {
    let bench = Bench::new();
    visits(&bench, &[("onSameName", "supersede")]);
    let older = bench.land(KEY, GOOD);
    let newer = bench.land(KEY, GOOD);
    let rival = newer.clone();
    let memory = bench.memory.clone();
    // Calls: contract, claim, open, chunk, end, head, rows, receipt, head, commit.
    bench.memory.before(10, move |_| async move {
        let other = Bench::on(memory, |_| ());
        other.until_terminal(&[&rival]).await;
    });
    bench.until_terminal(&[&older]).await;
    assert_eq!((bench.state(&older), bench.state(&newer)), (State::Superseded, State::Complete));
}

#[tokio::test]
async fn a_newest_version_that_was_deleted_after_its_load_stays_newer_than_the_older() {
    let bench = Bench::new();
    visits(&bench, &[("onSameName", "supersede")]);
    let [first, second, third] = three(&bench);
    bench.until_terminal(&[&second]).await;
    bench.memory.delete(&second);
    bench.until_terminal(&[&first]).await;
    assert_eq!((bench.state(&first), bench.state(&second)), (State::Superseded, State::Complete));
    bench.until_terminal(&[&third]).await;
    assert_eq!((bench.state(&second), bench.state(&third)), (State::Superseded, State::Complete));
}

#[tokio::test]
async fn without_versions_an_object_that_was_replaced_while_it_was_read_does_not_replace_its_successor() {
    let bench = Bench::new();
    visits(&bench, &[("onSameName", "supersede")]);
    let older = bench.memory.land_unversioned(INBOX, KEY, GOOD);
    let (memory, newer) = (bench.memory.clone(), std::sync::Arc::new(std::sync::Mutex::new(None)));
    let landed = std::sync::Arc::clone(&newer);
    // Before the head is read for the commit: contract, claim, open, chunk, end, head, rows, receipt, head.
    bench.memory.before(9, move |_| async move {
        let file = memory.land_unversioned(INBOX, KEY, MIXED);
        let other = Bench::on(memory, |_| ());
        other.until_terminal(&[&file]).await;
        *landed.lock().expect("file") = Some(file);
    });
    bench.until_terminal(&[&older]).await;
    let newer = newer.lock().expect("file").take().expect("landed");
    assert_eq!((bench.state(&older), bench.state(&newer)), (State::Gone, State::Complete));
}

#[tokio::test]
async fn the_newest_snapshot_is_visible_also_when_it_repeats_an_earlier_one() {
    for order in ORDERS {
        let bench = Bench::new();
        visits(&bench, &[("onSameName", "supersede")]);
        let files = [GOOD, MIXED, GOOD].map(|bytes| bench.land(KEY, bytes));
        for place in order {
            bench.until_terminal(&[&files[place]]).await;
        }
        let states: Vec<State> = files.iter().map(|file| bench.state(file)).collect();
        assert_eq!(states, [State::Superseded, State::Superseded, State::Complete], "{order:?}");
    }
}

#[tokio::test]
async fn the_row_of_the_greatest_version_is_the_newest_and_of_two_with_one_version_the_later_files() {
    let bench = Bench::new();
    let text = "logicalType: string\n        logicalTypeOptions:\n          maxLength: 5\n";
    let document = contract("csv", "active", &[("versionFrom", "name")]);
    bench
        .memory
        .publish_contract("visits", document.replace(text, "logicalType: integer\n        required: true\n"));
    let files =
        ["9", "10", "-2", "10", "10"].map(|version| bench.land(KEY, format!("id,name\n1,{version}\n")));
    for file in &files {
        bench.until_terminal(&[file]).await;
    }
    let loads: Vec<_> = files.iter().map(|file| bench.entry(file).load).collect();
    let newest_first = bench.memory.rows().into_iter().rev().map(|row| {
        loads.iter().position(|load| row.sort.ends_with(load.as_str())).expect("a load of these files")
    });
    assert_eq!(newest_first.collect::<Vec<_>>(), [4, 3, 1, 0, 2]);
}

#[tokio::test]
async fn deltas_under_one_name_all_stay_visible() {
    for order in ORDERS {
        let bench = Bench::new();
        visits(&bench, &[]);
        let files = three(&bench);
        for place in order {
            bench.until_terminal(&[&files[place]]).await;
        }
        assert!(files.iter().all(|file| bench.state(file) == State::Complete));
        let rows = bench.memory.rows();
        let newest =
            rows.iter().filter(|row| row.partition == "north/visits#1").max_by_key(|row| row.sort.clone());
        let load = bench.entry(&files[2]).load;
        assert!(newest.is_some_and(|row| row.sort.ends_with(load.as_str())), "the newer row wins by key");
    }
}

#[tokio::test]
async fn a_name_that_may_be_used_once_belongs_to_its_oldest_version() {
    for order in ORDERS {
        let bench = Bench::new();
        visits(&bench, &[("onSameName", "reject")]);
        let files = three(&bench);
        for place in order {
            bench.until_terminal(&[&files[place]]).await;
        }
        assert_eq!(bench.state(&files[0]), State::Complete, "{order:?}");
        for file in &files[1..] {
            assert_eq!(bench.fault(file).as_deref(), Some("SAME_NAME"), "{order:?}");
        }
    }
}
