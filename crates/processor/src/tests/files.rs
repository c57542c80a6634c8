use std::io::{Read, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{
    FileId, Operation, State,
    door::{Condition, Land, Landing, UploadId},
};

use super::bench::*;

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
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/day 1.csv", GOOD);
    assert_eq!(bench.deliver(&[&file]).await, [] as [&str; 0]);
    let entry = bench.entry(&file);
    let outcome = entry.outcome.expect("outcome");
    assert_eq!((entry.state, outcome.counts.rows, outcome.quarantine), (State::Complete, 3, None));
    assert_eq!(outcome.contract_version, "1.2.0");
    let rows = bench.memory.rows();
    let keys: Vec<_> = rows.iter().map(|row| row.partition.as_str()).collect();
    assert_eq!(keys, ["north/visits#1", "north/visits#2", "north/visits#3"]);
    assert!(rows.iter().all(|row| row.sort == format!("{}#{}", entry.order, entry.load)));
    let objects = bench.memory.quarantine();
    assert_eq!(objects.keys().collect::<Vec<_>>(), [&outcome.receipt]);
    let receipt: Value = serde_json::from_slice(&objects[&outcome.receipt].bytes).expect("a receipt is JSON");
    assert_eq!((&receipt["state"], &receipt["counts"]["rows"]), (&json!("COMPLETE"), &json!(3)));
}

#[tokio::test]
async fn good_records_of_a_mixed_file_are_loaded_and_the_others_can_be_mended() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", MIXED);
    bench.until_terminal(&[&file]).await;
    let outcome = bench.entry(&file).outcome.expect("outcome");
    assert_eq!((outcome.counts.records, outcome.counts.rows, outcome.counts.rejects), (4, 2, 2));
    assert_eq!(bench.memory.rows().len(), 2);
    let lines = gunzip(&bench.object("rejects.ndjson.gz").expect("rejects"));
    let numbers: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["line"].clone())
        .collect();
    assert_eq!(numbers, [json!(3), json!(4)]);
    let table = String::from_utf8(bench.object("rejects.csv").expect("table")).expect("UTF-8");
    assert!(table.starts_with("id,name,_line,"), "{table}");
    assert!(bench.object("report.complete.json").is_some());
    assert!(bench.object("original").is_none());
}

#[tokio::test]
async fn a_file_over_its_error_budget_is_kept_whole_and_nothing_is_loaded() {
    let bench = Bench::new();
    visits(&bench, &[("onError", "abort")]);
    let file = bench.land("north/visits/a.csv", MIXED);
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.state(&file), State::Quarantined);
    assert_eq!(bench.fault(&file).as_deref(), Some("ERROR_BUDGET"));
    assert_eq!(bench.object("original").as_deref(), Some(MIXED.as_bytes()));
    assert_eq!(gunzip(&bench.object("rejects.ndjson.gz").expect("rejects")).lines().count(), 2);
    assert!(bench.memory.rows().is_empty());
    let day = format!("north/visits/2026/11/20/{}/", bench.entry(&file).load);
    assert_eq!(bench.entry(&file).outcome.and_then(|outcome| outcome.quarantine), Some(day));
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
            let bench = Bench::with(|settings| settings.small_file_bytes = small);
            bench.memory.publish_contract("visits", contract(format, "active", &[]));
            bench.memory.chunks_of(chunk);
            let file = bench.land("north/visits/a", &bytes);
            bench.until_terminal(&[&file]).await;
            assert_eq!((bench.state(&file), bench.memory.rows().len()), (State::Complete, 2), "{format}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_checked_is_kept_with_its_reason() {
    let bench = Bench::new();
    visits(&bench, &[]);
    bench.memory.publish_contract("broken", "not: [a contract");
    bench.memory.publish_contract("drafted", contract("csv", "draft", &[]));
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
        let file = bench.land(key, bytes);
        bench.until_terminal(&[&file]).await;
        assert_eq!(bench.state(&file), State::Quarantined, "{key}");
        assert_eq!(bench.fault(&file).as_deref(), Some(fault), "{key}");
        let prefix = bench.entry(&file).outcome.and_then(|outcome| outcome.quarantine).expect("prefix");
        let kept = bench.memory.quarantine();
        assert_eq!(kept[&format!("{prefix}original")].bytes, bytes.as_bytes(), "{key}");
        assert!(kept.contains_key(&format!("{prefix}report.quarantined.json")), "{key}");
    }
    assert!(bench.memory.rows().is_empty());
}

#[tokio::test]
async fn a_deleted_file_is_gone_and_an_archived_one_waits_in_the_inbox() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let deleted = bench.land("north/visits/a.csv", GOOD);
    bench.memory.delete(&deleted);
    let archived = bench.land("north/visits/b.csv", GOOD);
    bench.memory.archive(&archived);
    bench.until_terminal(&[&deleted, &archived]).await;
    assert_eq!(bench.state(&deleted), State::Gone);
    assert_eq!(bench.counted("FilesGone"), 1);
    assert_eq!(bench.fault(&archived).as_deref(), Some("ARCHIVED"));
    assert!(bench.object("original").is_none());
}

#[tokio::test]
async fn an_archived_file_that_is_refused_unread_stays_in_the_inbox_and_its_receipt_says_where() {
    let bench = Bench::new();
    let poison = Bench::on(bench.memory.clone(), |settings| settings.deaths = 0);
    visits(&bench, &[("onSameName", "reject")]);
    let first = bench.land("north/visits/taken.csv", GOOD);
    bench.until_terminal(&[&first]).await;
    for (key, fault) in [
        ("north/unknown-feed/a.csv", "NO_CONTRACT"),
        ("lost.csv", "BAD_KEY"),
        ("north/visits/taken.csv", "SAME_NAME"),
        ("north/visits/poison.csv", "POISON"),
    ] {
        let file = bench.land(key, GOOD);
        bench.memory.archive(&file);
        let bench = if fault == "POISON" { &poison } else { &bench };
        bench.until_terminal(&[&file]).await;
        assert_eq!(bench.fault(&file).as_deref(), Some(fault));
        let outcome = bench.entry(&file).outcome.expect("outcome");
        let prefix = outcome.quarantine.expect("prefix");
        let kept = bench.memory.quarantine();
        assert!(!kept.contains_key(&format!("{prefix}original")), "{key}");
        let inbox = json!({ "bucket": "inbox", "key": key, "version": file.version });
        for name in [outcome.receipt, format!("{prefix}report.quarantined.json")] {
            let told: Value = serde_json::from_slice(&kept[&name].bytes).expect("JSON");
            assert_eq!(told["original"], inbox, "{name}");
        }
    }
}

#[tokio::test]
async fn a_file_archived_between_its_two_readings_is_refused_and_not_taken_for_deleted() {
    let bench = Bench::with(|settings| settings.small_file_bytes = 0);
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    let frozen = file.clone();
    // Calls: contract, claim, open, chunk, end, open.
    bench.memory.before(7, move |memory| async move { memory.archive(&frozen) });
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.fault(&file).as_deref(), Some("ARCHIVED"));
    assert!(bench.memory.rows().is_empty());
}

#[tokio::test]
async fn receipt_report_and_announcement_say_the_same_verdict() {
    let bench = Bench::new();
    visits(&bench, &[("dedupeContent", "true"), ("onSameName", "reject")]);
    let deleted = bench.land("north/visits/deleted.csv", GOOD);
    bench.memory.delete(&deleted);
    for (key, bytes, verdict) in [
        ("north/nowhere/a.csv", GOOD, json!("rejected")),
        ("lost.csv", GOOD, json!("rejected")),
        ("north/visits/good.csv", GOOD, json!("accepted")),
        ("north/visits/good.csv", MIXED, json!("rejected")),
        ("north/visits/mixed.csv", MIXED, json!("partial")),
        ("north/visits/again.csv", MIXED, Value::Null),
        ("north/visits/header.csv", "id\n1\n", json!("rejected")),
    ] {
        let file = bench.land(key, bytes);
        bench.until_terminal(&[&file]).await;
        let outcome = bench.entry(&file).outcome.expect("outcome");
        let kept = bench.memory.quarantine();
        let receipt: Value = serde_json::from_slice(&kept[&outcome.receipt].bytes).expect("JSON");
        assert_eq!(receipt["verdict"], verdict, "{key}");
        let announcement = bench.memory.published().pop().expect("announced");
        let event: Value = serde_json::from_str(&announcement.body).expect("JSON");
        assert_eq!(event["verdict"], verdict, "{key}");
    }
}

#[tokio::test]
async fn a_file_deleted_between_its_two_readings_is_gone_and_none_of_its_rows_is_visible() {
    let bench = Bench::with(|settings| settings.small_file_bytes = 0);
    visits(&bench, &[]);
    let file = bench.land("north/visits/a.csv", GOOD);
    let doomed = file.clone();
    // Calls: contract, claim, open, chunk, end, open.
    bench.memory.before(7, move |memory| async move { memory.delete(&doomed) });
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.state(&file), State::Gone);
    assert!(bench.memory.rows().is_empty());
}

#[tokio::test]
async fn clutter_is_ignored_and_nobody_is_told() {
    let bench = Bench::new();
    let folder = bench.land("north/visits/", "");
    let lock = bench.land("north/visits/.~lock.a.csv#", "x");
    bench.until_terminal(&[&folder, &lock]).await;
    assert_eq!((bench.state(&folder), bench.state(&lock)), (State::Ignored, State::Ignored));
    assert!(bench.memory.published().is_empty());
    assert!(bench.memory.quarantine().is_empty());
}

#[tokio::test]
async fn an_announcement_says_what_became_of_the_file_and_nothing_of_what_is_in_it() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let file = bench.land("north/visits/Jane Doe.csv", MIXED);
    bench.until_terminal(&[&file]).await;
    let [announcement] = bench.memory.published().try_into().expect("one");
    let body: Value = serde_json::from_str(&announcement.body).expect("JSON");
    let entry = bench.entry(&file);
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
    let bench = Bench::new();
    visits(&bench, &[]);
    bench.land("north/visits/a+b.csv", "id,name\n1,Old\n");
    let newest = bench.land("north/visits/a+b.csv", GOOD);
    let event = json!({
        "source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-20T08:15:00Z",
        "detail": { "bucket": { "name": INBOX }, "object": { "key": "north/visits/a+b.csv", "etag": "e" } }
    });
    assert!(bench.invoke_direct(&event).await.is_ok());
    assert_eq!(bench.state(&newest), State::Complete);
}

#[tokio::test]
async fn a_bucket_without_versions_is_pinned_by_the_entity_tag() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let first = bench.memory.land_unversioned(INBOX, "north/visits/a.csv", GOOD);
    let second = bench.memory.land_unversioned(INBOX, "north/visits/a.csv", "id,name\n9,Zoe\n");
    bench.until_terminal(&[&first, &second]).await;
    assert_eq!((bench.state(&first), bench.state(&second)), (State::Gone, State::Complete));
    let quoted = store::FileVersion { etag: second.etag.map(|etag| format!("\"{etag}\"")), ..second };
    assert!(bench.deliver(&[&quoted]).await.is_empty());
    assert_eq!(bench.memory.entries().len(), 2, "the same file, as an answer of S3 spells its tag");
}

#[tokio::test]
async fn a_file_above_the_contracts_limit_is_kept_and_not_read() {
    let bench = Bench::new();
    let limits = "    format: csv\n    customProperties:\n      - property: limits\n        value: { maxFileBytes: 20 }\n        vendor: ingest\n";
    let document = contract("csv", "active", &[]).replace("    format: csv\n", limits);
    bench.memory.publish_contract("visits", document);
    let file = bench.land("north/visits/a.csv", GOOD);
    bench.until_terminal(&[&file]).await;
    assert_eq!(bench.fault(&file).as_deref(), Some("TOO_LARGE"));
    assert_eq!(bench.object("original").as_deref(), Some(GOOD.as_bytes()));
    let reads = bench.memory.calls().into_iter().filter(|call| *call == Operation::ReadObject);
    assert_eq!(reads.count(), 1, "opened, and nothing of it read");
}

/// A contract whose key is a text.
fn contract_with_text_key(format: &str) -> String {
    contract(format, "active", &[]).replace("logicalType: integer", "logicalType: string")
}

#[tokio::test]
async fn a_key_of_1024_bytes_gives_names_within_every_limit() {
    let bench = Bench::new();
    let (partner, feed) = ("p".repeat(63), "f".repeat(63));
    bench.memory.publish_contract(&feed, contract_with_text_key("csv"));
    let mut key = format!("{partner}/{feed}/\u{1f9b4}\n");
    key.push_str(&"x".repeat(1_024 - key.len()));
    let primary = "k".repeat(1_024);
    let files = [format!("id,name\n{primary},a\n,b\n"), "id\n".to_owned()].map(|text| bench.land(&key, text));
    bench.until_terminal(&[&files[0], &files[1]]).await;
    assert_eq!((bench.state(&files[0]), bench.state(&files[1])), (State::Complete, State::Quarantined));
    let rows = bench.memory.rows();
    assert_eq!(rows.len(), 1);
    assert!(rows.iter().all(|row| row.partition.len() <= 2_048 && row.sort.len() <= 1_024));
    assert!(bench.memory.quarantine().keys().all(|name| name.len() <= 1_024));
}

#[tokio::test]
async fn an_empty_key_is_refused_and_an_empty_text_is_kept() {
    let bench = Bench::new();
    bench.memory.publish_contract("visits", contract_with_text_key("ndjson"));
    let file =
        bench.land("north/visits/a.json", "{\"id\":\"\",\"name\":\"a\"}\n{\"id\":\"1\",\"name\":\"\"}\n");
    bench.until_terminal(&[&file]).await;
    let rows = bench.memory.rows();
    assert_eq!(rows.iter().map(|row| row.partition.as_str()).collect::<Vec<_>>(), ["north/visits#1"]);
    assert!(rows[0].attributes.contains(&("name".to_owned(), store::ItemValue::Text(String::new()))));
}

#[tokio::test]
async fn a_contract_with_errors_is_told_with_the_place_of_the_first() {
    let bench = Bench::new();
    bench
        .memory
        .publish_contract("visits", contract("csv", "active", &[("onEror", "abort"), ("onSameName", "x")]));
    let file = bench.land("north/visits/a.csv", GOOD);
    bench.until_terminal(&[&file]).await;
    let receipt: Value =
        serde_json::from_slice(&bench.object("quarantined.json").expect("receipt")).expect("JSON");
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
    let bench = Bench::new();
    visits(&bench, &[("dedupeContent", "true")]);
    let first = bench.land("north/visits/a.csv", GOOD);
    let again = bench.land("north/visits/b.csv", GOOD);
    let elsewhere = bench.land("south/visits/b.csv", GOOD);
    bench.until_terminal(&[&first, &again, &elsewhere]).await;
    assert_eq!(bench.state(&first), State::Complete);
    assert_eq!(bench.state(&again), State::Duplicate);
    assert_eq!(bench.state(&elsewhere), State::Complete);
    let outcome = bench.entry(&again).outcome.expect("outcome");
    assert_eq!(outcome.other, Some(store::FileId::of(&first)));
    let receipt: Value =
        serde_json::from_slice(&bench.object(&outcome.receipt).expect("receipt")).expect("JSON");
    assert_eq!(receipt["other"], store::FileId::of(&first).as_str());
}

/// Lands a file that says which one it corrects.
pub(super) async fn land_correction(
    bench: &Bench,
    bytes: &'static str,
    corrects: &str,
) -> store::FileVersion {
    let land = Land {
        key: "north/visits/mended.csv".into(),
        upload: UploadId::of(&[b"mended"]),
        content_type: "text/csv".into(),
        corrects: Some(corrects.to_owned()),
        condition: Condition::Absent,
    };
    let sha256 = Sha256::digest(bytes).into();
    Landing::land(&bench.memory, &land, &sha256, bytes.into()).await.expect("no fuse");
    let versions = bench.memory.inbox_versions();
    let landed = versions.into_iter().find(|version| version.file.key == land.key);
    landed.expect("it landed").file
}

#[tokio::test]
async fn a_file_tells_which_one_it_corrects_whether_it_is_loaded_or_refused() {
    for (bytes, state) in [(GOOD, State::Complete), (MIXED, State::Quarantined)] {
        let bench = Bench::new();
        visits(&bench, &[("onError", "abort")]);
        let refused = FileId::of(&bench.land("north/visits/refused.csv", MIXED));
        let mended = land_correction(&bench, bytes, refused.as_str()).await;
        bench.until_terminal(&[&mended]).await;
        let outcome = bench.entry(&mended).outcome.expect("outcome");
        assert_eq!((outcome.state, outcome.corrects), (state, Some(refused.clone())));
        let receipt = bench.memory.quarantine()[&outcome.receipt].bytes.clone();
        let receipt: Value = serde_json::from_slice(&receipt).expect("a receipt is JSON");
        assert_eq!(receipt["corrects"], json!(refused.as_str()));
        let told = bench.memory.published();
        let told: Value = serde_json::from_str(&told[0].body).expect("an announcement is JSON");
        assert_eq!(told["corrects"], json!(refused.as_str()));
    }
}

#[tokio::test]
async fn metadata_that_names_no_file_is_told_to_nobody() {
    let bench = Bench::new();
    visits(&bench, &[]);
    let mended = land_correction(&bench, GOOD, "Ann Example, born 1970").await;
    bench.until_terminal(&[&mended]).await;
    let outcome = bench.entry(&mended).outcome.expect("outcome");
    assert_eq!((outcome.state, outcome.corrects), (State::Complete, None));
    let objects = bench.memory.quarantine();
    assert!(objects.values().all(|object| !String::from_utf8_lossy(&object.bytes).contains("Example")));
    assert!(!format!("{:?}", bench.memory.published()).contains("corrects"));
}
