//! What both implementations must do, as functions that run against either: the unit tests run them on the in-memory
//! twin, the end-to-end tests on AWS's stand-in.
//!
//! Each takes a `run` name that was never used on this store, from which it makes its keys.

pub mod api;
mod audit;
mod dead;
mod history;
mod holds;
mod open;
mod replays;
mod source;

pub use audit::auditing_behaves;
pub use dead::dead_loads_behave;
pub use holds::holds_behave;
pub use open::acknowledging_behaves;
pub use replays::replays_behave;
pub use source::copying_behaves;

use crate::{
    Claim, Claimed, Commit, Committed, Condition, ContentClaim, ContractPut, ContractText, Entry, Error,
    Fence, Fenced, FileId, FileVersion, Head, HeadMove, LoadId, OpenUploads, Order, Original, Outcome,
    ReadContracts, ReadInbox, State, Upload, WriteContracts, WriteLedger, WriteQuarantine,
};

/// Checks the ledger: claims, fences, terminal states, heads and contents.
///
/// # Panics
/// Where the ledger behaves otherwise.
pub async fn ledger_behaves<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    a_claim_is_exclusive_until_its_lease_ends(ledger, run).await?;
    a_claim_of_ones_own_is_answered_as_it_stands(ledger, run).await?;
    another_load_begins_anew(ledger, run).await?;
    a_release_lets_the_next_one_in(ledger, run).await?;
    a_death_counts_once_for_each_claim(ledger, run).await?;
    a_lost_fence_writes_nothing(ledger, run).await?;
    a_terminal_entry_stays(ledger, run).await?;
    a_commit_twice_is_one_commit(ledger, run).await?;
    a_head_moves_only_from_what_was_seen(ledger, run).await?;
    a_head_without_a_receipt_leaves_the_older_entry_alone(ledger, run).await?;
    a_content_is_taken_once(ledger, run).await?;
    an_announcement_is_noted(ledger, run).await?;
    open::open_files_behave(ledger, run).await
}

/// Objects and rows that need nothing in the inbox: what is missing is missing, what is written is written.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn writing_behaves<S: ReadInbox + ReadContracts + WriteQuarantine>(
    store: &S,
    inbox: &str,
    run: &str,
) -> Result<(), Error> {
    let mut missing = file(run, "missing");
    inbox.clone_into(&mut missing.bucket);
    assert!(store.versions(inbox, &missing.key).await?.is_empty(), "a key that never was has no versions");
    let copied = store.keep_original(&missing, &format!("{run}/original"), &OpenUploads::default()).await?;
    assert_eq!(copied, Original::Gone, "what is not there is not copied");
    assert!(store.contract(&format!("{run}-none")).await?.is_none(), "no contract");
    store.put(&format!("{run}/report.json"), "application/json", "{}".into()).await?;
    let mut upload =
        store.upload(&format!("{run}/rejects.ndjson"), "application/x-ndjson", &OpenUploads::default());
    let mebibyte = vec![b'x'; 1024 * 1024];
    for _ in 0..17 {
        upload.write(&mebibyte).await?;
    }
    upload.finish().await?;
    store.upload(&format!("{run}/empty"), "text/plain", &OpenUploads::default()).finish().await
}

/// Checks that a version of a contract is published under its condition and under no other.
///
/// # Panics
/// Where the store behaves otherwise.
pub async fn publishing_behaves<S: ReadContracts + WriteContracts>(
    store: &S,
    run: &str,
) -> Result<(), Error> {
    let feed = format!("{run}-published");
    let replaces = |etag: &str| Condition::Replaces(etag.to_owned());
    let none = store.put_contract(&feed, "a".into(), &replaces("0123456789abcdef0123456789abcdef")).await?;
    assert_eq!(none, ContractPut::Conflict, "there is nothing to replace");
    let ContractPut::Written(first) = store.put_contract(&feed, "a".into(), &Condition::Absent).await? else {
        panic!("there was none")
    };
    let again = store.put_contract(&feed, "b".into(), &Condition::Absent).await?;
    assert_eq!(again, ContractPut::Conflict, "there is one");
    let seen = store.contract(&feed).await?.unwrap_or_else(|| panic!("it was published"));
    assert_eq!((&seen.version, &seen.text), (&first, &ContractText::Whole("a".into())));
    let ContractPut::Written(second) = store.put_contract(&feed, "b".into(), &replaces(&seen.etag)).await?
    else {
        panic!("it is what was seen")
    };
    let late = store.put_contract(&feed, "c".into(), &replaces(&seen.etag)).await?;
    assert_eq!(late, ContractPut::Conflict, "it was replaced");
    assert_eq!(store.contract_versions(&feed).await?, [second, first]);
    Ok(())
}

fn file(run: &str, name: &str) -> FileVersion {
    FileVersion {
        bucket: "inbox".to_owned(),
        key: format!("clinic/labs/{run}/{name} ü+.csv"),
        version: format!("v-{name}"),
        etag: Some("tag".to_owned()),
    }
}

fn order(text: &str) -> Order {
    Order::parse(text).unwrap_or_else(|| panic!("{text} is no order"))
}

fn claim(file: &FileVersion, owner: &str, now_ms: u64) -> Claim {
    Claim {
        file: file.clone(),
        partner: "clinic".to_owned(),
        feed: "labs".to_owned(),
        load: LoadId::new(&FileId::of(file), &[1; 32], 1, 0),
        owner: owner.to_owned(),
        order: order(&format!("2026-11-21T00:00:00Z/{now_ms}")),
        now_ms,
        lease_until_ms: now_ms + 100,
    }
}

fn outcome(state: State) -> Outcome {
    Outcome {
        counts: checker::Counts { records: 3, rows: 2, rejects: 1, dropped: 0, warnings: 0 },
        sha256: "ab".repeat(32),
        bytes: 77,
        contract_version: "1.0.0".to_owned(),
        contract_hash: "cd".repeat(32),
        receipt: "clinic/labs/receipt.json".to_owned(),
        quarantine: Some("clinic/labs/prefix".to_owned()),
        ..Outcome::new(state)
    }
}

async fn mine<S: WriteLedger>(ledger: &S, claim: &Claim) -> Result<(Fence, Entry), Error> {
    match ledger.claim(claim).await? {
        Claimed::Mine(entry) => {
            assert_eq!((&entry.file, &entry.owner), (&claim.file, &claim.owner));
            Ok((Fence::of(&entry), entry))
        }
        other => panic!("expected the claim of {} to be granted, found {other:?}", claim.owner),
    }
}

async fn a_claim_is_exclusive_until_its_lease_ends<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "exclusive");
    let (fence, entry) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    assert_eq!((entry.fence, entry.deaths, entry.counted_fence, entry.rows_written), (1, 0, 0, 0));
    assert_eq!((&entry.file, entry.state, entry.lease_until_ms), (&file, State::Processing, 1_100));
    let held = ledger.claim(&claim(&file, "b", 1_050)).await?;
    assert!(matches!(held, Claimed::Held { until_ms: 1_100 }), "found {held:?}");
    assert_eq!(ledger.checkpoint(&fence, 500, 1_200).await?, Fenced::Kept);
    let held = ledger.claim(&claim(&file, "b", 1_199)).await?;
    assert!(matches!(held, Claimed::Held { until_ms: 1_200 }), "found {held:?}");

    let (_, entry) = mine(ledger, &claim(&file, "b", 1_200)).await?;
    assert_eq!((entry.fence, entry.deaths, entry.rows_written), (2, 0, 500));
    assert_eq!(entry.order.as_str(), "2026-11-21T00:00:00Z/1000", "the first claim pins the order");
    assert_eq!(ledger.entry(&fence.file).await?, Some(entry));
    Ok(())
}

async fn a_claim_of_ones_own_is_answered_as_it_stands<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "own");
    let (_, first) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    let (_, again) = mine(ledger, &claim(&file, "a", 1_001)).await?;
    assert_eq!(first, again);
    Ok(())
}

async fn another_load_begins_anew<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "reload");
    let (fence, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    ledger.checkpoint(&fence, 500, 1_100).await?;
    let (dead, _) = mine(ledger, &claim(&file, "b", 2_000)).await?;
    ledger.died(&dead).await?;
    let mut reload = claim(&file, "c", 3_000);
    reload.load = LoadId::new(&FileId::of(&file), &[2; 32], 1, 0);
    let (_, entry) = mine(ledger, &reload).await?;
    assert_eq!((entry.fence, entry.deaths, entry.counted_fence, entry.rows_written), (3, 0, 2, 0));
    assert_eq!(entry.load, reload.load);
    let (_, again) = mine(ledger, &reload).await?;
    assert_eq!(entry, again);
    Ok(())
}

async fn a_release_lets_the_next_one_in<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "release");
    let (fence, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    assert_eq!(ledger.release(&fence).await?, Fenced::Kept);
    assert_eq!(ledger.release(&fence).await?, Fenced::Kept);
    let (_, entry) = mine(ledger, &claim(&file, "b", 1_001)).await?;
    assert_eq!((entry.fence, entry.deaths), (2, 0));
    assert_eq!(ledger.release(&fence).await?, Fenced::Lost);
    Ok(())
}

async fn a_death_counts_once_for_each_claim<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "death");
    let unknown = Fence { file: FileId::of(&file), fence: 1, owner: "a".to_owned(), replay: None };
    ledger.died(&unknown).await?;
    assert_eq!(ledger.entry(&unknown.file).await?, None, "a death makes no entry");
    let (first, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    ledger.died(&first).await?;
    ledger.died(&first).await?;
    let (second, entry) = mine(ledger, &claim(&file, "b", 2_000)).await?;
    assert_eq!((entry.deaths, entry.counted_fence), (1, 1), "once");
    let (third, _) = mine(ledger, &claim(&file, "c", 3_000)).await?;
    ledger.died(&second).await?;
    ledger.died(&first).await?;
    let never = Fence { fence: 9, ..third.clone() };
    ledger.died(&never).await?;
    let (_, entry) = mine(ledger, &claim(&file, "c", 3_000)).await?;
    assert_eq!(
        (entry.deaths, entry.lease_until_ms),
        (2, 3_100),
        "also after another claim, which keeps its lease"
    );
    ledger.checkpoint(&third, 7, 3_200).await?;
    ledger.died(&second).await?;
    let (_, entry) = mine(ledger, &claim(&file, "c", 3_000)).await?;
    assert_eq!((entry.deaths, entry.counted_fence), (0, 2), "a checkpoint begins anew");
    ledger.died(&third).await?;
    let (fourth, entry) = mine(ledger, &claim(&file, "d", 4_000)).await?;
    assert_eq!((entry.deaths, entry.rows_written), (1, 7));
    assert_eq!(ledger.finish(&fourth, &outcome(State::Quarantined), 2_000).await?, Fenced::Kept);
    ledger.died(&fourth).await?;
    let entry = ledger.entry(&fourth.file).await?;
    assert_eq!(entry.map(|entry| entry.deaths), Some(1), "a terminal entry stays");
    Ok(())
}

async fn a_lost_fence_writes_nothing<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "zombie");
    let (zombie, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    let (_, entry) = mine(ledger, &claim(&file, "b", 2_000)).await?;
    assert_eq!(ledger.checkpoint(&zombie, 9, 9_000).await?, Fenced::Lost);
    assert_eq!(ledger.release(&zombie).await?, Fenced::Lost);
    assert_eq!(ledger.finish(&zombie, &outcome(State::Quarantined), 2_000).await?, Fenced::Lost);
    assert_eq!(ledger.commit(&commit(&file, &zombie)).await?, Committed::Lost);
    let mut with_head = commit(&file, &zombie);
    with_head.head = Some(HeadMove { from: None, to: head(&file), receipt: None, retracted: false });
    assert_eq!(ledger.commit(&with_head).await?, Committed::Lost);
    assert_eq!(ledger.entry(&zombie.file).await?, Some(entry));
    assert_eq!(ledger.head(&file.key).await?, None);
    Ok(())
}

async fn a_terminal_entry_stays<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "terminal");
    let (fence, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    let mut rejected = outcome(State::Quarantined);
    rejected.fault = Some("HEADER".to_owned());
    assert_eq!(ledger.finish(&fence, &rejected, 2_000).await?, Fenced::Kept);
    assert_eq!(ledger.finish(&fence, &rejected, 2_000).await?, Fenced::Kept, "the same decision again");
    assert_eq!(ledger.finish(&fence, &outcome(State::Gone), 2_000).await?, Fenced::Lost, "another decision");
    assert_eq!(ledger.commit(&commit(&file, &fence)).await?, Committed::Lost);
    assert_eq!(ledger.checkpoint(&fence, 1, 9_000).await?, Fenced::Lost);
    assert_eq!(ledger.release(&fence).await?, Fenced::Lost);
    let found = ledger.claim(&claim(&file, "b", 9_000)).await?;
    let Claimed::Terminal(entry) = found else { panic!("expected terminal, found {found:?}") };
    assert_eq!((entry.state, entry.outcome), (State::Quarantined, Some(rejected)));
    Ok(())
}

fn commit(file: &FileVersion, fence: &Fence) -> Commit {
    Commit {
        fence: fence.clone(),
        file: file.clone(),
        outcome: outcome(State::Complete),
        head: None,
        content: None,
        dead: Vec::new(),
        at_ms: 2_000,
    }
}

fn head(file: &FileVersion) -> Head {
    let id = FileId::of(file);
    Head { version: file.version.clone(), load: LoadId::new(&id, &[1; 32], 1, 0), file: id }
}

fn replacing(older: &FileVersion, newer: &FileVersion) -> HeadMove {
    let receipt = Some("clinic/labs/superseded.json".to_owned());
    HeadMove { from: Some(head(older)), to: head(newer), receipt, retracted: false }
}

async fn a_commit_twice_is_one_commit<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "commit");
    let (fence, _) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    assert_eq!(ledger.commit(&commit(&file, &fence)).await?, Committed::Done);
    assert_eq!(ledger.commit(&commit(&file, &fence)).await?, Committed::Done);
    let entry = ledger.entry(&fence.file).await?;
    assert_eq!(entry.map(|entry| (entry.state, entry.lease_until_ms)), Some((State::Complete, 0)));
    Ok(())
}

async fn a_head_moves_only_from_what_was_seen<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let older = file(run, "head");
    let newer = FileVersion { version: "v-newer".to_owned(), ..older.clone() };
    assert_eq!(ledger.head(&older.key).await?, None);
    let (older_fence, _) = mine(ledger, &claim(&older, "a", 1_000)).await?;
    let mut first = commit(&older, &older_fence);
    first.head = Some(HeadMove { from: None, to: head(&older), receipt: None, retracted: false });
    assert_eq!(ledger.commit(&first).await?, Committed::Done);
    assert_eq!(ledger.commit(&first).await?, Committed::Done, "the answer was lost");

    let (newer_fence, _) = mine(ledger, &claim(&newer, "b", 1_000)).await?;
    let mut second = commit(&newer, &newer_fence);
    second.head = Some(HeadMove { from: None, to: head(&newer), receipt: None, retracted: false });
    assert_eq!(ledger.commit(&second).await?, Committed::HeadMoved);
    assert_eq!(ledger.head(&older.key).await?, Some(head(&older)));
    ledger.announced(&older_fence.file, State::Complete).await?;
    second.head = Some(replacing(&older, &newer));
    assert_eq!(ledger.commit(&second).await?, Committed::Done);
    assert_eq!(ledger.head(&older.key).await?, Some(head(&newer)));

    let Some(superseded) = ledger.entry(&older_fence.file).await? else { panic!("expected an entry") };
    assert_eq!((superseded.state, superseded.announced), (State::Superseded, false), "to be announced anew");
    let Some(outcome) = superseded.outcome else { panic!("expected an outcome") };
    assert_eq!((outcome.state, outcome.other.as_ref()), (State::Superseded, Some(&newer_fence.file)));
    assert_eq!(outcome.receipt, "clinic/labs/superseded.json");
    ledger.announced(&older_fence.file, State::Complete).await?;
    let noted = ledger.entry(&older_fence.file).await?.map(|entry| entry.announced);
    assert_eq!(noted, Some(false), "the published version is not the one in force");
    assert_eq!(ledger.commit(&first).await?, Committed::Done, "it was visible once");
    assert_eq!(ledger.head(&older.key).await?, Some(head(&newer)));
    Ok(())
}

async fn a_head_without_a_receipt_leaves_the_older_entry_alone<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let older = file(run, "left alone");
    let newer = FileVersion { version: "v-newer".to_owned(), ..older.clone() };
    for (file, from) in [(&older, None), (&newer, Some(head(&older)))] {
        let (fence, _) = mine(ledger, &claim(file, "a", 1_000)).await?;
        let mut moving = commit(file, &fence);
        moving.head = Some(HeadMove { from, to: head(file), receipt: None, retracted: false });
        assert_eq!(ledger.commit(&moving).await?, Committed::Done);
    }
    let left = ledger.entry(&FileId::of(&older)).await?;
    assert_eq!(left.map(|entry| entry.state), Some(State::Complete));
    assert_eq!(ledger.head(&older.key).await?, Some(head(&newer)));
    Ok(())
}

async fn a_content_is_taken_once<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let content = ContentClaim {
        partner: "clinic".to_owned(),
        feed: "labs".to_owned(),
        sha256: format!("{run}-content"),
    };
    let first = file(run, "content 1");
    let (first_fence, _) = mine(ledger, &claim(&first, "a", 1_000)).await?;
    let mut taking = commit(&first, &first_fence);
    taking.content = Some(content.clone());
    taking.head = Some(HeadMove { from: None, to: head(&first), receipt: None, retracted: false });
    assert_eq!(ledger.commit(&taking).await?, Committed::Done);

    let second = file(run, "content 2");
    let (second_fence, _) = mine(ledger, &claim(&second, "a", 1_000)).await?;
    let mut repeating = commit(&second, &second_fence);
    repeating.content = Some(content);
    let answer = ledger.commit(&repeating).await?;
    assert_eq!(answer, Committed::Duplicate(first_fence.file.clone()));

    // Another version takes the place of the first: its content is free again.
    let newer = FileVersion { version: "v-newer".to_owned(), ..first.clone() };
    let (newer_fence, _) = mine(ledger, &claim(&newer, "a", 1_000)).await?;
    let mut superseding = commit(&newer, &newer_fence);
    superseding.head = Some(replacing(&first, &newer));
    assert_eq!(ledger.commit(&superseding).await?, Committed::Done);
    assert_eq!(ledger.commit(&repeating).await?, Committed::Done);
    Ok(())
}

async fn an_announcement_is_noted<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let file = file(run, "announced");
    assert!(ledger.announced(&FileId::of(&file), State::Gone).await.is_err(), "an unknown file");
    let (fence, entry) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    assert!(!entry.announced);
    ledger.finish(&fence, &outcome(State::Gone), 2_000).await?;
    ledger.announced(&fence.file, State::Gone).await?;
    ledger.announced(&fence.file, State::Gone).await?;
    assert!(ledger.entry(&fence.file).await?.is_some_and(|entry| entry.announced));
    Ok(())
}
