//! Dead loads: noted by what hides them, listed until their rows are deleted.

use ledger::{CleanUp, CleanUpRequest, DEAD_SHARDS, DeadLoad, GivenUp};

use super::{claim, commit, file, mine};
use crate::{
    Committed, Entry, Error, FileId, FileVersion, ListDead, Reversal, ReverseLoads, Reversed, State,
    StateChange, WriteDead, WriteLedger,
};

/// Checks what the ledger promises of loads that nobody sees any more.
///
/// # Panics
/// Where the ledger behaves otherwise.
pub async fn dead_loads_behave<S>(ledger: &S, run: &str) -> Result<(), Error>
where
    S: WriteLedger + ReverseLoads + WriteDead + ListDead,
{
    a_load_that_a_commit_hides_is_listed_until_it_is_cleaned_up(ledger, run).await?;
    a_load_that_is_shown_again_keeps_its_rows(ledger, run).await?;
    a_load_that_was_given_up_is_never_shown_again(ledger, run).await
}

async fn loaded<S: WriteLedger>(ledger: &S, file: &FileVersion) -> Result<Entry, Error> {
    let (fence, _) = mine(ledger, &claim(file, "first", 1_000)).await?;
    assert_eq!(ledger.commit(&commit(file, &fence)).await?, Committed::Done);
    read(ledger, file).await
}

async fn read<S: WriteLedger>(ledger: &S, file: &FileVersion) -> Result<Entry, Error> {
    Ok(ledger.entry(&FileId::of(file)).await?.unwrap_or_else(|| panic!("no entry of {}", file.key)))
}

fn dead(entry: &Entry, since_ms: u64) -> DeadLoad {
    DeadLoad::of(entry, since_ms).unwrap_or_else(|| panic!("{} has rows", entry.file.key))
}

/// Returns whether the index lists the load for those that were hidden until then. It may lag behind.
async fn is_listed<S: ListDead>(ledger: &S, dead: &DeadLoad, until_ms: u64) -> Result<bool, Error> {
    let wanted = CleanUpRequest { load: dead.load.clone(), since_ms: dead.since_ms };
    let mut shards = Vec::new();
    for shard in 0..DEAD_SHARDS {
        if ledger.dead_loads(shard, until_ms, 100).await?.contains(&wanted) {
            shards.push(shard);
        }
    }
    assert!(shards.iter().all(|shard| *shard == dead.shard()), "{shards:?}");
    Ok(!shards.is_empty())
}

fn reversal(entry: &Entry, to: State, dead: Vec<DeadLoad>) -> Reversal {
    let change = StateChange {
        file: FileId::of(&entry.file),
        load: entry.load.clone(),
        from: entry.state,
        to,
        receipt: format!("{}.json", to.as_str()),
        other: None,
    };
    Reversal {
        changes: vec![change],
        key: entry.file.key.clone(),
        head: None,
        content: None,
        dead,
        at_ms: 4_000,
    }
}

async fn a_load_that_a_commit_hides_is_listed_until_it_is_cleaned_up<S>(
    ledger: &S,
    run: &str,
) -> Result<(), Error>
where
    S: WriteLedger + WriteDead + ListDead,
{
    let (older, newer) = (file(run, "dead older"), file(run, "dead newer"));
    let old = dead(&loaded(ledger, &older).await?, 5_000);
    assert_eq!(ledger.dead_load(&old.load).await?, None);
    let (fence, _) = mine(ledger, &claim(&newer, "second", 2_000)).await?;
    let hiding = crate::Commit { dead: vec![old.clone()], ..commit(&newer, &fence) };
    assert_eq!(ledger.commit(&hiding).await?, Committed::Done);
    assert_eq!(ledger.commit(&hiding).await?, Committed::Done, "a lost answer costs nothing");
    assert!(is_listed(ledger, &old, 5_000).await?);
    assert!(!is_listed(ledger, &old, 4_999).await?, "not before its time");
    assert_eq!(ledger.dead_load(&old.load).await?, Some(CleanUp { dead: old.clone(), deleted: 0 }));

    assert!(ledger.note_deleted(&old, 3).await?);
    assert_eq!(ledger.dead_load(&old.load).await?.map(|found| found.deleted), Some(3));
    let anew = DeadLoad { since_ms: 6_000, ..old.clone() };
    assert!(!ledger.note_deleted(&anew, 7).await?, "it was not hidden then");
    ledger.end_clean_up(&anew).await?;
    assert_eq!(ledger.dead_load(&old.load).await?.map(|found| found.deleted), Some(3));
    ledger.end_clean_up(&old).await?;
    ledger.end_clean_up(&old).await?;
    assert_eq!(ledger.dead_load(&old.load).await?, None);
    assert!(!is_listed(ledger, &old, 9_000).await? && !ledger.note_deleted(&old, 4).await?);
    Ok(())
}

async fn a_load_that_is_shown_again_keeps_its_rows<S>(ledger: &S, run: &str) -> Result<(), Error>
where
    S: WriteLedger + ReverseLoads + WriteDead,
{
    let file = file(run, "dead shown");
    let entry = loaded(ledger, &file).await?;
    assert_eq!(ledger.give_up(&entry.load).await?, GivenUp::Visible, "what is visible is never given up");
    let hidden = dead(&entry, 5_000);
    let hide = reversal(&entry, State::Retracted, vec![hidden.clone()]);
    assert_eq!(ledger.reverse(&hide).await?, Reversed::Done);
    let show = reversal(&read(ledger, &file).await?, State::Complete, Vec::new());
    assert_eq!(ledger.reverse(&show).await?, Reversed::Done);
    assert_eq!(ledger.give_up(&hidden.load).await?, GivenUp::Visible);
    assert!(read(ledger, &file).await?.loaded);
    // It is hidden once more before the clean-up ends: that one is another request.
    let again = DeadLoad { since_ms: 8_000, ..hidden.clone() };
    let hide = reversal(&read(ledger, &file).await?, State::Retracted, vec![again.clone()]);
    assert_eq!(ledger.reverse(&hide).await?, Reversed::Done);
    ledger.end_clean_up(&hidden).await?;
    assert_eq!(ledger.dead_load(&hidden.load).await?.map(|found| found.dead), Some(again));
    Ok(())
}

async fn a_load_that_was_given_up_is_never_shown_again<S>(ledger: &S, run: &str) -> Result<(), Error>
where
    S: WriteLedger + ReverseLoads + WriteDead,
{
    let file = file(run, "dead given up");
    let entry = loaded(ledger, &file).await?;
    let hide = reversal(&entry, State::Retracted, vec![dead(&entry, 5_000)]);
    assert_eq!(ledger.reverse(&hide).await?, Reversed::Done);
    let hidden = read(ledger, &file).await?;
    assert_eq!(ledger.give_up(&entry.load).await?, GivenUp::Dead);
    assert_eq!(ledger.give_up(&entry.load).await?, GivenUp::Dead, "twice is once");
    assert!(!read(ledger, &file).await?.loaded);
    let show = reversal(&hidden, State::Complete, Vec::new());
    assert_eq!(ledger.reverse(&show).await?, Reversed::Changed);
    // Of a file that the ledger does not have, and of a load that a replay replaced, nothing is left to take.
    let other = ledger::LoadId::new(&FileId::of(&file), &[9; 32], 1, 4);
    assert_eq!(ledger.give_up(&other).await?, GivenUp::Dead);
    Ok(())
}
