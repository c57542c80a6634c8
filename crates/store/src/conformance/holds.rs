//! Holds: files of a held feed wait, and none begins to wait after the release.

use super::{claim, file, mine, outcome};
use crate::{
    Arn, Claim, Claimed, Error, Fenced, FileHeld, FileId, FileQuery, Hold, HoldFeeds, HoldFiles, HoldPut,
    ListedFile, LoadId, State, WriteLedger,
};

/// Checks holds of feeds and the files that wait.
///
/// # Panics
/// Where they behave otherwise.
pub async fn holds_behave<S: WriteLedger + HoldFiles + HoldFeeds>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    a_feed_is_held_once_and_released_by_who_saw_it(ledger, run).await?;
    a_file_waits_only_while_its_feed_is_held(ledger, run).await?;
    a_file_that_waited_is_claimed_like_a_new_one(ledger, run).await?;
    what_was_begun_before_the_hold_stays(ledger, run).await
}

fn hold(run: &str, feed: &str, since_ms: u64) -> Hold {
    let ann = Arn::parse("arn:aws:iam::123456789012:user/ann");
    Hold {
        partner: "clinic".to_owned(),
        feed: format!("{run}-{feed}"),
        since_ms,
        by: ann.unwrap_or_else(|| panic!("no ARN")),
        reason: "the contract is not ready".to_owned(),
    }
}

fn claim_of(hold: &Hold, name: &str, owner: &str, now_ms: u64) -> Claim {
    Claim { feed: hold.feed.clone(), ..claim(&file(&hold.feed, name), owner, now_ms) }
}

async fn waiting<S: HoldFiles>(ledger: &S, hold: &Hold) -> Result<Vec<ListedFile>, Error> {
    let found = ledger.held_files(&hold.partner, &hold.feed, 100).await?;
    assert!(found.complete, "all of them");
    Ok(found.files)
}

async fn a_feed_is_held_once_and_released_by_who_saw_it<S: HoldFeeds>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let first = hold(run, "held", 1_000);
    assert_eq!(ledger.hold(&first.partner, &first.feed).await?, None);
    assert!(ledger.end_hold(&first).await?, "what is not held is released");
    assert_eq!(ledger.put_hold(&first).await?, HoldPut::Made);
    assert_eq!(ledger.put_hold(&first).await?, HoldPut::Made, "answered again");
    let second = Hold { since_ms: 2_000, ..first.clone() };
    assert_eq!(ledger.put_hold(&second).await?, HoldPut::Before(first.clone()));
    assert_eq!(ledger.hold(&first.partner, &first.feed).await?, Some(first.clone()));
    assert_eq!(ledger.hold(&first.partner, "other").await?, None);
    let later = hold(run, "held-later", 3_000);
    ledger.put_hold(&later).await?;
    let of_run = |hold: &Hold| hold.feed.starts_with(run);
    let holds: Vec<Hold> = ledger.holds().await?.into_iter().filter(of_run).collect();
    assert_eq!(holds, [first.clone(), later.clone()], "the oldest first");
    assert!(!ledger.end_hold(&second).await?, "another hold stays");
    assert!(ledger.end_hold(&first).await?);
    assert!(ledger.end_hold(&first).await?, "answered again");
    assert!(ledger.end_hold(&later).await?);
    assert!(!ledger.holds().await?.iter().any(of_run));
    Ok(())
}

async fn a_file_waits_only_while_its_feed_is_held<S: WriteLedger + HoldFiles + HoldFeeds>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let hold = hold(run, "waits", 1_000);
    let wanted = claim_of(&hold, "a", "a", 1_000);
    let id = FileId::of(&wanted.file);
    assert_eq!(ledger.hold_file(&wanted).await?, FileHeld::Released);
    assert_eq!(ledger.entry(&id).await?, None, "nothing is written");
    ledger.put_hold(&hold).await?;
    for now_ms in [1_000, 2_000] {
        let again = claim_of(&hold, "a", "b", now_ms);
        assert_eq!(ledger.hold_file(&again).await?, FileHeld::Waits);
    }
    let entry = ledger.entry(&id).await?.unwrap_or_else(|| panic!("it waits"));
    assert_eq!((entry.state, entry.fence, entry.open, entry.lease_until_ms), (State::Held, 0, false, 0));
    assert_eq!((&entry.order, &entry.load), (&wanted.order, &wanted.load), "pinned by the first");
    let listed = waiting(ledger, &hold).await?;
    assert_eq!(listed.iter().map(|file| (&file.file, file.state)).collect::<Vec<_>>(), [(&id, State::Held)]);
    let query = FileQuery {
        partner: hold.partner.clone(),
        feed: Some(hold.feed.clone()),
        state: Some(State::Held),
        limit: 10,
        ..FileQuery::default()
    };
    assert_eq!(ledger.files(&query).await?.files, listed);
    assert!(ledger.open_of_name("clinic", &wanted.file.key).await?.is_empty(), "it is not quarantined");
    let open = ledger.open_files(None, 10_000).await?;
    assert!(open.files.iter().all(|(_, file)| file.file != id));
    assert!(ledger.end_hold(&hold).await?);
    assert_eq!(ledger.hold_file(&claim_of(&hold, "b", "b", 3_000)).await?, FileHeld::Released);
    assert_eq!(ledger.hold_file(&wanted).await?, FileHeld::Released);
    assert_eq!(waiting(ledger, &hold).await?, listed, "what waits is there until it is claimed");
    Ok(())
}

async fn a_file_that_waited_is_claimed_like_a_new_one<S: WriteLedger + HoldFiles + HoldFeeds>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let hold = hold(run, "claims", 1_000);
    ledger.put_hold(&hold).await?;
    let [same, other] = ["same", "other"].map(|name| claim_of(&hold, name, "a", 1_000));
    for claim in [&same, &other] {
        assert_eq!(ledger.hold_file(claim).await?, FileHeld::Waits);
    }
    // The nonce of who let it wait, and another contract since.
    let load = LoadId::new(&FileId::of(&other.file), &[9; 32], 1, 0);
    let other = Claim { load: load.clone(), owner: "b".to_owned(), ..other };
    let (fence, entry) = mine(ledger, &same).await?;
    assert_eq!((fence.fence, entry.state, &entry.order), (1, State::Processing, &same.order));
    let (reloaded, entry) = mine(ledger, &other).await?;
    assert_eq!((reloaded.fence, &entry.load), (1, &load));
    assert!(waiting(ledger, &hold).await?.is_empty());
    assert_eq!(ledger.finish(&fence, &outcome(State::Quarantined), 2_000).await?, Fenced::Kept);
    let open = ledger.open_of_name("clinic", &same.file.key).await?;
    assert_eq!(open.len(), 1, "it is open under its partner");
    let answer = ledger.hold_file(&same).await?;
    assert!(matches!(answer, FileHeld::Decided(entry) if entry.state == State::Quarantined));
    ledger.end_hold(&hold).await.map(drop)
}

async fn what_was_begun_before_the_hold_stays<S: WriteLedger + HoldFiles + HoldFeeds>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let hold = hold(run, "begun", 1_000);
    let begun = claim_of(&hold, "a", "a", 1_000);
    let (fence, _) = mine(ledger, &begun).await?;
    assert_eq!(ledger.checkpoint(&fence, 7, begun.lease_until_ms).await?, Fenced::Kept);
    ledger.put_hold(&hold).await?;
    let early = claim_of(&hold, "a", "b", begun.lease_until_ms - 1);
    let answer = ledger.hold_file(&early).await?;
    assert_eq!(answer, FileHeld::Leased { until_ms: begun.lease_until_ms });
    let late = claim_of(&hold, "a", "b", begun.lease_until_ms);
    assert_eq!(ledger.hold_file(&late).await?, FileHeld::Waits);
    assert_eq!(ledger.finish(&fence, &outcome(State::Gone), 2_000).await?, Fenced::Lost, "its claim is lost");
    ledger.died(&fence).await?;
    ledger.end_hold(&hold).await?;
    let Claimed::Mine(entry) = ledger.claim(&late).await? else { panic!("it can be claimed") };
    assert_eq!((entry.fence, entry.rows_written, entry.deaths), (2, 7, 0));
    Ok(())
}
