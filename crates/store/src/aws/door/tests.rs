use sha2::{Digest, Sha256};

use super::*;
use crate::Item;
use crate::aws::replay::{Answer, Replay, Seen, answer, dynamodb_error, s3_error};
use crate::door::{
    Begun, Condition, CredentialHash, FilePlace, FileQuery, Land, Landed, Landing, Limiter, Limits, Part,
    Partners, Presigned, Reading, RequestKey, Requests, SignedPart, SignedUpload, Spent, UploadId,
};
use crate::{FileVersion, State};

const LIMITS: Limits = Limits { requests_per_second: 2, burst: 3, bytes_per_day: 100 };
/// 1 January 1970, 00:01:00.
const NOW_MS: u64 = 60_000;

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

fn rejected(item: &str) -> Answer {
    dynamodb_error("ConditionalCheckFailedException", &format!(r#","Item":{item}"#))
}

/// Every placeholder of the expressions is defined, and none that is defined is unused: DynamoDB rejects both.
fn assert_well_formed(request: &Seen) {
    let json = request.json();
    let expressions =
        ["UpdateExpression", "ConditionExpression", "KeyConditionExpression", "FilterExpression"];
    let text = expressions.map(|name| json[name].to_string()).join(" ");
    let mut used: Vec<_> = text
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || "_#:".contains(letter)))
        .filter(|word| word.starts_with(['#', ':']))
        .collect();
    used.sort_unstable();
    used.dedup();
    let defined = ["ExpressionAttributeNames", "ExpressionAttributeValues"];
    let defined = defined.into_iter().filter_map(|name| json[name].as_object()).flat_map(|map| map.keys());
    let mut defined: Vec<_> = defined.map(String::as_str).collect();
    defined.sort_unstable();
    assert_eq!(used, defined, "{json}");
}

#[tokio::test]
async fn a_request_within_the_rate_is_one_conditional_write() -> Result<(), Error> {
    let (door, replay) = Replay::door([answer(200, "{}")]);
    assert_eq!(door.take_request("north", &LIMITS, NOW_MS).await?, Spent::Yes);
    let seen = replay.seen();
    assert_eq!(seen.len(), 1);
    assert_well_formed(&seen[0]);
    let json = seen[0].json();
    assert_eq!(json["Key"]["pk"]["S"], "limit#north");
    assert_eq!(json["ExpressionAttributeValues"][":next"]["N"], "60500000");
    assert_eq!(json["ExpressionAttributeValues"][":ends"]["N"], "86460", "seconds, a day later");
    Ok(())
}

#[tokio::test]
async fn a_burst_takes_a_second_write_and_one_over_it_is_told_when() -> Result<(), Error> {
    let due = |arrival: u64| rejected(&format!(r#"{{"arrival_us":{{"N":"{arrival}"}}}}"#));
    let (door, replay) = Replay::door([due(60_500_000), answer(200, "{}")]);
    assert_eq!(door.take_request("north", &LIMITS, NOW_MS).await?, Spent::Yes);
    replay.seen().iter().for_each(assert_well_formed);

    let (door, replay) = Replay::door([due(61_500_000)]);
    let wait = Spent::Wait { milliseconds: 500 };
    assert_eq!(door.take_request("north", &LIMITS, NOW_MS).await?, wait);
    assert_eq!(replay.seen().len(), 1);

    let (door, _) = Replay::door([due(61_000_000), due(61_500_000)]);
    assert_eq!(door.take_request("north", &LIMITS, NOW_MS).await?, wait, "others were first");
    Ok(())
}

#[tokio::test]
async fn bytes_of_a_day_are_one_conditional_write_and_a_whole_day_none() -> Result<(), Error> {
    let (door, replay) = Replay::door([answer(200, "{}"), rejected(r#"{"bytes":{"N":"99"}}"#)]);
    let tomorrow = Spent::Wait { milliseconds: 24 * 3_600_000 - NOW_MS };
    assert_eq!(door.take_bytes("north", &LIMITS, 101, NOW_MS).await?, tomorrow);
    assert_eq!(door.take_bytes("north", &LIMITS, 60, NOW_MS).await?, Spent::Yes);
    assert_eq!(door.take_bytes("north", &LIMITS, 2, NOW_MS).await?, tomorrow);
    let seen = replay.seen();
    assert_eq!(seen.len(), 2);
    assert_well_formed(&seen[0]);
    assert_eq!(seen[0].json()["Key"]["sk"]["S"], "day#0");
    assert_eq!(seen[0].json()["ExpressionAttributeValues"][":room"]["N"], "40");
    Ok(())
}

#[tokio::test]
async fn a_request_that_was_begun_is_answered_as_it_stands() -> Result<(), Error> {
    let kept = |more: &str| rejected(&format!(r#"{{"fingerprint":{{"S":"print"}}{more}}}"#));
    let answers = [
        answer(200, "{}"),
        kept(r#","attempt":{"S":"another"},"until_ms":{"N":"70000"}"#),
        kept(r#","status":{"N":"202"},"body":{"S":"{}"}"#),
        kept(""),
    ];
    let (door, replay) = Replay::door(answers);
    let key = RequestKey { partner: "north".into(), hash: "h".into() };
    assert_eq!(door.begin(&key, "print", NOW_MS, 70_000).await?, Begun::Mine);
    assert_eq!(door.begin(&key, "print", NOW_MS, 70_000).await?, Begun::Running);
    let answered = crate::door::Answer { status: 202, body: "{}".into() };
    assert_eq!(door.begin(&key, "print", NOW_MS, 70_000).await?, Begun::Answered(answered));
    assert_eq!(door.begin(&key, "other", NOW_MS, 70_000).await?, Begun::Differs);
    let seen = replay.seen();
    seen.iter().for_each(assert_well_formed);
    assert_eq!(seen[0].json()["Item"]["pk"]["S"], "request#north");
    assert_eq!(seen[0].json()["Item"]["ends"]["N"], "86470");
    let attempts: Vec<_> = seen.iter().map(|seen| seen.json()["Item"]["attempt"]["S"].to_string()).collect();
    assert_ne!(attempts[0], attempts[1]);
    Ok(())
}

#[tokio::test]
async fn a_credential_is_put_in_both_places_or_none_and_one_that_cannot_be_read_opens_nothing() {
    let item = r#"{"id":{"S":"c"},"partner":{"S":"north"},"feeds":{"S":"*"},"scopes":{"S":"read submit"},
        "created_ms":{"N":"1"},"hash":{"S":"HASH"}REVOKED}"#;
    let hash = CredentialHash::of("secret");
    let item = item.replace("HASH", hash.as_str());
    let found = |revoked: &str| answer(200, format!(r#"{{"Item":{}}}"#, item.replace("REVOKED", revoked)));
    let odd = found(r#","revoked_ms":{"S":"yesterday"}"#);
    let (door, replay) = Replay::door([found(""), answer(200, "{}"), odd]);
    let credential = door.credential(&hash).await.unwrap().unwrap();
    assert!(credential.is_valid(2));
    door.put_credential(&hash, &credential).await.unwrap();
    assert_eq!(door.credential(&hash).await.unwrap_err().code, "malformed item");
    let seen = replay.seen();
    assert_eq!(seen[0].json()["ConsistentRead"], true);
    let writes = seen[1].json()["TransactItems"].clone();
    assert_eq!(writes[0]["Put"]["Item"]["pk"]["S"], format!("credential#{}", hash.as_str()));
    assert_eq!(writes[1]["Put"]["Item"]["pk"]["S"], "partner#north");
    assert_eq!(writes[1]["Put"]["Item"]["hash"]["S"], hash.as_str());
}

#[tokio::test]
async fn a_small_file_lands_under_its_condition_with_its_checksum() -> Result<(), Error> {
    let headers = vec![("etag", "\"tag\"".to_owned()), ("x-amz-version-id", "v1".to_owned())];
    let (door, replay) = Replay::door([Answer { status: 200, headers, body: Vec::new() }]);
    let landed = door.land(&land(Condition::Absent), &sha256("hello"), "hello".into()).await?;
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
        let (door, replay) = Replay::door((0..3).map(|_| s3_error(status, code)));
        assert_eq!(door.land(&replacing, &sha256(""), "".into()).await?, Landed::Conflict, "{code}");
        assert_eq!(replay.seen()[0].header("if-match"), Some("\"tag\""));
    }
    let (door, _) = Replay::door([s3_error(400, "BadDigest")]);
    assert_eq!(door.land(&replacing, &[0; 32], "".into()).await?, Landed::Rejected("BadDigest".into()));
    let (door, _) = Replay::door([s3_error(403, "AccessDenied")]);
    assert_eq!(door.land(&replacing, &[0; 32], "".into()).await.unwrap_err().code, "AccessDenied");
    Ok(())
}

fn signed_headers(signed: &Presigned) -> Vec<&str> {
    let query = signed.url.split_once('?').unwrap().1;
    let list = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-SignedHeaders=")).unwrap();
    list.split("%3B").collect()
}

#[tokio::test]
async fn a_signed_put_signs_length_checksum_condition_and_metadata_and_no_more() -> Result<(), Error> {
    let (door, replay) = Replay::door([]);
    for (condition, header) in
        [(Condition::Absent, "if-none-match"), (Condition::Replaces("tag".into()), "if-match")]
    {
        let upload = SignedUpload { land: land(condition), bytes: 6_000_000_000, sha256: sha256("hello") };
        let signed = door.sign_upload(&upload, 900).await?;
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
    let (door, _) = Replay::door([]);
    let part = SignedPart {
        key: "north/labs/a".into(),
        multipart: "s3 upload".into(),
        number: 7,
        bytes: 5,
        sha256: sha256("hello"),
    };
    let signed = door.sign_part(&part, 60).await?;
    assert_eq!(signed_headers(&signed), ["content-length", "host", "x-amz-checksum-sha256"]);
    assert_eq!(signed.headers.len(), 2);
    assert!(signed.url.contains("partNumber=7") && signed.url.contains("uploadId=s3%20upload"));
    let download = door.sign_download("north/labs/r.csv", "a\"b\r\n.csv", 60).await?;
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
    let (door, replay) = Replay::door([begun, done, s3_error(404, "NoSuchUpload")]);
    let land = land(Condition::Absent);
    assert_eq!(door.begin_parts(&land).await?, "m");
    let part = Part { number: 1, etag: "\"p\"".into(), sha256: sha256("hello") };
    let landed = door.complete_parts(&land, "m", &[part]).await?;
    assert_eq!(landed, Landed::Version { version: "null".into(), etag: "t-1".into() });
    door.abort_parts(&land.key, "m").await?;
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
    let head = |version: &str, upload: &UploadId| Answer {
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
    let (door, replay) = Replay::door(answers);
    let found = door.landed_as("a b", &wanted).await?;
    assert_eq!(found.map(|found| (found.version, found.etag)), Some(("2".into(), "tag".into())));
    assert_eq!(door.landed_as("a b", &wanted).await?, None);
    let seen = replay.seen();
    assert!(seen[1].uri.contains("max-keys=100"), "{}", seen[1].uri);
    assert!(seen[2].uri.contains("versionId=2"), "{}", seen[2].uri);
    Ok(())
}

fn shown(number: u32, state: &str) -> String {
    let id = FileId::of(&FileVersion {
        bucket: "inbox".into(),
        key: number.to_string(),
        version: "v".into(),
        etag: None,
    });
    format!(
        r#"{{"pk":{{"S":"file#{id}"}},"partner":{{"S":"north"}},"order":{{"S":"2026-11-{number:02}/1"}},
        "feed":{{"S":"labs"}},"state":{{"S":"{state}"}},"bucket":{{"S":"inbox"}},"key":{{"S":"{number}"}},
        "version":{{"S":"v"}}}}"#
    )
}

fn page(items: &[String], last: Option<&String>) -> Answer {
    let last = last.map_or_else(String::new, |last| format!(r#","LastEvaluatedKey":{last}"#));
    answer(200, format!(r#"{{"Items":[{}]{last}}}"#, items.join(",")))
}

#[tokio::test]
async fn files_are_one_query_of_the_index_under_the_callers_name() -> Result<(), Error> {
    let (door, replay) = Replay::door([page(&[shown(5, "COMPLETE"), shown(4, "COMPLETE")], None)]);
    let file = FileId::parse("r5g61a45bnmyhnp8sgqw0ymkjv").unwrap();
    let query = FileQuery {
        partner: "north".into(),
        from: Some("2026-11-01".into()),
        before: Some("2026-11-05/1".into()),
        limit: 20,
        after: Some(FilePlace { order: "2026-11-04/9".into(), file: file.clone() }),
        ..FileQuery::default()
    };
    let found = door.files(&query).await?;
    assert_eq!(found.files.len(), 1, "the upper bound is left out");
    assert_eq!((found.files[0].state, &found.files[0].outcome), (State::Complete, &None));
    let seen = replay.seen().remove(0);
    assert_well_formed(&seen);
    let json = seen.json();
    assert_eq!((&json["IndexName"], &json["ScanIndexForward"]), (&"by-partner".into(), &false.into()));
    assert_eq!(json["ExpressionAttributeValues"][":partner"]["S"], "north");
    assert_eq!(json["ExclusiveStartKey"]["partner"]["S"], "north");
    assert_eq!(json["ExclusiveStartKey"]["pk"]["S"], format!("file#{file}"));
    Ok(())
}

#[tokio::test]
async fn a_filter_looks_through_few_pages_and_tells_where_to_go_on() -> Result<(), Error> {
    let last = |number| shown(number, "COMPLETE");
    let answers = (0..5).map(|number| page(&[], Some(&last(9 - number))));
    let (door, replay) = Replay::door(answers);
    let query = FileQuery {
        partner: "north".into(),
        state: Some(State::Gone),
        feed: Some("labs".into()),
        limit: 10,
        ..FileQuery::default()
    };
    let found = door.files(&query).await?;
    assert!(found.files.is_empty());
    assert_eq!(found.next.map(|next| next.order).as_deref(), Some("2026-11-05/1"));
    let seen = replay.seen();
    assert_eq!(seen.len(), 5);
    seen.iter().for_each(assert_well_formed);
    assert_eq!(seen[0].json()["Limit"], 100);

    let (door, _) = Replay::door([page(&[shown(5, "GONE"), shown(4, "GONE")], None)]);
    let found = door.files(&FileQuery { limit: 1, ..query }).await?;
    assert_eq!(
        found.next.map(|next| next.order).as_deref(),
        Some("2026-11-05/1"),
        "more was found than asked for"
    );
    Ok(())
}

#[tokio::test]
async fn bounds_that_dynamodb_would_reject_find_nothing() -> Result<(), Error> {
    let (door, replay) = Replay::door([]);
    let place =
        FilePlace { order: "2025/1".into(), file: FileId::parse("r5g61a45bnmyhnp8sgqw0ymkjv").unwrap() };
    let all = FileQuery { partner: "north".into(), limit: 1, ..FileQuery::default() };
    let query = |from: &str, before: &str| FileQuery {
        from: Some(from.into()),
        before: Some(before.into()),
        ..all.clone()
    };
    let behind = FileQuery { from: Some("2026".into()), after: Some(place), ..all.clone() };
    for query in [query("2026", "2025"), query("", ""), behind] {
        assert!(door.files(&query).await?.files.is_empty());
    }
    assert!(replay.seen().is_empty());
    Ok(())
}

#[tokio::test]
async fn rows_read_back_with_their_types() -> Result<(), Error> {
    let load = "r5g61a45bnmyhnp8sgqw0ymkjv-ce8hmn7mrjtx6";
    let item = format!(
        r#"{{"pk":{{"S":"north/labs#1"}},"sk":{{"S":"2#{load}"}},"_load":{{"S":"{load}"}},
        "n":{{"N":"12345678901234567890.10"}},"l":{{"L":[{{"NULL":true}},{{"BOOL":false}}]}},
        "m":{{"M":{{"b":{{"S":"x"}},"a":{{"N":"1"}}}}}}}}"#
    );
    let odd = r#"{"Items":[{"pk":{"S":"p"},"sk":{"S":"s"},"x":{"B":"AA=="}}]}"#;
    let whole = format!(r#"{{"Items":[{item}],"LastEvaluatedKey":{{"pk":{{"S":"p"}},"sk":{{"S":"2#x"}}}}}}"#);
    let (door, replay) = Replay::door([answer(200, whole), answer(200, odd)]);
    let page = door.record_versions("north/labs#1", Some("3#x"), 1).await?;
    assert_eq!(page.next.as_deref(), Some("2#x"));
    let version = &page.versions[0];
    assert_eq!(version.load.as_str(), load);
    let Item { attributes, .. } = &version.item;
    let names: Vec<_> = attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["_load", "l", "m", "n"]);
    assert!(attributes[3].1 == crate::ItemValue::Number("12345678901234567890.10".into()));
    let inner = |name: &str, value| (name.to_owned(), value);
    let map = vec![
        inner("a", crate::ItemValue::Number("1".into())),
        inner("b", crate::ItemValue::Text("x".into())),
    ];
    assert!(attributes[2].1 == crate::ItemValue::Map(map));
    let json = replay.seen()[0].json();
    assert_eq!(
        (&json["ConsistentRead"], &json["ExclusiveStartKey"]["sk"]["S"]),
        (&true.into(), &"3#x".into())
    );
    assert!(door.record_versions("north/labs#1", None, 1).await.is_err());
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
    let (door, _) = Replay::door([answer(200, listed), s3_error(404, "NoSuchKey"), answer(200, "{}")]);
    assert_eq!(door.feeds().await?, ["charges", "labs"]);
    assert_eq!(door.document("_receipts/x").await?, None);
    assert_eq!(door.document("_receipts/x").await?, Some("{}".into()));
    Ok(())
}
