use super::*;
use crate::{
    BodyChunks, Claim, ItemValue, LoadId, OpenUploads, Opened, Original, Outcomes, Queue, ReadInbox, Upload,
    WriteQuarantine, WriteRecords, conformance,
};

async fn read(memory: &Memory, file: &FileVersion) -> Result<Vec<u8>, Error> {
    let Opened::Body { mut body, .. } = memory.open(file).await? else {
        panic!("expected a body");
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn item(partition: usize) -> RecordItem {
    let attributes = vec![("n".to_owned(), ItemValue::Number(partition.to_string()))];
    RecordItem { partition: partition.to_string(), sort: "s".to_owned(), attributes }
}

fn claim(file: &FileVersion, owner: &str) -> Claim {
    Claim {
        file: file.clone(),
        partner: "clinic".into(),
        feed: "labs".into(),
        load: LoadId::new(&FileId::of(file), &[0; 32], 1, 0),
        owner: owner.into(),
        order: crate::Order::new(crate::Rank::default()),
        now_ms: 10,
        lease_until_ms: 20,
    }
}

#[tokio::test]
async fn the_twin_behaves_as_every_store_must() -> Result<(), Error> {
    let memory = Memory::new();
    conformance::ledger_behaves(&memory, "run").await?;
    conformance::acknowledging_behaves(&memory, "run").await?;
    conformance::auditing_behaves(&memory, "run").await?;
    conformance::replays_behave(&memory, "run").await?;
    conformance::dead_loads_behave(&memory, "run").await?;
    conformance::holds_behave(&memory, "run").await?;
    conformance::publishing_behaves(&memory, "run").await?;
    conformance::writing_behaves(&memory, "inbox", "run").await
}

#[tokio::test]
async fn a_body_is_the_pinned_version_even_when_a_newer_one_lands() -> Result<(), Error> {
    let memory = Memory::new();
    memory.chunks_of(3);
    let older = memory.land("inbox", "a/b/c", "older bytes");
    let newer = memory.land("inbox", "a/b/c", "newer");
    assert_eq!(read(&memory, &older).await?, b"older bytes");
    assert_eq!(memory.versions("inbox", "a/b/c").await?, [newer.version.clone(), older.version.clone()]);
    memory.delete(&older);
    assert!(matches!(memory.open(&older).await?, Opened::Gone));
    assert_eq!(memory.keep_original(&older, "copy", &OpenUploads::default()).await?, Original::Gone);
    assert_eq!(memory.keep_original(&newer, "copy", &OpenUploads::default()).await?, Original::Copied);
    memory.archive(&newer);
    assert_eq!(
        memory.keep_original(&newer, "another copy", &OpenUploads::default()).await?,
        Original::Archived
    );
    assert_eq!(memory.quarantine().into_keys().collect::<Vec<_>>(), ["copy"]);
    assert!(matches!(memory.open(&newer).await?, Opened::Archived));
    Ok(())
}

#[tokio::test]
async fn without_versioning_the_entity_tag_pins() -> Result<(), Error> {
    let memory = Memory::new();
    let older = memory.land_unversioned("inbox", "a/b/c", "older");
    let newer = memory.land_unversioned("inbox", "a/b/c", "newer");
    assert!(matches!(memory.open(&older).await?, Opened::Gone));
    assert_eq!(read(&memory, &newer).await?, b"newer");
    let etag = newer.etag.as_ref().map(|etag| format!("\"{etag}\""));
    assert_eq!(read(&memory, &FileVersion { etag, ..newer }).await?, b"newer");
    Ok(())
}

#[tokio::test]
async fn each_chunk_part_and_batch_is_a_call_of_its_own() -> Result<(), Error> {
    let memory = Memory::new();
    memory.chunks_of(4);
    let file = memory.land("inbox", "a/b/c", "12345678");
    read(&memory, &file).await?;
    memory.write((0..51).map(item).collect()).await?;
    let mut upload = memory.upload("key", "text/plain", &OpenUploads::default());
    upload.write(&vec![0; 9 * 1024 * 1024]).await?;
    upload.finish().await?;
    let calls = memory.calls();
    let count = |operation| calls.iter().filter(|call| **call == operation).count();
    // Open, two chunks, the end.
    assert_eq!(count(Operation::ReadObject), 4);
    assert_eq!(count(Operation::WriteRows), 3);
    assert_eq!(count(Operation::WriteObject), 2);
    Ok(())
}

#[tokio::test]
async fn a_planned_fault_comes_once_before_or_after_the_effect() -> Result<(), Error> {
    let memory = Memory::new();
    memory.fail_at(1, When::BeforeEffect);
    let error = memory.put("key", "text/plain", Bytes::new()).await.unwrap_err();
    assert_eq!((error.operation, error.code.as_str()), (Operation::WriteObject, INJECTED));
    assert!(memory.quarantine().is_empty());

    memory.fail_at(2, When::AfterEffect);
    assert!(memory.put("key", "text/plain", Bytes::new()).await.is_err());
    assert_eq!(memory.quarantine().len(), 1);
    memory.put("key", "text/plain", Bytes::new()).await
}

#[tokio::test]
async fn a_dead_process_makes_no_calls_until_it_is_revived() -> Result<(), Error> {
    let memory = Memory::new();
    memory.die_at(2, When::AfterEffect);
    memory.defer("handle", 5).await?;
    assert!(memory.write((0..60).map(item).collect()).await.is_err());
    assert!(memory.is_dead());
    assert!(memory.defer("handle", 6).await.is_err());
    assert_eq!((memory.calls().len(), memory.rows().len()), (2, 25));
    memory.revive();
    memory.defer("handle", 7).await?;
    assert_eq!(memory.deferred(), [("handle".into(), 5), ("handle".into(), 7)]);
    Ok(())
}

#[tokio::test]
async fn a_hook_runs_another_delivery_before_a_call() -> Result<(), Error> {
    use crate::{Claimed, WriteLedger};
    let memory = Memory::new();
    let file = memory.land("inbox", "a/b/c", "1");
    let other = claim(&file, "other");
    memory.before(1, |memory| async move {
        assert!(matches!(memory.claim(&other).await, Ok(Claimed::Mine(_))));
    });
    let found = memory.claim(&claim(&file, "me")).await?;
    assert!(matches!(found, Claimed::Held { until_ms: 20 }));
    Ok(())
}

#[tokio::test]
async fn the_state_leaves_out_what_the_schedule_decides() -> Result<(), Error> {
    use crate::WriteLedger;
    let run = async |owner: &str, repeats: usize| -> Result<Memory, Error> {
        let memory = Memory::new();
        let file = memory.land("inbox", "a/b/c", "1");
        memory.claim(&claim(&file, owner)).await?;
        for _ in 0..repeats {
            memory.write(vec![item(1)]).await?;
            memory.publish(&Announcement { body: "{}".into(), attributes: vec![] }).await?;
        }
        Ok(memory)
    };
    let (once, thrice) = (run("a", 1).await?, run("b", 3).await?);
    assert_eq!(once.state(), thrice.state());
    assert_eq!(thrice.published().len(), 3);
    once.write(vec![item(2)]).await?;
    assert_ne!(once.state(), thrice.state());
    Ok(())
}

#[tokio::test]
async fn a_retracted_load_frees_its_content() -> Result<(), Error> {
    use crate::{Claimed, Commit, Committed, ContentClaim, Fence, Outcome, WriteLedger};
    let memory = Memory::new();
    let mut answers = Vec::new();
    for (key, retract) in [("a/b/1", None), ("a/b/2", None), ("a/b/2", Some("a/b/1"))] {
        if retract.is_some() {
            let first = memory.entries().into_iter().find(|entry| entry.state == State::Complete).unwrap();
            memory.retract(&FileId::of(&first.file));
        }
        let file = FileVersion { bucket: "inbox".into(), key: key.into(), version: "v".into(), etag: None };
        let Claimed::Mine(entry) = memory.claim(&claim(&file, "me")).await? else { panic!("not mine") };
        let outcome = Outcome { sha256: "hash".into(), bytes: 1, ..Outcome::new(State::Complete) };
        let content = ContentClaim { partner: "a".into(), feed: "b".into(), sha256: "hash".into() };
        let fence = Fence::of(&entry);
        answers.push(
            memory
                .commit(&Commit {
                    fence,
                    file,
                    outcome,
                    head: None,
                    content: Some(content),
                    dead: Vec::new(),
                    at_ms: 7,
                })
                .await?,
        );
    }
    assert!(matches!(answers.as_slice(), [Committed::Done, Committed::Duplicate(_), Committed::Done]));
    Ok(())
}
