use super::*;
use crate::aws::replay::{Answer, Replay, answer, s3_error};

fn file(version: &str) -> FileVersion {
    FileVersion {
        bucket: "inbox".into(),
        key: "clinic/labs/a b+ü.csv".into(),
        version: version.into(),
        etag: Some("\"tag\"".into()),
    }
}

fn chunk(body: &str, length: usize) -> Answer {
    let headers = vec![
        ("content-length", length.to_string()),
        ("etag", "\"tag\"".to_owned()),
        ("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT".to_owned()),
    ];
    Answer { status: 200, headers, body: body.into() }
}

async fn read(aws: &Aws, file: &FileVersion) -> Result<Vec<u8>, Error> {
    let Opened::Body { mut body, .. } = aws.open(file).await? else { panic!("expected a body") };
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_version_is_opened_by_its_id_and_owner() {
    let (aws, replay) = Replay::store([chunk("hello", 5)]);
    let Ok(Opened::Body { length, last_modified_ms, .. }) = aws.open(&file("v 1")).await else {
        panic!("expected a body");
    };
    assert_eq!((length, last_modified_ms), (5, 1_795_219_200_000));
    let seen = replay.seen().remove(0);
    assert!(seen.uri.contains("/clinic/labs/a%20b%2B%C3%BC.csv"), "{}", seen.uri);
    assert!(seen.uri.contains("versionId=v%201"), "{}", seen.uri);
    assert_eq!(seen.header("if-match"), None);
    assert_eq!(seen.header("x-amz-expected-bucket-owner"), Some("123456789012"));
}

#[tokio::test]
async fn without_versioning_the_entity_tag_pins() {
    for etag in ["tag", "\"tag\""] {
        let head = Answer { status: 200, headers: vec![("content-length", "9".into())], body: Vec::new() };
        let changed = || s3_error(412, "PreconditionFailed");
        let (aws, replay) = Replay::store([changed(), head, changed()]);
        let file = FileVersion { etag: Some(etag.into()), ..file("null") };
        assert!(matches!(aws.open(&file).await, Ok(Opened::Gone)));
        assert_eq!(aws.keep_original(&file, "copy").await.ok(), Some(Original::Gone));
        let seen = replay.seen();
        assert!(seen.iter().all(|seen| !seen.uri.contains("versionId")), "{seen:?}");
        let tags = [seen[0].header("if-match"), seen[1].header("if-match")];
        let copied = seen[2].header("x-amz-copy-source-if-match");
        assert_eq!((tags, copied), ([Some("\"tag\""); 2], Some("\"tag\"")), "{etag}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_answer_and_what_is_denied_an_error() {
    for (status, code) in [(404, "NoSuchKey"), (404, "NoSuchVersion"), (405, "MethodNotAllowed")] {
        let (aws, _) = Replay::store([s3_error(status, code)]);
        assert!(matches!(aws.open(&file("v")).await, Ok(Opened::Gone)), "{code}");
    }
    let (aws, _) = Replay::store([s3_error(403, "InvalidObjectState")]);
    assert!(matches!(aws.open(&file("v")).await, Ok(Opened::Archived)));
    for (status, code) in [(403, "AccessDenied"), (404, "NoSuchBucket"), (400, "KMS.DisabledException")] {
        let (aws, _) = Replay::store([s3_error(status, code)]);
        let Err(error) = aws.open(&file("v")).await else { panic!("expected an error for {code}") };
        assert_eq!((error.operation, error.code.as_str()), (Operation::ReadObject, code));
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_bucket_that_is_no_inbox_is_never_read() {
    let (aws, replay) = Replay::store([]);
    let foreign = FileVersion { bucket: "foreign".into(), ..file("v") };
    assert!(aws.open(&foreign).await.is_err());
    assert!(aws.keep_original(&foreign, "copy").await.is_err());
    assert!(aws.versions("foreign", "key").await.is_err());
    assert!(replay.seen().is_empty());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_read_on_from_there() -> Result<(), Error> {
    let (aws, replay) = Replay::store([chunk("hello ", 11), chunk("wo", 5), chunk("rld", 3)]);
    assert_eq!(read(&aws, &file("v")).await?, b"hello world");
    let seen = replay.seen();
    let ranges: Vec<_> = seen.iter().map(|seen| (seen.header("range"), seen.header("if-match"))).collect();
    let tag = Some("\"tag\"");
    assert_eq!(ranges, [(None, None), (Some("bytes=6-"), tag), (Some("bytes=8-"), tag)]);
    Ok(())
}

#[tokio::test]
async fn a_body_is_never_short_or_long_or_of_two_objects() {
    let breaking = || (0..=RESUMES).map(|_| chunk("", 5));
    let (aws, replay) = Replay::store(breaking());
    let error = read(&aws, &file("v")).await.unwrap_err();
    assert_eq!((error.code.as_str(), replay.seen().len()), ("body broke off", 5));

    let (aws, _) = Replay::store([chunk("he", 5), chunk("hello", 5)]);
    assert_eq!(read(&aws, &file("v")).await.unwrap_err().code, "resumed at another place");

    let (aws, _) = Replay::store([chunk("he", 5), s3_error(412, "PreconditionFailed")]);
    assert_eq!(read(&aws, &file("v")).await.unwrap_err().code, "PreconditionFailed");
}

fn page(versions: &[(&str, &str)], next: Option<(&str, &str)>) -> Answer {
    let version =
        |(key, id): &(&str, &str)| format!("<Version><Key>{key}</Key><VersionId>{id}</VersionId></Version>");
    let versions = versions.iter().map(version).collect::<Vec<_>>().concat();
    let next = next.map_or_else(String::new, |(key, id)| {
        format!("<NextKeyMarker>{key}</NextKeyMarker><NextVersionIdMarker>{id}</NextVersionIdMarker>")
    });
    let truncated = !next.is_empty();
    answer(
        200,
        format!(
            "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>{truncated}</IsTruncated>{next}{versions}\
             <DeleteMarker><Key>a+b</Key><VersionId>deleted</VersionId></DeleteMarker></ListVersionsResult>"
        ),
    )
}

#[tokio::test]
async fn a_listing_is_of_exactly_the_key_over_all_pages() -> Result<(), Error> {
    let first = page(&[("a+b", "3"), ("a+b", "2")], Some(("a+b", "2")));
    let second = page(&[("a+b", "1"), ("a+bc", "other")], Some(("a+bc", "other")));
    let (aws, replay) = Replay::store([first, second]);
    assert_eq!(aws.versions("inbox", "a b").await?, ["3", "2", "1"]);
    let seen = replay.seen();
    assert_eq!(seen.len(), 2, "the next page begins with another key");
    assert!(seen[1].uri.contains("version-id-marker=2") && seen[1].uri.contains("key-marker=a%20b"));
    Ok(())
}

#[tokio::test]
async fn an_original_is_copied_by_version_without_its_tags() -> Result<(), Error> {
    let head = Answer { status: 200, headers: vec![("content-length", "9".into())], body: Vec::new() };
    let copied = answer(200, "<CopyObjectResult><ETag>\"x\"</ETag></CopyObjectResult>");
    let (aws, replay) = Replay::store([head, copied, answer(404, "")]);
    assert_eq!(aws.keep_original(&file("v1"), "p/original").await?, Original::Copied);
    assert_eq!(aws.keep_original(&file("v1"), "p/original").await?, Original::Gone);
    let seen = replay.seen();
    assert_eq!((seen[0].method.as_str(), seen[1].method.as_str()), ("HEAD", "PUT"));
    let source = seen[1].header("x-amz-copy-source");
    assert_eq!(source, Some("inbox/clinic/labs/a%20b%2B%C3%BC.csv?versionId=v1"));
    assert_eq!(seen[1].header("x-amz-tagging-directive"), Some("REPLACE"));
    assert_eq!(seen[1].header("x-amz-source-expected-bucket-owner"), Some("123456789012"));
    Ok(())
}

#[tokio::test]
async fn an_archived_original_stays_where_it_is_and_a_denied_copy_is_an_error() -> Result<(), Error> {
    let head = || Answer { status: 200, headers: vec![("content-length", "9".into())], body: Vec::new() };
    for code in ["InvalidObjectState", "ObjectNotInActiveTierError"] {
        let (aws, _) = Replay::store([head(), s3_error(403, code)]);
        assert_eq!(aws.keep_original(&file("v1"), "p/original").await?, Original::Archived, "{code}");
    }
    let (aws, _) = Replay::store([head(), s3_error(403, "AccessDenied")]);
    let error = aws.keep_original(&file("v1"), "p/original").await.unwrap_err();
    assert_eq!((error.operation, error.code.as_str()), (Operation::CopyObject, "AccessDenied"));
    Ok(())
}
