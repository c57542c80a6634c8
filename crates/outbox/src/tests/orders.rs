//! Deliveries in every order, twice, late and at the same moment.

use ledger::State;
use store::Operation;

use super::harness::{DecidedFile, Harness, KEY};

/// What happens to a name: three versions are decided, and an operator takes the newest back and puts it back.
const STEPS: usize = 5;

/// Makes a step of the story happen; returns the outcome that is announced.
async fn step(harness: &Harness, number: usize, so_far: &[DecidedFile]) -> DecidedFile {
    match number {
        0 => harness.decided(KEY, State::Quarantined, None).await,
        1 => harness.decided(KEY, State::Complete, None).await,
        2 => harness.decided(KEY, State::Complete, Some("csv")).await,
        3 => harness.decide_again(&so_far[2], State::Retracted),
        _ => harness.decide_again(&so_far[2], State::Complete),
    }
}

/// Returns all orders of these numbers.
fn permutations(numbers: &[usize]) -> Vec<Vec<usize>> {
    let [] = numbers else {
        return numbers
            .iter()
            .enumerate()
            .flat_map(|(at, first)| {
                let rest: Vec<usize> = [&numbers[..at], &numbers[at + 1..]].concat();
                permutations(&rest).into_iter().map(move |rest| [vec![*first], rest].concat())
            })
            .collect();
    };
    vec![Vec::new()]
}

#[tokio::test]
async fn in_whatever_order_and_however_often_outcomes_are_delivered_the_newest_versions_receipt_stays() {
    let numbers: Vec<usize> = (0..STEPS).collect();
    for order in permutations(&numbers) {
        for repeated in 0..STEPS {
            let harness = Harness::with_reader().await;
            let mut files = Vec::new();
            for number in 0..STEPS {
                files.push(step(&harness, number, &files).await);
            }
            for number in order.iter().chain([&repeated]) {
                harness.deliver_until_taken(&files[*number]).await;
            }
            harness.assert_shows(&files[4], &format!("{order:?}, {repeated} twice"));
        }
    }
}

#[tokio::test]
async fn deliveries_between_the_decisions_end_the_same() {
    // Each outcome is delivered at some moment after its decision: after how many further decisions.
    for moments in 0..1_usize << (2 * STEPS) {
        let moment = |number: usize| (number + (moments >> (2 * number) & 3)).min(STEPS - 1);
        let harness = Harness::with_reader().await;
        let mut files: Vec<DecidedFile> = Vec::new();
        for now in 0..STEPS {
            files.push(step(&harness, now, &files).await);
            for number in (0..=now).rev().filter(|number| moment(*number) == now) {
                harness.deliver_until_taken(&files[number]).await;
            }
        }
        harness.assert_shows(&files[4], &format!("{moments:b}"));
    }
}

#[tokio::test]
async fn a_batch_with_all_of_them_ends_the_same() {
    let numbers: Vec<usize> = (0..STEPS).collect();
    for order in permutations(&numbers) {
        let harness = Harness::with_reader().await;
        let mut files = Vec::new();
        for number in 0..STEPS {
            files.push(step(&harness, number, &files).await);
        }
        let batch: Vec<&DecidedFile> = order.iter().map(|number| &files[*number]).collect();
        assert!(harness.deliver(&batch).await.is_empty(), "{order:?}");
        harness.assert_shows(&files[4], &format!("{order:?}"));
    }
}

/// Delivers the outcome of a step; before one of its calls all steps that follow happen and are delivered. Returns
/// whether the delivery made that call.
async fn overtaken(harness: &Harness, files: &[DecidedFile], first: usize, call: usize) -> bool {
    let (others, known) = (harness.clone(), files.to_vec());
    let at = harness.memory.calls().len() + call;
    harness.memory.before(at, async move |_| {
        let mut files = known;
        for number in first + 1..STEPS {
            let decided = step(&others, number, &files).await;
            others.deliver_until_taken(&decided).await;
            files.push(decided);
        }
    });
    harness.deliver_until_taken(&files[first]).await;
    harness.memory.calls().len() >= at
}

#[tokio::test]
async fn a_newer_decision_and_its_delivery_between_any_two_calls_stay() {
    for (first, earlier_ones_delivered) in (0..STEPS - 1).flat_map(|first| [(first, false), (first, true)]) {
        for call in 1.. {
            let harness = Harness::with_reader().await;
            let mut files = Vec::new();
            for number in 0..=first {
                files.push(step(&harness, number, &files).await);
                if earlier_ones_delivered && number < first {
                    harness.deliver_until_taken(&files[number]).await;
                }
            }
            if !overtaken(&harness, &files, first, call).await {
                assert!(call > 4, "a delivery makes calls");
                break;
            }
            let case = format!("{first}, call {call}, earlier ones delivered: {earlier_ones_delivered}");
            let entries = harness.memory.entries();
            let newest = entries.iter().max_by_key(|entry| entry.order.clone()).expect("an entry");
            let (mark, body) = harness.receipt().expect("a receipt");
            let named = newest.outcome.as_ref().map(|outcome| outcome.receipt.as_str());
            assert_eq!((mark.order, body["receipt"].as_str()), (newest.order.clone(), named), "{case}");
            assert_eq!(body["state"], "COMPLETE", "{case}");
        }
    }
}

#[tokio::test]
async fn a_delivery_that_read_the_entry_before_it_changed_writes_nothing_over_the_newer_decision() {
    let harness = Harness::with_reader().await;
    let mut files = Vec::new();
    for number in 0..3 {
        files.push(step(&harness, number, &files).await);
    }
    let (others, file) = (harness.clone(), files[2].clone());
    // The delivery reads the principals, then the entry, then looks at the outbox.
    harness.memory.before(harness.memory.calls().len() + 3, async move |_| {
        let retracted = others.decide_again(&file, State::Retracted);
        others.deliver_until_taken(&retracted).await;
    });
    harness.deliver_until_taken(&files[2]).await;
    let writes = harness.memory.calls().into_iter().filter(|call| *call == Operation::WriteOutbox);
    assert_eq!(writes.count(), 1, "the retraction's");
    assert_eq!(harness.receipt().map(|(_, body)| body["state"].clone()), Some("RETRACTED".into()));
}
