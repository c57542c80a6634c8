use std::sync::atomic::Ordering;

use store::{FileVersion, Operation, State, memory::When};

use super::harness::*;

const KEY: &str = "north/visits/a.csv";

fn long_file(rows: u32) -> String {
    let lines: Vec<_> = (0..rows).map(|number| format!("{number},n{}\n", number % 1000)).collect();
    format!("id,name\n{}", lines.concat())
}

/// How the file ends when there is time enough.
async fn without_haste(text: &str) -> String {
    let clean = Harness::new();
    visits(&clean, &[]);
    let file = clean.land(KEY, text);
    clean.until_terminal(&[&file]).await;
    clean.memory.state()
}

/// Time is nearly over before call `n`.
fn end_before(harness: &Harness, n: usize) {
    let now = std::sync::Arc::clone(&harness.now);
    harness.memory.before(n, move |_| async move {
        now.fetch_add(INVOCATION - 10_000, Ordering::SeqCst);
    });
}

#[tokio::test]
async fn a_file_that_takes_longer_than_an_invocation_goes_on_by_a_fresh_message() {
    let text = long_file(60_000);
    let harness = Harness::with(|settings| settings.rows_at_once = 100);
    visits(&harness, &[]);
    let file = harness.land(KEY, &text);
    end_before(&harness, 1_000);
    assert!(harness.deliver(&[&file]).await.is_empty(), "the old message is acknowledged");
    assert_eq!(harness.counted("Handovers"), 1);
    let written = harness.entry(&file).rows_written;
    assert!(written > 0 && written < 60_000, "{written}");
    assert!(harness.memory.deferred().is_empty());
    let fresh = harness.memory.take_sent();
    assert_eq!(fresh, [body_of(&[&file])], "the same text");
    let before = harness.memory.calls().len();
    assert!(harness.invoke(&fresh).await.is_empty(), "the lease was released");
    let later = harness.memory.calls()[before..].iter().filter(|call| **call == Operation::WriteRows).count();
    // Calls of 25 rows for the rest, and for each stretch of text one that is not full.
    let rest = usize::try_from(60_000 - written).expect("small");
    assert!(later * 25 < rest + 2_500, "{later} calls for {rest} rows");
    assert_eq!(harness.memory.state(), without_haste(&text).await);
}

#[tokio::test]
async fn a_file_of_thirty_invocations_uses_up_no_receives() {
    let harness = Harness::with(|settings| settings.rows_at_once = 100);
    // A stretch of text has about 400 rows.
    harness.memory.chunks_of(4_096);
    visits(&harness, &[]);
    let text = long_file(15_000);
    let file = harness.land(KEY, &text);
    // Each call that writes rows takes a minute, so that time is over after each stretch.
    for call in 1..20_000 {
        let now = std::sync::Arc::clone(&harness.now);
        harness.memory.before(call, move |memory| async move {
            if memory.last_call() == Some(Operation::WriteRows) {
                now.fetch_add(60_000, Ordering::SeqCst);
            }
        });
    }
    let mut messages = vec![body_of(&[&file])];
    let mut hand_overs = 0;
    while !messages.is_empty() {
        assert!(harness.invoke(&messages).await.is_empty(), "no delivery failed");
        messages = harness.memory.take_sent();
        hand_overs += messages.len();
    }
    assert!(hand_overs >= 30, "{hand_overs}");
    assert_eq!(harness.state(&file), State::Complete);
    assert_eq!(harness.memory.state(), without_haste(&text).await);
}

#[tokio::test]
async fn an_invocation_that_wrote_no_checkpoint_gives_its_message_back() {
    let harness = Harness::with(|settings| settings.small_file_bytes = 0);
    visits(&harness, &[]);
    let file = harness.land(KEY, long_file(20_000));
    // In the first reading: contract, rank, hold, claim, open.
    end_before(&harness, 6);
    assert_eq!(harness.deliver(&[&file]).await, ["m0"]);
    assert_eq!(harness.memory.deferred(), [("r0".to_owned(), 0)]);
    assert!(harness.memory.take_sent().is_empty());
    assert_eq!(harness.entry(&file).lease_until_ms, 0);
}

#[tokio::test]
async fn a_failure_anywhere_in_a_hand_over_ends_as_if_it_had_not_been() {
    let text = long_file(3_000);
    let begin = || {
        let harness = Harness::with(|settings| {
            (settings.rows_at_once, settings.rows_per_checkpoint, settings.small_file_bytes) = (100, 100, 0);
        });
        harness.memory.chunks_of(4_096);
        visits(&harness, &[]);
        let file = harness.land(KEY, &text);
        end_before(&harness, 40);
        (harness, file)
    };
    let expected = without_haste(&text).await;
    let (clean, file) = begin();
    clean.deliver(&[&file]).await;
    let calls = clean.memory.calls().len();
    assert_eq!(clean.memory.calls().last(), Some(&Operation::SendMessages));
    for call in 36..=calls {
        for when in [When::BeforeEffect, When::AfterEffect] {
            for deadly in [false, true] {
                let (harness, file) = begin();
                if deadly {
                    harness.memory.die_at(call, when);
                } else {
                    harness.memory.fail_at(call, when);
                }
                let acknowledged = harness.deliver(&[&file]).await.is_empty();
                harness.memory.revive();
                let sent = !harness.memory.take_sent().is_empty();
                assert!(sent || !acknowledged, "a message is left: {call} {when:?} {deadly}");
                harness.wait(3_600_000);
                harness.until_terminal(&[&file]).await;
                assert_eq!(harness.memory.state(), expected, "{call} {when:?} {deadly}");
                assert_eq!(harness.entry(&file).deaths, 0);
            }
        }
    }
}

#[tokio::test]
async fn of_several_files_in_a_message_each_must_have_ended_or_advanced_before_it_is_sent_anew() {
    let harness =
        Harness::with(|settings| (settings.rows_at_once, settings.rows_per_checkpoint) = (100, 100));
    visits(&harness, &[]);
    let files = [KEY, "north/visits/b.csv"].map(|key| harness.land(key, long_file(3_000)));
    let body = body_of(&[&files[0], &files[1]]);
    // The first fails, the second advances.
    harness.memory.fail_at(5, When::BeforeEffect);
    end_before(&harness, 40);
    assert_eq!(harness.invoke(std::slice::from_ref(&body)).await, ["m0"]);
    assert!(harness.memory.take_sent().is_empty() && harness.entry(&files[1]).rows_written > 0);
    // The first ends, the second was not begun in time.
    end_before(&harness, harness.memory.calls().len() + 40);
    assert!(harness.invoke(std::slice::from_ref(&body)).await.is_empty());
    assert_eq!(harness.memory.take_sent(), [body], "the first advanced, and the second is only waiting");
}

/// Rejects of many parts, so that their uploads are begun before the file ends.
fn many_rejects() -> String {
    let lines: Vec<_> = (0..60).map(|number| format!("{number},a name that is too long\n")).collect();
    format!("id,name\n1,Ann\n{}", lines.concat())
}

/// Few bytes in a chunk and in a part.
fn in_parts(harness: &Harness) -> FileVersion {
    harness.memory.chunks_of(256);
    harness.memory.parts_of(512);
    visits(harness, &[]);
    harness.land(KEY, many_rejects())
}

async fn attempt_with_uploads(place: usize, stop: impl FnOnce(&Harness, usize)) -> (Harness, FileVersion) {
    let harness = Harness::with(|settings| settings.small_file_bytes = 0);
    let file = in_parts(&harness);
    stop(&harness, place);
    harness.deliver(&[&file]).await;
    (harness, file)
}

#[tokio::test]
async fn whatever_ends_an_attempt_leaves_no_upload_open() {
    let (clean, _) = attempt_with_uploads(0, |_, _| ()).await;
    let calls = clean.memory.calls();
    let first = calls.iter().position(|call| *call == Operation::WriteObject).expect("a part") + 1;
    let last = calls.iter().rposition(|call| *call == Operation::Finish || *call == Operation::Commit);
    let last = last.expect("an end");
    assert!(last > first + 2, "an upload is open for some calls: {calls:?}");
    assert_eq!(clean.memory.open_uploads(), 0);
    let expected = clean.memory.state();
    for place in first..=last {
        type End = fn(&Harness, usize);
        let ends: [(&str, End); 4] = [
            ("time", |harness, place| end_before(harness, place)),
            ("failure before", |harness, place| harness.memory.fail_at(place, When::BeforeEffect)),
            ("failure after", |harness, place| harness.memory.fail_at(place, When::AfterEffect)),
            ("panic", |harness, place| harness.memory.before(place, |_| async { panic!("as a bug would") })),
        ];
        for (name, end) in ends {
            let (harness, file) = attempt_with_uploads(place, end).await;
            assert_eq!(harness.memory.open_uploads(), 0, "{name} at {place}");
            harness.until_terminal(&[&file]).await;
            assert_eq!(
                (harness.memory.state(), harness.memory.open_uploads()),
                (expected.clone(), 0),
                "{name} at {place}"
            );
        }
    }
}

#[tokio::test]
async fn a_call_that_never_ends_leaves_no_upload_open() {
    let (clean, _) = attempt_with_uploads(0, |_, _| ()).await;
    let calls = clean.memory.calls();
    let first = calls.iter().position(|call| *call == Operation::WriteObject).expect("a part") + 1;
    let harness = Harness::with(|settings| (settings.reserve_ms, settings.small_file_bytes) = (0, 0));
    let file = in_parts(&harness);
    harness.memory.before(first + 1, |_| std::future::pending());
    let event = serde_json::json!({ "Records": [record_of(&file)] });
    assert!(harness.processor.handle(&event, harness.now_ms() + 300).await.is_err());
    assert_eq!((harness.counted("Handovers"), harness.memory.open_uploads()), (1, 0));
}
