use sha2::{Digest, Sha256};

use super::*;
use crate::ReadQuarantine;
use crate::aws::replay::{ReplayedResponse, ScriptedService, answer, s3_error};

fn land(condition: Condition) -> Land {
    Land {
        key: "north/labs/a b+(1).csv".into(),
        upload: UploadId::of(&[b"u"]),
        content_type: "text/csv".into(),
        corrects: Some("r5g61a45bnmyhnp8sgqw0ymkjv".into()),
        condition,
    }
}

fn sha256(bytes: &str) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[tokio::test]
async fn a_small_file_lands_under_its_condition_with_its_checksum() -> Result<(), Error> {
    let headers = vec![("etag", "\"tag\"".to_owned()), ("x-amz-version-id", "v1".to_owned())];
    let (store, replay) =
        ScriptedService::store([ReplayedResponse { status: 200, headers, body: Vec::new() }]);
    let landed = store.land(&land(Condition::Absent), &sha256("hello"), "hello".into()).await?;
    assert_eq!(landed, Landed::Version { version: "v1".into(), etag: "tag".into() });
    let seen = replay.seen().remove(0);
    assert!(seen.uri.contains("/north/labs/a%20b%2B%281%29.csv"), "{}", seen.uri);
    assert_eq!(seen.header("if-none-match"), Some("*"));
    assert_eq!(seen.header("x-amz-checksum-sha256"), Some("LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="));
    assert_eq!(seen.header("x-amz-checksum-crc32"), None);
    assert_eq!(seen.header("x-amz-meta-upload"), Some(land(Condition::Absent).upload.as_str()));
    assert_eq!(seen.header("x-amz-meta-corrects"), Some("r5g61a45bnmyhnp8sgqw0ymkjv"));
    assert_eq!(seen.header("x-amz-expected-bucket-owner"), Some("123456789012"));
    Ok(())
}

#[tokio::test]
async fn what_s3_does_not_take_is_a_conflict_a_senders_fault_or_ours() -> Result<(), Error> {
    let replacing = land(Condition::Replaces("tag".into()));
    let conflicts = [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict"), (404, "NoSuchKey")];
    for (status, code) in conflicts {
        // The SDK sends a 409 of this code again: it is answered the same three times.
        let (store, replay) = ScriptedService::store((0..3).map(|_| s3_error(status, code)));
        assert_eq!(store.land(&replacing, &sha256(""), "".into()).await?, Landed::Conflict, "{code}");
        assert_eq!(replay.seen()[0].header("if-match"), Some("\"tag\""));
    }
    let (store, _) = ScriptedService::store([s3_error(400, "BadDigest")]);
    assert_eq!(store.land(&replacing, &[0; 32], "".into()).await?, Landed::Rejected("BadDigest".into()));
    let (store, _) = ScriptedService::store([s3_error(403, "AccessDenied")]);
    assert_eq!(store.land(&replacing, &[0; 32], "".into()).await.unwrap_err().code, "AccessDenied");
    Ok(())
}

fn signed_headers(signed: &Presigned) -> Vec<&str> {
    let query = signed.url.split_once('?').unwrap().1;
    let list = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-SignedHeaders=")).unwrap();
    list.split("%3B").collect()
}

#[tokio::test]
async fn a_signed_put_signs_length_checksum_condition_and_metadata_and_no_more() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([]);
    for (condition, header) in
        [(Condition::Absent, "if-none-match"), (Condition::Replaces("tag".into()), "if-match")]
    {
        let upload = SignedUpload { land: land(condition), bytes: 6_000_000_000, sha256: sha256("hello") };
        let signed = store.sign_upload(&upload, 900).await?;
        let names: Vec<_> = signed.headers.iter().map(|(name, _)| name.as_str()).collect();
        let expected = [
            "content-length",
            "content-type",
            header,
            "x-amz-checksum-sha256",
            "x-amz-meta-corrects",
            "x-amz-meta-upload",
        ];
        assert_eq!(names, expected);
        let all: Vec<_> = signed_headers(&signed).into_iter().filter(|name| *name != "host").collect();
        assert_eq!(all, expected, "each is signed");
        assert!(signed.headers.contains(&("content-length".into(), "6000000000".into())));
        assert!(signed.url.contains("X-Amz-Expires=900") && !signed.url.contains("crc32"), "{}", signed.url);
    }
    assert!(replay.seen().is_empty(), "signing makes no call");
    Ok(())
}

#[tokio::test]
async fn a_signed_part_signs_its_length_and_checksum() -> Result<(), Error> {
    let (store, _) = ScriptedService::store([]);
    let part = SignedPart {
        key: "north/labs/a".into(),
        multipart: "s3 upload".into(),
        number: 7,
        bytes: 5,
        sha256: sha256("hello"),
    };
    let signed = store.sign_part(&part, 60).await?;
    assert_eq!(signed_headers(&signed), ["content-length", "host", "x-amz-checksum-sha256"]);
    assert_eq!(signed.headers.len(), 2);
    assert!(signed.url.contains("partNumber=7") && signed.url.contains("uploadId=s3%20upload"));
    let download = store.sign_download("north/labs/r.csv", "a\"b\r\n.csv", 60).await?;
    assert!(download.url.contains("filename%3D%22a_b__.csv%22"), "{}", download.url);
    assert!(download.headers.is_empty() && download.method == "GET");
    Ok(())
}

#[tokio::test]
async fn parts_are_begun_completed_and_given_up_with_their_checksums() -> Result<(), Error> {
    let begun =
        answer(200, "<InitiateMultipartUploadResult><UploadId>m</UploadId></InitiateMultipartUploadResult>");
    let done =
        answer(200, "<CompleteMultipartUploadResult><ETag>\"t-1\"</ETag></CompleteMultipartUploadResult>");
    let (store, replay) = ScriptedService::store([begun, done, s3_error(404, "NoSuchUpload")]);
    let land = land(Condition::Absent);
    assert_eq!(store.begin_parts(&land).await?, "m");
    let part = UploadPart { number: 1, etag: "\"p\"".into(), sha256: sha256("hello") };
    let landed = store.complete_parts(&land, "m", &[part]).await?;
    assert_eq!(landed, Landed::Version { version: "null".into(), etag: "t-1".into() });
    store.abort_parts(&land.key, "m").await?;
    let seen = replay.seen();
    assert_eq!(seen[0].header("x-amz-checksum-algorithm"), Some("SHA256"));
    assert_eq!(seen[0].header("x-amz-checksum-type"), Some("COMPOSITE"));
    assert_eq!(seen[0].header("x-amz-meta-upload"), Some(land.upload.as_str()));
    assert_eq!(seen[1].header("if-none-match"), Some("*"));
    assert!(seen[1].body.contains("<ChecksumSHA256>LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="));
    assert_eq!(seen[2].method, "DELETE");
    Ok(())
}

#[tokio::test]
async fn an_upload_is_found_among_the_versions_of_exactly_its_key() -> Result<(), Error> {
    let wanted = UploadId::of(&[b"wanted"]);
    let head = |version: &str, upload: &UploadId| ReplayedResponse {
        status: 200,
        headers: vec![
            ("content-length", "5".into()),
            ("etag", "\"tag\"".into()),
            ("x-amz-version-id", version.into()),
            ("x-amz-meta-upload", upload.to_string()),
        ],
        body: Vec::new(),
    };
    let other = UploadId::of(&[b"other"]);
    let version =
        |key: &str, id: &str| format!("<Version><Key>{key}</Key><VersionId>{id}</VersionId></Version>");
    let page = format!(
        "<ListVersionsResult><EncodingType>url</EncodingType>{}{}{}</ListVersionsResult>",
        version("a+b", "3"),
        version("a+b", "2"),
        version("a+bc", "9")
    );
    let answers = [head("3", &other), answer(200, page), head("2", &wanted), answer(404, "")];
    let (store, replay) = ScriptedService::store(answers);
    let found = store.landed_as("a b", &wanted).await?;
    assert_eq!(found.map(|found| (found.version, found.etag)), Some(("2".into(), "tag".into())));
    assert_eq!(store.landed_as("a b", &wanted).await?, None);
    let seen = replay.seen();
    assert!(seen[1].uri.contains("max-keys=100"), "{}", seen[1].uri);
    assert!(seen[2].uri.contains("versionId=2"), "{}", seen[2].uri);
    Ok(())
}

fn version(key: &str, version: &str) -> String {
    format!(
        "<Version><Key>{key}</Key><VersionId>{version}</VersionId><ETag>&quot;tag&quot;</ETag><Size>7</Size>\
         <LastModified>2026-11-21T06:00:00.000Z</LastModified></Version>"
    )
}

fn page(content: &str, next: Option<(&str, &str)>) -> ReplayedResponse {
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |(key, version)| {
            format!(
                "<IsTruncated>true</IsTruncated><NextKeyMarker>{key}</NextKeyMarker>\
                 <NextVersionIdMarker>{version}</NextVersionIdMarker>"
            )
        },
    );
    let body =
        format!("<ListVersionsResult><EncodingType>url</EncodingType>{content}{next}</ListVersionsResult>");
    answer(200, body)
}

#[tokio::test]
async fn versions_are_listed_page_by_page_without_delete_markers() -> Result<(), Error> {
    let marker = "<DeleteMarker><Key>n/l/gone</Key><VersionId>d</VersionId></DeleteMarker>";
    let content = version("n/l/a+b%2B.csv", "v1") + marker + &version("n/l/c", "null");
    let (store, replay) = ScriptedService::store([page(&content, Some(("n/l/c", "null"))), page("", None)]);
    let first = store.inbox_page("", None).await?;
    let [one, other] = &first.versions[..] else { panic!("two versions") };
    assert_eq!((one.file.key.as_str(), one.file.version.as_str(), one.bytes), ("n/l/a b+.csv", "v1", 7));
    assert_eq!((one.file.etag.as_deref(), other.file.etag.as_deref()), (None, Some("tag")));
    assert_eq!(one.last_modified_ms, 1_795_240_800_000);
    assert!(store.inbox_page("n/l/", first.next.as_ref()).await?.next.is_none());
    let seen = replay.seen();
    assert!(!seen[0].uri.contains("key-marker") && !seen[0].uri.contains("prefix"), "{}", seen[0].uri);
    assert!(seen[1].uri.contains("prefix=n%2Fl%2F"), "{}", seen[1].uri);
    assert!(seen[1].uri.contains("key-marker=n%2Fl%2Fc") && seen[1].uri.contains("version-id-marker=null"));
    assert_eq!(seen[0].header("x-amz-expected-bucket-owner"), Some("123456789012"));
    Ok(())
}

fn folders_page(folders: &[&str], next: Option<&str>) -> ReplayedResponse {
    let folder = |name: &&str| format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
    let folders: String = folders.iter().map(folder).collect();
    let next = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |next| format!("<IsTruncated>true</IsTruncated><NextKeyMarker>{next}</NextKeyMarker>"),
    );
    let page =
        format!("<ListVersionsResult><EncodingType>url</EncodingType>{folders}{next}</ListVersionsResult>");
    answer(200, page)
}

#[tokio::test]
async fn senders_are_the_folders_of_versions_page_by_page() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([
        folders_page(&["north/", "odd+%0A/"], Some("odd+%0A/")),
        folders_page(&["south/", "/"], None),
    ]);
    let all = store.senders(None).await?;
    assert_eq!((all.names, all.complete), (["north", "odd \n", "south"].map(str::to_owned).into(), true));
    let seen = replay.seen();
    assert!(seen[0].uri.contains("versions") && seen[0].uri.contains("delimiter=%2F"), "{}", seen[0].uri);
    // Named, as the condition of the notifier's role asks.
    assert!(seen[0].uri.contains("prefix=&") || seen[0].uri.ends_with("prefix="), "{}", seen[0].uri);
    assert!(seen[1].uri.contains("key-marker=odd%20%0A%2F"), "{}", seen[1].uri);
    assert!(!seen[1].uri.contains("version-id-marker"), "{}", seen[1].uri);
    assert_eq!(seen[0].header("x-amz-expected-bucket-owner"), Some("123456789012"));
    Ok(())
}

#[tokio::test]
async fn the_feeds_of_one_partner_are_its_folders() -> Result<(), Error> {
    let (store, replay) = ScriptedService::store([folders_page(&["north/labs/", "elsewhere/"], None)]);
    assert_eq!(store.senders(Some("north")).await?.names, ["labs"]);
    assert!(replay.seen()[0].uri.contains("prefix=north%2F"), "{}", replay.seen()[0].uri);
    Ok(())
}

#[tokio::test]
async fn a_listing_without_end_is_given_up_and_says_so() -> Result<(), Error> {
    let (store, replay) =
        ScriptedService::store(std::iter::repeat_n(folders_page(&["north/"], Some("north/")), 20));
    assert!(!store.senders(None).await?.complete);
    assert_eq!(replay.seen().len(), MOST_PAGES);
    Ok(())
}
