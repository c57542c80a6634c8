use std::io::{Read, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{Condition, FileId, Land, Operation, State, UploadId, WriteInbox};

use super::harness::*;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).expect("in memory");
    encoder.finish().expect("in memory")
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
    text
}

#[tokio::test]
async fn a_good_file_becomes_rows_and_a_receipt() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/day 1.csv", GOOD);
    assert_eq!(harness.deliver(&[&file]).await, [] as [&str; 0]);
    let entry = harness.entry(&file);
    let outcome = entry.outcome.expect("outcome");
    assert_eq!((entry.state, outcome.counts.rows, outcome.quarantine), (State::Complete, 3, None));
    assert_eq!(outcome.contract_version, "1.2.0");
    let rows = harness.memory.rows();
    let keys: Vec<_> = rows.iter().map(|row| row.partition.as_str()).collect();
    assert_eq!(keys, ["north/visits#1", "north/visits#2", "north/visits#3"]);
    assert!(rows.iter().all(|row| row.sort == format!("{}#{}", entry.order, entry.load)));
    let objects = harness.memory.quarantine();
    assert_eq!(objects.keys().collect::<Vec<_>>(), [&outcome.receipt]);
    let receipt: Value = serde_json::from_slice(&objects[&outcome.receipt].bytes).expect("a receipt is JSON");
    assert_eq!((&receipt["state"], &receipt["counts"]["rows"]), (&json!("COMPLETE"), &json!(3)));
}

#[tokio::test]
async fn good_records_of_a_mixed_file_are_loaded_and_the_others_can_be_corrected() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", MIXED);
    harness.until_terminal(&[&file]).await;
    let outcome = harness.entry(&file).outcome.expect("outcome");
    assert_eq!((outcome.counts.records, outcome.counts.rows, outcome.counts.rejects), (4, 2, 2));
    assert_eq!(harness.memory.rows().len(), 2);
    let lines = gunzip(&harness.object("rejects.ndjson.gz").expect("rejects"));
    let numbers: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["line"].clone())
        .collect();
    assert_eq!(numbers, [json!(3), json!(4)]);
    let table = String::from_utf8(harness.object("rejects.csv").expect("table")).expect("UTF-8");
    assert!(table.starts_with("id,name,_line,"), "{table}");
    assert!(harness.object("report.complete.json").is_some());
    assert!(harness.object("original").is_none());
}

#[tokio::test]
async fn a_file_over_its_error_budget_is_kept_whole_and_nothing_is_loaded() {
    let harness = Harness::new();
    visits(&harness, &[("onError", "abort")]);
    let file = harness.land("north/visits/a.csv", MIXED);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Quarantined);
    assert_eq!(harness.fault(&file).as_deref(), Some("ERROR_BUDGET"));
    assert_eq!(harness.object("original").as_deref(), Some(MIXED.as_bytes()));
    assert_eq!(gunzip(&harness.object("rejects.ndjson.gz").expect("rejects")).lines().count(), 2);
    assert!(harness.memory.rows().is_empty());
    let day = format!("north/visits/2026/11/20/{}/", harness.entry(&file).load);
    assert_eq!(harness.entry(&file).outcome.and_then(|outcome| outcome.quarantine), Some(day));
}

#[tokio::test]
async fn every_format_is_read_through_any_chunks_large_or_small() {
    let lines = "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2,\"name\":\"Bob\"}\n";
    let array = "[{\"id\":1,\"name\":\"Ann\"},{\"id\":2}]";
    for (format, bytes) in [
        ("csv", gzip("id,name\n1,Ann\n2,Bob\n")),
        ("csv", b"id,name\r\n1,Ann\r\n2,Bob".to_vec()),
        ("ndjson", lines.as_bytes().to_vec()),
        ("json", array.as_bytes().to_vec()),
        ("json\n    delimiter: array", array.as_bytes().to_vec()),
        ("json\n    delimiter: new_line", lines.as_bytes().to_vec()),
    ] {
        for (small, chunk) in [(u64::MAX, 3), (0, 1), (0, 4096)] {
            let harness = Harness::with(|settings| settings.small_file_bytes = small);
            harness.memory.publish_contract("visits", contract(format, "active", &[]));
            harness.memory.chunks_of(chunk);
            let file = harness.land("north/visits/a", &bytes);
            harness.until_terminal(&[&file]).await;
            assert_eq!((harness.state(&file), harness.memory.rows().len()), (State::Complete, 2), "{format}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_checked_is_kept_with_its_reason() {
    let harness = Harness::new();
    visits(&harness, &[]);
    harness.memory.publish_contract("broken", "not: [a contract");
    harness.memory.publish_contract("drafted", contract("csv", "draft", &[]));
    for (key, bytes, fault) in [
        ("north/unknown-feed/a.csv", GOOD, "NO_CONTRACT"),
        ("north/broken/a.csv", GOOD, "CONTRACT_INVALID"),
        ("north/drafted/a.csv", GOOD, "CONTRACT_INACTIVE"),
        ("lost.csv", GOOD, "BAD_KEY"),
        ("North/visits/a.csv", GOOD, "BAD_KEY"),
        ("north/visits/zero.csv", "", "EMPTY"),
        ("north/visits/header.csv", "id\n1\n", "MISSING_COLUMN"),
        ("north/visits/", GOOD, "BAD_KEY"),
    ] {
        let file = harness.land(key, bytes);
        harness.until_terminal(&[&file]).await;
        assert_eq!(harness.state(&file), State::Quarantined, "{key}");
        assert_eq!(harness.fault(&file).as_deref(), Some(fault), "{key}");
        let prefix = harness.entry(&file).outcome.and_then(|outcome| outcome.quarantine).expect("prefix");
        let kept = harness.memory.quarantine();
        assert_eq!(kept[&format!("{prefix}original")].bytes, bytes.as_bytes(), "{key}");
        assert!(kept.contains_key(&format!("{prefix}report.quarantined.json")), "{key}");
    }
    assert!(harness.memory.rows().is_empty());
}

#[tokio::test]
async fn a_deleted_file_is_gone_and_an_archived_one_waits_in_the_inbox() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let deleted = harness.land("north/visits/a.csv", GOOD);
    harness.memory.delete(&deleted);
    let archived = harness.land("north/visits/b.csv", GOOD);
    harness.memory.archive(&archived);
    harness.until_terminal(&[&deleted, &archived]).await;
    assert_eq!(harness.state(&deleted), State::Gone);
    assert_eq!(harness.counted("FilesGone"), 1);
    assert_eq!(harness.fault(&archived).as_deref(), Some("ARCHIVED"));
    assert!(harness.object("original").is_none());
}

#[tokio::test]
async fn an_archived_file_that_is_quarantined_unread_stays_in_the_inbox_and_its_receipt_says_where() {
    let harness = Harness::new();
    let poison = Harness::on(harness.memory.clone(), |settings| settings.deaths = 0);
    visits(&harness, &[("onSameName", "reject")]);
    let first = harness.land("north/visits/taken.csv", GOOD);
    harness.until_terminal(&[&first]).await;
    for (key, fault) in [
        ("north/unknown-feed/a.csv", "NO_CONTRACT"),
        ("lost.csv", "BAD_KEY"),
        ("north/visits/taken.csv", "SAME_NAME"),
        ("north/visits/poison.csv", "POISON"),
    ] {
        let file = harness.land(key, GOOD);
        harness.memory.archive(&file);
        let harness = if fault == "POISON" { &poison } else { &harness };
        harness.until_terminal(&[&file]).await;
        assert_eq!(harness.fault(&file).as_deref(), Some(fault));
        let outcome = harness.entry(&file).outcome.expect("outcome");
        let prefix = outcome.quarantine.expect("prefix");
        let kept = harness.memory.quarantine();
        assert!(!kept.contains_key(&format!("{prefix}original")), "{key}");
        let inbox = json!({ "bucket": "inbox", "key": key, "version": file.version });
        for name in [outcome.receipt, format!("{prefix}report.quarantined.json")] {
            let told: Value = serde_json::from_slice(&kept[&name].bytes).expect("JSON");
            assert_eq!(told["original"], inbox, "{name}");
        }
    }
}

#[tokio::test]
async fn a_file_archived_between_its_two_readings_is_quarantined_and_not_taken_for_deleted() {
    let harness = Harness::with(|settings| settings.small_file_bytes = 0);
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    let frozen = file.clone();
    // Calls: contract, rank, hold, claim, open, chunk, end, open.
    harness.memory.before(8, move |memory| async move { memory.archive(&frozen) });
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.fault(&file).as_deref(), Some("ARCHIVED"));
    assert!(harness.memory.rows().is_empty());
}

#[tokio::test]
async fn receipt_report_and_announcement_say_the_same_verdict() {
    let harness = Harness::new();
    visits(&harness, &[("dedupeContent", "true"), ("onSameName", "reject")]);
    let deleted = harness.land("north/visits/deleted.csv", GOOD);
    harness.memory.delete(&deleted);
    for (key, bytes, verdict) in [
        ("north/nowhere/a.csv", GOOD, json!("rejected")),
        ("lost.csv", GOOD, json!("rejected")),
        ("north/visits/good.csv", GOOD, json!("accepted")),
        ("north/visits/good.csv", MIXED, json!("rejected")),
        ("north/visits/mixed.csv", MIXED, json!("partial")),
        ("north/visits/again.csv", MIXED, Value::Null),
        ("north/visits/header.csv", "id\n1\n", json!("rejected")),
    ] {
        let file = harness.land(key, bytes);
        harness.until_terminal(&[&file]).await;
        let outcome = harness.entry(&file).outcome.expect("outcome");
        let kept = harness.memory.quarantine();
        let receipt: Value = serde_json::from_slice(&kept[&outcome.receipt].bytes).expect("JSON");
        assert_eq!(receipt["verdict"], verdict, "{key}");
        let announcement = harness.memory.published().pop().expect("announced");
        let event: Value = serde_json::from_str(&announcement.body).expect("JSON");
        assert_eq!(event["verdict"], verdict, "{key}");
    }
}

#[tokio::test]
async fn a_file_deleted_between_its_two_readings_is_gone_and_none_of_its_rows_is_visible() {
    let harness = Harness::with(|settings| settings.small_file_bytes = 0);
    visits(&harness, &[]);
    let file = harness.land("north/visits/a.csv", GOOD);
    let doomed = file.clone();
    // Calls: contract, rank, hold, claim, open, chunk, end, open.
    harness.memory.before(8, move |memory| async move { memory.delete(&doomed) });
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.state(&file), State::Gone);
    assert!(harness.memory.rows().is_empty());
}

#[tokio::test]
async fn clutter_is_ignored_and_not_announced() {
    let harness = Harness::new();
    let folder = harness.land("north/visits/", "");
    let lock = harness.land("north/visits/.~lock.a.csv#", "x");
    harness.until_terminal(&[&folder, &lock]).await;
    assert_eq!((harness.state(&folder), harness.state(&lock)), (State::Ignored, State::Ignored));
    assert!(harness.memory.published().is_empty());
    assert!(harness.memory.quarantine().is_empty());
}

#[tokio::test]
async fn an_announcement_has_the_outcome_of_a_file_and_nothing_of_its_content() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let file = harness.land("north/visits/Jane Doe.csv", MIXED);
    harness.until_terminal(&[&file]).await;
    let [announcement] = harness.memory.published().try_into().expect("one");
    let body: Value = serde_json::from_str(&announcement.body).expect("JSON");
    let entry = harness.entry(&file);
    let outcome = entry.outcome.expect("outcome");
    assert_eq!(
        body,
        json!({
            "version": 1, "fileId": entry.load.file().as_str(), "load": entry.load.as_str(),
            "partner": "north", "feed": "visits", "state": "COMPLETE", "verdict": "partial",
            "loaded": 2, "counts": { "records": 4, "rows": 2, "rejects": 2, "warnings": 0 }, "contractVersion": "1.2.0",
            "receipt": { "bucket": "quarantine", "key": outcome.receipt }
        })
    );
    let names: Vec<_> = announcement.attributes.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["partner", "feed", "state", "verdict"]);
}

#[tokio::test]
async fn an_event_bus_event_without_a_version_means_the_newest_one() {
    let harness = Harness::new();
    visits(&harness, &[]);
    harness.land("north/visits/a+b.csv", "id,name\n1,Old\n");
    let newest = harness.land("north/visits/a+b.csv", GOOD);
    let event = json!({
        "source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-20T08:15:00Z",
        "detail": { "bucket": { "name": INBOX }, "object": { "key": "north/visits/a+b.csv", "etag": "e" } }
    });
    assert!(harness.invoke_direct(&event).await.is_ok());
    assert_eq!(harness.state(&newest), State::Complete);
}

#[tokio::test]
async fn a_bucket_without_versions_is_pinned_by_the_entity_tag() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let first = harness.memory.land_unversioned(INBOX, "north/visits/a.csv", GOOD);
    let second = harness.memory.land_unversioned(INBOX, "north/visits/a.csv", "id,name\n9,Zoe\n");
    harness.until_terminal(&[&first, &second]).await;
    assert_eq!((harness.state(&first), harness.state(&second)), (State::Gone, State::Complete));
    let quoted = store::FileVersion { etag: second.etag.map(|etag| format!("\"{etag}\"")), ..second };
    assert!(harness.deliver(&[&quoted]).await.is_empty());
    assert_eq!(harness.memory.entries().len(), 2, "the same file, as an answer of S3 spells its tag");
}

#[tokio::test]
async fn a_file_above_the_contracts_limit_is_kept_and_not_read() {
    let harness = Harness::new();
    let limits = "    format: csv\n    customProperties:\n      - property: limits\n        value: { maxFileBytes: 20 }\n        vendor: ingest\n";
    let document = contract("csv", "active", &[]).replace("    format: csv\n", limits);
    harness.memory.publish_contract("visits", document);
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.until_terminal(&[&file]).await;
    assert_eq!(harness.fault(&file).as_deref(), Some("TOO_LARGE"));
    assert_eq!(harness.object("original").as_deref(), Some(GOOD.as_bytes()));
    let reads = harness.memory.calls().into_iter().filter(|call| *call == Operation::ReadObject);
    assert_eq!(reads.count(), 1, "opened, and nothing of it read");
}

/// A contract whose key is a text.
fn contract_with_text_key(format: &str) -> String {
    contract(format, "active", &[]).replace("logicalType: integer", "logicalType: string")
}

#[tokio::test]
async fn a_key_of_1024_bytes_gives_names_within_every_limit() {
    let harness = Harness::new();
    let (partner, feed) = ("p".repeat(63), "f".repeat(63));
    harness.memory.publish_contract(&feed, contract_with_text_key("csv"));
    let mut key = format!("{partner}/{feed}/\u{1f9b4}\n");
    key.push_str(&"x".repeat(1_024 - key.len()));
    let primary = "k".repeat(1_024);
    let files =
        [format!("id,name\n{primary},a\n,b\n"), "id\n".to_owned()].map(|text| harness.land(&key, text));
    harness.until_terminal(&[&files[0], &files[1]]).await;
    assert_eq!((harness.state(&files[0]), harness.state(&files[1])), (State::Complete, State::Quarantined));
    let rows = harness.memory.rows();
    assert_eq!(rows.len(), 1);
    assert!(rows.iter().all(|row| row.partition.len() <= 2_048 && row.sort.len() <= 1_024));
    assert!(harness.memory.quarantine().keys().all(|name| name.len() <= 1_024));
}

#[tokio::test]
async fn an_empty_key_is_rejected_and_an_empty_text_is_kept() {
    let harness = Harness::new();
    harness.memory.publish_contract("visits", contract_with_text_key("ndjson"));
    let file =
        harness.land("north/visits/a.json", "{\"id\":\"\",\"name\":\"a\"}\n{\"id\":\"1\",\"name\":\"\"}\n");
    harness.until_terminal(&[&file]).await;
    let rows = harness.memory.rows();
    assert_eq!(rows.iter().map(|row| row.partition.as_str()).collect::<Vec<_>>(), ["north/visits#1"]);
    assert!(rows[0].attributes.contains(&("name".to_owned(), store::ItemValue::Text(String::new()))));
}

#[tokio::test]
async fn a_contract_with_errors_is_told_with_the_place_of_the_first() {
    let harness = Harness::new();
    harness
        .memory
        .publish_contract("visits", contract("csv", "active", &[("onEror", "abort"), ("onSameName", "x")]));
    let file = harness.land("north/visits/a.csv", GOOD);
    harness.until_terminal(&[&file]).await;
    let receipt: Value =
        serde_json::from_slice(&harness.object("quarantined.json").expect("receipt")).expect("JSON");
    let found = receipt["fault"]["found"].as_str().expect("text");
    assert!(
        found.starts_with(
            "2 errors in the contract, the first on line 24: found the unknown custom property `onEror`"
        ),
        "{found}"
    );
}

#[tokio::test]
async fn the_same_bytes_are_taken_once_when_the_contract_asks_for_it() {
    let harness = Harness::new();
    visits(&harness, &[("dedupeContent", "true")]);
    let first = harness.land("north/visits/a.csv", GOOD);
    let again = harness.land("north/visits/b.csv", GOOD);
    let elsewhere = harness.land("south/visits/b.csv", GOOD);
    harness.until_terminal(&[&first, &again, &elsewhere]).await;
    assert_eq!(harness.state(&first), State::Complete);
    assert_eq!(harness.state(&again), State::Duplicate);
    assert_eq!(harness.state(&elsewhere), State::Complete);
    let outcome = harness.entry(&again).outcome.expect("outcome");
    assert_eq!(outcome.other, Some(store::FileId::of(&first)));
    let receipt: Value =
        serde_json::from_slice(&harness.object(&outcome.receipt).expect("receipt")).expect("JSON");
    assert_eq!(receipt["other"], store::FileId::of(&first).as_str());
}

/// Lands a file that says which one it corrects.
pub(super) async fn land_correction(
    harness: &Harness,
    bytes: &'static str,
    corrects: &str,
) -> store::FileVersion {
    let land = Land {
        key: "north/visits/corrected.csv".into(),
        upload: UploadId::of(&[b"corrected"]),
        content_type: "text/csv".into(),
        corrects: Some(corrects.to_owned()),
        condition: Condition::Absent,
    };
    let sha256 = Sha256::digest(bytes).into();
    WriteInbox::land(&harness.memory, &land, &sha256, bytes.into()).await.expect("no planned fault");
    let versions = harness.memory.inbox_versions();
    let landed = versions.into_iter().find(|version| version.file.key == land.key);
    landed.expect("it landed").file
}

#[tokio::test]
async fn a_file_tells_which_one_it_corrects_whether_it_is_loaded_or_quarantined() {
    for (bytes, state) in [(GOOD, State::Complete), (MIXED, State::Quarantined)] {
        let harness = Harness::new();
        visits(&harness, &[("onError", "abort")]);
        let rejected = FileId::of(&harness.land("north/visits/rejected.csv", MIXED));
        let corrected = land_correction(&harness, bytes, rejected.as_str()).await;
        harness.until_terminal(&[&corrected]).await;
        let outcome = harness.entry(&corrected).outcome.expect("outcome");
        assert_eq!((outcome.state, outcome.corrects), (state, Some(rejected.clone())));
        let receipt = harness.memory.quarantine()[&outcome.receipt].bytes.clone();
        let receipt: Value = serde_json::from_slice(&receipt).expect("a receipt is JSON");
        assert_eq!(receipt["corrects"], json!(rejected.as_str()));
        let told = harness.memory.published();
        let told: Value = serde_json::from_str(&told[0].body).expect("an announcement is JSON");
        assert_eq!(told["corrects"], json!(rejected.as_str()));
    }
}

#[tokio::test]
async fn metadata_that_names_no_file_is_shown_nowhere() {
    let harness = Harness::new();
    visits(&harness, &[]);
    let corrected = land_correction(&harness, GOOD, "Ann Example, born 1970").await;
    harness.until_terminal(&[&corrected]).await;
    let outcome = harness.entry(&corrected).outcome.expect("outcome");
    assert_eq!((outcome.state, outcome.corrects), (State::Complete, None));
    let objects = harness.memory.quarantine();
    assert!(objects.values().all(|object| !String::from_utf8_lossy(&object.bytes).contains("Example")));
    assert!(!format!("{:?}", harness.memory.published()).contains("corrects"));
}
