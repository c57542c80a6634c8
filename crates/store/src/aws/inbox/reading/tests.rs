use super::*;
use crate::aws::replay::{ReplayedResponse, ScriptedService, Stores, answer, in_between, s3_error};
use crate::{OpenUploads, Original, ReadContracts, WriteQuarantine};

fn file(version: &str) -> FileVersion {
    FileVersion {
        bucket: "inbox".into(),
        key: "clinic/labs/a b+ü.csv".into(),
        version: version.into(),
        etag: Some("\"tag\"".into()),
    }
}

fn chunk(body: &str, length: usize) -> ReplayedResponse {
    let headers = vec![
        ("content-length", length.to_string()),
        ("etag", "\"tag\"".to_owned()),
        ("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT".to_owned()),
    ];
    ReplayedResponse { status: 200, headers, body: body.into() }
}

async fn read(store: &Stores, file: &FileVersion) -> Result<Vec<u8>, Error> {
    let Opened::Body { mut body, .. } = store.open(file).await? else { panic!("expected a body") };
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_version_is_opened_by_its_id_and_owner() {
    let (store, replay) = ScriptedService::store([chunk("hello", 5)]);
    let Ok(Opened::Body { length, last_modified_ms, .. }) = store.open(&file("v 1")).await else {
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
        let head =
            ReplayedResponse { status: 200, headers: vec![("content-length", "9".into())], body: Vec::new() };
        let changed = || s3_error(412, "PreconditionFailed");
        let (store, replay) = ScriptedService::store([changed(), head, changed()]);
        let file = FileVersion { etag: Some(etag.into()), ..file("null") };
        assert!(matches!(store.open(&file).await, Ok(Opened::Gone)));
        assert_eq!(
            store.keep_original(&file, "copy", &OpenUploads::default()).await.ok(),
            Some(Original::Gone)
        );
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
        let mut gone = s3_error(status, code);
        gone.headers.extend((status == 405).then(|| ("x-amz-delete-marker", "true".to_owned())));
        let (store, _) = ScriptedService::store([gone]);
        assert!(matches!(store.open(&file("v")).await, Ok(Opened::Gone)), "{code}");
    }
    let (store, _) = ScriptedService::store([s3_error(403, "InvalidObjectState")]);
    assert!(matches!(store.open(&file("v")).await, Ok(Opened::Archived)));
    let failures = [
        (403, "AccessDenied"),
        (404, "NoSuchBucket"),
        (400, "KMS.DisabledException"),
        // Without the header of a delete marker.
        (405, "MethodNotAllowed"),
    ];
    for (status, code) in failures {
        let (store, _) = ScriptedService::store([s3_error(status, code)]);
        let Err(error) = store.open(&file("v")).await else { panic!("expected an error for {code}") };
        assert_eq!((error.operation, error.code.as_str()), (Operation::ReadObject, code));
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}

#[tokio::test]
async fn a_bucket_that_is_no_inbox_is_never_read() {
    let (store, replay) = ScriptedService::store([]);
    let foreign = FileVersion { bucket: "foreign".into(), ..file("v") };
    assert!(store.open(&foreign).await.is_err());
    assert!(store.keep_original(&foreign, "copy", &OpenUploads::default()).await.is_err());
    assert!(store.versions("foreign", "key").await.is_err());
    assert!(replay.seen().is_empty());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_read_on_from_there() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([chunk("hello ", 11), chunk("wo", 5), chunk("rld", 3)]);
    assert_eq!(read(&store, &file("v")).await?, b"hello world");
    let seen = replay.seen();
    let ranges: Vec<_> = seen.iter().map(|seen| (seen.header("range"), seen.header("if-match"))).collect();
    let tag = Some("\"tag\"");
    assert_eq!(ranges, [(None, None), (Some("bytes=6-"), tag), (Some("bytes=8-"), tag)]);
    Ok(())
}

#[tokio::test]
async fn a_body_is_never_short_or_long_or_of_two_objects() {
    let breaking = || (0..=RESUMES).map(|_| chunk("", 5));
    let (store, replay) = ScriptedService::store(breaking());
    let error = read(&store, &file("v")).await.unwrap_err();
    assert_eq!((error.code.as_str(), replay.seen().len()), ("body broke off", 5));

    let (store, _) = ScriptedService::store([chunk("he", 5), chunk("hello", 5)]);
    assert_eq!(read(&store, &file("v")).await.unwrap_err().code, "resumed at another place");

    let (store, _) = ScriptedService::store([chunk("he", 5), s3_error(412, "PreconditionFailed")]);
    assert_eq!(read(&store, &file("v")).await.unwrap_err().code, "PreconditionFailed");
}

fn page(versions: &[(&str, &str)], next: Option<(&str, &str)>) -> ReplayedResponse {
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
    let (store, replay) = ScriptedService::store([first, second]);
    assert_eq!(store.versions("inbox", "a b").await?, ["3", "2", "1"]);
    let seen = replay.seen();
    assert_eq!(seen.len(), 2, "the next page begins with another key");
    assert!(seen[1].uri.contains("version-id-marker=2") && seen[1].uri.contains("key-marker=a%20b"));
    Ok(())
}

#[tokio::test]
async fn an_original_is_copied_by_version_without_its_tags() -> Result<(), Error> {
    let head =
        ReplayedResponse { status: 200, headers: vec![("content-length", "9".into())], body: Vec::new() };
    let copied = answer(200, "<CopyObjectResult><ETag>\"x\"</ETag></CopyObjectResult>");
    let (store, replay) = ScriptedService::store([head, copied, answer(404, "")]);
    assert_eq!(
        store.keep_original(&file("v1"), "p/original", &OpenUploads::default()).await?,
        Original::Copied
    );
    assert_eq!(
        store.keep_original(&file("v1"), "p/original", &OpenUploads::default()).await?,
        Original::Gone
    );
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
    let head =
        || ReplayedResponse { status: 200, headers: vec![("content-length", "9".into())], body: Vec::new() };
    for code in ["InvalidObjectState", "ObjectNotInActiveTierError"] {
        let (store, _) = ScriptedService::store([head(), s3_error(403, code)]);
        assert_eq!(
            store.keep_original(&file("v1"), "p/original", &OpenUploads::default()).await?,
            Original::Archived,
            "{code}"
        );
    }
    let (store, _) = ScriptedService::store([head(), s3_error(403, "AccessDenied")]);
    let error = store.keep_original(&file("v1"), "p/original", &OpenUploads::default()).await.unwrap_err();
    assert_eq!((error.operation, error.code.as_str()), (Operation::CopyObject, "AccessDenied"));
    Ok(())
}

/// The answers by which S3 says that a version is gone, from something that is not S3.
const STATUSES: [u16; 6] = [403, 404, 405, 410, 412, 416];

#[tokio::test]
async fn a_status_that_did_not_come_from_s3_is_an_error_and_never_an_answer() {
    for status in STATUSES {
        let (store, _) = ScriptedService::store([in_between(status)]);
        assert!(store.open(&file("v")).await.is_err(), "{status}: opened");
        let (store, _) = ScriptedService::store([in_between(status)]);
        assert!(store.contract("labs").await.is_err(), "{status}: a contract");
        let (store, _) = ScriptedService::store([in_between(status)]);
        assert!(store.versions("inbox", "key").await.is_err(), "{status}: listed");
        let (store, _) = ScriptedService::store([in_between(status)]);
        assert!(store.rank(&file("v")).await.is_err(), "{status}: ranked");
        // A HEAD has no body: neither has what stands in between.
        let bare = || ReplayedResponse { body: Vec::new(), ..in_between(status) };
        let (store, _) = ScriptedService::store([bare()]);
        assert!(keep(&store, "v").await.is_err(), "{status}: looked at");
        let head =
            ReplayedResponse { status: 200, headers: vec![("content-length", "9".into())], body: Vec::new() };
        let (store, _) = ScriptedService::store([head, in_between(status)]);
        assert!(keep(&store, "v").await.is_err(), "{status}: copied");
    }
}

#[tokio::test]
async fn a_page_that_did_not_come_from_s3_is_neither_a_file_nor_a_contract() {
    let page = || {
        let mut page = in_between(200);
        page.headers.push(("content-length", page.body.len().to_string()));
        page
    };
    let (store, _) = ScriptedService::store([page(), page()]);
    let Err(error) = store.open(&file("v")).await else { panic!("a file") };
    assert_eq!(error.code, "not answered by S3");
    assert_eq!(store.contract("labs").await.unwrap_err().code, "not answered by S3");
}

#[tokio::test]
async fn a_version_that_s3_says_is_gone_is_gone_without_a_body_too() -> Result<(), Error> {
    let marker =
        ReplayedResponse { headers: vec![("x-amz-delete-marker", "true".into())], ..answer(405, "") };
    for gone in [answer(404, ""), answer(412, ""), marker] {
        let (store, _) = ScriptedService::store([gone]);
        assert_eq!(keep(&store, "v").await?, Original::Gone);
    }
    Ok(())
}

async fn keep(store: &Stores, version: &str) -> Result<Original, Error> {
    store.keep_original(&file(version), "copy", &OpenUploads::default()).await
}

/// Returns a page of versions of `a b`: id, second of that day, entity tag.
fn dated(versions: &[(&str, &str, &str)], more: bool) -> ReplayedResponse {
    let version = |(id, time, etag): &(&str, &str, &str)| {
        format!(
            "<Version><Key>a+b</Key><VersionId>{id}</VersionId><ETag>{etag}</ETag>\
             <LastModified>2026-11-21T{time}Z</LastModified></Version>"
        )
    };
    let last = versions.last().map_or("", |version| version.0);
    let next = format!("<NextKeyMarker>a+b</NextKeyMarker><NextVersionIdMarker>{last}</NextVersionIdMarker>");
    let listed: String = versions.iter().map(version).collect();
    let body = format!(
        "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>{more}</IsTruncated>{}{listed}\
         <DeleteMarker><Key>a+b</Key><VersionId>deleted</VersionId></DeleteMarker></ListVersionsResult>",
        if more { next.as_str() } else { "" }
    );
    answer(200, body)
}

fn of_listing(version: &str) -> FileVersion {
    FileVersion { key: "a b".into(), ..file(version) }
}

#[tokio::test]
async fn a_version_is_ranked_among_those_of_its_second_by_one_list() -> Result<(), Error> {
    let versions = [
        ("5", "00:00:09.000", "e"),
        ("4", "00:00:07.900", "d"),
        ("3", "00:00:07.100", "c"),
        ("2", "00:00:07.500", "b"),
        ("1", "00:00:01.000", "a"),
    ];
    for (version, second, older) in [("5", 9, 0), ("4", 7, 2), ("3", 7, 1), ("2", 7, 0), ("1", 1, 0)] {
        let (store, replay) = ScriptedService::store([dated(&versions, false)]);
        let rank = Rank { instant_ms: 1_795_219_200_000 + second * 1_000, older };
        assert_eq!(store.rank(&of_listing(version)).await?, Some(rank), "{version}");
        assert!(replay.seen()[0].uri.contains("max-keys=100"), "{}", replay.seen()[0].uri);
    }
    let (store, _) = ScriptedService::store([dated(&versions, false)]);
    assert_eq!(store.rank(&of_listing("6")).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_version_far_down_the_list_is_reached_without_reading_what_is_above_it() -> Result<(), Error> {
    let head = ReplayedResponse {
        status: 200,
        headers: vec![("etag", "\"c\"".into()), ("last-modified", "Sat, 21 Nov 2026 00:00:07 GMT".into())],
        body: Vec::new(),
    };
    let (above, below) =
        ([("9", "00:00:09.000", "e")], [("2", "00:00:07.000", "b"), ("1", "00:00:01.000", "a")]);
    let (store, replay) = ScriptedService::store([dated(&above, true), head, dated(&below, true)]);
    let rank = Rank { instant_ms: 1_795_219_207_000, older: 1 };
    assert_eq!(store.rank(&of_listing("3")).await?, Some(rank));
    let seen = replay.seen();
    assert_eq!(
        (seen.len(), seen[1].method.as_str()),
        (3, "HEAD"),
        "the list is left where the rest cannot matter"
    );
    assert!(seen[2].uri.contains("version-id-marker=3"), "{}", seen[2].uri);

    let (store, _) = ScriptedService::store([dated(&above, true), answer(404, "")]);
    assert_eq!(store.rank(&of_listing("3")).await?, None);
    Ok(())
}

#[tokio::test]
async fn without_versioning_the_entity_tag_says_which_object_is_ranked() -> Result<(), Error> {
    for (etag, found) in [("\"tag\"", true), ("\"other\"", false)] {
        let (store, _) = ScriptedService::store([dated(&[("null", "00:00:07.000", etag)], false)]);
        assert_eq!(store.rank(&of_listing("null")).await?.is_some(), found, "{etag}");
    }
    Ok(())
}
