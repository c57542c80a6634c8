use store::{Operation, State, memory::When};

use super::harness::*;

#[tokio::test]
async fn a_second_delivery_changes_nothing() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", MIXED);
    harness.until_terminal(&[&file]).await;
    let state = harness.memory.state();
    let calls = harness.memory.calls().len();
    assert!(harness.deliver(&[&file, &file]).await.is_empty());
    assert_eq!(harness.memory.state(), state);
    assert_eq!(
        harness.memory.calls()[calls..],
        [Operation::RankVersion, Operation::ReadHold, Operation::Claim].repeat(2)
    );
    assert_eq!(harness.counted("RedundantDeliveries"), 2);
    assert_eq!(harness.counted("Files"), 1);
}

#[tokio::test]
async fn a_message_is_acknowledged_only_when_all_its_files_are_terminal() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let files = ["a", "b", "c"].map(|name| harness.land(&format!("north/visits/{name}.csv"), GOOD));
    let clean = Harness::new();
    visits(&clean, &[]);
    let alone = clean.land("north/visits/a.csv", GOOD);
    clean.until_terminal(&[&alone]).await;
    // The second file begins one call (no contract to read) after the first one's last.
    harness.memory.fail_at(clean.memory.calls().len() + 1, When::BeforeEffect);
    let body = body_of(&[&files[0], &files[1], &files[2]]);
    assert_eq!(harness.invoke(std::slice::from_ref(&body)).await, ["m0"]);
    assert_eq!(harness.state(&files[2]), State::Complete, "the others go on");
    assert_eq!(harness.counted("RetryableErrors"), 1);
    assert!(harness.invoke(&[body]).await.is_empty());
    assert!(files.iter().all(|file| harness.state(file) == State::Complete));
    assert_eq!(harness.counted("Files"), 3);
}

#[tokio::test]
async fn messages_that_are_no_events_for_the_inbox_come_back_and_the_others_are_done() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let mut foreign = harness.land("north/visits/a.csv", GOOD);
    let good = harness.land("north/visits/b.csv", GOOD);
    foreign.bucket = "elsewhere".to_owned();
    let test = "{\"Event\":\"s3:TestEvent\",\"Bucket\":\"inbox\"}".to_owned();
    let bodies = ["oops".to_owned(), body_of(&[&foreign]), body_of(&[&good]), test];
    assert_eq!(harness.invoke(&bodies).await, ["m0", "m1"]);
    assert_eq!(harness.memory.entries().len(), 1, "nothing is written for a foreign bucket");
    assert_eq!(harness.counted("ForeignMessages"), 2);
}

#[tokio::test]
async fn a_held_lease_is_waited_for_and_never_acknowledged() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.memory.die_at(6, When::BeforeEffect);
    assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
    harness.memory.revive();
    harness.wait(10_000);
    assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
    assert_eq!(harness.counted("LeasesHeld"), 1);
    let (_, seconds) = harness.memory.deferred().pop().expect("deferred");
    let rest = (INVOCATION + 30_000 - 10_000) / 1000;
    assert!((rest..rest + 8).contains(&u64::from(seconds)), "{seconds}");
    harness.wait(u64::from(seconds) * 1000);
    assert!(harness.deliver(&[&file]).await.is_empty());
}

#[tokio::test]
async fn a_failure_of_a_service_releases_the_lease_and_comes_back_soon() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.memory.fail_at(5, When::BeforeEffect);
    assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
    let (_, seconds) = harness.memory.deferred().pop().expect("deferred");
    assert!((30..=37).contains(&seconds), "{seconds}");
    assert!(harness.deliver(&[&file]).await.is_empty(), "at once, since the lease was released");
}

#[tokio::test]
async fn who_was_taken_over_stops_and_the_file_ends_once() {
    let harness = Harness::with(|settings| settings.rows_at_once = 2);
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", MIXED);
    let clean = Harness::new();
    visits(&clean, &[]);
    let same = clean.land("north/visits/a.csv", MIXED);
    clean.until_terminal(&[&same]).await;
    let calls = clean.memory.calls().len();
    for call in 5..calls {
        let harness = Harness::new();
        visits(&harness, &[]);
        let file = harness.land("north/visits/a.csv", MIXED);
        let (memory, rival) = (harness.memory.clone(), file.clone());
        harness.memory.before(call, move |_| async move {
            let other = Harness::on(memory, |_| ());
            other.wait(3_600_000);
            other.until_terminal(&[&rival]).await;
        });
        harness.until_terminal(&[&file]).await;
        assert_eq!(harness.memory.state(), clean.memory.state(), "taken over before call {call}");
    }
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.memory.state(), clean.memory.state(), "the size of a batch does not show");
}

#[tokio::test]
async fn what_was_not_begun_when_time_is_short_comes_back_at_once() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let files = ["a", "b"].map(|name| harness.land(&format!("north/visits/{name}.csv"), GOOD));
    let now = std::sync::Arc::clone(&harness.now);
    // Before the last call of the first file.
    harness.memory.before(10, move |_| async move {
        now.fetch_add(INVOCATION - 15_000, std::sync::atomic::Ordering::SeqCst);
    });
    assert_eq!(harness.deliver(&[&files[0], &files[1]]).await, ["m1"]);
    assert_eq!(harness.memory.entries().len(), 1);
    assert_eq!(harness.memory.deferred(), [("r1".to_owned(), 0)]);
}

#[tokio::test]
async fn a_deadline_before_the_beginning_is_none() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    let event = serde_json::json!({ "Records": [record_of(&file)] });
    assert!(harness.processor.handle(&event, 600_000).await.is_ok());
    assert_eq!(harness.state(&file), State::Complete);
}

#[tokio::test]
async fn claims_whose_answers_are_lost_neither_hold_the_file_nor_make_it_poison() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    for attempt in 0..6 {
        let claim = harness.memory.calls().len() + 3 + usize::from(attempt == 0);
        harness.memory.fail_at(claim, When::AfterEffect);
        assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
        assert_eq!(harness.entry(&file).lease_until_ms, 0, "released");
    }
    assert!(harness.deliver(&[&file]).await.is_empty());
    assert_eq!(harness.state(&file), State::Complete);
}

#[tokio::test]
async fn a_call_that_outlasts_the_invocation_is_given_up_in_time_and_is_no_death() {
    let harness = Harness::with(|settings| settings.reserve_ms = 0);
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.memory.before(5, |_| std::future::pending());
    let event = serde_json::json!({ "Records": [record_of(&file)] });
    assert!(harness.processor.handle(&event, harness.now_ms() + 20).await.is_err());
    let entry = harness.entry(&file);
    assert_eq!((entry.deaths, entry.lease_until_ms), (0, 0));
    assert_eq!(harness.counted("Handovers"), 1);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Complete);
}

/// Three rows behind enough blank lines that they are read one by one: the first 4 KiB of a file are looked at as a
/// whole.
fn far_rows() -> String {
    GOOD.replacen('\n', &"\n".repeat(5_000), 1)
}

#[tokio::test]
async fn rows_are_written_when_their_bytes_are_many_though_they_are_few() {
    let calls_with = async |bytes: usize| {
        let harness = Harness::with(|settings| settings.row_bytes_at_once = bytes);
        harness.memory.chunks_of(8);
        visits(&harness, &[]);
        let file = harness.land("north/visits/a.csv", far_rows());
        harness.until_terminal(&[&file]).await;
        harness.memory.calls().into_iter().filter(|call| *call == Operation::WriteRows).count()
    };
    assert_eq!((calls_with(usize::MAX).await, calls_with(1).await), (1, 3));
}

#[tokio::test]
async fn what_was_written_before_a_table_takes_no_more_is_not_written_again() {
    let begin = || {
        let harness = Harness::with(|settings| settings.rows_at_once = 1);
        harness.memory.chunks_of(8);
        visits(&harness, &[]);
        let file = harness.land("north/visits/a.csv", far_rows());
        (harness, file)
    };
    let (clean, file) = begin();
    clean.until_terminal(&[&file]).await;
    let calls = clean.memory.calls();
    let last = calls.iter().rposition(|call| *call == Operation::WriteRows).expect("rows") + 1;
    let (harness, file) = begin();
    harness.memory.fail_at(last, When::BeforeEffect);
    assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
    assert_eq!(harness.entry(&file).rows_written, 2);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.memory.state(), clean.memory.state());
}

#[tokio::test]
async fn without_a_queue_a_failure_is_an_error_so_that_the_caller_tries_again() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    let event = serde_json::json!({ "Records": [record_of(&file)] });
    harness.memory.fail_at(5, When::BeforeEffect);
    assert!(harness.invoke_direct(&event).await.is_err());
    assert!(harness.invoke_direct(&event).await.is_ok());
    assert!(harness.invoke_direct(&serde_json::json!({})).await.is_err());
}

#[tokio::test]
async fn a_contract_is_read_once_in_a_minute_and_a_missing_one_each_time() {
    let harness = Harness::new();
    let early = harness.land("north/visits/a.csv", GOOD);
    harness.until_terminal(&[&early]).await;
    visits(&harness, &[]);
    let files = ["b", "c"].map(|name| harness.land(&format!("north/visits/{name}.csv"), GOOD));
    harness.until_terminal(&[&files[0], &files[1]]).await;
    let reads = |harness: &Harness| {
        harness.memory.calls().iter().filter(|call| **call == Operation::ReadContract).count()
    };
    assert_eq!(
        (harness.fault(&early).as_deref(), harness.state(&files[0])),
        (Some("NO_CONTRACT"), State::Complete)
    );
    assert_eq!(reads(&harness), 2);
    harness.wait(60_000);
    let late = harness.land("north/visits/d.csv", GOOD);
    harness.until_terminal(&[&late]).await;
    assert_eq!(reads(&harness), 3);
}
