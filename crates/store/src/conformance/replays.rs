//! Replays, retractions, and taking a retraction back.

use super::{claim, commit, file, head, mine, outcome};
use crate::{
    Committed, ContentClaim, Entry, Error, Fence, Fenced, FileId, FileVersion, HeadMove, LoadId, Replay,
    ReplayClaim, ReplayClaimed, ReplayResult, Replayed, Reversal, ReverseLoads, Reversed, State, StateChange,
    WriteLedger,
};

/// Checks what the ledger promises of replays, and of loads that are hidden and shown again.
///
/// # Panics
/// Where the ledger behaves otherwise.
pub async fn replays_behave<S: WriteLedger + ReverseLoads>(ledger: &S, run: &str) -> Result<(), Error> {
    a_replay_is_claimed_only_as_the_file_was_seen(ledger, run).await?;
    a_file_stays_as_it_is_until_its_replay_is_decided(ledger, run).await?;
    a_replay_goes_on_from_its_checkpoint_and_another_one_begins_anew(ledger, run).await?;
    a_file_that_is_quarantined_again_stays_open_or_closed(ledger, run).await?;
    a_replay_that_keeps_the_file_says_so(ledger, run).await?;
    a_successor_takes_the_claim_of_a_replay(ledger, run).await?;
    a_load_is_hidden_and_shown_again(ledger, run).await?;
    the_version_before_comes_back_with_the_head(ledger, run).await?;
    a_content_that_was_loaded_meanwhile_is_not_shown_twice(ledger, run).await?;
    super::history::the_past_is_kept(ledger, run).await
}

pub(super) fn replay(file: &FileVersion, generation: u32, request: &str) -> Replay {
    let load = LoadId::new(&FileId::of(file), &[2; 32], 1, generation);
    Replay { load, generation, request: request.to_owned(), opens: false }
}

pub(super) fn asked(entry: &Entry, replay: Replay, owner: &str, now_ms: u64) -> ReplayClaim {
    ReplayClaim {
        file: FileId::of(&entry.file),
        state: entry.state,
        seen: entry.load.clone(),
        replay,
        owner: owner.to_owned(),
        now_ms,
        lease_until_ms: now_ms + 100,
    }
}

pub(super) async fn replaying<S: WriteLedger>(
    ledger: &S,
    claim: &ReplayClaim,
) -> Result<(Fence, Entry), Error> {
    match ledger.claim_replay(claim).await? {
        ReplayClaimed::Mine(entry) => Ok((Fence::of(&entry), entry)),
        other => panic!("expected the replay to be granted to {}, found {other:?}", claim.owner),
    }
}

pub(super) async fn loaded<S: WriteLedger>(ledger: &S, file: &FileVersion) -> Result<Entry, Error> {
    let (fence, _) = mine(ledger, &claim(file, "first", 1_000)).await?;
    assert_eq!(ledger.commit(&commit(file, &fence)).await?, Committed::Done);
    read(ledger, file).await
}

pub(super) async fn read<S: WriteLedger>(ledger: &S, file: &FileVersion) -> Result<Entry, Error> {
    Ok(ledger.entry(&FileId::of(file)).await?.unwrap_or_else(|| panic!("no entry of {}", file.key)))
}

async fn a_replay_is_claimed_only_as_the_file_was_seen<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "replay claim");
    let never =
        Entry { load: LoadId::new(&FileId::of(&file), &[1; 32], 1, 0), ..loaded(ledger, &file).await? };
    let unknown = FileVersion { version: "v-unknown".to_owned(), ..file.clone() };
    let unknown =
        ReplayClaim { file: FileId::of(&unknown), ..asked(&never, replay(&file, 1, "r"), "a", 1_000) };
    assert!(matches!(ledger.claim_replay(&unknown).await?, ReplayClaimed::Unknown));
    let entry = read(ledger, &file).await?;
    for other in [
        ReplayClaim { state: State::Quarantined, ..asked(&entry, replay(&file, 1, "r"), "a", 1_000) },
        ReplayClaim { seen: replay(&file, 7, "r").load, ..asked(&entry, replay(&file, 1, "r"), "a", 1_000) },
    ] {
        let found = ledger.claim_replay(&other).await?;
        assert!(matches!(&found, ReplayClaimed::Over(seen) if *seen == entry), "found {found:?}");
    }
    let first = asked(&entry, replay(&file, 1, "r"), "a", 2_000);
    let (fence, claimed) = replaying(ledger, &first).await?;
    assert_eq!(
        (claimed.state, &claimed.load, claimed.fence),
        (State::Complete, &entry.load, entry.fence + 1)
    );
    let (_, again) = replaying(ledger, &first).await?;
    assert_eq!(again, claimed, "a claim whose answer was lost is answered as it stands");
    let held = ledger.claim_replay(&asked(&entry, replay(&file, 1, "other"), "b", 2_050)).await?;
    assert!(matches!(held, ReplayClaimed::Held { until_ms: 2_100 }), "found {held:?}");
    assert_eq!(ledger.release(&fence).await?, Fenced::Kept);
    let (_, taken) = replaying(ledger, &asked(&entry, replay(&file, 1, "r"), "b", 2_050)).await?;
    assert_eq!(taken.fence, claimed.fence + 1);
    assert_eq!(ledger.checkpoint(&fence, 5, 9_000).await?, Fenced::Lost, "the first one is a zombie now");
    Ok(())
}

async fn a_file_stays_as_it_is_until_its_replay_is_decided<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "replay swap");
    let before = loaded(ledger, &file).await?;
    ledger.announced(&FileId::of(&file), State::Complete).await?;
    let wanted = replay(&file, 1, "r");
    let (fence, claimed) = replaying(ledger, &asked(&before, wanted.clone(), "a", 2_000)).await?;
    assert_eq!(
        (claimed.state, &claimed.load, &claimed.outcome),
        (before.state, &before.load, &before.outcome)
    );
    let swap = commit(&file, &fence);
    assert_eq!(ledger.commit(&swap).await?, Committed::Done);
    assert_eq!(ledger.commit(&swap).await?, Committed::Done, "the answer was lost");
    let after = read(ledger, &file).await?;
    assert_eq!((after.state, &after.load, after.generation), (State::Complete, &wanted.load, 1));
    assert_eq!((after.loaded, after.announced, after.replay.as_ref()), (true, false, None));
    assert_eq!(after.replayed, Some(wanted.decided()));
    let late = ledger.claim_replay(&asked(&before, wanted, "late", 9_000)).await?;
    assert!(matches!(late, ReplayClaimed::Over(_)), "found {late:?}");
    Ok(())
}

async fn a_replay_goes_on_from_its_checkpoint_and_another_one_begins_anew<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "replay resumes");
    let entry = loaded(ledger, &file).await?;
    let (fence, begun) = replaying(ledger, &asked(&entry, replay(&file, 1, "r"), "a", 2_000)).await?;
    assert_eq!(begun.rows_written, 0);
    assert_eq!(ledger.checkpoint(&fence, 500, 2_100).await?, Fenced::Kept);
    let (dead, resumed) = replaying(ledger, &asked(&entry, replay(&file, 1, "r"), "b", 3_000)).await?;
    assert_eq!((resumed.rows_written, resumed.deaths), (500, 0));
    ledger.died(&dead).await?;
    let (_, counted) = replaying(ledger, &asked(&entry, replay(&file, 1, "r"), "c", 4_000)).await?;
    assert_eq!((counted.rows_written, counted.deaths), (500, 1));
    let (_, anew) = replaying(ledger, &asked(&entry, replay(&file, 1, "other"), "d", 5_000)).await?;
    assert_eq!((anew.rows_written, anew.deaths, anew.counted_fence), (0, 0, counted.fence));
    Ok(())
}

async fn a_file_that_is_quarantined_again_stays_open_or_closed<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    for (name, closed, opens, expected) in
        [("open", false, false, true), ("closed", true, false, false), ("opened", true, true, true)]
    {
        let file = file(run, &format!("replay {name}"));
        let (fence, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
        assert_eq!(ledger.finish(&fence, &outcome(State::Quarantined), 2_000).await?, Fenced::Kept);
        if closed {
            ledger.close(&fence.file, &fence.file, 5_000).await?;
        }
        let entry = read(ledger, &file).await?;
        let wanted = Replay { opens, ..replay(&file, 1, "r") };
        let (fence, _) = replaying(ledger, &asked(&entry, wanted, "b", 2_000)).await?;
        assert_eq!(ledger.finish(&fence, &outcome(State::Quarantined), 2_000).await?, Fenced::Kept);
        let after = read(ledger, &file).await?;
        assert_eq!((after.open, after.generation, after.loaded), (expected, 1, false), "{name}");
        let (fence, _) = replaying(ledger, &asked(&after, replay(&file, 2, "s"), "c", 3_000)).await?;
        assert_eq!(ledger.commit(&commit(&file, &fence)).await?, Committed::Done);
        assert!(!read(ledger, &file).await?.open, "a good file is open no longer");
    }
    Ok(())
}

async fn a_replay_that_keeps_the_file_says_so<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "replay kept");
    let entry = loaded(ledger, &file).await?;
    let (fence, _) = replaying(ledger, &asked(&entry, replay(&file, 1, "r"), "a", 2_000)).await?;
    let fault = Some("HEADER".to_owned());
    let kept = Replayed { request: "r".to_owned(), result: ReplayResult::Kept, fault };
    assert_eq!(ledger.end_replay(&fence, &kept, 3_000).await?, Fenced::Kept);
    assert_eq!(ledger.end_replay(&fence, &kept, 3_000).await?, Fenced::Kept, "the answer was lost");
    let after = read(ledger, &file).await?;
    assert_eq!((&after.load, after.state, after.generation), (&entry.load, State::Complete, 0));
    assert_eq!((after.replay.as_ref(), after.replayed.as_ref()), (None, Some(&kept)));
    assert_eq!(ledger.commit(&commit(&file, &fence)).await?, Committed::Lost);
    assert_eq!(ledger.end_replay(&fence, &Replayed { fault: None, ..kept }, 3_000).await?, Fenced::Lost);
    Ok(())
}

async fn a_successor_takes_the_claim_of_a_replay<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let older = file(run, "replay superseded");
    let newer = FileVersion { version: "v-newer".to_owned(), ..older.clone() };
    let (fence, _) = mine(ledger, &claim(&older, "a", 1_000)).await?;
    let mut first = commit(&older, &fence);
    first.head = Some(HeadMove { from: None, to: head(&older), receipt: None, retracted: false });
    assert_eq!(ledger.commit(&first).await?, Committed::Done);
    let entry = read(ledger, &older).await?;
    let (replayed, _) = replaying(ledger, &asked(&entry, replay(&older, 1, "r"), "b", 2_000)).await?;
    let (fence, _) = mine(ledger, &claim(&newer, "c", 2_000)).await?;
    let mut second = commit(&newer, &fence);
    second.head = Some(super::replacing(&older, &newer));
    assert_eq!(ledger.commit(&second).await?, Committed::Done);
    assert_eq!(ledger.commit(&commit(&older, &replayed)).await?, Committed::Lost);
    let after = read(ledger, &older).await?;
    assert_eq!((after.state, after.loaded, after.replay), (State::Superseded, true, None));
    Ok(())
}

pub(super) fn change(entry: &Entry, to: State, receipt: &str, other: Option<&Entry>) -> StateChange {
    StateChange {
        file: FileId::of(&entry.file),
        load: entry.load.clone(),
        from: entry.state,
        to,
        receipt: receipt.to_owned(),
        other: other.map(|other| FileId::of(&other.file)),
    }
}

pub(super) fn reversal(file: &FileVersion, changes: Vec<StateChange>) -> Reversal {
    Reversal { changes, key: file.key.clone(), head: None, content: None, dead: Vec::new(), at_ms: 4_000 }
}

async fn a_load_is_hidden_and_shown_again<S: WriteLedger + ReverseLoads>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "retract");
    let entry = loaded(ledger, &file).await?;
    ledger.announced(&FileId::of(&file), State::Complete).await?;
    let (replayed, _) = replaying(ledger, &asked(&entry, replay(&file, 1, "r"), "a", 2_000)).await?;
    let hide = reversal(&file, vec![change(&entry, State::Retracted, "retracted.json", None)]);
    assert_eq!(ledger.reverse(&hide).await?, Reversed::Done);
    assert_eq!(ledger.reverse(&hide).await?, Reversed::Done, "the answer was lost");
    assert_eq!(ledger.commit(&commit(&file, &replayed)).await?, Committed::Lost, "a replay loses its claim");
    let hidden = read(ledger, &file).await?;
    assert_eq!((hidden.state, hidden.announced, hidden.loaded), (State::Retracted, false, true));
    let Some(said) = &hidden.outcome else { panic!("expected an outcome") };
    assert_eq!((said.state, said.receipt.as_str()), (State::Retracted, "retracted.json"));
    let stale = reversal(&file, vec![change(&entry, State::Superseded, "x", Some(&entry))]);
    assert_eq!(ledger.reverse(&stale).await?, Reversed::Changed);
    let show = reversal(&file, vec![change(&hidden, State::Complete, "complete.json", None)]);
    assert_eq!(ledger.reverse(&show).await?, Reversed::Done);
    let shown = read(ledger, &file).await?;
    assert_eq!((shown.state, shown.announced, &shown.load), (State::Complete, false, &entry.load));

    let bad = super::file(run, "retract unloaded");
    let (fence, _) = mine(ledger, &claim(&bad, "a", 1_000)).await?;
    ledger.finish(&fence, &outcome(State::Superseded), 2_000).await?;
    let bad_entry = read(ledger, &bad).await?;
    let show = reversal(&bad, vec![change(&bad_entry, State::Complete, "complete.json", None)]);
    assert_eq!(ledger.reverse(&show).await?, Reversed::Changed, "a load without its rows is not shown");
    Ok(())
}

async fn the_version_before_comes_back_with_the_head<S: WriteLedger + ReverseLoads>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let older = file(run, "retract head");
    let newer = FileVersion { version: "v-newer".to_owned(), ..older.clone() };
    for (file, head) in [
        (&older, HeadMove { from: None, to: head(&older), receipt: None, retracted: false }),
        (&newer, super::replacing(&older, &newer)),
    ] {
        let (fence, _) = mine(ledger, &claim(file, "a", 1_000)).await?;
        let mut moving = commit(file, &fence);
        moving.head = Some(head);
        assert_eq!(ledger.commit(&moving).await?, Committed::Done);
    }
    let (before, visible) = (read(ledger, &older).await?, read(ledger, &newer).await?);
    let changes = vec![
        change(&visible, State::Retracted, "retracted.json", None),
        change(&before, State::Complete, "complete.json", None),
    ];
    let back = |from: &FileVersion, to: &FileVersion| {
        Some(HeadMove { from: Some(head(from)), to: head(to), receipt: None, retracted: false })
    };
    let moved = Reversal { head: back(&older, &newer), ..reversal(&newer, changes.clone()) };
    assert_eq!(ledger.reverse(&moved).await?, Reversed::Changed, "the head is not what was seen");
    assert_eq!(read(ledger, &newer).await?, visible, "all of it or nothing");
    let retract = Reversal { head: back(&newer, &older), ..reversal(&newer, changes) };
    assert_eq!(ledger.reverse(&retract).await?, Reversed::Done);
    assert_eq!(ledger.head(&older.key).await?, Some(head(&older)));
    let (again, hidden) = (read(ledger, &older).await?, read(ledger, &newer).await?);
    assert_eq!((again.state, hidden.state), (State::Complete, State::Retracted));
    assert_eq!(again.outcome.as_ref().and_then(|outcome| outcome.other.clone()), None);

    let retracted_holder =
        HeadMove { retracted: true, ..back(&older, &newer).unwrap_or_else(|| panic!("a move")) };
    let third = FileVersion { version: "v-third".to_owned(), ..older.clone() };
    let (fence, _) = mine(ledger, &claim(&third, "a", 1_000)).await?;
    let mut over = commit(&third, &fence);
    over.head = Some(HeadMove { to: head(&third), ..retracted_holder });
    assert_eq!(ledger.commit(&over).await?, Committed::HeadMoved, "the holder of the head is visible");

    let changes = vec![
        change(&hidden, State::Complete, "complete.json", None),
        change(&again, State::Superseded, "superseded.json", Some(&hidden)),
    ];
    let mut lost = commit(&third, &fence);
    lost.outcome.state = State::Superseded;
    lost.outcome.other = Some(FileId::of(&newer));
    assert_eq!(ledger.commit(&lost).await?, Committed::HeadMoved, "the newer version is retracted");
    let undo = Reversal { head: back(&older, &newer), ..reversal(&newer, changes) };
    assert_eq!(ledger.reverse(&undo).await?, Reversed::Done);
    assert_eq!(ledger.head(&older.key).await?, Some(head(&newer)));
    let superseded = read(ledger, &older).await?;
    let other = superseded.outcome.and_then(|outcome| outcome.other);
    assert_eq!((superseded.state, other), (State::Superseded, Some(FileId::of(&newer))));
    assert_eq!(ledger.commit(&lost).await?, Committed::Done);
    assert_eq!(ledger.commit(&lost).await?, Committed::Done, "the answer was lost");
    assert_eq!(read(ledger, &third).await?.outcome, Some(lost.outcome));
    assert_eq!(read(ledger, &newer).await?.state, State::Complete, "it stays as it was");
    Ok(())
}

async fn a_content_that_was_loaded_meanwhile_is_not_shown_twice<S: WriteLedger + ReverseLoads>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let content = ContentClaim {
        partner: "clinic".to_owned(),
        feed: "labs".to_owned(),
        sha256: format!("{run}-retracted content"),
    };
    let (first, second) = (file(run, "retract content 1"), file(run, "retract content 2"));
    let take = async |file: &FileVersion| -> Result<Entry, Error> {
        let (fence, _) = mine(ledger, &claim(file, "a", 1_000)).await?;
        let mut taking = commit(file, &fence);
        taking.content = Some(content.clone());
        assert_eq!(ledger.commit(&taking).await?, Committed::Done);
        read(ledger, file).await
    };
    let entry = take(&first).await?;
    let hide = reversal(&first, vec![change(&entry, State::Retracted, "retracted.json", None)]);
    assert_eq!(ledger.reverse(&hide).await?, Reversed::Done);
    let other = take(&second).await?;
    let hidden = read(ledger, &first).await?;
    let show = Reversal {
        content: Some(content.clone()),
        ..reversal(&first, vec![change(&hidden, State::Complete, "complete.json", None)])
    };
    assert_eq!(ledger.reverse(&show).await?, Reversed::Duplicate(FileId::of(&second)));
    let hide = reversal(&second, vec![change(&other, State::Retracted, "retracted.json", None)]);
    assert_eq!(ledger.reverse(&hide).await?, Reversed::Done);
    assert_eq!(ledger.reverse(&show).await?, Reversed::Done, "nobody has the content any more");
    Ok(())
}
