use sha2::{Digest, Sha256};

use super::super::{INBOX, Memory, When};
use crate::conformance::api as conformance;
use crate::{
    Condition, Cursor, Error, FileId, Land, Landed, ListInbox, Opened, Presigned, ReadContracts, ReadInbox,
    ReadQuarantine, ReadRegistrations, Reconciliation, SignedPart, SignedUpload, UploadId, UploadPart,
    WatchQueues, WatchedQueue, WriteInbox, WriteQuarantine,
};

const MEBIBYTE: usize = 1024 * 1024;

fn land(upload: &str, condition: Condition) -> Land {
    Land {
        key: "north/labs/a.csv".into(),
        upload: UploadId::of(&[upload.as_bytes()]),
        content_type: "text/csv".into(),
        corrects: None,
        condition,
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn send(memory: &Memory, signed: &Presigned, bytes: &[u8]) -> (u16, &'static str) {
    let answer = memory.send_signed(signed.method, &signed.url, &signed.headers, bytes.to_vec());
    (answer.status, answer.code)
}

#[tokio::test]
async fn the_twin_behaves_as_the_api_asks() -> Result<(), Error> {
    let memory = Memory::new();
    conformance::partners_behave(&memory, "run").await?;
    conformance::limits_hold(&memory, "run").await?;
    conformance::requests_behave(&memory, "run").await?;
    conformance::landing_behaves(&memory, "run").await?;
    conformance::reading_behaves(&memory, "run").await
}

#[tokio::test]
async fn a_file_that_landed_is_a_file_like_any_other() -> Result<(), Error> {
    let memory = Memory::new();
    let other = FileId::of(&memory.land(memory.inbox(), "north/labs/older.csv", "x"));
    let land = Land { corrects: Some(other.to_string()), ..land("u", Condition::Absent) };
    WriteInbox::land(&memory, &land, &sha256(b"a,b"), "a,b".into()).await?;
    let landed = memory.inbox_versions().into_iter().find(|version| version.file.key == land.key).unwrap();
    assert_eq!((landed.upload, landed.content_type.as_str()), (Some(land.upload), "text/csv"));
    let Opened::Body { length: 3, corrects, .. } = memory.open(&landed.file).await? else {
        panic!("expected a body of three bytes");
    };
    assert_eq!(corrects, Some(other));
    Ok(())
}

#[tokio::test]
async fn metadata_that_names_no_file_corrects_none() -> Result<(), Error> {
    let memory = Memory::new();
    let land = Land { corrects: Some("../../etc".into()), ..land("u", Condition::Absent) };
    WriteInbox::land(&memory, &land, &sha256(b""), "".into()).await?;
    let file = memory.inbox_versions().remove(0).file;
    assert!(matches!(memory.open(&file).await?, Opened::Body { corrects: None, .. }));
    Ok(())
}

#[tokio::test]
async fn a_signed_put_takes_these_bytes_once() -> Result<(), Error> {
    let memory = Memory::new();
    let land = land("u", Condition::Absent);
    let upload = SignedUpload { land: land.clone(), bytes: 5, sha256: sha256(b"hello") };
    let signed = memory.sign_upload(&upload, 900).await?;
    assert!(memory.sign_upload(&upload, 900).await? == signed, "signed twice the same");
    assert!(memory.calls().is_empty(), "signing makes no call");
    assert_eq!(send(&memory, &signed, b"hell"), (403, "SignatureDoesNotMatch"));
    assert_eq!(send(&memory, &signed, b"jello"), (400, "BadDigest"));
    let fewer = signed.headers[1..].to_vec();
    let answer = memory.send_signed("PUT", &signed.url, &fewer, "hello");
    assert_eq!(answer.status, 403, "a signed header is missing");
    assert_eq!(memory.send_signed("GET", &signed.url, &signed.headers, "hello").status, 403);
    let altered = signed.url.replace("a.csv", "b.csv");
    assert_eq!(memory.send_signed("PUT", &altered, &signed.headers, "hello").status, 403);
    assert!(memory.inbox_versions().is_empty());
    assert_eq!(send(&memory, &signed, b"hello"), (200, ""));
    assert_eq!(send(&memory, &signed, b"hello"), (412, "PreconditionFailed"));
    assert!(memory.landed_as(&land.key, &land.upload).await?.is_some());
    Ok(())
}

#[tokio::test]
async fn parts_become_one_file_under_the_condition() -> Result<(), Error> {
    let memory = Memory::new();
    let land = land("u", Condition::Absent);
    let multipart = memory.begin_parts(&land).await?;
    let mut parts = Vec::new();
    for (number, bytes) in [(1, vec![b'x'; 5 * MEBIBYTE]), (2, b"end".to_vec())] {
        let part = SignedPart {
            key: land.key.clone(),
            multipart: multipart.clone(),
            number,
            bytes: bytes.len() as u64,
            sha256: sha256(&bytes),
        };
        let signed = memory.sign_part(&part, 900).await?;
        let answer = memory.send_signed(signed.method, &signed.url, &signed.headers, bytes);
        parts.push(UploadPart { number, etag: answer.etag.unwrap(), sha256: part.sha256 });
    }
    let rejected = |code: &str| Landed::Rejected(code.into());
    let complete = async |parts: &[UploadPart]| memory.complete_parts(&land, &multipart, parts).await;
    let reversed: Vec<_> = parts.iter().rev().cloned().collect();
    assert_eq!(complete(&reversed).await?, rejected("InvalidPartOrder"));
    let wrong = [parts[0].clone(), UploadPart { sha256: [0; 32], ..parts[1].clone() }];
    assert_eq!(complete(&wrong).await?, rejected("InvalidPart"));
    let other = memory.land("inbox", &land.key, "in between");
    assert_eq!(complete(&parts).await?, Landed::Conflict);
    memory.delete(&other);
    assert!(matches!(complete(&parts).await?, Landed::Version { .. }));
    assert_eq!(complete(&parts).await?, rejected("NoSuchUpload"));
    let current = memory.current(&land.key).await?.unwrap();
    assert_eq!((current.bytes, current.upload), (5 * MEBIBYTE as u64 + 3, Some(land.upload.clone())));
    assert_eq!(memory.open_multiparts(), 0);
    Ok(())
}

#[tokio::test]
async fn a_signed_get_reads_one_object_of_the_quarantine() -> Result<(), Error> {
    let memory = Memory::new();
    memory.put("north/labs/rejects.csv", "text/csv", "line".into()).await?;
    let signed = memory.sign_download("north/labs/rejects.csv", "a \"b\".csv", 60).await?;
    assert!(!signed.url.contains('"') && !signed.url.contains(' '), "{}", signed.url);
    let answer = memory.send_signed("GET", &signed.url, &[], "");
    assert_eq!((answer.status, answer.body.as_ref()), (200, b"line".as_slice()));
    assert_eq!(memory.document("north/labs/rejects.csv").await?, Some("line".into()));
    assert_eq!(memory.document("north/labs/none").await?, None);
    Ok(())
}

#[tokio::test]
async fn feeds_are_those_with_a_contract() -> Result<(), Error> {
    let memory = Memory::new();
    memory.publish_contract("labs", "id: labs");
    memory.publish_contract("charges", "id: charges");
    assert_eq!(memory.feeds().await?, ["charges", "labs"]);
    assert!(memory.contract("labs").await?.is_some());
    Ok(())
}

#[tokio::test]
async fn the_fault_plan_counts_the_calls_of_the_partner_api_too() -> Result<(), Error> {
    let memory = Memory::new();
    let land = land("u", Condition::Absent);
    memory.fail_at(1, When::AfterEffect);
    assert!(WriteInbox::land(&memory, &land, &sha256(b"x"), "x".into()).await.is_err());
    assert!(memory.landed_as(&land.key, &land.upload).await?.is_some(), "the answer was lost, not the bytes");
    memory.fail_at(3, When::BeforeEffect);
    assert!(memory.partner("north").await.is_err());
    assert_eq!(memory.calls().len(), 3);
    Ok(())
}

/// Returns every version, page by page.
async fn walk(memory: &Memory) -> Result<Vec<String>, Error> {
    let (mut seen, mut place) = (Vec::new(), None);
    loop {
        let page = memory.inbox_page("", place.as_ref()).await?;
        seen.extend(page.versions.into_iter().map(|version| version.file.version));
        place = page.next;
        if place.is_none() {
            return Ok(seen);
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_hold_every_version_once_newest_first() -> Result<(), Error> {
    let memory = Memory::new();
    for key in ["b", "a", "b", "c", "b"] {
        memory.land(INBOX, key, "x");
    }
    memory.land("other", "a", "x");
    let all = ["version-000002", "version-000005", "version-000003", "version-000001", "version-000004"];
    for size in 1..=6 {
        memory.pages_of(size);
        assert_eq!(walk(&memory).await?, all, "{size}");
    }
    Ok(())
}

#[tokio::test]
async fn a_cursor_is_written_by_one_of_two() -> Result<(), Error> {
    let memory = Memory::new();
    let cursor = |revision| Cursor { revision, begun_ms: 7, place: None };
    assert!(memory.put_cursor(&cursor(1), None).await?);
    assert!(!memory.put_cursor(&cursor(1), None).await?);
    assert!(memory.put_cursor(&cursor(2), Some(&cursor(1))).await?);
    assert!(!memory.put_cursor(&cursor(2), Some(&cursor(1))).await?);
    Ok(())
}

#[tokio::test]
async fn dead_letters_stay_where_they_are_and_each_look_shows_others() -> Result<(), Error> {
    let memory = Memory::new();
    let queue = WatchedQueue::InboxDeadLetters;
    for number in 0..15 {
        memory.bury(queue, &number.to_string(), "x");
    }
    let (first, second) = (memory.peek(queue).await?, memory.peek(queue).await?);
    assert_eq!((first.len(), second[0].id.as_str()), (10, "10"));
    assert_eq!(memory.messages(queue).await?.waiting, 15);
    Ok(())
}
