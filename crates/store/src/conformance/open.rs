//! Open files: quarantined, and neither sent again nor acknowledged.

use super::{claim, commit, file, mine, outcome};
use crate::{
    Acknowledge, Acknowledged, Acknowledgement, ClosedBy, Error, Fenced, FileId, FileQuery, FileVersion,
    ListedFile, OpenFile, State, UNKNOWN, WriteLedger,
};

pub(super) async fn open_files_behave<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    a_quarantined_file_is_open_until_it_is_closed(ledger, run).await?;
    only_quarantined_files_are_open(ledger, run).await
}

async fn a_quarantined_file_is_open_until_it_is_closed<S: WriteLedger>(
    ledger: &S,
    run: &str,
) -> Result<(), Error> {
    let file = file(run, "open");
    let open = async || ledger.open_of_name("clinic", &file.key).await;
    let (fence, entry) = mine(ledger, &claim(&file, "a", 1_000)).await?;
    assert!(!entry.open && open().await?.is_empty(), "a claim opens nothing");
    assert_eq!(ledger.finish(&fence, &outcome(State::Quarantined), 2_000).await?, Fenced::Kept);
    let expected = OpenFile { file: fence.file.clone(), order: entry.order };
    assert_eq!(open().await?, [expected]);
    assert!(ledger.entry(&fence.file).await?.is_some_and(|entry| entry.open));
    assert!(ledger.open_of_name("clinic", "clinic/labs/another").await?.is_empty());
    assert!(ledger.open_of_name("other", &file.key).await?.is_empty());
    let by = FileId::of(&FileVersion { version: "good".to_owned(), ..file.clone() });
    ledger.close(&fence.file, &by, 5_000).await?;
    ledger.close(&fence.file, &fence.file, 6_000).await?;
    assert!(open().await?.is_empty());
    let closed = ledger.entry(&fence.file).await?;
    let expected = ClosedBy { file: by.clone(), at_ms: 5_000 };
    assert!(
        closed.is_some_and(|entry| !entry.open && entry.past.closed == Some(expected)),
        "closed once, and by the first"
    );
    assert_eq!(
        ledger.finish(&fence, &outcome(State::Quarantined), 2_000).await?,
        Fenced::Kept,
        "answered again"
    );
    assert!(open().await?.is_empty(), "and not opened again");
    let never = FileVersion { version: "never".to_owned(), ..file.clone() };
    ledger.close(&FileId::of(&never), &by, 5_000).await
}

async fn only_quarantined_files_are_open<S: WriteLedger>(ledger: &S, run: &str) -> Result<(), Error> {
    let loaded = file(run, "loaded");
    let (fence, _) = mine(ledger, &claim(&loaded, "a", 1_000)).await?;
    ledger.commit(&commit(&loaded, &fence)).await?;
    let gone = file(run, "gone");
    let (fence, _) = mine(ledger, &claim(&gone, "a", 1_000)).await?;
    ledger.finish(&fence, &outcome(State::Gone), 2_000).await?;
    for key in [&loaded.key, &gone.key] {
        assert!(ledger.open_of_name("clinic", key).await?.is_empty(), "{key}");
    }
    Ok(())
}

/// Open files and acknowledgements as the operator has them, on a ledger that is also written to.
///
/// # Panics
/// Where they behave otherwise.
pub async fn acknowledging_behaves<S: WriteLedger + Acknowledge>(ledger: &S, run: &str) -> Result<(), Error> {
    let mut misplaced = claim(&file(run, "misplaced"), "a", 1_000);
    misplaced.file.key = format!("{run}.csv");
    (misplaced.partner, misplaced.feed) = (String::new(), String::new());
    let (fence, entry) = mine(ledger, &misplaced).await?;
    assert_eq!((entry.partner.as_str(), entry.feed.as_str()), ("", ""), "it names none");
    let said = |by: &str| Acknowledgement { at_ms: 5, by: by.to_owned(), reason: "a test file".to_owned() };
    let early = ledger.acknowledge(&fence.file, &said("ann")).await?;
    assert_eq!(early, Acknowledged::NotQuarantined(State::Processing));
    ledger.finish(&fence, &outcome(State::Quarantined), 2_000).await?;

    let listed = async || {
        let of_all = ledger.open_files(None, 10_000).await?;
        let of_one = ledger.open_files(Some(UNKNOWN), 10_000).await?;
        assert!(of_all.complete && of_one.complete);
        let is_it = |(partner, listed): &(String, ListedFile)| {
            partner == UNKNOWN && listed.file == fence.file && listed.feed == UNKNOWN
        };
        let found = [&of_all, &of_one].map(|found| found.files.iter().any(is_it));
        assert_eq!(found[0], found[1], "the list of all and that of one partner say the same");
        Ok::<_, Error>(found[0])
    };
    assert!(listed().await?);
    assert!(!ledger.open_files(None, 0).await?.complete, "a limit of 0");
    assert!(ledger.open_files(Some("nobody"), 10).await?.files.is_empty());
    let query = FileQuery { partner: UNKNOWN.to_owned(), limit: 100, ..FileQuery::default() };
    assert!(ledger.files(&query).await?.files.iter().any(|listed| listed.file == fence.file));

    assert_eq!(ledger.acknowledge(&fence.file, &said("ann")).await?, Acknowledged::Noted);
    assert_eq!(ledger.acknowledge(&fence.file, &said("ann")).await?, Acknowledged::Noted, "twice is once");
    let later = ledger.acknowledge(&fence.file, &said("bob")).await?;
    assert_eq!(later, Acknowledged::Before(said("ann")), "the first stays");
    assert!(!listed().await?);
    let entry = ledger.entry(&fence.file).await?;
    let noted = entry.map(|entry| (entry.state, entry.open, entry.acknowledged));
    assert_eq!(noted, Some((State::Quarantined, false, Some(said("ann")))));
    let never = FileVersion { version: "never".to_owned(), ..misplaced.file };
    assert_eq!(ledger.acknowledge(&FileId::of(&never), &said("ann")).await?, Acknowledged::Unknown);
    Ok(())
}
