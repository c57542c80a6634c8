//! A failure before and after each call, once and twice: the message is delivered again, and the outbox ends as if
//! nothing had happened.

use ledger::State;
use store::memory::When;

use super::harness::{DecidedFile, Harness, KEY};

const MOMENTS: [When; 2] = [When::BeforeEffect, When::AfterEffect];

/// A stack in which an older version's receipt is in the outbox, and the newer version that is to be delivered.
async fn ready() -> (Harness, DecidedFile, DecidedFile) {
    let harness = Harness::with_reader().await;
    let older = harness.decided(KEY, State::Quarantined, None).await;
    harness.deliver_until_taken(&older).await;
    let newer = harness.decided(KEY, State::Complete, Some("csv")).await;
    (harness, older, newer)
}

fn assert_clean(harness: &Harness, newer: &DecidedFile, case: &str) {
    harness.assert_shows(newer, case);
    let rejects: Vec<String> = harness.memory.outbox_rejects().into_keys().collect();
    assert_eq!(rejects, [format!("{KEY}.{}.rejects.csv", newer.load)], "{case}");
    let (_, body) = harness.receipt().expect("a receipt");
    assert_eq!(body["rejects"], rejects[0].as_str(), "{case}");
}

#[tokio::test]
async fn a_failure_anywhere_is_delivered_again_and_ends_as_if_it_had_not_been() {
    for when in MOMENTS {
        for call in 1.. {
            let (harness, older, newer) = ready().await;
            let before = harness.memory.calls().len();
            harness.memory.fail_at(before + call, when);
            let again = harness.deliver(&[&newer]).await;
            let failed = harness.memory.calls().len() >= before + call;
            if !failed {
                assert!(call > 5, "a delivery makes calls");
                break;
            }
            let case = format!("call {call}, {when:?}");
            assert_eq!(again, ["0"], "{case}: a failure is never acknowledged");
            harness.deliver_until_taken(&newer).await;
            harness.deliver_until_taken(&older).await;
            assert_clean(&harness, &newer, &case);
        }
    }
}

#[tokio::test]
async fn a_receipt_never_names_rejects_that_are_not_there() {
    for when in MOMENTS {
        for call in 1..12 {
            let (harness, _, newer) = ready().await;
            harness.memory.die_at(harness.memory.calls().len() + call, when);
            harness.deliver(&[&newer]).await;
            let (_, body) = harness.receipt().expect("a receipt");
            let named = body["rejects"].as_str();
            let kept = harness.memory.outbox_rejects();
            assert!(named.is_none_or(|key| kept.contains_key(key)), "call {call}, {when:?}: {body}");
            harness.memory.revive();
            harness.deliver_until_taken(&newer).await;
            assert_clean(&harness, &newer, &format!("killed at call {call}, {when:?}"));
        }
    }
}

#[tokio::test]
async fn storms_end_right() {
    for seed in 0..200 {
        let (harness, older, newer) = ready().await;
        harness.memory.storm(seed, 30);
        for file in [&newer, &older, &newer] {
            harness.deliver(&[file]).await;
        }
        harness.memory.calm();
        for file in [&newer, &older] {
            harness.deliver_until_taken(file).await;
        }
        assert_clean(&harness, &newer, &format!("seed {seed}"));
    }
}
