use super::*;
use crate::aws::replay::{ScriptedService, answer, s3_error};

const KEY: &str = "north/labs/archive/2025/a b.csv";

fn object() -> SourceObject {
    SourceObject {
        bucket: "archive".to_owned(),
        key: "2025/a b.csv".to_owned(),
        etag: "e".to_owned(),
        bytes: 7,
        last_modified_ms: 1,
    }
}

#[tokio::test]
async fn a_copy_is_made_of_what_was_listed_and_replaces_nothing() -> Result<(), Error> {
    let mut copied = answer(200, "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>");
    copied.headers.push(("x-amz-version-id", "v1".to_owned()));
    let answers = [
        copied,
        s3_error(412, "PreconditionFailed"),
        s3_error(409, "ConditionalRequestConflict"),
        s3_error(404, "NoSuchKey"),
        s3_error(403, "InvalidObjectState"),
        s3_error(403, "AccessDenied"),
    ];
    let (store, replay) = ScriptedService::store(answers);
    let upload = UploadId::of(&[b"a"]);
    let expected =
        [CopiedIn::Version("v1".to_owned()), CopiedIn::Conflict, CopiedIn::Conflict, CopiedIn::Conflict];
    for expected in expected.into_iter().chain([CopiedIn::Archived]) {
        assert_eq!(store.copy_in(&object(), KEY, &upload).await?, expected);
    }
    let denied = store.copy_in(&object(), KEY, &upload).await.expect_err("denied");
    assert!(denied.is_denied() && denied.operation == Operation::CopyIn, "{denied}");
    for put in replay.seen() {
        assert_eq!(put.method, "PUT");
        assert_eq!(put.header("x-amz-copy-source"), Some("archive/2025/a%20b.csv"));
        assert_eq!(put.header("x-amz-copy-source-if-match"), Some("\"e\""));
        assert_eq!(put.header("if-none-match"), Some("*"));
        assert_eq!(put.header("x-amz-meta-upload"), Some(upload.as_str()));
        assert_eq!(put.header("x-amz-metadata-directive"), Some("REPLACE"));
        assert_eq!(put.header("x-amz-tagging-directive"), Some("REPLACE"));
        // The source may be another account's, the inbox is ours.
        assert_eq!(put.header("x-amz-expected-bucket-owner"), Some("123456789012"));
        assert_eq!(put.header("x-amz-source-expected-bucket-owner"), None);
    }
    Ok(())
}

#[tokio::test]
async fn another_bucket_is_listed_page_by_page() -> Result<(), Error> {
    let page = |key: &str, more: &str| {
        answer(
            200,
            format!(
                "<ListBucketResult><EncodingType>url</EncodingType>{more}<Contents><Key>{key}</Key>\
                 <LastModified>2026-11-20T08:15:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size>\
                 </Contents></ListBucketResult>"
            ),
        )
    };
    let more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    let (store, replay) = ScriptedService::store([
        page("2025/a+b.csv", more),
        page("2025/c%2Bd.csv", "<IsTruncated>false</IsTruncated>"),
        page("2025/e.csv", "<IsTruncated>true</IsTruncated>"),
    ]);
    let first = store.source_page("archive", "2025/", None).await?;
    assert_eq!(first.next.as_deref(), Some("t"));
    let [found] = first.objects.as_slice() else { panic!("one object") };
    assert_eq!((found.key.as_str(), found.etag.as_str(), found.bytes), ("2025/a b.csv", "e", 7));
    assert_eq!(found.last_modified_ms, 1_795_162_500_000);
    let last = store.source_page("archive", "2025/", Some("t")).await?;
    assert!(last.next.is_none() && last.objects[0].key == "2025/c+d.csv");
    assert!(
        store.source_page("archive", "2025/", None).await.is_err(),
        "a page that does not say where to go on"
    );
    let sent = replay.seen();
    assert!(
        sent.iter().all(|get| get.method == "GET" && get.uri.contains("prefix=2025%2F")),
        "{}",
        sent[0].uri
    );
    assert!(sent[1].uri.contains("continuation-token=t"), "{}", sent[1].uri);
    assert!(sent.iter().all(|get| get.header("x-amz-expected-bucket-owner").is_none()));
    Ok(())
}
