use store::{Operation, State, memory::When};

use super::bench::*;

#[tokio::test]
async fn a_second_delivery_changes_nothing() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", MIXED);
    bench.until_terminal(&[&file]).await;
    let state = bench.memory.state();
    let calls = bench.memory.calls().len();
    assert!(bench.deliver(&[&file, &file]).await.is_empty());
    assert_eq!(bench.memory.state(), state);
    assert_eq!(bench.memory.calls()[calls..], [Operation::RankVersion, Operation::Claim].repeat(2));
    assert_eq!(bench.counted("RedundantDeliveries"), 2);
    assert_eq!(bench.counted("Files"), 1);
}

#[tokio::test]
async fn a_message_is_acknowledged_only_when_all_its_files_are_terminal() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let files = ["a", "b", "c"].map(|name| bench.land(&format!("north/visits/{name}.csv"), GOOD));
    let clean = Bench::new();
    visits(&clean, &[]);
    let alone = clean.land("north/visits/a.csv", GOOD);
    clean.until_terminal(&[&alone]).await;
    // The second file begins one call (no contract to read) after the first one's last.
    bench.memory.fail_at(clean.memory.calls().len() + 1, When::BeforeEffect);
    let body = body_of(&[&files[0], &files[1], &files[2]]);
    assert_eq!(bench.invoke(std::slice::from_ref(&body)).await, ["m0"]);
    assert_eq!(bench.state(&files[2]), State::Complete, "the others go on");
    assert_eq!(bench.counted("RetryableErrors"), 1);
    assert!(bench.invoke(&[body]).await.is_empty());
    assert!(files.iter().all(|file| bench.state(file) == State::Complete));
    assert_eq!(bench.counted("Files"), 3);
}

#[tokio::test]
async fn messages_that_are_no_events_for_the_inbox_come_back_and_the_others_are_done() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let mut foreign = bench.land("north/visits/a.csv", GOOD);
    let good = bench.land("north/visits/b.csv", GOOD);
    foreign.bucket = "elsewhere".to_owned();
    let test = "{\"Event\":\"s3:TestEvent\",\"Bucket\":\"inbox\"}".to_owned();
    let bodies = ["oops".to_owned(), body_of(&[&foreign]), body_of(&[&good]), test];
    assert_eq!(bench.invoke(&bodies).await, ["m0", "m1"]);
    assert_eq!(bench.memory.entries().len(), 1, "nothing is written for a foreign bucket");
    assert_eq!(bench.counted("ForeignMessages"), 2);
}

#[tokio::test]
async fn a_held_lease_is_waited_for_and_never_acknowledged() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    bench.memory.die_at(5, When::BeforeEffect);
    assert_eq!(bench.deliver(&[&file]).await, ["m0"]);
    bench.memory.revive();
    bench.wait(10_000);
    assert_eq!(bench.deliver(&[&file]).await, ["m0"]);
    assert_eq!(bench.counted("LeasesHeld"), 1);
    let (_, seconds) = bench.memory.deferred().pop().expect("deferred");
    let rest = (INVOCATION + 30_000 - 10_000) / 1000;
    assert!((rest..rest + 8).contains(&u64::from(seconds)), "{seconds}");
    bench.wait(u64::from(seconds) * 1000);
    assert!(bench.deliver(&[&file]).await.is_empty());
}

#[tokio::test]
async fn a_failure_of_a_service_releases_the_lease_and_comes_back_soon() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    bench.memory.fail_at(4, When::BeforeEffect);
    assert_eq!(bench.deliver(&[&file]).await, ["m0"]);
    let (_, seconds) = bench.memory.deferred().pop().expect("deferred");
    assert!((30..=37).contains(&seconds), "{seconds}");
    assert!(bench.deliver(&[&file]).await.is_empty(), "at once, since the lease was released");
}

#[tokio::test]
async fn who_was_taken_over_stops_and_the_file_ends_once() {
    let bench = Bench::with(|settings| settings.rows_at_once = 2);
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", MIXED);
    let clean = Bench::new();
    visits(&clean, &[]);
    let same = clean.land("north/visits/a.csv", MIXED);
    clean.until_terminal(&[&same]).await;
    let calls = clean.memory.calls().len();
    for call in 4..calls {
        let bench = Bench::new();
        visits(&bench, &[]);
        let file = bench.land("north/visits/a.csv", MIXED);
        let (memory, rival) = (bench.memory.clone(), file.clone());
        bench.memory.before(call, move |_| async move {
            let other = Bench::on(memory, |_| ());
            other.wait(3_600_000);
            other.until_terminal(&[&rival]).await;
        });
        bench.until_terminal(&[&file]).await;
        assert_eq!(bench.memory.state(), clean.memory.state(), "taken over before call {call}");
    }
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.memory.state(), clean.memory.state(), "the size of a batch does not show");
}

#[tokio::test]
async fn what_was_not_begun_when_time_is_short_comes_back_at_once() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let files = ["a", "b"].map(|name| bench.land(&format!("north/visits/{name}.csv"), GOOD));
    let now = std::sync::Arc::clone(&bench.now);
    // Before the last call of the first file.
    bench.memory.before(9, move |_| async move {
        now.fetch_add(INVOCATION - 15_000, std::sync::atomic::Ordering::SeqCst);
    });
    assert_eq!(bench.deliver(&[&files[0], &files[1]]).await, ["m1"]);
    assert_eq!(bench.memory.entries().len(), 1);
    assert_eq!(bench.memory.deferred(), [("r1".to_owned(), 0)]);
}

#[tokio::test]
async fn a_deadline_before_the_beginning_is_none() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    let event = serde_json::json!({ "Records": [record_of(&file)] });
    assert!(bench.processor.handle(&event, 600_000).await.is_ok());
    assert_eq!(bench.state(&file), State::Complete);
}

#[tokio::test]
async fn claims_whose_answers_are_lost_neither_hold_the_file_nor_make_it_poison() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    for attempt in 0..6 {
        let claim = bench.memory.calls().len() + 2 + usize::from(attempt == 0);
        bench.memory.fail_at(claim, When::AfterEffect);
        assert_eq!(bench.deliver(&[&file]).await, ["m0"]);
        assert_eq!(bench.entry(&file).lease_until_ms, 0, "released");
    }
    assert!(bench.deliver(&[&file]).await.is_empty());
    assert_eq!(bench.state(&file), State::Complete);
}

#[tokio::test]
async fn a_call_that_outlasts_the_invocation_is_given_up_in_time_and_is_no_death() {
    let bench = Bench::with(|settings| settings.reserve_ms = 0);
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    bench.memory.before(4, |_| std::future::pending());
    let event = serde_json::json!({ "Records": [record_of(&file)] });
    assert!(bench.processor.handle(&event, bench.now_ms() + 20).await.is_err());
    let entry = bench.entry(&file);
    assert_eq!((entry.deaths, entry.lease_until_ms), (0, 0));
    assert_eq!(bench.counted("Handovers"), 1);
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.state(&file), State::Complete);
}

/// Three rows behind enough blank lines that they are read one by one: the first 4 KiB of a file are looked at as a whole.
fn far_rows() -> String {
    GOOD.replacen('\n', &"\n".repeat(5_000), 1)
}

#[tokio::test]
async fn rows_are_written_when_their_bytes_are_many_though_they_are_few() {
    let calls_with = async |bytes: usize| {
        let bench = Bench::with(|settings| settings.row_bytes_at_once = bytes);
        bench.memory.chunks_of(8);
        visits(&bench, &[]);
        let file = bench.land("north/visits/a.csv", far_rows());
        bench.until_terminal(&[&file]).await;
        bench.memory.calls().into_iter().filter(|call| *call == Operation::WriteRows).count()
    };
    assert_eq!((calls_with(usize::MAX).await, calls_with(1).await), (1, 3));
}

#[tokio::test]
async fn what_was_written_before_a_table_takes_no_more_is_not_written_again() {
    let begin = || {
        let bench = Bench::with(|settings| settings.rows_at_once = 1);
        bench.memory.chunks_of(8);
        visits(&bench, &[]);
        let file = bench.land("north/visits/a.csv", far_rows());
        (bench, file)
    };
    let (clean, file) = begin();
    clean.until_terminal(&[&file]).await;
    let calls = clean.memory.calls();
    let last = calls.iter().rposition(|call| *call == Operation::WriteRows).expect("rows") + 1;
    let (bench, file) = begin();
    bench.memory.fail_at(last, When::BeforeEffect);
    assert_eq!(bench.deliver(&[&file]).await, ["m0"]);
    assert_eq!(bench.entry(&file).rows_written, 2);
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.memory.state(), clean.memory.state());
}

#[tokio::test]
async fn without_a_queue_a_failure_is_an_error_so_that_the_caller_tries_again() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    let event = serde_json::json!({ "Records": [record_of(&file)] });
    bench.memory.fail_at(4, When::BeforeEffect);
    assert!(bench.invoke_direct(&event).await.is_err());
    assert!(bench.invoke_direct(&event).await.is_ok());
    assert!(bench.invoke_direct(&serde_json::json!({})).await.is_err());
}

#[tokio::test]
async fn a_contract_is_read_once_in_a_minute_and_a_missing_one_each_time() {
    let bench = Bench::new();
    let early = bench.land("north/visits/a.csv", GOOD);
    bench.until_terminal(&[&early]).await;
    visits(&bench, &[]);
    let files = ["b", "c"].map(|name| bench.land(&format!("north/visits/{name}.csv"), GOOD));
    bench.until_terminal(&[&files[0], &files[1]]).await;
    let reads =
        |bench: &Bench| bench.memory.calls().iter().filter(|call| **call == Operation::ReadContract).count();
    assert_eq!(
        (bench.fault(&early).as_deref(), bench.state(&files[0])),
        (Some("NO_CONTRACT"), State::Complete)
    );
    assert_eq!(reads(&bench), 2);
    bench.wait(60_000);
    let late = bench.land("north/visits/d.csv", GOOD);
    bench.until_terminal(&[&late]).await;
    assert_eq!(reads(&bench), 3);
}
