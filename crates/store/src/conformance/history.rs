//! What an entry keeps of the past.

use super::replays::{asked, change, loaded, read, replay, replaying, reversal};
use super::{claim, commit, file, head, mine, outcome, replacing};
use crate::{
    Committed, Error, Fenced, FileId, FileVersion, HeadMove, MOST_PAST, Outcome, ReplayResult, Replayed,
    ReverseLoads, Reversed, State, StateMove, WriteLedger,
};

pub(super) async fn the_past_is_kept<S: WriteLedger + ReverseLoads>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    the_outcome_that_a_replay_replaces_is_kept(ledger, run).await?;
    a_bounded_number_of_outcomes_is_kept(ledger, run).await?;
    changes_of_state_are_kept_in_their_order(ledger, run).await
}

async fn the_outcome_that_a_replay_replaces_is_kept<S: WriteLedger + ReverseLoads>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "past outcome");
    let (fence, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    assert_eq!(ledger.finish(&fence, &outcome(State::Quarantined), 1_500).await?, Fenced::Kept);
    let first = read(ledger, &file).await?;
    assert_eq!((first.past.decided_ms, first.past.outcomes.len()), (1_500, 0));
    let (fence, _) = replaying(ledger, &asked(&first, replay(&file, 1, "r"), "a", 2_000)).await?;
    let ended = Replayed { request: "r".to_owned(), result: ReplayResult::Gone, fault: None };
    assert_eq!(ledger.end_replay(&fence, &ended, 2_100).await?, Fenced::Kept);
    let kept = read(ledger, &file).await?;
    assert_eq!((kept.past.kept_ms, kept.past.decided_ms, kept.past.outcomes.len()), (2_100, 1_500, 0));

    let (fence, _) = replaying(ledger, &asked(&kept, replay(&file, 1, "s"), "b", 3_000)).await?;
    let loading = crate::Commit { at_ms: 3_500, ..commit(&file, &fence) };
    assert_eq!(ledger.commit(&loading).await?, Committed::Done);
    assert_eq!(ledger.commit(&loading).await?, Committed::Done, "the answer was lost");
    let second = read(ledger, &file).await?;
    assert_eq!(second.past.decided_ms, 3_500);
    let [past] = second.past.outcomes.as_slice() else { panic!("found {:?}", second.past.outcomes) };
    assert_eq!((past.generation, past.decided_ms), (0, 1_500));
    assert_eq!(Some(&past.outcome), first.outcome.as_ref());
    Ok(())
}

async fn a_bounded_number_of_outcomes_is_kept<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "past bounded");
    let mut entry = loaded(ledger, &file).await?;
    for generation in 1..=MOST_PAST + 2 {
        let now_ms = 10_000 * u64::from(generation);
        let (fence, _) =
            replaying(ledger, &asked(&entry, replay(&file, generation, "r"), "a", now_ms)).await?;
        let outcome = Outcome { bytes: now_ms, ..outcome(State::Complete) };
        let loading = crate::Commit { outcome, at_ms: now_ms, ..commit(&file, &fence) };
        assert_eq!(ledger.commit(&loading).await?, Committed::Done);
        entry = read(ledger, &file).await?;
    }
    let kept: Vec<u32> = entry.past.outcomes.iter().map(|past| past.generation).collect();
    assert_eq!(kept, (2..MOST_PAST + 2).collect::<Vec<_>>());
    for past in &entry.past.outcomes {
        let decided_ms = 10_000 * u64::from(past.generation);
        assert_eq!((past.outcome.bytes, past.decided_ms), (decided_ms, decided_ms));
    }
    Ok(())
}

async fn changes_of_state_are_kept_in_their_order<S: WriteLedger + ReverseLoads>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let older = file(run, "past moves");
    let newer = FileVersion { version: "v-newer".to_owned(), ..older.clone() };
    for (file, head, at_ms) in [
        (&older, HeadMove { from: None, to: head(&older), receipt: None, retracted: false }, 2_000),
        (&newer, replacing(&older, &newer), 3_000),
    ] {
        let (fence, _) = mine(ledger, &claim(file, "a", 1_000)).await?;
        let moving = crate::Commit { head: Some(head), at_ms, ..commit(file, &fence) };
        assert_eq!(ledger.commit(&moving).await?, Committed::Done);
        assert_eq!(ledger.commit(&moving).await?, Committed::Done, "the answer was lost");
    }
    let (before, visible) = (read(ledger, &older).await?, read(ledger, &newer).await?);
    let superseded = StateMove { at_ms: 3_000, to: State::Superseded, other: Some(FileId::of(&newer)) };
    assert_eq!((before.past.decided_ms, &before.past.moves), (2_000, &vec![superseded.clone()]));
    assert!(visible.past.moves.is_empty(), "a decision is no move");

    let hide = vec![
        change(&visible, State::Retracted, "retracted.json", None),
        change(&before, State::Complete, "complete.json", None),
    ];
    let back = HeadMove { from: Some(head(&newer)), to: head(&older), receipt: None, retracted: false };
    let retract = crate::Reversal { head: Some(back), at_ms: 4_000, ..reversal(&newer, hide) };
    assert_eq!(ledger.reverse(&retract).await?, Reversed::Done);
    assert_eq!(ledger.reverse(&retract).await?, Reversed::Done, "made before");
    let other = crate::Reversal { at_ms: 5_000, ..retract };
    assert_eq!(ledger.reverse(&other).await?, Reversed::Changed, "made by another operator");
    let moved = |to| StateMove { at_ms: 4_000, to, other: None };
    assert_eq!(read(ledger, &older).await?.past.moves, [superseded, moved(State::Complete)]);
    assert_eq!(read(ledger, &newer).await?.past.moves, [moved(State::Retracted)]);
    Ok(())
}
