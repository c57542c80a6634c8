use super::*;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, s3_error};
use crate::{ReadContracts, ReadQuarantine};

fn document(length: &str, body: &str) -> ReplayedResponse {
    let headers = vec![
        ("content-length", length.to_owned()),
        ("x-amz-version-id", "c1".to_owned()),
        ("etag", "\"5d41\"".to_owned()),
        ("last-modified", "Sat, 21 Nov 2026 00:00:00 GMT".to_owned()),
    ];
    ReplayedResponse { status: 200, headers, body: body.into() }
}

#[tokio::test]
async fn a_feed_without_a_contract_has_none() -> Result<(), Error> {
    let answers = [s3_error(404, "NoSuchKey"), document("8", "id: labs"), s3_error(403, "AccessDenied")];
    let (store, replay) = ScriptedService::store(answers);
    assert_eq!(store.contract("labs").await?, None);
    let contract = ContractObject {
        text: ContractText::Whole("id: labs".into()),
        version: "c1".into(),
        published_ms: 1_795_219_200_000,
        etag: "5d41".to_owned(),
    };
    assert_eq!(store.contract("labs").await?, Some(contract));
    assert!(store.contract("labs").await.is_err());
    assert!(replay.seen()[0].uri.contains("/labs.odcs.yaml"));
    Ok(())
}

#[tokio::test]
async fn the_length_is_checked_before_the_body_is_read() -> Result<(), Error> {
    let limit = contract::MOST_DOCUMENT_BYTES;
    // A body that does not have its length would fail where it is read.
    for length in [limit as u64 + 1, 5_000_000_000] {
        let (store, _) = ScriptedService::store([document(&length.to_string(), "short")]);
        let text = store.contract("labs").await?.map(|object| object.text);
        assert_eq!(text, Some(ContractText::TooLong(length)));
    }
    let longest = "x".repeat(limit);
    let (store, _) = ScriptedService::store([document(&limit.to_string(), &longest)]);
    let text = store.contract("labs").await?.map(|object| object.text);
    assert_eq!(text, Some(ContractText::Whole(longest.into())));
    Ok(())
}

#[tokio::test]
async fn a_body_that_breaks_off_or_goes_on_is_no_contract() {
    for (length, code) in [("9", "body broke off"), ("7", "body too long")] {
        let (store, _) = ScriptedService::store([document(length, "id: labs")]);
        assert_eq!(store.contract("labs").await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn one_version_is_read_by_its_id() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([document("8", "id: labs"), s3_error(404, "NoSuchVersion")]);
    assert!(store.contract_version("labs", "c 1").await?.is_some());
    assert_eq!(store.contract_version("labs", "c 2").await?, None);
    let seen = replay.seen();
    assert!(seen[0].uri.contains("/labs.odcs.yaml") && seen[0].uri.contains("versionId=c%201"), "{seen:?}");
    assert_eq!(seen[0].header("x-amz-expected-bucket-owner"), Some("123456789012"));
    Ok(())
}

/// Returns a listing of versions and delete markers: key, id, second of the day.
fn listing(versions: &[(&str, &str, u32)], markers: &[(&str, u32)]) -> ReplayedResponse {
    let time = |second: &u32| format!("<LastModified>2026-11-21T00:00:{second:02}.000Z</LastModified>");
    let version = |(key, id, second): &(&str, &str, u32)| {
        format!("<Version><Key>{key}</Key><VersionId>{id}</VersionId>{}</Version>", time(second))
    };
    let marker = |(key, second): &(&str, u32)| {
        format!("<DeleteMarker><Key>{key}</Key><VersionId>m</VersionId>{}</DeleteMarker>", time(second))
    };
    let versions: String = versions.iter().map(version).collect();
    let markers: String = markers.iter().map(marker).collect();
    answer(
        200,
        format!(
            "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>{versions}\
             {markers}</ListVersionsResult>"
        ),
    )
}

const KEY: &str = "labs.odcs.yaml";

#[tokio::test]
async fn versions_of_exactly_the_feed_are_listed_newest_first() -> Result<(), Error> {
    let listed = [(KEY, "3", 30), (KEY, "2", 20), (KEY, "1", 10), ("labs.odcs.yaml.bak", "other", 40)];
    let (store, replay) = ScriptedService::store([listing(&listed, &[("labs.odcs.yaml.bak", 50)])]);
    assert_eq!(store.contract_versions("labs").await?, ["3", "2", "1"]);
    let seen = replay.seen();
    assert!(seen[0].uri.contains("prefix=labs.odcs.yaml"), "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn versions_from_before_a_deletion_are_left_out() -> Result<(), Error> {
    let versions = [(KEY, "4", 40), (KEY, "3", 30), (KEY, "2", 20), (KEY, "1", 10)];
    for (deleted, expected) in [(5, vec!["4", "3", "2", "1"]), (20, vec!["4", "3"]), (41, vec![])] {
        let markers = [(KEY, deleted), (KEY, 1)];
        let (store, _) = ScriptedService::store([listing(&versions, &markers)]);
        assert_eq!(store.contract_versions("labs").await?, expected, "deleted at {deleted}");
    }
    Ok(())
}

#[tokio::test]
async fn not_more_versions_are_given_than_are_looked_through() -> Result<(), Error> {
    let versions: Vec<_> = (0..30).map(|second| (KEY, "v", 59 - second)).collect();
    let (store, _) = ScriptedService::store([listing(&versions, &[])]);
    assert_eq!(store.contract_versions("labs").await?.len(), MOST_CONTRACT_VERSIONS);
    Ok(())
}

#[tokio::test]
async fn feeds_are_named_by_their_contracts_and_a_missing_document_is_none() -> Result<(), Error> {
    let key = |key: &str| format!("<Contents><Key>{key}</Key></Contents>");
    let listed = format!(
        "<ListBucketResult>{}{}{}</ListBucketResult>",
        key("charges.odcs.yaml"),
        key("labs.odcs.yaml"),
        key("notes.txt")
    );
    let (store, _) =
        ScriptedService::store([answer(200, listed), s3_error(404, "NoSuchKey"), answer(200, "{}")]);
    assert_eq!(store.feeds().await?, ["charges", "labs"]);
    assert_eq!(store.document("_receipts/x").await?, None);
    assert_eq!(store.document("_receipts/x").await?, Some("{}".into()));
    Ok(())
}

#[tokio::test]
async fn a_contract_is_published_only_where_there_is_none_and_tells_since_when() -> Result<(), Error> {
    let listed = "<ListBucketResult><IsTruncated>false</IsTruncated>\
        <Contents><Key>labs.odcs.yaml</Key><ETag>&quot;5d41&quot;</ETag><LastModified>2026-11-21T06:00:00.000Z</LastModified></Contents>\
        <Contents><Key>notes.txt</Key><LastModified>2026-11-21T06:00:00.000Z</LastModified></Contents></ListBucketResult>";
    let answers = [
        answer(200, listed),
        answer(200, ""),
        s3_error(412, "PreconditionFailed"),
        s3_error(403, "AccessDenied"),
    ];
    let (store, replay) = ScriptedService::store(answers);
    assert_eq!(
        store.published().await?,
        [PublishedContract {
            feed: "labs".into(),
            published_ms: 1_795_240_800_000,
            etag: Some("\"5d41\"".to_owned())
        }]
    );
    let absent = Condition::Absent;
    let put = store.put_contract("heartbeat", "kind: DataContract".into(), &absent).await?;
    assert_eq!(put, ContractPut::Written("null".to_owned()));
    assert_eq!(store.put_contract("heartbeat", "".into(), &absent).await?, ContractPut::Conflict);
    let denied = store.put_contract("heartbeat", "".into(), &absent).await.unwrap_err();
    assert_eq!((denied.operation, denied.code.as_str()), (Operation::PublishContract, "AccessDenied"));
    let put = &replay.seen()[1];
    assert_eq!((put.method.as_str(), put.header("if-none-match")), ("PUT", Some("*")));
    assert!(put.uri.contains("/heartbeat.odcs.yaml"), "{}", put.uri);
    Ok(())
}

#[tokio::test]
async fn a_version_replaces_only_what_was_seen() -> Result<(), Error> {
    let written = ReplayedResponse {
        status: 200,
        headers: vec![("x-amz-version-id", "c2".to_owned())],
        body: "".into(),
    };
    let conflicts = [
        s3_error(412, "PreconditionFailed"),
        s3_error(409, "ConditionalRequestConflict"),
        s3_error(404, "NoSuchKey"),
    ];
    let (store, replay) = ScriptedService::store([written].into_iter().chain(conflicts));
    let seen = Condition::Replaces("5d41".to_owned());
    assert_eq!(store.put_contract("labs", "a".into(), &seen).await?, ContractPut::Written("c2".to_owned()));
    for _ in 0..3 {
        assert_eq!(store.put_contract("labs", "a".into(), &seen).await?, ContractPut::Conflict);
    }
    let put = &replay.seen()[0];
    assert_eq!((put.header("if-match"), put.header("if-none-match")), (Some("\"5d41\""), None));
    Ok(())
}
