use proptest::prelude::*;

use super::*;
use crate::aws::replay::{Answer, Replay, answer, s3_error};

const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
const COMPLETED: &str = "<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>";

fn part() -> Answer {
    Answer { status: 200, headers: vec![("etag", "\"p\"".into())], body: Vec::new() }
}

async fn upload(aws: &Aws, mebibytes: usize) -> Result<(), Error> {
    let mut upload = aws.upload("p/rejects.ndjson", "application/x-ndjson", &OpenUploads::default());
    for _ in 0..mebibytes {
        upload.write(&vec![b'x'; 1024 * 1024]).await?;
    }
    upload.finish().await
}

fn requests(replay: &Replay) -> Vec<String> {
    let seen = replay.seen();
    let query = |uri: &str| {
        uri.split_once('?').map_or(String::new(), |(_, query)| query.replace("&x-id=UploadPart", ""))
    };
    seen.iter().map(|seen| format!("{} {}", seen.method, query(&seen.uri))).collect()
}

#[tokio::test]
async fn up_to_a_part_is_one_put() -> Result<(), Error> {
    for mebibytes in [0, 1, 8] {
        let (aws, replay) = Replay::store([answer(200, "")]);
        upload(&aws, mebibytes).await?;
        assert_eq!(requests(&replay), ["PUT x-id=PutObject"], "{mebibytes} MiB");
    }
    Ok(())
}

#[tokio::test]
async fn more_goes_in_parts_and_is_visible_at_the_end() -> Result<(), Error> {
    let (aws, replay) = Replay::store([answer(200, BEGUN), part(), part(), part(), answer(200, COMPLETED)]);
    upload(&aws, 17).await?;
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
    let (aws, replay) = Replay::store([answer(200, BEGUN), s3_error(403, "AccessDenied"), answer(204, "")]);
    let error = upload(&aws, 17).await.unwrap_err();
    assert_eq!((error.operation, error.code.as_str()), (Operation::WriteObject, "AccessDenied"));
    let requests = requests(&replay);
    assert!(requests[2].starts_with("DELETE ") && requests[2].contains("uploadId=u1"), "{requests:?}");
}

#[tokio::test]
async fn an_upload_that_was_dropped_unfinished_is_given_up_and_a_completed_one_is_not() -> Result<(), Error> {
    let answers = [answer(200, BEGUN), part(), part(), answer(200, COMPLETED)];
    let (aws, replay) =
        Replay::store(answers.into_iter().chain([answer(200, BEGUN), part(), answer(204, "")]));
    let open = OpenUploads::default();
    for finished in [true, false] {
        let mut upload = aws.upload("p/rejects.ndjson", "application/x-ndjson", &open);
        upload.write(&vec![b'x'; 9 * 1024 * 1024]).await?;
        if finished {
            upload.finish().await?;
        }
        aws.abort(&open).await;
    }
    aws.abort(&open).await;
    let requests = requests(&replay);
    assert!(requests[6].starts_with("DELETE ") && requests[6].contains("uploadId=u1"), "{requests:?}");
    assert_eq!(requests.len(), 7, "{requests:?}");
    Ok(())
}

#[tokio::test]
async fn a_large_original_is_copied_in_parts() -> Result<(), Error> {
    let copied = answer(200, "<CopyPartResult><ETag>\"p\"</ETag></CopyPartResult>");
    let (aws, replay) = Replay::store([answer(200, BEGUN), copied.clone(), copied, answer(200, COMPLETED)]);
    let copied = aws
        .copy("inbox/key?versionId=v", None, WHOLE_COPY_BYTES + 1, "p/original", &OpenUploads::default())
        .await?;
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
        let (aws, replay) = Replay::store([answer(200, BEGUN), copied(), rejected, answer(204, "")]);
        let left = aws
            .copy("inbox/key?versionId=v", None, WHOLE_COPY_BYTES + 1, "p/original", &OpenUploads::default())
            .await?;
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
