use proptest::prelude::*;

use super::*;
use crate::aws::replay::{ReplayedResponse, ScriptedService, Stores, answer, s3_error};

const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
const COMPLETED: &str = "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>";

fn part() -> ReplayedResponse {
    ReplayedResponse { status: 200, headers: vec![("etag", "\"p\"".into())], body: Vec::new() }
}

async fn upload(store: &Stores, mebibytes: usize) -> Result<(), Error> {
    let mut upload = store.upload("p/rejects.ndjson", "application/x-ndjson", &OpenUploads::default());
    for _ in 0..mebibytes {
        upload.write(&vec![b'x'; 1024 * 1024]).await?;
    }
    upload.finish().await
}

fn requests(replay: &ScriptedService) -> Vec<String> {
    let seen = replay.seen();
    let query = |uri: &str| {
        uri.split_once('?').map_or(String::new(), |(_, query)| query.replace("&x-id=UploadPart", ""))
    };
    seen.iter().map(|seen| format!("{} {}", seen.method, query(&seen.uri))).collect()
}

#[tokio::test]
async fn up_to_a_part_is_one_put() -> Result<(), Error> {
    for mebibytes in [0, 1, 8] {
        let (store, replay) = ScriptedService::store([answer(200, "")]);
        upload(&store, mebibytes).await?;
        assert_eq!(requests(&replay), ["PUT x-id=PutObject"], "{mebibytes} MiB");
    }
    Ok(())
}

#[tokio::test]
async fn more_goes_in_parts_and_is_visible_at_the_end() -> Result<(), Error> {
    let (store, replay) =
        ScriptedService::store([answer(200, BEGUN), part(), part(), part(), answer(200, COMPLETED)]);
    upload(&store, 17).await?;
    let requests = requests(&replay);
    assert!(requests[0].starts_with("POST uploads"), "{requests:?}");
    for (number, request) in requests[1..4].iter().enumerate() {
        assert!(
            request.starts_with("PUT ") && request.contains(&format!("partNumber={}", number + 1)),
            "{request}"
        );
    }
    assert!(requests[4].starts_with("POST ") && requests[4].contains("uploadId=u1"), "{requests:?}");
    assert_eq!(replay.seen()[4].body.matches("<PartNumber>").count(), 3);
    Ok(())
}

#[tokio::test]
async fn a_part_that_fails_gives_the_upload_up() {
    let (store, replay) =
        ScriptedService::store([answer(200, BEGUN), s3_error(403, "AccessDenied"), answer(204, "")]);
    let error = upload(&store, 17).await.unwrap_err();
    assert_eq!((error.operation, error.code.as_str()), (Operation::WriteObject, "AccessDenied"));
    let requests = requests(&replay);
    assert!(requests[2].starts_with("DELETE ") && requests[2].contains("uploadId=u1"), "{requests:?}");
}

#[tokio::test]
async fn an_upload_that_was_dropped_unfinished_is_given_up_and_a_completed_one_is_not() -> Result<(), Error> {
    let answers = [answer(200, BEGUN), part(), part(), answer(200, COMPLETED)];
    let (store, replay) =
        ScriptedService::store(answers.into_iter().chain([answer(200, BEGUN), part(), answer(204, "")]));
    let open = OpenUploads::default();
    for finished in [true, false] {
        let mut upload = store.upload("p/rejects.ndjson", "application/x-ndjson", &open);
        upload.write(&vec![b'x'; 9 * 1024 * 1024]).await?;
        if finished {
            upload.finish().await?;
        }
        store.abort(&open).await;
    }
    store.abort(&open).await;
    let requests = requests(&replay);
    assert!(requests[6].starts_with("DELETE ") && requests[6].contains("uploadId=u1"), "{requests:?}");
    assert_eq!(requests.len(), 7, "{requests:?}");
    Ok(())
}

async fn copy_large(store: &Stores) -> Result<Original, Error> {
    let writer: &QuarantineWriter = store.as_ref();
    let source = CopySource { path: "inbox/key?versionId=v", etag: None };
    let open = OpenUploads::default();
    copy_in_parts(&writer.bucket, source, WHOLE_COPY_BYTES + 1, "p/original", &open).await
}

#[tokio::test]
async fn a_large_original_is_copied_in_parts() -> Result<(), Error> {
    let copied = answer(200, "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>");
    let (store, replay) =
        ScriptedService::store([answer(200, BEGUN), copied.clone(), copied, answer(200, COMPLETED)]);
    let copied = copy_large(&store).await?;
    assert_eq!(copied, Original::Copied);
    let seen = replay.seen();
    let ranges: Vec<_> = seen.iter().filter_map(|seen| seen.header("x-amz-copy-source-range")).collect();
    assert_eq!(ranges, ["bytes=0-536870911", "bytes=536870912-536870912"]);
    Ok(())
}

#[tokio::test]
async fn a_large_original_that_is_archived_or_goes_meanwhile_leaves_no_parts() -> Result<(), Error> {
    let copied = || answer(200, "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>");
    for (rejected, expected) in [
        (s3_error(403, "InvalidObjectState"), Original::Archived),
        (s3_error(404, "NoSuchVersion"), Original::Gone),
    ] {
        let (store, replay) =
            ScriptedService::store([answer(200, BEGUN), copied(), rejected, answer(204, "")]);
        let left = copy_large(&store).await?;
        assert_eq!(left, expected);
        let requests = requests(&replay);
        assert!(requests[3].starts_with("DELETE ") && requests[3].contains("uploadId=u1"), "{requests:?}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn ranges_cover_every_byte_once_within_the_limits(length in 1..=50_000_000_000_000_u64) {
        let mut next = 0;
        let mut count = 0;
        for (first, last) in ranges(length) {
            prop_assert!(first == next && last >= first && last - first < 5_000_000_000);
            next = last + 1;
            count += 1;
        }
        prop_assert!(next == length && count <= MOST_PARTS);
    }
}

#[tokio::test]
async fn rejected_records_come_in_chunks_or_are_not_there() -> Result<(), Error> {
    let (store, _) = ScriptedService::store([
        answer(200, "a,b\r\n"),
        s3_error(404, "NoSuchKey"),
        s3_error(403, "AccessDenied"),
    ]);
    let mut body = store.open_kept("north/labs/rejects.csv").await?.expect("an object");
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!(bytes, b"a,b\r\n");
    assert!(store.open_kept("x").await?.is_none());
    let Err(error) = store.open_kept("x").await else { panic!("denied") };
    assert_eq!(error.code, "AccessDenied");
    Ok(())
}
